"""Widgets of a posterior: convergence, traces, pairs and ranks, live and afterwards.

They show a `BayesianResult` and the progress of a sampling; they sample nothing.
"""
