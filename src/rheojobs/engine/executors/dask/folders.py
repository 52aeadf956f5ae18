"""The folders in which runs keep their files on a worker's machine, and what a dead one has left.

They lie beside the worker's own folder, which its nanny removes when it dies: the nanny lives on,
and gives what had not been sent. Knows neither runs nor the application.
"""

from __future__ import annotations

import contextlib
import os
import platform
import shutil
import signal
import tempfile
import time
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import psutil

from rheojobs.engine import messages
from rheojobs.engine.executors.dask import file_transfer
from rheojobs.engine.serialization import state_from_disk, state_to_disk
from rheojobs.whole_files import write_whole

__all__ = ["discard", "keep_state", "left", "open_folder"]

PREFIX = "rheojobs-run-"

STATE = ".state"
"""The file of a checkpoint's state; like all whose names begin so, none of the task's own."""

MAX_AGE = 86400.0
"""Seconds for which what a dead worker has left is kept, where nobody has called for it."""


def open_folder(worker: Any, key: str, files: Mapping[str, bytes]) -> Path:
    """Make the folder of a run, with the files that it goes on from: all of them, or none is there.

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
    file_transfer.lay_down(unfinished, files)
    folder = base / f"{PREFIX}{key}{whose}"
    unfinished.rename(folder)
    return folder


def keep_state(folder: Path, packed: bytes) -> None:
    """Write the state of a checkpoint, where it is JSON; a pickled one is kept nowhere."""
    text = state_to_disk(packed)
    if text is not None:
        write_whole(folder / STATE, lambda path: path.write_text(text, "utf-8"))


def left(
    address: str, key: str, there: Mapping[str, str], dask_worker: Any = None
) -> list[messages.Kept | messages.Checkpointed]:
    """Give what a run has kept that its application has not got; called in the nanny.

    A worker that lives on though the cluster knows it no more is killed first: its job goes on
    elsewhere.

    Parameters
    ----------
    address : str
        That of the worker.
    key : str
        Names the attempt.
    there : mapping of str to str
        What the application has of the task's folder: checksums by name.
    dask_worker : distributed.Nanny
        Given by Dask.
    """
    if dask_worker.worker_address == address and dask_worker.pid is not None:
        os.kill(dask_worker.pid, signal.SIGKILL)
    found: list[messages.Kept | messages.Checkpointed] = []
    for folder in _folders(Path(dask_worker.local_directory), key):
        found += file_transfer.differences(folder, there)
        with contextlib.suppress(OSError, ValueError):  # there is none
            found.append(
                messages.Checkpointed(state_from_disk((folder / STATE).read_text("utf-8")))
            )
    return found


def discard(key: str, dask_worker: Any = None) -> None:
    """Remove what a run has kept; called in the nanny, when its application has that."""
    for folder in _folders(Path(dask_worker.local_directory), key):
        shutil.rmtree(folder, ignore_errors=True)


def _folders(base: Path, key: str) -> Iterator[Path]:
    yield from base.glob(f"{PREFIX}{key}@*")


def _sweep(base: Path) -> None:
    """Remove what workers have left that died on this machine long ago."""
    for folder in base.glob(f"{PREFIX}*@{platform.node()}@*"):
        pid = folder.name.rpartition("@")[2]
        with contextlib.suppress(OSError, ValueError):  # another one sweeps too
            is_old = folder.stat().st_mtime < time.time() - MAX_AGE
            if is_old and not psutil.pid_exists(int(pid)):
                shutil.rmtree(folder, ignore_errors=True)
