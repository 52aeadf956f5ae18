"""The file of a workspace: what is written comes back, and nothing strange is believed."""

from __future__ import annotations

import io
import json
import zipfile
from dataclasses import fields, is_dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rheojobs.errors import InputError
from rheojobs.inference.data.dataset import Dataset
from rheojobs.inference.data.reading.preview import Reading
from rheojobs.inference.results.bayesian_result import BayesianResult
from rheojobs.inference.results.fit_result import FitResult
from rheojobs.inference.workspace import file_format
from rheojobs.inference.workspace.content import (
    Workspace,
    WorkspaceData,
    WorkspaceEdits,
    WorkspaceRun,
)
from rheojobs.inference.workspace.file_format import read_workspace, write_workspace


def same(one: Any, other: Any) -> bool:
    """Whether two values are equal in all parts, and of one type."""
    if type(one) is not type(other):
        return False
    if isinstance(one, BayesianResult):
        return same(one.as_dict(), other.as_dict()) and same(
            one.inference_arrays, other.inference_arrays
        )
    if is_dataclass(one):
        return all(same(getattr(one, f.name), getattr(other, f.name)) for f in fields(one))
    if isinstance(one, dict):
        return list(one) == list(other) and all(same(one[key], other[key]) for key in one)
    if isinstance(one, list | tuple):
        return len(one) == len(other) and all(map(same, one, other))
    if isinstance(one, np.ndarray):
        return one.dtype == other.dtype and np.array_equal(one, other, equal_nan=True)
    return bool(one == other or (one != one and other != other))


TEXTS = st.text(max_size=12)
NUMBERS = st.floats(allow_nan=False)
VALUES = st.dictionaries(TEXTS.filter(lambda t: not t.startswith("$")), NUMBERS, max_size=3)


@st.composite
def workspaces(draw: st.DrawFn) -> Workspace:
    """Small workspaces of any content."""
    count = draw(st.integers(1, 3))
    data = tuple(draw(workspace_data()) for _ in range(count))
    runs = tuple(draw(runs_of(count)) for _ in range(draw(st.integers(0, 2))))
    edits = WorkspaceEdits(
        draw(st.integers(-1, count - 1)),
        draw(TEXTS),
        draw(VALUES),
        draw(VALUES),
        {name: (value, value) for name, value in draw(VALUES).items()},
        {"G": {"type": draw(TEXTS)}},
        {"n_modes": draw(st.integers(1, 9)), "kind": draw(TEXTS)},
    )
    return Workspace(data, runs, edits, draw(TEXTS))


@st.composite
def workspace_data(draw: st.DrawFn) -> WorkspaceData:
    """Data of few points, with or without standard deviations."""
    n = draw(st.integers(1, 4))
    numbers = st.lists(st.floats(1e-300, 1e300), min_size=n, max_size=n)
    x, y = (np.array(draw(numbers)) for _ in range(2))
    is_complex = draw(st.booleans())
    values = y + 1j * y if is_complex else y
    sigma = draw(st.sampled_from([None, values]))
    mode = "oscillation" if is_complex else draw(st.sampled_from([None, "relaxation"]))
    dataset = Dataset(x, values, mode, draw(TEXTS), notes=(draw(TEXTS),), sigma=sigma)
    reading = Reading(mode, draw(st.none() | st.integers(1, 9)), columns={"x": 2})
    return WorkspaceData(dataset, draw(TEXTS), draw(TEXTS), reading)


@st.composite
def runs_of(draw: st.DrawFn, count: int) -> WorkspaceRun:
    """Fits with few fields."""
    result = FitResult(
        "maxwell", draw(VALUES), draw(NUMBERS), 0.1, 2.0, 0.5, datetime(2026, 1, 2), None, True,
        covariance=np.full((2, 2), np.inf), bounds={"G": (0.0, float("inf"))},
    )  # fmt: skip
    options = {"fixed": draw(VALUES), "bounds": {"G": (1.0, 2.0)}, "multi_start": 3}
    return WorkspaceRun(
        "fit", draw(st.integers(0, count - 1)), "maxwell", draw(VALUES), options, result
    )


@given(workspaces())
@settings(max_examples=40, deadline=None)
def test_any_workspace_comes_back(tmp_path_factory: pytest.TempPathFactory, one: Workspace) -> None:
    path = tmp_path_factory.mktemp("workspace") / "any.rheojobs"
    write_workspace(one, path)
    assert same(read_workspace(path), one)


@pytest.fixture(scope="session")
def written(workspace: Workspace, tmp_path_factory: pytest.TempPathFactory) -> bytes:
    path = tmp_path_factory.mktemp("workspace") / "lab.rheojobs"
    write_workspace(workspace, path)
    return path.read_bytes()


def read_bytes(data: bytes, tmp_path: Path) -> Workspace:
    path = tmp_path / "lab.rheojobs"
    path.write_bytes(data)
    return read_workspace(path)


def test_a_fit_and_draws_come_back(workspace: Workspace, written: bytes, tmp_path: Path) -> None:
    back = read_bytes(written, tmp_path)
    assert same(back, workspace)
    assert sorted(p.name for p in tmp_path.iterdir()) == ["lab.rheojobs"]  # nothing is extracted


def test_the_same_workspace_is_the_same_file_and_an_npz(
    workspace: Workspace, written: bytes, tmp_path: Path
) -> None:
    write_workspace(workspace, tmp_path / "again.rheojobs")
    assert (tmp_path / "again.rheojobs").read_bytes() == written
    with np.load(io.BytesIO(written), allow_pickle=False) as arrays:
        assert any(np.array_equal(arrays[name], workspace.datasets[0].dataset.x)
                   for name in arrays if name.startswith("arrays/"))  # fmt: skip


@given(st.data())
@settings(max_examples=150, deadline=None)
def test_a_damaged_file_is_refused_in_one_line_or_has_the_same_content(
    written: bytes, workspace: Workspace, tmp_path_factory: pytest.TempPathFactory, data: Any
) -> None:
    damaged = bytearray(written)
    for _ in range(data.draw(st.integers(1, 3))):
        # The numbers of arrays fill the file: their check sum is one case, headers are many.
        ends = st.integers(0, 400) | st.integers(len(damaged) - 4000, len(damaged) - 1)
        place = data.draw(ends | st.integers(0, len(damaged) - 1))
        damaged[place] ^= 1 << data.draw(st.integers(0, 7))
    if data.draw(st.booleans()):
        damaged = damaged[: data.draw(st.integers(0, len(damaged) - 1))]
    try:
        back = read_bytes(bytes(damaged), tmp_path_factory.mktemp("damaged"))
    except InputError as error:
        told = str(error)
    else:
        assert same(back, workspace)
        return
    assert "\n" not in told
    assert "lab.rheojobs" in told


def changed(written: bytes, change: Any) -> bytes:
    """The file with another content of its JSON."""
    target = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(written)) as old, zipfile.ZipFile(target, "w") as new:
        for member in old.infolist():
            data = old.read(member)
            if member.filename == "workspace.json":
                content = json.loads(data)
                data = (change(content) or json.dumps(content)).encode()
            new.writestr(member.filename, data)
    return target.getvalue()


def _newer(content: Any) -> None:
    content["format"] = 99
    content["written_by"] = "rheojobs 9.9"


def _text_for_number(content: Any) -> None:
    content["runs"][0]["result"]["parameters"]["G0"] = "__import__('os').abort()"


def _list_for_text(content: Any) -> None:
    content["notes"] = ["x"]


def _other_run(content: Any) -> None:
    content["runs"][0]["data"] = 7


def _wrong_kind(content: Any) -> None:
    content["runs"][0]["kind"] = "sampling"


def _no_such_array(content: Any) -> None:
    content["datasets"][0]["dataset"]["$Dataset"]["x"] = {"$array": "../../etc/passwd"}


def _real_moduli(content: Any) -> None:
    content["datasets"][0]["dataset"]["$Dataset"]["test_mode"] = "relaxation"


def _a_class(content: Any) -> None:
    content["edits"] = {"$Popen": ["ls"]}


def _a_list_as_prior(content: Any) -> None:
    content["edits"]["priors"]["G0"]["type"] = ["normal"]


def _other_data(content: Any) -> None:
    content["runs"][0]["result"]["fitted"] = {"$array": "runs.0.result.covariance"}


def _a_file_as_model(content: Any) -> None:
    content["runs"][0]["model"] = content["runs"][0]["result"]["model_name"] = "evil.py:run"


def _deep(content: Any) -> str:
    return "[" * 100_000 + "]" * 100_000


def _long_number(content: Any) -> str:
    return '{"format": ' + "9" * 10_000 + "}"


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (_newer, "written by rheojobs 9.9"),
        (_text_for_number, "damaged"),
        (_list_for_text, "damaged"),
        (_other_run, "run 1 is of data 8 of 2"),
        (_wrong_kind, "damaged"),
        (_no_such_array, "damaged"),
        (_real_moduli, "complex"),
        (_a_list_as_prior, "damaged"),
        (_other_data, "curve of other data"),
        (_a_file_as_model, "function in a file"),
        (_a_class, "damaged"),
        (_deep, "damaged"),
        (_long_number, "damaged"),
    ],
)
def test_wrong_content_is_refused_in_one_line(
    written: bytes, tmp_path: Path, change: Any, words: str
) -> None:
    with pytest.raises(InputError, match=words) as caught:
        read_bytes(changed(written, change), tmp_path)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("name", ["../../evil.npy", "/etc/passwd", "arrays/../x.npy", "run.py"])
def test_a_strange_member_is_refused(written: bytes, tmp_path: Path, name: str) -> None:
    target = io.BytesIO(written)
    with zipfile.ZipFile(target, "a") as archive:
        archive.writestr(name, b"x")
    with pytest.raises(InputError, match="rheojobs wrote no such file"):
        read_bytes(target.getvalue(), tmp_path)
    assert [p.name for p in tmp_path.iterdir()] == ["lab.rheojobs"]


def test_a_bomb_is_refused_before_it_is_unpacked(
    written: bytes, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    target = io.BytesIO()
    with zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("workspace.json", b" " * (file_format.MOST_JSON + 1))
    assert len(target.getvalue()) < 1_000_000
    monkeypatch.setattr(zipfile.ZipFile, "read", lambda *args: pytest.fail("it was unpacked"))
    with pytest.raises(InputError, match="more than 64 MB"):
        read_bytes(target.getvalue(), tmp_path)
    monkeypatch.setattr(file_format, "MOST_BYTES", 1000)
    with pytest.raises(InputError, match="when it is unpacked"):
        read_bytes(written, tmp_path)


def test_an_array_whose_header_promises_more_is_refused(written: bytes, tmp_path: Path) -> None:
    header = io.BytesIO()
    np.lib.format.write_array_header_1_0(
        header, {"descr": "<f8", "fortran_order": False, "shape": (10**15,)}
    )
    target = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(written)) as old, zipfile.ZipFile(target, "w") as new:
        for member in old.infolist():
            is_first = member.filename == "arrays/0.npy"
            new.writestr(member.filename, header.getvalue() if is_first else old.read(member))
    with pytest.raises(InputError, match="damaged"):
        read_bytes(target.getvalue(), tmp_path)


@pytest.mark.parametrize("data", [b"", b"x,y\n1,2\n", b"PK\x05\x06" + bytes(18)])
def test_another_file_is_no_workspace(data: bytes, tmp_path: Path) -> None:
    with pytest.raises(InputError, match="no workspace"):
        read_bytes(data, tmp_path)


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="cannot be read: No such file"):
        read_workspace(tmp_path / "none.rheojobs")


def test_the_old_file_stays_if_the_new_one_cannot_be_written(
    workspace: Workspace, written: bytes, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "lab.rheojobs"
    path.write_bytes(written)

    def full(*_: object, **__: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(zipfile.ZipFile, "writestr", full)
    with pytest.raises(InputError, match="cannot be written: No space left"):
        write_workspace(workspace, path)
    assert path.read_bytes() == written
    assert [p.name for p in tmp_path.iterdir()] == ["lab.rheojobs"]
