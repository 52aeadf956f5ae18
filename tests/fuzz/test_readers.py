"""Damaged and hostile files of measured data, for all of `rheojobs.inference.data.reading`."""

from __future__ import annotations

import contextlib
import io
import os
import zipfile
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.fuzz.damage import damaged, odd_names, odd_text
from tests.fuzz.guard import examples, tree, tried

from rheojobs import Dataset, read
from rheojobs.inference.data.reading.preview import Reading, look

openpyxl = pytest.importorskip("openpyxl")

CSV = b"omega [rad/s],G' [Pa],G'' [Pa]\n0.1,10,100\n1,200,450\n10,1e3,9e2\n"
RELAXATION = [(0.1 * 2**k, 1e5 * 0.7**k) for k in range(12)]


OPTIONS = ("mode", "x", "y", "y2", "sigma", "step", "units", "delimiter", "decimal", "skip")
OPTIONS += ("rows", "x_range", "leave_out", "protocol", "other")


def _workbook() -> bytes:
    book, file = openpyxl.Workbook(), io.BytesIO()
    sheet = book.active
    sheet.append(["t [s]", "G [kPa]"])
    for row in RELAXATION:
        sheet.append(row)
    book.create_sheet("second").append(["note", "1,5"])
    book.save(file)
    return file.getvalue()


def _lines(*head: str, sign: str = ".", between: str = "\t") -> bytes:
    rows = [between.join(f"{v:.6g}".replace(".", sign) for v in row) for row in RELAXATION]
    return "\n".join((*head, *rows, "")).encode()


FILES: dict[str, bytes] = {
    "sweep.csv": CSV,
    "comma.csv": _lines("t [s];G [Pa]", sign=",", between=";"),
    "plain.txt": _lines("# time (s)  modulus (Pa)", between="  "),
    "relaxation.gt": _lines("Mw=100;gamma=0.1;T=160;", "t\tG", "s\tPa"),
    "trios.txt": b"[step]\nStress relaxation - 1\n" + _lines("Time\tModulus\nStep time", "s\tPa"),
    "lims.txt": b"[Step]\nName\tStep 1\nVariables\tTime\tModulus\nUnits\ts\tPa\n" + _lines(),
    "rheocompass.csv": _lines(
        "Project:\tp",
        "Test:\tRelaxation",
        "Result:\tA 1",
        "Interval and data points:\t1\t12",
        "Interval data:\tTime\tRelaxation Modulus",
        "\t[s]\t[Pa]",
    ),
    "flow.xml": b"<?xml version='1.0'?><Export><Table name='flow'>"
    + b"".join(b"<Row><ShearRate unit='1/s'>%g</ShearRate><Viscosity unit='Pa.s'>%g</Viscosity>"
               b"</Row>" % row for row in RELAXATION)
    + b"</Table></Export>",
    "table.xml": b"<Workbook><Worksheet><Table><Row><Cell><Data>t [s]</Data></Cell><Cell Index='3'>"
    b"<Data>G [Pa]</Data></Cell></Row>"
    + b"".join(b"<Row><Cell><Data>%g</Data></Cell><Cell Index='3'><Data>%g</Data></Cell></Row>"
               % row for row in RELAXATION)
    + b"</Table></Worksheet></Workbook>",
    "book.xlsx": _workbook(),
    "segments.json": b'{"Schema":{"url":"TRIOS"},"Results":{"Columns":["a","b"],"Values":[[1,2]]}}',
    "old.xls": b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(504),
}  # fmt: skip


def _read_all(path: Path, **options: object) -> None:
    """Read and preview a file, in a folder in which nothing may appear."""
    before = tree(path.parent)
    found = tried(lambda: read(path, **options))
    if isinstance(found, Dataset):
        assert np.isfinite(found.x).all()
        assert found.summary().isprintable()
        assert all(note.isprintable() for note in found.notes)
        assert found.name.isprintable()
    tried(lambda: look(path, Reading()))
    assert tree(path.parent) == before


@pytest.fixture
def write(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[[str, bytes], Path]:
    monkeypatch.chdir(tmp_path)

    def write(name: str, content: bytes) -> Path:
        path = tmp_path / name
        path.write_bytes(content)
        return path

    return write


@pytest.mark.parametrize("name", FILES)
@examples(12)
@given(st.data())
def test_damaged_files(write, name: str, data: st.DataObject):
    _read_all(write(name, data.draw(damaged(FILES[name]))))


@examples(15)
@given(st.data())
def test_damaged_copies_of_measured_files(write, shared_data: Path, data: st.DataObject):
    path = data.draw(st.sampled_from(sorted(shared_data.glob("*_*.*"))))
    _read_all(write(path.name, data.draw(damaged(path.read_bytes()))))


@examples(10)
@given(st.data())
def test_damaged_parts_of_a_workbook(write, data: st.DataObject):
    file = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(FILES["book.xlsx"])) as book, zipfile.ZipFile(file, "w") as new:
        names = sorted(book.namelist())
        hit = data.draw(st.sampled_from(names))
        for name in names:
            content = book.read(name)
            new.writestr(name, data.draw(damaged(content)) if name == hit else content)
    _read_all(write("book.xlsx", file.getvalue()))


@examples(40)
@given(odd_names, st.sampled_from([CSV, b"", b"nothing", FILES["book.xlsx"]]))
def test_odd_names(tmp_path: Path, name: bytes, content: bytes):
    path = Path(os.fsdecode(os.path.join(os.fsencode(tmp_path), name)))
    with contextlib.suppress(OSError):  # the system takes no such name; it may be asked for
        path.write_bytes(content)
    _read_all(path)


@examples(60)
@given(
    st.lists(odd_text | st.sampled_from(["t", "G'", "omega"]), min_size=2, max_size=3),
    st.sampled_from(["[{}]", "({})", " / {}", " in {}"]),
    odd_text,
)
def test_odd_headings_and_units(write, names: list[str], form: str, unit: str):
    head = ",".join(f'"{name}{form.format(unit)}"' for name in names)
    rows = "".join(",".join(map(str, row * 2)) + "\n" for row in RELAXATION)
    text = f"{head}\n{rows}".encode("utf-8", "surrogatepass")
    _read_all(write("odd.csv", text))


@examples(60)
@given(
    st.dictionaries(
        st.sampled_from(OPTIONS),
        odd_text | st.integers(-3, 10**20) | st.floats() | st.none() | st.lists(odd_text),
        max_size=4,
    )
)
def test_odd_options(write, options: dict[str, object]):
    path = write("sweep.csv", CSV)
    tried(lambda: read(path, **options), is_printable=False)
