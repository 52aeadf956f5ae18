"""Fits and samples of rheological models, run inside a worker.

Knows JAX; must not know Qt nor how jobs are scheduled.
"""
