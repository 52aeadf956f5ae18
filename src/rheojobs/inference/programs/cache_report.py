"""Report and clear the caches on disk: compiled programs and lists of models.

Imports no JAX.
"""

from __future__ import annotations

import contextlib
import logging
import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from rheojobs.inference.programs.disk_cache import StoredFile, stored_files
from rheojobs.inference.programs.jax_setup import MAX_CACHE_BYTES, cache_folder, programs_folder

__all__ = ["CacheInfo", "cache_info", "clear_cache"]

logger = logging.getLogger(__name__)

MODEL_LISTS = ("models-*.json", ".models-*")


@dataclass(frozen=True)
class CacheInfo:
    """The caches on disk.

    Attributes
    ----------
    folder : Path
        Where they are; the environment variable ``RHEOJOBS_CACHE_DIR`` moves it.
    entries : int
        How many files there are: compiled programs, and lists of models.
    bytes : int
        Their size.
    limit : int
        How many bytes the compiled programs may take; the least recently used go first.
    """

    folder: Path
    entries: int
    bytes: int
    limit: int


def cache_info() -> CacheInfo:
    """Return what the caches on disk hold."""
    files = list(_files())
    size = sum(file.size for file in files)
    return CacheInfo(cache_folder(), len(files), size, MAX_CACHE_BYTES)


def clear_cache() -> int:
    """Delete all cached files; return how many bytes that freed.

    This is safe while other processes use the cache: they make missing entries again.
    """
    freed = 0
    for file in list(_files()):
        try:
            os.unlink(file.path)
        except FileNotFoundError:  # another process was quicker
            continue
        except OSError as error:
            logger.warning("not removed: %s", error)
            continue
        freed += file.size
    for folder in [*programs_folder().glob("*"), programs_folder()]:
        # A folder that is not empty by now is in use again.
        with contextlib.suppress(OSError):
            folder.rmdir()
    return freed


def _files() -> Iterator[StoredFile]:
    """Return only our own files: `RHEOJOBS_CACHE_DIR` may name a folder that holds others."""
    yield from stored_files(programs_folder())
    for pattern in MODEL_LISTS:
        for path in cache_folder().glob(pattern):
            with contextlib.suppress(FileNotFoundError):  # another process was quicker
                status = path.stat(follow_symlinks=False)
                yield StoredFile(str(path), status.st_size, status.st_mtime_ns)
