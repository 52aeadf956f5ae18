"""Own models on the command line: a formula and a function in a file, by every command."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from rheojobs import FitResult
from rheojobs.cli.compare import parse_models

FORMULA = "G0*exp(-(t/τ)^β)"
SOURCE = """
import jax.numpy as jnp


def decay(t, G0=1e4, tau=1.0, beta: (0.1, 1) = 0.7):
    return G0 * jnp.exp(-((t / tau) ** beta))
"""


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    t = np.geomspace(0.1, 100, 40)
    noise = 1 + 0.01 * np.random.default_rng(1).standard_normal(40)
    y = 1e4 * np.exp(-((t / 3.0) ** 0.6)) * noise
    rows = "".join(f"{a:.8g},{b:.8g}\n" for a, b in zip(t, y, strict=True))
    (tmp_path / "run.csv").write_text("time (s),relaxation modulus (Pa)\n" + rows)
    (tmp_path / "lab.py").write_text(SOURCE)
    monkeypatch.chdir(tmp_path)
    return tmp_path


def test_a_formula_is_fitted_and_the_command_loads_no_jax(folder):
    program = (
        "import sys\n"
        "from rheojobs.cli.main import main\n"
        "status = main(sys.argv[1:])\n"
        "heavy = {'jax', 'numpyro', 'rheojax', 'scipy', 'PySide6'}\n"
        "print('loaded:', sorted(heavy & sys.modules.keys()), file=sys.stderr)\n"
        "sys.exit(status)\n"
    )
    arguments = ["fit", "run.csv", "--model", FORMULA, "--json", "-", "--init", "beta=0.5"]
    ran = subprocess.run(
        [sys.executable, "-c", program, *arguments], capture_output=True, text=True, timeout=120
    )
    assert ran.returncode == 0, ran.stderr
    fields = json.loads(ran.stdout)
    assert fields["model_name"] == FORMULA
    assert fields["units"] == {"G0": "Pa", "tau": "s", "beta": "dimensionless"}
    assert fields["parameters"]["beta"] == pytest.approx(0.6, abs=0.01)
    assert "loaded: []" in ran.stderr


def test_a_function_in_a_file_is_fitted_as_the_formula_is_and_drawn(rheojobs, folder):
    one = rheojobs("fit", "run.csv", "--model", FORMULA, "--json", "one.json")
    assert one.status == 0, one.stderr
    other = rheojobs(
        *("fit", "run.csv", "--model", "lab.py:decay", "--json", "other.json", "--plot", "fit.svg")
    )
    assert other.status == 0, other.stderr
    formula, function = FitResult.load(folder / "one.json"), FitResult.load(folder / "other.json")
    assert function.model_name == "lab.py:decay"
    assert function.parameters == pytest.approx(formula.parameters, rel=1e-5)
    assert (folder / "fit.svg").is_file()


def test_they_are_compared_with_the_catalogue_s(rheojobs, folder):
    models = "maxwell,max(G0, 0)*exp(-t/tau),lab.py:decay"
    ran = rheojobs("compare", "run.csv", "--models", models, "--fix", "beta=0.6", "--json", "-")
    assert ran.status == 0, ran.stderr
    rows = json.loads(ran.stdout)["models"]
    assert rows[0]["model"] == "lab.py:decay"
    assert {row["model"] for row in rows[1:]} == {"maxwell", "max(G0, 0)*exp(-t/tau)"}
    assert rows[1]["aicc"] == pytest.approx(rows[2]["aicc"])
    assert "beta = 0.6 is fixed in lab.py:decay" in ran.stderr


def test_one_is_sampled(rheojobs, folder):
    ran = rheojobs(
        *("sample", "run.csv", "-m", "lab.py:decay", "--warmup", 100, "--draws", 50),
        *("--prior", "beta=uniform(0.2,0.9)", "--json", "-"),
    )
    assert ran.status in (0, 3), ran.stderr  # 50 draws may be too few for R-hat
    assert json.loads(ran.stdout)["model_name"] == "lab.py:decay"


def test_a_batch_has_them_and_does_a_changed_file_again(rheojobs, folder):
    (folder / "plan.yaml").write_text(
        f"files: [run.csv]\nmodels: ['{FORMULA}', 'G0*exp(-t/tau)', 'G0*exp(-t*tau)', "
        "'lab.py:decay']\noverrides:\n  - models: ['lab.py:decay']\n"
        "    fit: {bounds: {beta: [0.2, 0.9]}}\n"
    )
    first = rheojobs("batch", "plan.yaml")
    assert first.status == 0, first.stderr
    assert "4 done" in first.stdout
    assert len(list((folder / "batch-results" / "items" / "run.csv").iterdir())) == 4
    assert "4 skipped" in rheojobs("batch", "plan.yaml").stdout
    (folder / "lab.py").write_text(SOURCE + "# another\n")
    assert "1 done, 3 skipped" in rheojobs("batch", "plan.yaml").stdout


@pytest.mark.parametrize(
    ("command", "words"),
    [
        (("fit", "run.csv", "-m", "G0 exp(-t)"), "column 4: write a sign between 'G0' and 'exp'"),
        (("fit", "run.csv", "-m", "lab.py:dekay"), "has no 'dekay'; did you mean 'decay'"),
        (("fit", "run.csv", "-m", "no.py:decay"), "no.py cannot be read: No such file"),
        (("fit", "run.csv", "-m", "G0*i*omega"), "does not describe 'relaxation'"),
        (("fit", "run.csv", "-m", FORMULA, "--config", "n_modes=2"), "has no settings"),
        (("compare", "run.csv", "--models", "maxwell,min(a"), "column 4: this ( is not closed"),
        (("batch", "run.csv", "-m", "G0*exp(-s)"), "has no variable: t (a time)"),
    ],
)
@pytest.mark.promise("one-line-errors")
def test_nonsense_is_refused_in_one_line(rheojobs, folder, command, words):
    ran = rheojobs(*command)
    assert ran.status == 2
    (line,) = [line for line in ran.stderr.splitlines() if line.startswith("rheojobs:")]
    assert words in line


def test_models_are_split_outside_brackets():
    assert parse_models("maxwell,min(a,t)*b,lab.py:f,generalized_maxwell:n_modes=6") == [
        ("maxwell", {}),
        ("min(a,t)*b", {}),
        ("lab.py:f", {}),
        ("generalized_maxwell", {"n_modes": 6}),
    ]
