"""Tasks in warm worker processes: the pool, its workers, and the code that runs inside them."""

from __future__ import annotations

from rheojobs.lazy import importer

__all__ = ["ProcessExecutor"]

# Late: a worker process imports this package and needs no pool.
__getattr__ = importer(__name__, {"ProcessExecutor": f"{__name__}.pool"})
