"""Run other applications' jobs on our engine."""
