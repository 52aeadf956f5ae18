"""Tasks on the workers of a Dask cluster; each module says on which side of the wire it runs."""

from __future__ import annotations

from rheojobs.lazy import importer

__all__ = ["DaskExecutor"]

# Late: the workers of a cluster import this package and need no executor.
__getattr__ = importer(__name__, {"DaskExecutor": f"{__name__}.executor"})
