"""The part of `benchmarks/calibration.py`: ranks of simulated parameters."""
