"""Bad usage and bad input: exit status 2 and one line on standard error."""

from __future__ import annotations

import importlib.util
import os
import sys
from pathlib import Path

import pytest

from rheojobs import InputError, catalogue
from rheojobs.cli import work
from rheojobs.cli.outputs import Outputs
from rheojobs.inference.data import example_melt

pytestmark = pytest.mark.promise("one-line-errors")

MELT = example_melt.csv_path()


@pytest.fixture(scope="module", autouse=True)
def known_models() -> None:
    catalogue()


@pytest.fixture
def refused(rheojobs):
    def run(*arguments: object, status: int = 2) -> str:
        ran = rheojobs(*arguments)
        assert ran.status == status, ran
        assert ran.stdout == ""
        assert ran.error.startswith("rheojobs: ")
        assert "Traceback" not in ran.stderr
        return ran.error.removeprefix("rheojobs: ")

    return run


FIT = ("fit", MELT, "--model", "maxwell")
SAMPLE = ("sample", MELT, "--model", "maxwell")


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("smaple", MELT), "did you mean"),
        (("fit",), "missing argument 'file'"),
        (("fit", MELT), "missing option '--model'"),
        ((*FIT, "--wieghts", "relative"), "--weights"),
        ((*FIT, "--multi-start", "many"), "--multi-start"),
        (("fit", MELT, "--model", "maxwel"), "did you mean 'maxwell'?"),
        (("fit", "absent.csv", "--model", "maxwell"), "there is no file absent.csv"),
        ((*FIT, "--mode", "oscilation"), "did you mean 'oscillation'?"),
        ((*FIT, "--x", "Frequenzy"), "there is no column 'frequenzy'"),
        ((*FIT, "--y", "9"), "there is no column 9"),
        ((*FIT, "--step", "7"), "there is no step 7"),
        ((*FIT, "--init", "G0"), "--init takes name=value"),
        ((*FIT, "--init", "G0=big"), "'big' is not a number"),
        ((*FIT, "--at", "gamma=1"), "did you mean"),
        ((*FIT, "--weights", "relativ"), "did you mean 'relative'?"),
        ((*FIT, "--multi-start", "0"), "--multi-start must be at least 1"),
        ((*FIT, "--plot", "figure.bmp"), "must end in .png"),
        ((*FIT, "--json", "nowhere/fit.json"), "there is no folder nowhere"),
        ((*SAMPLE, "--prior", "G0=normal(1e5)"), "lacks 'scale'"),
        ((*SAMPLE, "--prior", "G0=normel(1,2)"), "did you mean 'normal'?"),
        ((*SAMPLE, "--draws", "0"), "--draws must be at least 1"),
        (("demo", "--out", MELT), "cannot be made"),
    ],
)
def test_what_can_be_known_before_a_worker_is_needed(refused, arguments, words):
    assert words in refused(*arguments).lower()


@pytest.mark.parametrize(
    ("flag", "value"),
    [
        ("--mode", "oscilation"),
        ("--weights", "relativ"),
        ("--loss", "hubert"),
        ("--method", "nslq"),
        ("--likelihood", "relativ"),
        ("--default-priors", "jax"),
        ("--draws", "0"),
        ("--decimal", ";"),
        ("--rows", "9-3"),
    ],
)
def test_options_are_checked_before_the_file_is_read(refused, flag, value):
    told = refused("sample", "absent.csv", "-m", "maxwell", flag, value)
    assert told.startswith(flag)
    assert "absent.csv" not in told


def test_measured_data_are_not_replaced_by_a_slip(refused, tmp_path: Path):
    data = tmp_path / "sweep.csv"
    data.write_bytes(MELT.read_bytes())
    for option in ("--json", "--report"):
        told = refused("fit", data, "-m", "maxwell", f"{option}={data}")
        assert told == f"{option} {data}: that is the name of a table of data"
    assert data.read_bytes() == MELT.read_bytes()


def test_an_empty_file(refused, tmp_path: Path):
    (tmp_path / "empty.csv").touch()
    assert "the file is empty" in refused("fit", tmp_path / "empty.csv", "-m", "maxwell")


def test_what_only_the_model_knows(refused):
    assert "did you mean 'tau'?" in refused(*FIT, "--init", "tao=1")
    assert "outside its bounds" in refused(*FIT, "--init", "G0=1e15")
    assert "n_modes" in refused(*FIT, "--config", "n_modes=3")
    told = refused("fit", MELT, "-m", "carreau")
    assert told == "carreau does not describe 'oscillation'; it describes flow_curve"
    assert "has no parameter 'eat'" in refused(*SAMPLE, "--prior", "eat=uniform(1,2)")


@pytest.mark.parametrize(
    ("error", "status", "line"),
    [
        (RuntimeError("singular\nmatrix"), 1, "RuntimeError: singular matrix"),
        (InputError("too few points"), 2, "too few points"),
    ],
)
def test_a_job_that_fails(refused, monkeypatch, error, status, line):
    def fail(*arguments: object) -> int:
        raise error

    monkeypatch.setattr(work, "run_fit", fail)
    assert refused(*FIT, status=status) == line


def test_ctrl_c_outside_a_job(rheojobs, monkeypatch):
    def stop(*arguments: object) -> int:
        raise KeyboardInterrupt

    monkeypatch.setattr(work, "run_fit", stop)
    ran = rheojobs(*FIT)
    assert ran.status == 130
    assert "Traceback" not in ran.stderr


def test_a_window_that_cannot_be_opened(refused, monkeypatch):
    find_spec = importlib.util.find_spec
    bindings = {"PySide6", "PyQt6"}
    monkeypatch.setattr(
        importlib.util, "find_spec", lambda name: None if name in bindings else find_spec(name)
    )
    assert 'pip install "rheojobs[gui]"' in refused("gui")
    monkeypatch.undo()
    if sys.platform == "linux":
        for name in ("DISPLAY", "WAYLAND_DISPLAY", "QT_QPA_PLATFORM"):
            monkeypatch.delitem(os.environ, name, raising=False)
        assert "needs a display" in refused("gui")


def test_help_and_version(rheojobs):
    assert rheojobs("--version").stdout.startswith("rheojobs 0.")
    for arguments in ((), ("--help",), ("fit", "--help"), ("sample", "-h")):
        ran = rheojobs(*arguments)
        assert ran.status == 0
        assert "Usage: rheojobs" in ran.stdout


def test_a_name_of_a_file_colours_no_terminal(refused):
    assert "\x1b" not in refused("fit", "\x1b[31mred.csv", "--model", "maxwell")


def test_a_name_of_a_file_is_no_markup(tmp_path: Path, capsys):
    outputs = Outputs()
    outputs.wrote(tmp_path / "[bold][/].json")
    assert "[bold][/].json" in capsys.readouterr().err.replace("\n", "")
