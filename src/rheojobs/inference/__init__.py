"""Fits and samples of rheological models, run inside a worker; uses JAX, and never Qt.

Each room says in its docstring what it is for and what other rooms use of it; `pyproject.toml`
says which rooms stand below which.
"""
