"""Terminals and pipes whose encoding lacks what rheologists write: nothing ends, no number lies."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from rheojobs import catalogue
from rheojobs.cli import encoding
from rheojobs.inference.data import example_melt

pytestmark = pytest.mark.promise("one-line-errors")

PLACES = {
    "cp1252": {"PYTHONIOENCODING": "cp1252"},
    "C": {"PYTHONUTF8": "0", "LC_ALL": "C", "PYTHONCOERCECLOCALE": "0"},
}
"""A pipe on Windows in Western Europe, and a bare POSIX system: ASCII."""


@pytest.fixture(scope="module", autouse=True)
def known_models() -> None:
    catalogue()


@pytest.fixture(params=PLACES)
def ran(request: pytest.FixtureRequest, tmp_path: Path) -> Callable[..., tuple[str, str]]:
    """Run the command in a process of its own, in a place of another encoding."""
    place = PLACES[request.param]
    environment = {key: value for key, value in os.environ.items() if not key.startswith("LC_")}

    def run(*arguments: object, status: int = 0) -> tuple[str, str]:
        done = subprocess.run(
            [sys.executable, "-m", "rheojobs", *map(str, arguments)],
            capture_output=True,
            env=environment | {"PYTHONPATH": os.pathsep.join(sys.path)} | place,
            timeout=120,
            cwd=tmp_path,
        )
        written = "ascii" if request.param == "C" else "cp1252"
        out, err = done.stdout.decode(written), done.stderr.decode(written)
        assert "Traceback" not in err, err
        assert done.returncode == status, err
        return out, err

    return run


def test_a_fit_keeps_its_exponents_and_its_name_in_the_list(
    ran: Callable[..., tuple[str, str]], tmp_path: Path
) -> None:
    data = tmp_path / "Schmelze-γ̇.csv"
    data.write_bytes(example_melt.csv_path().read_bytes())
    out, err = ran("fit", data, "-m", "maxwell", status=3)
    assert ")e+05" in out
    assert "?" not in out
    assert err.startswith(("Schmelze-gamma_dot: ", "Schmelze-????: "))  # C knows no γ in a path
    listed, _ = ran("jobs", "list", "--all")
    assert "fit maxwell" in listed


def test_models_help_and_errors(ran: Callable[..., tuple[str, str]]) -> None:
    listed = ran("models")[0]
    assert "?" not in listed
    assert " x " in listed
    assert "Usage: rheojobs" in ran("--help")[0]
    out, err = ran("fit", "σ_η₀.csv", "-m", "maxwell", status=2)
    assert out == ""
    assert err.strip() in (
        "rheojobs: there is no file sigma_eta0.csv",
        "rheojobs: there is no file ??_?????.csv",
    )


def test_json_loses_nothing(ran: Callable[..., tuple[str, str]]) -> None:
    told = json.loads(ran("models", "--json")[0])
    assert {entry["name"] for entry in told} == {model.name for model in catalogue()}
    described = [entry["description"] for entry in told]
    assert described == [model.description for model in catalogue()]


@pytest.mark.parametrize(
    ("text", "name", "written"),
    [
        ("−1.2 ± 0.3", "cp1252", "-1.2 ± 0.3"),
        ("−1.2 ± 0.3", "ascii", "-1.2 +/- 0.3"),
        ("10⁻⁴ Pa·s⁻¹", "ascii", "10^-4 Pa.s^-1"),
        ("γ̇ and Δτ₁", "cp1252", "gamma_dot and Deltatau1"),
        ("G′, G″ → ∞", "ascii", "G', G'' -> inf"),
        ("¼ of 雨", "ascii", "1/4 of ?"),
    ],
)
def test_signs_are_spelled(text: str, name: str, written: str, tmp_path: Path) -> None:
    path = tmp_path / "stream"
    with path.open("w", encoding=name) as stream:
        encoding.prepare(stream)
        stream.write(text)
    assert path.read_text(encoding=name) == written
