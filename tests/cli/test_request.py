"""Options are read as they are meant, and refused in one line where they cannot be."""

from __future__ import annotations

from pathlib import Path

import pytest

from rheojobs import InputError
from rheojobs.cli.request import check_output, parse_config, parse_numbers, parse_priors


def test_numbers_are_read_in_every_notation():
    read = parse_numbers("--init", ["G0=1e5", "eta = -2.5", "a=3"], "G0=1")
    assert read == {"G0": 1e5, "eta": -2.5, "a": 3.0}


@pytest.mark.parametrize(
    ("texts", "words"),
    [
        (["G0"], "--init takes NAME=VALUE"),
        (["=3"], "--init takes NAME=VALUE"),
        (["G0="], "--init takes NAME=VALUE"),
        (["G0=1,5"], "'1,5' is not a number"),
        (["G0=nan"], "must be finite"),
        (["G0=1", "G0=2"], "gives 'G0' twice"),
    ],
)
def test_a_bad_number_is_refused(texts, words):
    with pytest.raises(InputError, match=words):
        parse_numbers("--init", texts, "G0=1e5")


def test_settings_have_the_type_that_they_look_like():
    read = parse_config(["n_modes=6", "tol=1e-3", "closure=linear", "thermal=true", "x=no"])
    assert read == {"n_modes": 6, "tol": 1e-3, "closure": "linear", "thermal": True, "x": False}
    assert isinstance(read["n_modes"], int)


def test_a_prior_may_hold_equal_signs():
    read = parse_priors(["G0=normal(loc=1e5, scale=2e4)", "eta=uniform(1,2)"])
    assert read["G0"] == {"type": "normal", "loc": "1e5", "scale": "2e4"}
    assert read["eta"]["type"] == "uniform"


def test_an_output_that_could_not_be_written_is_refused_beforehand(tmp_path: Path):
    check_output("--json", Path("-"))
    check_output("--json", tmp_path / "new.json")
    for path, words in [
        (tmp_path, "is a folder"),
        (tmp_path / "no" / "x.png", "there is no folder"),
        (tmp_path / "x.bmp", "must end in .png"),
    ]:
        with pytest.raises(InputError, match=words):
            check_output("--plot", path, (".png",))
