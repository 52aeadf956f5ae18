"""Measurements of the engine; `benchmarks/engine.py` is the command."""
