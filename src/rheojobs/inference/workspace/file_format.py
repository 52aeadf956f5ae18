"""Write and read a workspace: a zip with one member of JSON, and arrays as NPY.

NumPy opens it as an NPZ. Reading makes plain values and a few of our own classes, executes
nothing, and extracts nothing to the disk.
"""

from __future__ import annotations

import json
import math
import re
import zipfile
from dataclasses import fields
from pathlib import Path
from typing import IO, Any

import numpy as np
from numpy.typing import NDArray

from rheojobs.errors import InputError, one_line
from rheojobs.inference.data.reading.preview import Reading
from rheojobs.inference.results.bayesian_result import BayesianResult
from rheojobs.inference.results.fit_result import FitResult
from rheojobs.inference.results.inference_arrays import InferenceArrays
from rheojobs.inference.results.records import pack_arrays, unpack_arrays
from rheojobs.inference.workspace.content import (
    Workspace,
    WorkspaceData,
    WorkspaceEdits,
    WorkspaceRun,
)
from rheojobs.inference.workspace.type_checks import check_types
from rheojobs.whole_files import write_whole

__all__ = ["FORMAT", "SUFFIX", "read_workspace", "write_workspace"]

SUFFIX = ".rheojobs"

FORMAT = 1
"""Raised when older versions could not read the file any more."""

MOST_BYTES = 2_000_000_000
MOST_JSON = 64_000_000
MOST_MEMBERS = 100_000

_JSON = "workspace.json"
_ARRAY = re.compile(r"arrays/\d{1,6}\.npy")
_LONGEST_HEADER = 10_000  # bytes; ours have about 100
_PIECE = 1 << 20


def write_workspace(workspace: Workspace, path: str | Path) -> None:
    """Write a workspace; an older file stays as it was until the new one is complete.

    Raises
    ------
    InputError
        If the file cannot be written, or a run has code of the user's own, such as a prior.
    """
    path = Path(path)
    workspace.validate()  # what is written can be read again
    content, arrays = _packed(workspace)
    try:
        write_whole(path, lambda target: _write_zip(target, content, list(arrays.values())))
    except OSError as error:
        reason = error.strerror or one_line(error)
        raise InputError(f"{path} cannot be written: {reason}") from error


def read_workspace(path: str | Path) -> Workspace:
    """Read a workspace.

    Raises
    ------
    InputError
        In one line, if the file is missing, damaged, too large, no workspace, or of a newer
        version.
    """
    path = Path(path)
    try:
        with path.open("rb") as file:
            workspace = _unpacked(*_read_zip(file))
        workspace.validate()
    except InputError as error:
        raise error.within(path.name) from error
    except OSError as error:
        raise InputError(f"{path} cannot be read: {error.strerror or one_line(error)}") from error
    except Exception as error:  # what a damaged zip or its numbers raise is not limited
        raise InputError(
            f"{path.name} is damaged, or no workspace of rheojobs: {one_line(error)}"
        ) from error
    return workspace


# -------------------------------------------------------------------- values


def _packed(workspace: Workspace) -> tuple[dict[str, Any], dict[str, NDArray[Any]]]:
    from rheojobs import __version__

    content, arrays = pack_arrays(
        {
            "datasets": [_fields(item) for item in workspace.datasets],
            "runs": [_run_fields(run) for run in workspace.runs],
            "edits": _fields(workspace.edits),
            "notes": workspace.notes,
        }
    )
    head = {"format": FORMAT, "written_by": f"rheojobs {__version__}", "arrays": list(arrays)}
    return head | content, arrays


def _fields(item: Any) -> dict[str, Any]:
    found = {each.name: getattr(item, each.name) for each in fields(item)}
    return {k: _fields(v) if isinstance(v, Reading) else v for k, v in found.items()}


def _run_fields(run: WorkspaceRun) -> dict[str, Any]:
    result = run.result.as_dict()
    if isinstance(run.result, BayesianResult):
        result["inference_data"] = run.result.inference_arrays
    return _fields(run) | {"result": result}


def _unpacked(content: dict[str, Any], arrays: dict[int, NDArray[Any]]) -> Workspace:
    names = content["arrays"]
    if not isinstance(names, list) or len(names) != len(arrays):
        raise ValueError(f"it has {len(arrays)} arrays, and names others")
    named = {name: arrays[number] for number, name in enumerate(names)}
    parts = {name: content[name] for name in ("datasets", "runs", "edits", "notes")}
    told = unpack_arrays(parts, named)
    workspace = Workspace(
        tuple(_data(item) for item in told["datasets"]),
        tuple(_run(item) for item in told["runs"]),
        WorkspaceEdits(**told["edits"]),
        told["notes"],
    )
    check_types(workspace, Workspace, "workspace")
    return workspace


def _data(told: dict[str, Any]) -> WorkspaceData:
    return WorkspaceData(**told | {"reading": Reading(**told["reading"])})


def _run(told: dict[str, Any]) -> WorkspaceRun:
    kind = FitResult if told["kind"] == "fit" else BayesianResult
    result = kind(**told["result"])
    if isinstance(result, BayesianResult):
        check_types(result.inference_arrays, InferenceArrays | None, "inference_data")
    return WorkspaceRun(**told | {"result": result})


# -------------------------------------------------------------------- the zip


def _write_zip(path: Path, content: dict[str, Any], arrays: list[NDArray[Any]]) -> None:
    text = json.dumps(content, ensure_ascii=False, indent=1).encode("utf-8", "surrogatepass")
    size = len(text) + sum(array.nbytes + _LONGEST_HEADER for array in arrays)
    if len(text) > MOST_JSON or size > MOST_BYTES:
        raise InputError(f"the workspace has more than {MOST_BYTES / 1e9:g} GB: close some data")
    with zipfile.ZipFile(path, "w") as archive:
        # With a fixed date, the same content is the same file.
        archive.writestr(zipfile.ZipInfo(_JSON), text, zipfile.ZIP_DEFLATED)
        for number, array in enumerate(arrays):
            with archive.open(zipfile.ZipInfo(f"arrays/{number}.npy"), "w") as member:
                _write_array(member, array)


def _write_array(member: IO[bytes], array: NDArray[Any]) -> None:
    """Write an array in pieces: other threads, such as the window's, wait for each copy."""
    array = np.asarray(array, order="C")
    header = np.lib.format.header_data_from_array_1_0(array)
    np.lib.format.write_array_header_1_0(member, header)
    data = array.reshape(-1).view(np.uint8)
    for start in range(0, data.size, _PIECE):
        member.write(data[start : start + _PIECE].tobytes())


def _read_zip(file: Any) -> tuple[dict[str, Any], dict[int, NDArray[Any]]]:
    with zipfile.ZipFile(file) as archive:
        members = archive.infolist()
        _check_members(members)
        content = json.loads(archive.read(_JSON).decode("utf-8", "surrogatepass"))
        _check_format(content)
        arrays = {}
        for member in members:
            if member.filename != _JSON:
                number = int(member.filename.removeprefix("arrays/").removesuffix(".npy"))
                with archive.open(member) as opened:
                    arrays[number] = _read_array(opened, member.file_size)
    return content, arrays


def _check_members(members: list[zipfile.ZipInfo]) -> None:
    """Refuse a zip that is no workspace, or would not fit in memory; before anything is read."""
    names = [member.filename for member in members]
    if _JSON not in names:
        raise InputError(f"it has no {_JSON}: it is no workspace of rheojobs")
    if len(names) > MOST_MEMBERS or len(set(names)) < len(names):
        raise InputError("it has too many members, or two of one name: rheojobs wrote no such file")
    for member in members:
        if member.filename != _JSON and not _ARRAY.fullmatch(member.filename):
            raise InputError(f"it has {member.filename[:80]!r}: rheojobs wrote no such file")
        if member.filename == _JSON and member.file_size > MOST_JSON:
            raise InputError(f"its {_JSON} has more than {MOST_JSON / 1e6:g} MB")
    if sum(member.file_size for member in members) > MOST_BYTES:
        raise InputError(f"it has more than {MOST_BYTES / 1e9:g} GB when it is unpacked")


def _check_format(content: Any) -> None:
    if not isinstance(content, dict) or not isinstance(content.get("format"), int):
        raise InputError(f"its {_JSON} does not say its format: it is no workspace of rheojobs")
    if content["format"] != FORMAT:
        raise InputError(
            f"it has format {content['format']}, written by {content.get('written_by')!s:.60}; "
            f"this version reads format {FORMAT}: use a newer rheojobs"
        )


def _read_array(member: IO[bytes], size: int) -> NDArray[Any]:
    """Return an array; raise if its header says more than the `size` bytes that there are."""
    version = np.lib.format.read_magic(member)
    read = {
        (1, 0): np.lib.format.read_array_header_1_0,
        (2, 0): np.lib.format.read_array_header_2_0,
    }[version]
    shape, is_fortran, dtype = read(member, max_header_size=_LONGEST_HEADER)
    if dtype.kind not in "biufc" or min(shape, default=0) < 0 or is_fortran:
        raise ValueError(f"an array of {dtype} and shape {shape}")
    if math.prod(shape) * dtype.itemsize != size - member.tell():
        raise ValueError(f"an array of shape {shape} that has {size} bytes")
    array = np.empty(shape, dtype)
    data, place = array.reshape(-1).view(np.uint8), 0
    while piece := member.read(_PIECE):  # to the end, where the check sum is compared
        data[place : place + len(piece)] = np.frombuffer(piece, np.uint8)
        place += len(piece)
    if place != data.size:
        raise ValueError(f"an array of {data.size} bytes that has {place}")
    return array
