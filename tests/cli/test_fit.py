"""`rheojobs fit` on every measured file: what it reads, prints and writes."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from rheojobs import FitResult
from rheojobs.inference.data import example_melt


@pytest.mark.parametrize(
    ("name", "options", "mode", "least_r_squared"),
    [
        (
            "polyisoprene_483k_oscillation.csv",
            ("--model", "fractional_maxwell_liquid", "--mode", "oscillation"),
            "oscillation",
            None,  # one relaxation cannot describe a master curve; the fit itself must work
        ),
        ("ethylcellulose_5pct_flow.csv", ("--model", "cross"), "flow_curve", 0.98),
        ("ps160_creep.csv", ("--model", "fractional_maxwell_gel"), "creep", 0.99),
        ("fish_muscle_relaxation.csv", ("--model", "zener"), "relaxation", None),
        (
            "ps145_relaxation.csv",
            ("--model", "generalized_maxwell", "--config", "n_modes=3", "--weights", "relative"),
            "relaxation",
            0.99,
        ),
        (
            "tts_frequency_sweep.txt",
            ("--model", "springpot", "--step", "2"),
            "oscillation",
            0.98,
        ),
    ],
)
def test_each_measured_file(
    rheojobs, shared_data: Path, tmp_path: Path, name, options, mode, least_r_squared
):
    out, plot = tmp_path / "fit.json", tmp_path / "fit.png"
    ran = rheojobs("fit", shared_data / name, *options, "--json", out, "--plot", plot)
    fit = FitResult.load(out)
    assert ran.status == (3 if fit.misfit else 0), ran.stderr
    assert fit.success
    assert fit.test_mode == mode
    if least_r_squared is not None:
        assert fit.r_squared > least_r_squared
    assert mode in ran.stderr  # what was understood is said before the work
    for parameter in fit.parameters:
        assert f"\n{parameter} " in ran.stdout
    for fact in ("R²", "reduced χ²", "AIC, AICc, BIC", "iterations"):
        assert fact in ran.stdout
    assert ("of the logarithms" in ran.stdout) == (fit.weights == "relative")
    assert plot.read_bytes().startswith(b"\x89PNG")


def test_json_has_standard_output_to_itself_and_no_jax_is_loaded(tmp_path: Path):
    program = (
        "import sys\n"
        "from rheojobs.cli.main import main\n"
        "status = main(sys.argv[1:])\n"
        "heavy = {'jax', 'numpyro', 'rheojax', 'nlsq', 'PySide6', 'matplotlib.pyplot'}\n"
        "print('loaded:', sorted(heavy & sys.modules.keys()), file=sys.stderr)\n"
        "sys.exit(status)\n"
    )
    arguments = ["fit", str(example_melt.csv_path()), "-m", "springpot", "--json", "-"]
    arguments += ["--plot", str(tmp_path / "fit.pdf"), "--init", "alpha=0.5"]
    ran = subprocess.run(
        [sys.executable, "-c", program, *arguments], capture_output=True, text=True, timeout=120
    )
    assert ran.returncode == 0, ran.stderr
    fields = json.loads(ran.stdout)
    assert fields["model_name"] == "springpot"
    assert 0 < fields["parameters"]["alpha"] < 1
    assert "c_alpha" in ran.stderr  # the table went there
    assert "loaded: []" in ran.stderr
    assert (tmp_path / "fit.pdf").read_bytes().startswith(b"%PDF")


def test_what_should_not_be_trusted_is_said(rheojobs):
    ran = rheojobs("fit", example_melt.csv_path(), "-m", "fractional_zener_ss", "--init", "Ge=1e-3")
    assert ran.status == 0
    assert "bound" in ran.stdout or "determined by the data" in ran.stdout
    ran = rheojobs("fit", example_melt.csv_path(), "-m", "maxwell")
    assert "the curve misses the data" in ran.stderr


def test_everything_that_can_be_asked_of_a_fit(rheojobs, tmp_path: Path):
    out, report = tmp_path / "fit.json", tmp_path / "fit.md"
    options = ("--config", "n_modes=4", "--multi-start", "4", "--loss", "huber")
    options += ("--fix", "G_inf=0", "--tie", "G_2 = 0.3*G_1", "--intervals", "profile")
    ran = rheojobs(
        "fit",
        example_melt.csv_path(),
        "-m",
        "generalized_maxwell",
        *options,
        "--json",
        out,
        "--report",
        report,
    )
    assert ran.status == 0, ran.stderr
    fit = FitResult.load(out)
    assert fit.parameters["G_inf"] == 0.0
    assert fit.parameters["G_2"] == pytest.approx(0.3 * fit.parameters["G_1"])
    assert sum(minimum["starts"] for minimum in fit.minima) == 4
    low, high = fit.intervals["tau_1"]
    assert low < fit.parameters["tau_1"] < high
    for words in ("fixed", "= 0.3*G_1", "95 % interval", "Huber's", "chosen because"):
        assert words in ran.stdout
    text = report.read_text(encoding="utf-8")
    assert text == fit.to_markdown("ldpe_melt_i_150C")
    assert text.startswith("# Fit of generalized_maxwell to ")
    for heading in ("## Correlations", "## Minima", "95 % interval (profile likelihood)"):
        assert heading in text


@pytest.mark.parametrize(
    ("options", "words"),
    [
        (("--fix", "G0"), "--fix takes NAME=VALUE"),
        (("--fix", "G0=much"), "not a number"),
        (("--fix", "G1=3"), "no parameter 'G1'"),
        (("--tie", "eta"), "--tie takes NAME=VALUE"),
        (("--tie", "eta=G1*2"), "no parameter 'G1'"),
        (("--tie", "eta=open('x')"), "not allowed"),
        (("--loss", "hubert"), "did you mean 'huber'?"),
        (("--intervals", "wald"), "profile"),
        (
            ("--weights", "sigma"),
            "--weights sigma needs a standard deviation for each point: --sigma",
        ),
        (("--report", "nowhere/fit.md"), "there is no folder"),
    ],
)
def test_a_bad_value_is_one_line(rheojobs, options, words):
    ran = rheojobs("fit", example_melt.csv_path(), "-m", "maxwell", *options)
    assert ran.status == 2
    assert words in ran.error
    assert ran.error.startswith("rheojobs: ")
