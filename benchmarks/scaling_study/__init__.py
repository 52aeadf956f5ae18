"""How far jobs scale on a Dask cluster; `benchmarks/scaling.py` is the command."""
