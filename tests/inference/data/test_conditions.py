"""What the name of a file says of temperature and concentration, and what it does not."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from rheojobs import Dataset, read
from rheojobs.errors import InputError
from rheojobs.inference.data.conditions import check_conditions, conditions_of_name
from rheojobs.inference.results.records import pack, unpack


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("ldpe_melt_i_150C", {"T": 423.15}),
        ("ps_150C_run2", {"T": 423.15}),
        ("gel 25degC", {"T": 298.15}),
        ("gel_25_deg_C", {"T": 298.15}),
        ("sweep 37.5°C", {"T": 310.65}),
        ("sweep 37,5 °C", {"T": 310.65}),
        ("pdms_-20C", {"T": 253.15}),
        ("pdms_T=-20C", {"T": 253.15}),
        ("T=293K", {"T": 293.0}),
        ("temp_293.5K", {"T": 293.5}),
        ("T5C", {"T": 278.15}),
        ("T=293K_20C_repeat", {}),  # 293.15 K is another temperature than 293 K
        ("xanthan_2wt%", {"c": 0.02}),
        ("xanthan 0.5 wt% 25C", {"T": 298.15, "c": 0.005}),
        ("micelles_c0.02", {"c": 0.02}),
        ("micelles_c=2", {"c": 2.0}),
    ],
)
def test_a_name_says_conditions(name: str, expected: dict[str, float]) -> None:
    found, notes = conditions_of_name(name)
    assert found == pytest.approx(expected)
    assert len(notes) == len(found)
    assert all("file's name" in note for note in notes)


@pytest.mark.parametrize(
    "name",
    [
        "sweep_1",
        "ps_300K",  # a molar mass
        "PS-150C",  # a dash or a sign
        "sample2C",
        "run_2C",
        "aged_80C_test_25C",
        "c2",
        "c_12",
        "strain_1%",
        "c=2%",
        "c=2mgml",
        "T=25",
        "T-25C",
        "-300degC",
        "20CC",
        "150Cb",
        "3.25.100C",
        "vol2",
        "2wtx",
    ],
)
def test_what_may_mean_something_else_is_not_taken(name: str) -> None:
    assert conditions_of_name(name) == ({}, [])


def test_a_file_is_read_with_its_conditions(tmp_path: Path) -> None:
    path = tmp_path / "pdms_25C_2wt%.csv"
    path.write_text("time (s),relaxation modulus (Pa)\n0.1,3\n1,2\n10,1\n")
    dataset = read(path)
    assert dataset.conditions == pytest.approx({"T": 298.15, "c": 0.02})
    assert "T = 298.15 K: '25C' in the file's name" in dataset.notes


def test_conditions_are_copied_and_stored() -> None:
    t = np.geomspace(0.1, 10.0, 5)
    made = Dataset.of(Dataset(t, 1 / t, "relaxation", conditions={"T": 300, "pH": 7.0}))
    assert made.conditions == {"T": 300.0, "pH": 7.0}
    content, blobs = pack({"data": made})
    assert unpack(content, blobs)["data"].conditions == {"T": 300.0, "pH": 7.0}
    assert Dataset.of({"x": t, "y": 1 / t, "conditions": {"c": 0.1}}).conditions == {"c": 0.1}
    # Data that were stored before there were conditions have none.
    del content["data"]["$Dataset"]["conditions"]
    assert unpack(content, blobs)["data"].conditions == {}


@pytest.mark.parametrize(
    ("conditions", "words"),
    [
        ({"T": -5.0}, "a temperature in kelvin is positive"),
        ({"T": "warm"}, "condition T (temperature / K)"),
        ({"": 1.0}, "has a name"),
        ([("T", 1.0)], "must map names to numbers"),
        ({"c": float("nan")}, "condition c (concentration)"),
    ],
)
def test_wrong_conditions_are_refused(conditions: object, words: str) -> None:
    with pytest.raises(InputError) as caught:
        check_conditions(conditions)
    assert words in str(caught.value)
