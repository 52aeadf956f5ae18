"""Fits and samples of rheological models, run inside a worker; uses JAX, never Qt.

The docstring of each package names its purpose and what other packages use of it;
`pyproject.toml` holds which packages may import which.
"""
