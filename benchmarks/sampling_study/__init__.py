"""Samplings compared with what a user would take instead: jobs, kernels, starts, cancels."""
