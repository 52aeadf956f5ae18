"""A posterior: convergence, traces, pairs and ranks, while the sampling runs and afterwards.

They show a `BayesianResult` and the progress of a sampling; nothing is sampled here.
"""
