"""Store a sampling on disk: segments of draws with the state at the end, as NumPy archives.

A segment is written under a temporary name, renamed when complete, holds a checksum of its content,
and continues the one before. A damaged segment is skipped with all later ones. The files hold only
numbers and JSON: opening a folder executes nothing.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import logging
import os
import shutil
import time
import uuid
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar, Self

import numpy as np
from numpy.typing import NDArray

from rheojobs.errors import InputError
from rheojobs.inference.results.segments import Segment
from rheojobs.whole_files import replace

__all__ = ["Checkpoints", "Leftover", "new_folder", "samplings_folder"]

logger = logging.getLogger(__name__)

FORMAT = 3
PLAN = "plan.npz"
OLD_PLAN = "plan.zarr.zip"
TOLD = "$json"
"""The name, among the arrays of a file, of the JSON text with all other values."""

KEPT_SAMPLINGS = 50
"""How many stopped samplings are kept if the user named no folder."""

Arrays = Mapping[str, NDArray[Any]]


def samplings_folder() -> Path:
    """Return the folder of stopped samplings; `RHEOJOBS_STATE_DIR` moves it."""
    from rheojobs.engine.store.reader import state_folder

    return state_folder() / "samplings"


def new_folder() -> Path:
    """Return a folder for a sampling; it is only made when there is something to store."""
    return samplings_folder() / uuid.uuid4().hex


def prune() -> None:
    """Remove the oldest of the samplings that were never resumed."""
    try:
        folders = sorted(samplings_folder().iterdir(), key=lambda path: path.stat().st_mtime)
    except OSError:
        return  # there are none, or another process is removing them too
    for folder in folders[:-KEPT_SAMPLINGS]:
        shutil.rmtree(folder, ignore_errors=True)


def _checksum(meta: Mapping[str, Any], arrays: Arrays) -> str:
    digest = hashlib.sha256(json.dumps(meta, sort_keys=True).encode())
    for name in sorted(arrays):
        array = np.ascontiguousarray(arrays[name])
        digest.update(f"{name} {array.dtype.str} {array.shape}".encode())
        digest.update(array.tobytes())
    return digest.hexdigest()


class Checkpoints:
    """The checkpoints of one sampling, in a folder.

    Parameters
    ----------
    folder : path
        Made when there is something to store.
    told : callable, optional
        Called with the path of each file that was written or removed.
    """

    def __init__(
        self, folder: str | Path, told: Callable[[Path], object] = lambda path: None
    ) -> None:
        self.folder = Path(folder)
        self._told = told
        self._next = 0

    def begin(self, plan: Segment) -> None:
        """Write the plan, by which the sampling is identified and resumed."""
        self.folder.mkdir(parents=True, exist_ok=True)
        # Before the plan: segments of an earlier sampling must not be taken for this one's.
        self._drop(self._segments() + self._unfinished())
        self._write(self.folder / PLAN, plan)
        self._next = 0
        prune()

    def append(self, segment: Segment) -> None:
        """Write the draws since the last segment."""
        meta = segment.meta | {"index": self._next}
        self._write(self.folder / f"{self._next:06d}.npz", Segment(meta, segment.arrays))
        self._next += 1

    def read_plan(self) -> Segment | None:
        """Return the plan; None if there is none; `InputError` if it is damaged, or too old."""
        path = self.folder / PLAN
        if not path.exists():
            if (self.folder / OLD_PLAN).exists():
                raise InputError(
                    f"{self.folder} holds a sampling that an earlier version of rheojobs stopped: "
                    "this one cannot resume it; remove the folder to sample again"
                )
            return None
        plan = self._read(path)
        if plan is None:
            raise InputError(f"{path} is damaged: this sampling cannot be resumed")
        return plan

    def read_segments(
        self, follows: Callable[[Segment | None, Segment], bool] = lambda before, segment: True
    ) -> tuple[list[Segment], str]:
        """Return the segments up to the first damaged or missing one, and a note about it.

        Segments appended later continue these.

        Parameters
        ----------
        follows : callable
            Returns whether the second of two segments continues the first, which may be None.
        """
        good: list[Segment] = []
        note = ""
        for path in self._segments():
            segment = self._read(path)
            if (
                segment is None
                or segment.meta.get("index") != len(good)
                or not follows(good[-1] if good else None, segment)
            ):
                note = f"the checkpoint {path.name} is damaged: continuing from the one before it"
                logger.warning("%s", note)
                break
            good.append(segment)
        self._next = len(good)
        self._drop(self._segments()[len(good) :] + self._unfinished())
        return good, note

    def remove(self) -> None:
        """Remove the files of a finished sampling, and the folder if it is then empty.

        The last segment goes first: if killed meanwhile, an earlier state of the sampling is left.
        """
        with contextlib.suppress(OSError):  # it is not there, or holds something else too
            self._drop(self._unfinished() + self._segments()[::-1] + [self.folder / PLAN])
            self.folder.rmdir()

    def are_newer(self, when: float) -> bool:
        """Return whether anything here was written later (seconds since the epoch)."""
        files = [self.folder / PLAN, *self._segments()]
        return any(path.stat().st_mtime > when for path in files if path.exists())

    def _unfinished(self) -> list[Path]:
        """Return the files that a process was writing when it was killed."""
        return list(self.folder.glob(".*.npz.*.tmp"))

    def _drop(self, paths: Iterable[Path]) -> None:
        for path in paths:
            path.unlink(missing_ok=True)
            self._told(path)

    def _segments(self) -> list[Path]:
        return sorted(self.folder.glob("[0-9]*.npz"))

    def _write(self, path: Path, segment: Segment) -> None:
        meta = {"format": FORMAT} | segment.meta
        told = json.dumps({"meta": meta, "sha256": _checksum(meta, segment.arrays)})
        text = np.frombuffer(told.encode(), dtype=np.uint8)
        temporary = path.with_name(f".{path.name}.{os.getpid()}.tmp")
        with temporary.open("wb") as file:
            # Draws are noise in all but their first bits: compressing them saves little.
            arrays: dict[str, Any] = {TOLD: text} | segment.arrays
            np.savez(file, **arrays)
            file.flush()
            os.fsync(file.fileno())
        replace(temporary, path)
        self._told(path)

    def _read(self, path: Path) -> Segment | None:
        try:
            with np.load(path, allow_pickle=False) as file:
                # Nothing is written compressed: what unpacks to more is no checkpoint.
                if sum(item.file_size for item in file.zip.infolist()) > path.stat().st_size:
                    raise ValueError("it is compressed")
                arrays = {name: file[name] for name in file.files}
            told = json.loads(arrays.pop(TOLD).tobytes())
            meta = told["meta"]
            whole = told["sha256"] == _checksum(meta, arrays)
        except Exception as error:  # any exception of zipfile or NumPy on a damaged archive
            logger.debug("%s cannot be read: %s", path, error)
            return None
        if not whole or not isinstance(meta, dict) or meta.get("format") != FORMAT:
            return None
        return Segment(meta, arrays)


@dataclass(frozen=True)
class Leftover:
    """The checkpoints of a sampling whose draws are stored elsewhere, for the engine to remove.

    Attributes
    ----------
    folder : str
        Their absolute path.
    until : float
        When all was drawn. If anything is newer, another sampling has used the folder
        meanwhile: then nothing is removed, since that one removes it.
    """

    is_leftover: ClassVar[bool] = True

    folder: str
    until: float

    @classmethod
    def of(cls, folder: str | Path) -> Self:
        """Return the checkpoints that a folder holds now."""
        return cls(str(Path(folder).absolute()), time.time())

    def tidy(self) -> None:
        """Remove it."""
        checkpoints = Checkpoints(self.folder)
        if not checkpoints.are_newer(self.until):
            checkpoints.remove()

    def to_record(self) -> tuple[Any, Mapping[str, bytes]]:
        """Return the fields as JSON."""
        return {"folder": self.folder, "until": self.until}, {}

    @classmethod
    def from_record(cls, content: Any, blobs: Mapping[str, bytes]) -> Self:
        """Restore it from JSON."""
        return cls(str(content["folder"]), float(content["until"]))
