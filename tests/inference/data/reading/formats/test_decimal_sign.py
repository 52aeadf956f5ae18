"""Commas and points: decimal signs or thousands by all cells of a file, never against them."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import openpyxl
import pytest

from rheojobs.errors import InputError
from rheojobs.inference.data.reading.read import read

pytestmark = pytest.mark.promise("right-or-refused")

CASES = Path(__file__).parents[1] / "cases" / "thousands_as_decimals"


@pytest.mark.parametrize(
    ("name", "x", "y"),
    [
        ("plain_point_elsewhere.csv", [1, 10, 100], [12500, 6250, 1100]),
        ("quoted_thousands.csv", [1, 10, 100, 1000], [12.5, 6.25, 1.1, 0.31]),
        ("tab_thousands.txt", [1, 10, 100, 1000], [12.5, 6.25, 1.1, 0.31]),
        ("dots_lost.csv", [0.1, 1.5, 10.5, 100.5], [12500, 6250, 980.5, 120.5]),
        ("proved.csv", [1, 10, 100], [12500.5, 6250, 1100]),
        ("spaces.csv", [0.1, 1.5, 10.5], [12500, 6250, 980.5]),
    ],
)
def test_cases(name: str, x: list[float], y: list[float]) -> None:
    dataset = read(CASES / name)
    np.testing.assert_allclose(dataset.x, x)
    np.testing.assert_allclose(dataset.y, y)


def test_a_frequency_sweep_with_quoted_thousands() -> None:
    dataset = read(CASES / "quoted_thousands2.csv")
    np.testing.assert_allclose(dataset.x, 2 * np.pi * np.array([0.1, 1, 10, 100]))
    np.testing.assert_allclose(dataset.y.real, [12500, 16250, 21100, 31000])
    np.testing.assert_allclose(dataset.y.imag, [1250, 1900, 2100, 3000])


def written(tmp_path: Path, text: str) -> Path:
    path = tmp_path / "data.txt"
    path.write_text(text, encoding="utf-8")
    return path


@pytest.mark.parametrize(
    ("rows", "y"),
    [
        ("0.5;12,500\n1.5;6,250\n10.5;1,100\n", [12500, 6250, 1100]),
        ("1;12,500\n10;6,250\n100;980.5\n", [12500, 6250, 980.5]),
        ("1,5;12.500\n10;1.250,5\n100;980,5\n", [12500, 1250.5, 980.5]),
        ("1\t1.234.567\n2\t12.500\n", [1234567, 12500]),
        ("1\t1,234,567\n2\t12,500\n", [1234567, 12500]),
        ("1;12.500\n10;6.250\n100;1.100\n1.000;310\n", [12500, 6250, 1100, 310]),
        ("1\t1.000\n2\t2.000\n3\t0.500\n", [1, 2, 0.5]),
        ("1\t1.250\n2\t2.000\n3\t4.500\n", [1.25, 2, 4.5]),
        ("1 1,5\n2 12.500\n", [1.5, 12500]),
        ("1;1,234E+05\n2;1,100E+05\n", [123400, 110000]),
    ],
)
def test_siblings(tmp_path: Path, rows: str, y: list[float]) -> None:
    mark = next(m for m in ";\t " if m in rows)
    dataset = read(written(tmp_path, f"t{mark}G(t)\n{rows}"))
    np.testing.assert_allclose(dataset.y, y)


@pytest.mark.parametrize(
    "rows",
    [
        "1\t1,250\n2\t2,125\n3\t4,500\n",  # every number has three digits behind the comma
        "1;12,500\n10;6,250\n100;1,100\n1,000;310\n",  # ';' says decimal, the column thousands
        "1,500\t12.500\n2,500\t13.500\n",
        "1\t12.500\n10\t1.100\n100\t310\n",
    ],
)
def test_what_stays_open_is_refused_and_the_option_decides(tmp_path: Path, rows: str) -> None:
    mark = ";" if ";" in rows else "\t"
    path = written(tmp_path, f"Time (s){mark}G(t) (Pa)\n{rows}")
    with pytest.raises(InputError, match="name the decimal sign with decimal"):
        read(path)
    for mark in ".,":
        assert np.isfinite(read(path, decimal=mark).y).all()


def test_what_is_taken_for_granted_is_told(tmp_path: Path) -> None:
    dataset = read(written(tmp_path, "Time (s);G(t) (Pa)\n1;1,234\n2;1,125\n"))
    np.testing.assert_array_equal(dataset.y, [1.234, 1.125])
    assert any("'1,234'" in note and "option decimal" in note for note in dataset.notes)


def test_rows_in_another_style_are_counted(tmp_path: Path) -> None:
    dataset = read(written(tmp_path, "Time (s);G(t) (Pa)\n1,5;10,5\n2.5;9.5\n3,5;8,5\n4;7,5\n"))
    np.testing.assert_array_equal(dataset.x, [1.5, 3.5, 4])
    assert any("1 of 4 rows left out" in note for note in dataset.notes)
    assert any("'2.5'" in note and "option decimal" in note for note in dataset.notes)


@pytest.mark.parametrize("rows", ["1,12,500\n10,6,250\n", "0,5,12,5\n1,5,6,25\n"])
def test_commas_that_part_columns_and_numbers_are_refused(tmp_path: Path, rows: str) -> None:
    with pytest.raises(InputError, match=r"2 names stand over \d columns, as in"):
        read(written(tmp_path, f"t (s),G(t) (Pa)\n{rows}"))


@pytest.mark.parametrize("cell", ["(12)", "<5", "1,00,000", "~7"])
@pytest.mark.parametrize("place", [0, 1])
def test_no_row_vanishes(tmp_path: Path, cell: str, place: int) -> None:
    rows = ["2\t10.5", "3\t9.5"]
    rows.insert(place, f"1\t{cell}")
    dataset = read(written(tmp_path, "t (s)\tG(t) (Pa)\n" + "\n".join(rows)))
    np.testing.assert_array_equal(dataset.y, [10.5, 9.5])
    assert any("1 of 3 rows left out" in note for note in dataset.notes)


def test_powers_of_ten_in_cells(tmp_path: Path) -> None:
    dataset = read(written(tmp_path, "t (s);G(t) (Pa)\n1;1.5x10^3\n2;9.0×10²\n3;5*10^-1\n"))
    np.testing.assert_allclose(dataset.y, [1500, 900, 0.5])


def sheet(tmp_path: Path, rows: list[tuple[object, object]]) -> Path:
    book = openpyxl.Workbook()
    for row in (("Time (s)", "G(t) (Pa)"), *rows):
        book.active.append(list(row))
    path = tmp_path / "data.xlsx"
    book.save(path)
    return path


@pytest.mark.parametrize(
    ("rows", "y"),
    [
        ([(1, 31000), (10, 21100), (100, "16,250"), (1000, "9,500")], [31000, 21100, 16250, 9500]),
        ([(1, 31.0), (10, 21.1), (100, "16,250"), (1000, "12,500")], [31, 21.1, 16.25, 12.5]),
        ([(1, 31000), (10, "21,5"), (100, "16,250")], [31000, 21.5, 16.25]),
        ([(1, 31000), (10, "21,000.5"), (100, "16,250")], [31000, 21000.5, 16250]),
        ([("0,5", "1,5"), ("1,5", "1,25")], [1.5, 1.25]),
        ([(1, "1.5"), (2, "1.25")], [1.5, 1.25]),
    ],
)  # fmt: skip
def test_texts_of_a_sheet_by_its_numbers(tmp_path: Path, rows, y: list[float]) -> None:
    np.testing.assert_allclose(read(sheet(tmp_path, rows)).y, y)


def test_texts_of_a_sheet_that_nothing_settles_are_refused(tmp_path: Path) -> None:
    path = sheet(tmp_path, [(1, "12,500"), (10, "6,250"), (100, "1,100")])
    with pytest.raises(InputError, match="name the decimal sign with decimal"):
        read(path)
    np.testing.assert_array_equal(read(path, decimal=".").y, [12500, 6250, 1100])
    np.testing.assert_array_equal(read(path, decimal=",").y, [12.5, 6.25, 1.1])
