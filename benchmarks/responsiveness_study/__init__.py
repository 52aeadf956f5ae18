"""How smooth the window stays; `benchmarks/responsiveness.py` runs it."""
