"""A result that should not be trusted is written, and has an exit status of its own."""

from __future__ import annotations

import csv
import json
from pathlib import Path

import numpy as np
import pytest
from tests.cli.batches import write_run

from rheojobs import BayesianResult, FitResult
from rheojobs.inference.data import example_melt

pytestmark = pytest.mark.promise("right-or-refused")

MELT = example_melt.csv_path()


def test_a_fit_that_misses_the_data(rheojobs, tmp_path: Path):
    out = tmp_path / "fit.json"
    ran = rheojobs("fit", MELT, "-m", "maxwell", "--json", out)
    assert ran.status == 3
    assert ran.error == f"exit status 3: {FitResult.load(out).doubt}"
    assert "the curve misses the data" in ran.error
    assert "\nG0 " in ran.stdout


def test_a_fit_that_did_not_converge(rheojobs):
    ran = rheojobs("fit", MELT, "-m", "springpot", "--max-iter", 1)
    assert ran.status == 3
    assert ran.error == "exit status 3: the fit did not converge"


def test_draws_that_did_not_converge(rheojobs, tmp_path: Path):
    out = tmp_path / "p.json"
    ran = rheojobs(
        *("sample", MELT, "-m", "springpot", "--no-warm-start", "--init", "alpha=0.1"),
        *("--warmup", 1, "--draws", 20, "--chains", 2, "--json", out),
    )
    assert ran.status == 3
    assert BayesianResult.load(out).doubt in ran.error
    assert "R-hat" in ran.stdout


def test_the_best_model_of_a_comparison(rheojobs):
    ran = rheojobs("compare", MELT, "--models", "maxwell")
    assert ran.status == 3
    assert "exit status 3: the best model, maxwell: the curve misses the data" in ran.stderr
    assert rheojobs("compare", MELT, "--models", "maxwell,springpot").status == 0


def test_a_batch(rheojobs, folder: Path):
    out = folder / "out"
    write_run(folder / "good.csv", 1.0, 1)
    t = np.geomspace(0.01, 100.0, 30)
    rows = "".join(f"{a:.6g},{1e4 * (1.1 + np.sin(9 * np.log(a))):.6g}\n" for a in t)
    (folder / "wavy.csv").write_text("time (s),relaxation modulus (Pa)\n" + rows)
    files = (folder / "good.csv", folder / "wavy.csv")
    for again in ("1 done, 0 skipped", "0 done, 2 skipped"):
        ran = rheojobs("batch", *files, "-m", "zener", "-o", out, "--json")
        assert ran.status == 3, ran.stderr
        assert [bool(row["warnings"]) for row in json.loads(ran.stdout)] == [False, True]
        assert again in ran.stderr
        assert "0 failed, 1 doubtful" in ran.stderr
        assert "exit status 3: 1 doubtful fit" in ran.stderr
    with (out / "results.csv").open(encoding="utf-8") as file:
        warnings = {Path(row["file"]).name: row["warnings"] for row in csv.DictReader(file)}
    assert warnings["good.csv"] == ""
    assert warnings["wavy.csv"]
