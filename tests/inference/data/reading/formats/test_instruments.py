"""Exports of TRIOS and of Anton Paar's RheoCompass: read as RheoJAX's own readers read them."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import openpyxl
import pytest

from rheojobs.errors import InputError
from rheojobs.inference.data.dataset import Dataset
from rheojobs.inference.data.reading.read import read

OMEGA = np.array([0.1, 1.0, 10.0, 100.0])
STORAGE = np.array([2.5, 125.0, 4250.0, 21000.0])  # Pa
LOSS = np.array([120.0, 1100.0, 7200.0, 15000.0])
SWEEP = np.column_stack([OMEGA, STORAGE, LOSS])
RATES = np.column_stack([[0.1, 1.0, 10.0], [1.5, 9.5, 55.0]])

TRIOS_HEAD = [
    ("Filename", r"C:\data\melt.tri"),
    ("Instrument serial number", "5343-0123"),
    ("Instrument name", "DHR-3"),
    ("Operator", "A. B."),
    ("Rundate", "2024-05-01"),
    ("Sample name", "LDPE"),
    ("Geometry name", "25 mm parallel plate"),
    ("Geometry type", "parallel plate"),
]


def moduli(dataset: Dataset) -> np.ndarray:
    return np.column_stack([dataset.x, dataset.y.real, dataset.y.imag])


def trios_json(unit: str, factor: float) -> str:
    columns = [("Angular frequency", "rad/s"), ("Storage modulus", unit), ("Loss modulus", unit)]
    table = {
        "columns": [{"name": name, "unit": unit} for name, unit in columns],
        "values": (SWEEP / [1, factor, factor]).tolist(),
    }
    result = {"Properties": {"Name": "Frequency sweep"}, "DataSet": {"Data": table}}
    return json.dumps({"Experiment": {"Sample": {"Name": "LDPE"}, "Results": [result]}})


@pytest.mark.parametrize(("unit", "factor"), [("Pa", 1), ("kPa", 1e3), ("MPa", 1e6)])
def test_trios_json_is_read_with_rheojax(tmp_path: Path, unit: str, factor: float) -> None:
    pytest.importorskip("rheojax")
    path = tmp_path / "sweep.json"
    path.write_text(trios_json(unit, factor), encoding="utf-8")
    dataset = read(path)
    assert (dataset.test_mode, dataset.x_unit, dataset.name) == ("oscillation", "rad/s", "sweep")
    np.testing.assert_allclose(moduli(dataset), SWEEP, rtol=1e-12)
    assert "read with RheoJAX" in dataset.notes
    with pytest.raises(InputError, match=r"sweep\.json: there is no step 3: the file has 1"):
        read(path, step=3)
    with pytest.raises(InputError, match=r"x, y and sigma.*export it as CSV"):
        read(path, x="Angular frequency")


@pytest.mark.parametrize("text", ["{}", "[1, 2]", '{"a": ', '{"Experiment": 3}', "null", "1"])
def test_other_json_is_one_clear_error(tmp_path: Path, text: str) -> None:
    pytest.importorskip("rheojax")
    path = tmp_path / "other.json"
    path.write_text(text)
    with pytest.raises(InputError, match=r"other\.json: neither a table nor a file") as caught:
        read(path)
    assert str(caught.value).isprintable()


def test_trios_csv(tmp_path: Path) -> None:
    io = pytest.importorskip("rheojax.io")
    lines = [f"{key},{value}" for key, value in TRIOS_HEAD]
    lines += ["Number of points,4", "Variables,Angular frequency,Storage modulus,Loss modulus"]
    lines += [",rad/s,Pa,Pa"]
    lines += [f"{n},{w},{s},{l}" for n, (w, s, l) in enumerate(SWEEP, 1)]  # noqa: E741
    path = tmp_path / "sweep.csv"
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")
    dataset = read(path)
    assert dataset.test_mode == "oscillation"
    np.testing.assert_array_equal(moduli(dataset), SWEEP)
    theirs = io.load_trios(path)
    np.testing.assert_allclose(np.asarray(theirs.x), dataset.x, rtol=1e-12)
    np.testing.assert_allclose(np.asarray(theirs.y), dataset.y, rtol=1e-12)


def lims(title: str, variables: list[str], units: list[str], rows: np.ndarray) -> list[str]:
    lines = ["[Step]", f"Step name\t{title}", f"Number of points\t{len(rows)}"]
    lines.append("\t".join(["Variables", *variables]))
    lines.append("\t".join(["Units", *units]))
    return lines + ["\t".join(["Data point", *map(repr, map(float, row))]) for row in rows]


def test_trios_lims_export_of_two_steps(tmp_path: Path) -> None:
    io = pytest.importorskip("rheojax.io")
    lines = ["[Version]", "TA Instruments LIMS export format version\t0", "[Header]"]
    lines += ["Instrument name\tDHR-3", "[Sample]", "Name\tLDPE"]
    lines += lims(
        "Frequency sweep", ["Angular frequency", "Storage modulus", "Loss modulus"],
        ["rad/s", "Pa", "Pa"], SWEEP,
    )  # fmt: skip
    lines += lims("Flow sweep", ["Shear rate", "Stress"], ["1/s", "Pa"], RATES)
    path = tmp_path / "export.txt"
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")
    sweep, flow = read(path, step=1), read(path, step=2)
    np.testing.assert_array_equal(moduli(sweep), SWEEP)
    assert (flow.test_mode, flow.name) == ("flow_curve", "export, Flow sweep")
    np.testing.assert_array_equal(np.column_stack([flow.x, flow.y]), RATES)
    assert "1 'Frequency sweep' (4 rows), 2 'Flow sweep' (3 rows)" in sweep.notes[0]
    theirs = io.load_trios(path, return_all_segments=True)
    np.testing.assert_allclose(np.asarray(theirs[0].x), sweep.x, rtol=1e-12)
    np.testing.assert_allclose(np.asarray(theirs[0].y), sweep.y, rtol=1e-12)


def test_trios_workbook(tmp_path: Path) -> None:
    book = openpyxl.Workbook()
    details = book.active
    details.title = "Details"
    for row in TRIOS_HEAD:
        details.append(row)
    for title, names, units, rows in (
        ("Frequency sweep - 1", ["Angular frequency", "Storage modulus", "Loss modulus"],
         ["rad/s", "Pa", "Pa"], SWEEP),
        ("Flow sweep - 2", ["Shear rate", "Stress"], ["1/s", "Pa"], RATES),
    ):  # fmt: skip
        sheet = book.create_sheet(title)
        for row in ([title], names, units, *rows.tolist()):
            sheet.append(row)
    path = tmp_path / "trios.xlsx"
    book.save(path)
    np.testing.assert_array_equal(moduli(read(path)), SWEEP)
    assert read(path).name == "trios, Frequency sweep - 1"
    np.testing.assert_array_equal(read(path, step=2).y, RATES[:, 1])


def interval(
    number: int, names: list[str], units: list[str], rows: np.ndarray, *, indented: bool
) -> list[str]:
    """An interval as RheoCompass writes it, with an empty cell before each row or without."""
    first, point = ([""], ["Point No."]) if indented else ([], [])
    lines = ["", f"Interval and data points:\t{number}\t{len(rows)}"]
    lines.append("\t".join(["Interval data:", *point, *names]))
    lines.append("\t".join(["", *[""] * len(point), *units]))
    for index, row in enumerate(rows, 1):
        values = [repr(float(value)).replace(".", ",") for value in row]
        lines.append("\t".join([*first, *[str(index)] * len(point), *values]))
    return lines


TIMES = np.array([0.1, 1.0, 10.0, 100.0])
DECAY = np.array([250.0, 150.5, 50.25, 5.0])  # Pa, at a strain of 2 %
RISE = np.array([1.0, 2.5, 4.0, 9.0])  # %, under 50 Pa


def rheocompass(*, indented: bool) -> str:
    lines = ["Project:\tMelts", "Test:\tThree tests", "", "Result:\tThree tests 1"]
    names = ["Angular Frequency", "Storage Modulus", "Loss Modulus"]
    lines += interval(1, names, ["[rad/s]", "[Pa]", "[Pa]"], SWEEP, indented=indented)
    for number, (strain, stress) in enumerate(
        [(np.full(4, 2.0), DECAY), (RISE, np.full(4, 50.0))], 2
    ):
        rows = np.column_stack([TIMES, strain, stress])
        names, units = ["Time", "Shear Strain", "Shear Stress"], ["[s]", "[%]", "[Pa]"]
        lines += interval(number, names, units, rows, indented=indented)
    return "\r\n".join([*lines, ""])


@pytest.mark.parametrize("encoding", ["utf-16", "utf-8", "cp1252"])
@pytest.mark.parametrize("indented", [False, True])
def test_rheocompass_intervals(tmp_path: Path, encoding: str, indented: bool) -> None:
    path = tmp_path / "compass.csv"
    path.write_bytes(rheocompass(indented=indented).encode(encoding))
    np.testing.assert_array_equal(moduli(read(path)), SWEEP)
    relaxation, creep = read(path, step=2), read(path, step=3)
    assert (relaxation.test_mode, relaxation.quantity) == ("relaxation", "relaxation modulus")
    np.testing.assert_allclose(relaxation.y, DECAY / 0.02, rtol=1e-12)
    assert any("G(t) = Shear Stress / Shear Strain" in note for note in relaxation.notes)
    assert (creep.test_mode, creep.y_unit) == ("creep", "1/Pa")
    np.testing.assert_allclose(creep.y, RISE / 100 / 50, rtol=1e-12)
    assert not any("left out" in note for note in (*relaxation.notes, *creep.notes))


def test_rheojax_reads_the_same_from_rheocompass(tmp_path: Path) -> None:
    io = pytest.importorskip("rheojax.io")
    path = tmp_path / "compass.txt"
    path.write_text(rheocompass(indented=False), encoding="utf-8")
    theirs = io.load_anton_paar(path, return_all=True)
    assert len(theirs) == 3
    for step, other in enumerate(theirs, 1):
        mine = read(path, step=step)
        np.testing.assert_allclose(np.asarray(other.x), mine.x, rtol=1e-12)
        np.testing.assert_allclose(np.asarray(other.y), mine.y, rtol=1e-12)
