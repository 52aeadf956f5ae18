"""Files that say too little, or what is wrong, read as a person corrects them."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from rheojobs.errors import InputError
from rheojobs.inference.data import example_melt
from rheojobs.inference.data.reading.preview import Look, Reading, amended, look
from rheojobs.inference.data.reading.read import read


@pytest.fixture
def at(tmp_path: Path):
    """Write a file, and look at it in some way."""

    def looked(text: str, name: str = "data.csv", **choices: object) -> Look:
        path = tmp_path / name
        path.write_text(text, encoding="utf-8")
        return look(path, Reading(**choices))  # type: ignore[arg-type]

    return looked


SWEEP = "f [rad/s],G' [Pa],G'' [Pa]\n1,10,20\n2,30,40\n4,50,60\n"
BARE = "a;b;c\n1,5;10;7\n2,5;30;8\n3,5;20;9\n"


def test_without_corrections_a_file_is_read_as_ever() -> None:
    path = example_melt.csv_path()
    seen, known = look(path, Reading()), read(path)
    assert seen.dataset is not None
    assert np.array_equal(seen.dataset.y, known.y)
    assert (seen.dataset.name, seen.dataset.notes) == (known.name, known.notes)
    assert seen.table is not None
    assert seen.table.chosen == {"x": 1, "y": 2, "y2": 3}
    assert seen.table.columns[0].quantity == "angular frequency"
    assert len(seen.table.rows) == 4


def test_units_are_put_right(at) -> None:
    seen = at(SWEEP, units={"x": "Hz", "y": "kPa", "y2": "dyn/cm²"})
    assert seen.problem == ""
    assert np.allclose(seen.dataset.x, 2 * np.pi * np.array([1, 2, 4]))
    assert np.allclose(seen.dataset.y, [1e4 + 2j, 3e4 + 4j, 5e4 + 6j])
    assert any("converted from kPa to Pa" in note for note in seen.dataset.notes)


def test_a_unit_that_the_file_writes_in_its_own_way_is_named(at) -> None:
    """With an unknown unit behind it the name of the column is not known either."""
    text = "Time (ticks),Relaxation modulus (big)\n1,10\n2,8\n3,5\n"
    seen = at(text, units={"x": "ms", "y": "MPa"}, mode="relaxation")
    assert np.allclose(seen.dataset.x, [1e-3, 2e-3, 3e-3])
    assert np.allclose(seen.dataset.y, [1e7, 8e6, 5e6])


def test_columns_and_the_test_are_named(at) -> None:
    wrong = at(BARE)
    assert wrong.dataset is None
    assert wrong.place == "columns"
    assert [column.name for column in wrong.table.columns] == ["a", "b", "c"]
    seen = at(BARE, mode="creep", columns={"x": 1, "y": 3}, units={"x": "min", "y": "1/kPa"})
    assert seen.problem == ""
    assert np.allclose(seen.dataset.x, [90, 150, 210])
    assert np.allclose(seen.dataset.y, [7e-3, 8e-3, 9e-3])
    assert (seen.dataset.test_mode, seen.table.chosen) == ("creep", {"x": 1, "y": 3})


def test_a_column_that_was_computed_can_be_chosen(at) -> None:
    rows = "\n".join(f"{t},{100 / t},1" for t in (1, 2, 4, 5))
    text = f"Time (s),Stress (Pa),Strain (%)\n{rows}\n"
    seen = at(text)
    assert seen.table.chosen == {"x": 1, "y": 4}
    assert at(text, columns={"x": 1, "y": 4}).dataset.y[0] == pytest.approx(1e4)


def test_lines_rows_and_a_range_are_left_out(at) -> None:
    seen = at(
        "made by hand\n1,2,3\n" + SWEEP, left_out={"skip": "2", "rows": "2-", "x_range": ",3"}
    )
    assert seen.problem == ""
    assert seen.dataset.x == pytest.approx([2.0])
    assert "2 of 3 rows used, as the option rows chooses" in seen.dataset.notes


@pytest.mark.parametrize(
    ("left_out", "problem"),
    [
        ({"skip": "-1"}, "must be a whole number"),
        ({"rows": "3-1"}, "counts rows from 1"),
        ({"rows": "7-"}, "chooses none of the 3 rows"),
        ({"x_range": "abc"}, "must be two numbers"),
        ({"x_range": "5,9"}, "no frequency is between 5 and 9"),
    ],
)
def test_what_leaves_out_everything_or_is_none_is_shown_at_its_field(at, left_out, problem) -> None:
    seen = at(SWEEP, left_out=left_out)
    assert seen.dataset is None
    assert problem in seen.problem
    assert seen.place in left_out


def test_decimal_mark_and_delimiter_are_named(at) -> None:
    """'1,234' may be either."""
    text = "Time (s);G(t) (Pa)\n1,234;5,678\n2,345;4,567\n3,456;3,456\n"
    assert at(text, decimal=",").dataset.x[0] == 1.234
    assert at(text, decimal=".").dataset.x[0] == 1234
    assert any("'1,234'" in note for note in at(text).dataset.notes)
    refused = at(text, delimiter="|")
    assert (refused.dataset, refused.place) == (None, "delimiter")
    assert "no rows of numbers" in refused.problem
    assert at(text, delimiter=";", decimal=",").dataset is not None


def test_constants_of_the_test_are_taken(at) -> None:
    text = "Time (s),Stress (Pa)\n" + "\n".join(f"{t},{10 + t}" for t in range(1, 9))
    seen = at(text, mode="startup", protocol={"gamma_dot": "0,5", "omega": " "})
    assert dict(seen.dataset.protocol) == {"gamma_dot": 0.5}
    for words in ("fast", "nan", "1e999"):
        wrong = at(text, mode="startup", protocol={"gamma_dot": words})
        assert (wrong.dataset, wrong.place) == (None, "gamma_dot")
        assert repr(words) in wrong.problem


@pytest.mark.parametrize(
    ("choices", "place", "words"),
    [
        ({"units": {"x": "kPa"}}, "x unit", "'kPa' is no unit of frequency"),
        ({"units": {"y2": "furlong"}}, "y2 unit", "is no unit of loss modulus"),
        ({"columns": {"x": 1, "y": 1}}, "columns", "named twice"),
        ({"columns": {"x": 9}}, "columns", "there is no column 9"),
        ({"mode": "creep", "columns": {"x": 1, "y": 2, "y2": 3}}, "columns", "creep has one y"),
        ({"step": 2}, "columns", "there is no step 2"),
    ],
)
def test_a_problem_is_told_with_its_place(at, choices, place: str, words: str) -> None:
    seen = at(SWEEP, **choices)
    assert (seen.dataset, seen.place) == (None, place)
    assert words in seen.problem
    assert "\n" not in seen.problem
    assert seen.table is not None


def test_the_section_is_chosen(at) -> None:
    text = f"first\n{SWEEP}\nsecond\n{SWEEP.replace('10', '11')}"
    assert at(text).table.sections == ("first", "second")
    seen = at(text, step=2)
    assert (seen.table.step, seen.dataset.y[0].real) == (2, 11.0)


def test_a_workbook_has_no_delimiter(tmp_path: Path) -> None:
    openpyxl = pytest.importorskip("openpyxl")
    book = openpyxl.Workbook()
    for row in (("Time (s)", "G(t) (Pa)"), (1.5, 10.0), (2.5, 8.0), (3.5, 5.0)):
        book.active.append(row)
    path = tmp_path / "data.xlsx"
    book.save(path)
    seen = look(path, Reading(units={"y": "kPa"}))
    assert seen.problem == ""
    assert not seen.table.is_text
    assert (seen.dataset.x[0], seen.dataset.y[0]) == (1.5, 1e4)


def test_what_is_no_table_says_so(at, tmp_path: Path) -> None:
    seen = at("{}", "data.json")
    assert (seen.dataset, seen.table, seen.place) == (None, None, "file")
    missing = look(tmp_path / "none.csv", Reading())
    assert "there is no file" in missing.problem
    assert at("this is\nno table\n").place == "delimiter"


def test_data_without_a_file_get_a_mode_and_constants() -> None:
    dataset = read(example_melt.csv_path())
    assert amended(dataset, Reading(mode="creep")).place == "mode"
    seen = amended(dataset, Reading(protocol={"gamma_0": "0.01"}))
    assert seen.dataset.protocol == {"gamma_0": 0.01}
    assert seen.dataset.test_mode == "oscillation"
    assert amended(dataset, Reading(protocol={"omega": "x"})).place == "omega"


def test_read_takes_the_same(tmp_path: Path) -> None:
    path = tmp_path / "data.txt"
    path.write_text(BARE, encoding="utf-8")
    dataset = read(
        path, mode="creep", x="a", y="c", units={"y": "1/kPa"}, delimiter=";", decimal=",",
        protocol={"sigma_applied": 3},
    )  # fmt: skip
    assert (dataset.y[0], dataset.protocol) == (7e-3, {"sigma_applied": 3.0})
    for option in ({"decimal": "x"}, {"delimiter": "x"}, {"units": {"z": "s"}}):
        with pytest.raises(InputError, match=r"decimal|delimiter|units"):
            read(path, **option)
