"""The parts of `benchmarks/interval_coverage.py`: how often intervals of 95 % hold the truth."""
