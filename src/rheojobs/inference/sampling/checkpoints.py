"""A sampling on disk: segments of draws and the state at the end of each, as Zarr archives.

A segment is written under another name and renamed when it is whole, holds a checksum of all
that is in it, and follows on the one before. A damaged one is left out with all that come
after it. Numbers and JSON only: opening a folder executes nothing. Knows no sampler: a state
is a few named arrays to it. Those of one type are written as one, end to end, since an archive
of many small arrays takes longer to write than whoever cancels should wait.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import logging
import math
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

__all__ = ["Checkpoints", "Leftover", "new_folder", "samplings_folder"]

logger = logging.getLogger(__name__)

FORMAT = 2
PLAN = "plan.zarr.zip"
KEPT_SAMPLINGS = 50
"""How many stopped samplings are kept where the user named no folder."""

Arrays = Mapping[str, NDArray[Any]]


def samplings_folder() -> Path:
    """Give the folder of stopped samplings; `RHEOJOBS_STATE_DIR` moves it."""
    from rheojobs.engine.store.reader import state_folder

    return state_folder() / "samplings"


def new_folder() -> Path:
    """Name a folder for a sampling; nothing is made until there is something to keep."""
    return samplings_folder() / uuid.uuid4().hex


def prune() -> None:
    """Remove the oldest of the samplings that nobody came back for."""
    try:
        folders = sorted(samplings_folder().iterdir(), key=lambda path: path.stat().st_mtime)
    except OSError:
        return  # there are none, or another process is tidying up as well
    for folder in folders[:-KEPT_SAMPLINGS]:
        shutil.rmtree(folder, ignore_errors=True)


def _checksum(meta: Mapping[str, Any], arrays: Arrays) -> str:
    digest = hashlib.sha256(json.dumps(meta, sort_keys=True).encode())
    for name in sorted(arrays):
        array = np.ascontiguousarray(arrays[name])
        digest.update(f"{name} {array.dtype.str} {array.shape}".encode())
        digest.update(array.tobytes())
    return digest.hexdigest()


def _join(arrays: Arrays) -> tuple[dict[str, NDArray[Any]], list[Any]]:
    """Lay the arrays of each type end to end; gives them, and name, type and shape of each."""
    parts: dict[str, list[NDArray[Any]]] = {}
    layout = []
    for name, array in arrays.items():
        parts.setdefault(array.dtype.name, []).append(np.ravel(array))
        layout.append([name, array.dtype.name, list(array.shape)])
    joined = {dtype: np.concatenate(columns) for dtype, columns in parts.items()}
    # Zarr keeps no arrays without elements; their shapes are in the layout.
    return {dtype: array for dtype, array in joined.items() if array.size}, layout


def _split(joined: Arrays, layout: list[Any]) -> dict[str, NDArray[Any]]:
    """Undo `_join`."""
    arrays, taken = {}, dict.fromkeys(joined, 0)
    for name, dtype, shape in layout:
        size = math.prod(shape)
        start = taken.get(dtype, 0)
        array = joined[dtype][start : start + size] if size else np.empty(0, dtype=dtype)
        arrays[name] = array.reshape(shape)
        taken[dtype] = start + size
    return arrays


class Checkpoints:
    """The checkpoints of one sampling, in a folder.

    Parameters
    ----------
    folder : path
        Made when there is something to keep.
    told : callable, optional
        Is called with the path of each file that was written or removed.
    """

    def __init__(
        self, folder: str | Path, told: Callable[[Path], object] = lambda path: None
    ) -> None:
        self.folder = Path(folder)
        self._told = told
        self._next = 0

    def begin(self, plan: Segment) -> None:
        """Write what the sampling is, so that it can be told apart and taken up again."""
        self.folder.mkdir(parents=True, exist_ok=True)
        # Before the plan: segments of an earlier sampling must not pass for those of this one.
        self._drop(self._segments() + self._unfinished())
        self._write(self.folder / PLAN, plan)
        self._next = 0
        prune()

    def append(self, segment: Segment) -> None:
        """Add what came since the last segment."""
        meta = segment.meta | {"index": self._next}
        self._write(self.folder / f"{self._next:06d}.zarr.zip", Segment(meta, segment.arrays))
        self._next += 1

    def read_plan(self) -> Segment | None:
        """Give the plan; None where there is none. `InputError` where it is damaged."""
        path = self.folder / PLAN
        if not path.exists():
            return None
        plan = self._read(path)
        if plan is None:
            raise InputError(f"{path} is damaged: this sampling cannot be taken up again")
        return plan

    def read_segments(
        self, follows: Callable[[Segment | None, Segment], bool] = lambda before, segment: True
    ) -> tuple[list[Segment], str]:
        """Give the segments up to the first that is damaged or missing, and words about it.

        Whatever is appended then follows on them.

        Parameters
        ----------
        follows : callable
            Says of two segments, the first of which may be none, whether they belong together.
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
                note = f"the checkpoint {path.name} is damaged: going on from the one before it"
                logger.warning("%s", note)
                break
            good.append(segment)
        self._next = len(good)
        self._drop(self._segments()[len(good) :] + self._unfinished())
        return good, note

    def remove(self) -> None:
        """Remove what was written, when the sampling is done; the folder, if that was all in it.

        From the end: whoever is killed meanwhile leaves an earlier state of the sampling.
        """
        with contextlib.suppress(OSError):  # it is not there, or holds something else as well
            self._drop(self._unfinished() + self._segments()[::-1] + [self.folder / PLAN])
            self.folder.rmdir()

    def are_newer(self, when: float) -> bool:
        """Say whether anything here was written later (seconds since the epoch)."""
        files = [self.folder / PLAN, *self._segments()]
        return any(path.stat().st_mtime > when for path in files if path.exists())

    def _unfinished(self) -> list[Path]:
        """Give what a process was writing when it was killed."""
        return list(self.folder.glob(".*.zarr.zip.*.tmp"))

    def _drop(self, paths: Iterable[Path]) -> None:
        for path in paths:
            path.unlink(missing_ok=True)
            self._told(path)

    def _segments(self) -> list[Path]:
        return sorted(self.folder.glob("[0-9]*.zarr.zip"))

    def _write(self, path: Path, segment: Segment) -> None:
        import zarr
        from zarr.storage import ZipStore

        meta = {"format": FORMAT} | segment.meta
        joined, layout = _join(segment.arrays)
        attributes = {
            "meta": meta,
            "layout": layout,
            "sha256": _checksum(meta, segment.arrays),
        }
        temporary = path.with_name(f".{path.name}.{os.getpid()}.tmp")
        store = ZipStore(temporary, mode="w")
        try:
            group = zarr.create_group(store=store, attributes=attributes)
            for name, array in joined.items():
                # Draws are noise in all but their first bits: packing them saves little.
                group.create_array(name, data=array, chunks=array.shape, compressors=None)
        finally:
            store.close()
        with temporary.open("rb") as file:
            os.fsync(file.fileno())
        temporary.replace(path)
        self._told(path)

    def _read(self, path: Path) -> Segment | None:
        import zarr
        from zarr.storage import ZipStore

        try:
            store = ZipStore(path, mode="r")
            try:
                group = zarr.open_group(store=store, mode="r")
                attributes: dict[str, Any] = dict(group.attrs)
                joined = {name: np.asarray(array[:]) for name, array in group.arrays()}
            finally:
                store.close()
            arrays = _split(joined, attributes["layout"])
            meta = attributes["meta"]
            whole = attributes["sha256"] == _checksum(meta, arrays)
        except Exception as error:  # whatever a damaged archive raises in zipfile, zarr or zlib
            logger.debug("%s cannot be read: %s", path, error)
            return None
        if not whole or not isinstance(meta, dict) or meta.get("format") != FORMAT:
            return None
        return Segment(meta, arrays)


@dataclass(frozen=True)
class Leftover:
    """The checkpoints of a sampling whose draws are kept elsewhere, for the engine to remove.

    Attributes
    ----------
    folder : str
        Where they are, whoever asks from wherever.
    until : float
        When all was drawn. Where anything is newer, another sampling has gone on in the folder
        meanwhile: then all stays, for that one removes it.
    """

    is_leftover: ClassVar[bool] = True

    folder: str
    until: float

    @classmethod
    def of(cls, folder: str | Path) -> Self:
        """Give what is in a folder now."""
        return cls(str(Path(folder).absolute()), time.time())

    def tidy(self) -> None:
        """Remove it."""
        checkpoints = Checkpoints(self.folder)
        if not checkpoints.are_newer(self.until):
            checkpoints.remove()

    def to_record(self) -> tuple[Any, Mapping[str, bytes]]:
        """Give it as JSON."""
        return {"folder": self.folder, "until": self.until}, {}

    @classmethod
    def from_record(cls, content: Any, blobs: Mapping[str, bytes]) -> Self:
        """Give it again."""
        return cls(str(content["folder"]), float(content["until"]))
