"""The study of fits; `benchmarks/fitting.py` runs it."""
