"""The parts of `benchmarks/coverage.py`: how often intervals of 95 % hold the truth."""
