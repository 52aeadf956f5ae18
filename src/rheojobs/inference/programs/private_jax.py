"""Replace JAX's cache of compiled programs by a `ProgramCache`.

This sets `jax._src.compilation_cache._cache` and `_cache_initialized`. If a version of JAX lacks
them, JAX's own cache is used. No other file imports from `jax._src`.
"""

from __future__ import annotations

import importlib.util
import logging
from pathlib import Path

from rheojobs.inference.programs.disk_cache import ProgramCache

__all__ = ["keep_programs"]

logger = logging.getLogger(__name__)


def keep_programs(folder: Path, root: Path, max_bytes: int) -> None:
    """Make JAX store its compiled programs in a folder, through a `ProgramCache`.

    Parameters
    ----------
    folder : path
        Of these programs.
    root : path
        All that is below it counts.
    max_bytes : int
        How large it may become.
    """
    import jax
    from jax._src import compilation_cache

    if all(hasattr(compilation_cache, name) for name in ("_cache", "_cache_initialized")):
        compilation_cache.reset_cache()
        compilation_cache._cache = ProgramCache(  # type: ignore[assignment]
            folder, root, max_bytes
        )
        compilation_cache._cache_initialized = True
        return
    # JAX's internals have changed: use its own cache, which it bounds if filelock is there.
    logger.warning("JAX %s keeps compiled programs its own way", jax.__version__)
    jax.config.update("jax_compilation_cache_dir", str(folder))
    if importlib.util.find_spec("filelock") is not None:
        jax.config.update("jax_compilation_cache_max_size", max_bytes)
