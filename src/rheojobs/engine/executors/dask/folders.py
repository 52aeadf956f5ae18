"""Worker side: the folders of runs on a worker's machine, and those left by dead workers.

The folders lie beside the worker's own, which its nanny removes when the worker dies. The nanny
survives, and sends what had not been sent (`unsent`, `discard`).
"""

from __future__ import annotations

import contextlib
import os
import platform
import shutil
import tempfile
import time
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import psutil

from rheojobs.engine import messages
from rheojobs.engine.executors.dask import file_transfer
from rheojobs.engine.executors.process_family import kill_process
from rheojobs.engine.serialization import state_from_disk, state_to_disk
from rheojobs.whole_files import write_whole

__all__ = ["discard", "open_folder", "save_state", "unsent"]

PREFIX = "rheojobs-run-"

STATE = ".state"
"""The file of a checkpoint's state; a task's own files have no names that begin with a dot."""

MAX_AGE = 86400.0
"""Seconds after which the files of a dead worker's runs are removed if not fetched."""


def open_folder(worker: Any, key: str, files: Mapping[str, bytes]) -> Path:
    """Return the new folder of a run, with all of the files that it continues from.

    Parameters
    ----------
    worker : distributed.Worker
        Where it runs.
    key : str
        Names the attempt.
    files : mapping of str to bytes
        By name.
    """
    base = Path(worker.local_directory).parent
    _sweep(base)
    whose = f"@{platform.node()}@{os.getpid()}"
    unfinished = Path(tempfile.mkdtemp(prefix=f"{PREFIX}.", suffix=whose, dir=base))
    file_transfer.write_files(unfinished, files)
    folder = base / f"{PREFIX}{key}{whose}"
    unfinished.rename(folder)
    return folder


def save_state(folder: Path, packed: bytes) -> None:
    """Write the state of a checkpoint if it is JSON; a pickled one is never written to disk."""
    text = state_to_disk(packed)
    if text is not None:
        write_whole(folder / STATE, lambda path: path.write_text(text, "utf-8"))


def unsent(
    address: str, key: str, digests: Mapping[str, str], dask_worker: Any = None
) -> list[messages.Kept | messages.Checkpointed]:
    """Return what a run had written that its application has not received; called in the nanny.

    A worker that still lives though it has left the cluster is killed first: its job continues
    elsewhere.

    Parameters
    ----------
    address : str
        That of the worker.
    key : str
        Names the attempt.
    digests : mapping of str to str
        What the application has of the task's folder: checksums by name.
    dask_worker : distributed.Nanny
        Given by Dask.
    """
    if dask_worker.worker_address == address and dask_worker.pid is not None:
        kill_process(dask_worker.pid)
    found: list[messages.Kept | messages.Checkpointed] = []
    for folder in _folders(Path(dask_worker.local_directory), key):
        found += file_transfer.differences(folder, digests)
        with contextlib.suppress(OSError, ValueError):  # there is no state
            found.append(
                messages.Checkpointed(state_from_disk((folder / STATE).read_text("utf-8")))
            )
    return found


def discard(key: str, dask_worker: Any = None) -> None:
    """Remove the files of a run; called in the nanny, when its application has received them."""
    for folder in _folders(Path(dask_worker.local_directory), key):
        shutil.rmtree(folder, ignore_errors=True)


def _folders(base: Path, key: str) -> Iterator[Path]:
    yield from base.glob(f"{PREFIX}{key}@*")


def _sweep(base: Path) -> None:
    """Remove the files of workers that died on this machine long ago."""
    for folder in base.glob(f"{PREFIX}*@{platform.node()}@*"):
        pid = folder.name.rpartition("@")[2]
        with contextlib.suppress(OSError, ValueError):  # another process removes it too
            is_old = folder.stat().st_mtime < time.time() - MAX_AGE
            if is_old and not psutil.pid_exists(int(pid)):
                shutil.rmtree(folder, ignore_errors=True)
