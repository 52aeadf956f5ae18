"""Whether an application that works for hours keeps its size: `benchmarks/soak.py`."""
