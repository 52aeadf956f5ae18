"""Options of commands are converted, or refused in one line."""

from __future__ import annotations

from typing import Any

import pytest
import typer

from rheojobs import InputError
from rheojobs.cli.arguments.declared import flag_of, settings, takes
from rheojobs.inference.data.reading.options import ReadOptions
from rheojobs.inference.fits.options import FitOptions, StartOptions
from rheojobs.inference.sampling.options import SampleOptions

pytestmark = pytest.mark.promise("one-answer")


def given(*arguments: str, status: int = 0) -> dict[str, dict[str, Any]]:
    """Return what a command gets that takes all options."""
    got: dict[str, dict[str, Any]] = {}
    app = typer.Typer()

    @app.command()
    @takes(reading=(ReadOptions,), fitting=(StartOptions, FitOptions), sampling=(SampleOptions,))
    def command(reading: dict[str, Any], fitting: dict[str, Any], sampling: dict[str, Any]) -> int:
        got.update(reading=reading, fitting=fitting, sampling=sampling)
        return 0

    app(list(arguments), standalone_mode=False)
    return got


def test_what_is_not_given_is_not_there():
    assert given() == {"reading": {}, "fitting": {}, "sampling": {}}


def test_each_gets_what_it_declares_by_its_name_in_python():
    got = given("--mode", "saos", "--init", "G0=1e5", "--draws", "10", "--fix", "eta=1")
    assert got["reading"] == {"mode": "oscillation"}
    assert got["fitting"] == {
        "initial_params": {"G0": 1e5},
        "test_mode": "oscillation",
        "fixed": {"eta": 1.0},
    }
    assert got["sampling"] == {"num_samples": 10, "test_mode": "oscillation", "fixed": {"eta": 1.0}}


def test_numbers_are_read_in_every_notation():
    got = given("--init", "G0=1e5", "--init", "eta = -2.5", "--init", "a=3")
    assert got["fitting"]["initial_params"] == {"G0": 1e5, "eta": -2.5, "a": 3.0}


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
        given(*[part for text in texts for part in ("--init", text)])


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("--draws", "0"), "--draws must be at least 1, got 0"),
        (("--multi-start", "200"), "--multi-start must be at most 128, got 200"),
        (("--weights", "relativ"), "--weights cannot be 'relativ'; did you mean 'relative'?"),
        (("--at", "gama_dot=1"), "--at has no 'gama_dot'; did you mean 'gamma_dot'?"),
        (("--bounds", "G0=2,1"), "--bounds of G0 are empty: 2 to 1"),
        (("--decimal", ";"), "--decimal is '.' or ',', got ';'"),
        (("--decimal", ".,"), "--decimal is '.' or ',', got '.,'"),
        (
            ("--delimiter", ";|"),
            "--delimiter is tab, ';', '|', ',' or a blank, got ';|'",
        ),
        (("--units", "z=Pa"), "--units has no 'z'; known: x, y, y2"),
    ],
)
def test_an_error_names_the_option_as_it_was_typed(arguments, words):
    with pytest.raises(InputError) as caught:
        given(*arguments)
    assert caught.value.spelled(flag_of) == words


def test_columns_may_be_numbers():
    assert given("--x", "2", "--sigma", "s", "--sigma", "4")["reading"] == {
        "x": "2",
        "sigma": ("s", "4"),
    }


def test_settings_have_the_type_that_they_look_like():
    texts = ["n_modes=6", "tol=1e-3", "closure=linear", "thermal=true", "x=no"]
    read = settings(texts, "--config")
    assert read == {"n_modes": 6, "tol": 1e-3, "closure": "linear", "thermal": True, "x": False}
    assert isinstance(read["n_modes"], int)


def test_a_prior_may_hold_equal_signs():
    texts = ("--prior", "G0=normal(loc=1e5, scale=2e4)", "--prior", "eta=uniform(1,2)")
    read = given(*texts)["sampling"]["priors"]
    assert read["G0"] == {"type": "normal", "loc": "1e5", "scale": "2e4"}
    assert read["eta"]["type"] == "uniform"
