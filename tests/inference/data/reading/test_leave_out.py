"""Points left out by their row numbers."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from rheojobs.errors import InputError
from rheojobs.inference.data.reading.preview import Reading, look
from rheojobs.inference.data.reading.read import read
from rheojobs.inference.data.reading.to_dataset import in_runs

FIRST = "time (s),relaxation modulus (Pa)\n"


@pytest.fixture
def path(tmp_path: Path) -> Path:
    file = tmp_path / "relaxation.csv"
    file.write_text(FIRST + "".join(f"{n},{100 / n}\n" for n in range(1, 11)))
    return file


def test_rows_are_left_out_and_counted(path: Path) -> None:
    data = read(path, leave_out="3,7-8")
    assert data.x.tolist() == [1, 2, 4, 5, 6, 9, 10]
    assert any("3 of 10 rows left out, as the option leave_out names" in n for n in data.notes)


def test_numbers_mean_the_same_beside_the_other_options(path: Path) -> None:
    assert read(path, leave_out="5", rows="4-7").x.tolist() == [4, 6, 7]
    assert read(path, leave_out="5", x_range="4,7").x.tolist() == [4, 6, 7]


def test_numbers_count_the_rows_of_the_whole_table_in_a_later_sweep(tmp_path: Path) -> None:
    file = tmp_path / "sweeps.csv"
    file.write_text(FIRST + 2 * "".join(f"{n},{100 / n}\n" for n in range(1, 9)))
    assert read(file, step=2, leave_out="3").x.tolist() == [1, 2, 3, 4, 5, 6, 7, 8]
    assert read(file, step=2, leave_out="11").x.tolist() == [1, 2, 4, 5, 6, 7, 8]
    assert read(file, rows="9-16", leave_out="11").x.tolist() == [1, 2, 4, 5, 6, 7, 8]


def test_no_row_left_is_refused(path: Path) -> None:
    with pytest.raises(InputError, match="leave_out leaves no row to use"):
        read(path, leave_out="1-")


def test_a_preview_keeps_them_and_places_a_problem(path: Path) -> None:
    seen = look(path, Reading(left_out={"leave_out": "1-2"}))
    assert seen.dataset is not None
    assert seen.dataset.x[0] == 3
    assert look(path, Reading(left_out={"leave_out": "x"})).place == "leave_out"
    assert look(path, Reading(left_out={"leave_out": "1-"})).place == "leave_out"


@given(
    st.sets(st.integers(1, 40)),
    st.lists(st.tuples(st.integers(1, 50), st.none() | st.integers(0, 9)), max_size=6),
)
def test_runs_are_those_of_each_number(
    numbers: set[int], parts: list[tuple[int, int | None]]
) -> None:
    runs = [(first, None if more is None else first + more) for first, more in parts]
    rising = sorted(numbers)
    wanted = [any(a <= n and (b is None or n <= b) for a, b in runs) for n in rising]
    assert np.array_equal(in_runs(rising, runs), np.array(wanted, dtype=bool))
