"""`rheojobs compare`: the ranking it prints and writes, what it refuses, and Ctrl-C."""

from __future__ import annotations

import json
import re
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest
from tests.cli.batches import ENDED

from rheojobs.inference.data import example_melt


@pytest.fixture
def zener_file(tmp_path: Path) -> Path:
    t = np.geomspace(0.01, 100.0, 40)
    y = (1e4 + 4e4 * np.exp(-t / 1.3)) * (
        1 + 0.02 * np.random.default_rng(3).standard_normal(t.size)
    )
    path = tmp_path / "zener.csv"
    rows = "".join(f"{a:.6g},{b:.6g}\n" for a, b in zip(t, y, strict=True))
    path.write_text("time (s),relaxation modulus (Pa)\n" + rows)
    return path


def test_the_true_model_is_first_in_table_json_and_figure(rheojobs, zener_file, tmp_path):
    out, plot = tmp_path / "out.json", tmp_path / "out.png"
    ran = rheojobs(
        *("compare", zener_file, "--models", "maxwell,zener,springpot,cross"),
        *("--json", out, "--plot", plot),
    )
    assert ran.status == 0, ran.stderr
    lines = [line for line in ran.stdout.splitlines() if line.strip()]
    assert lines[0].split() == ["model", "AICc", "Δ", "weight", "R²", "k"]
    assert lines[2].startswith("zener ")
    assert "1 model not ranked" in ran.stdout
    assert re.search(r"cross +does not describe relaxation", ran.stdout)
    assert "uniform weights for all" in ran.stderr  # chosen once, and said
    assert re.search(r"maxwell: AICc", ran.stderr)  # a plain line for each, as it is done
    facts = json.loads(out.read_text())
    assert [row["rank"] for row in facts["models"]] == [1, 2, 3]
    assert facts["models"][0]["model"] == "zener"
    assert plot.read_bytes().startswith(b"\x89PNG")


def test_with_bayes_the_ranking_is_by_leave_one_out(rheojobs, shared_data: Path):
    data = shared_data / "ethylcellulose_5pct_flow.csv"
    ran = rheojobs("compare", data, "--models", "power_law,bingham", "--bayes", "--json", "-")
    assert ran.status in ENDED, ran.stderr
    facts = json.loads(ran.stdout)
    assert facts["ranked_by"] == "loo"
    first, second = facts["models"]
    assert first["loo"]["elpd"] > second["loo"]["elpd"]
    assert second["loo"]["difference_se"] > 0
    assert "elpd ± se" in ran.stderr  # the table went there
    assert first["evidence"]["log"] > second["evidence"]["log"]
    assert 0 < first["evidence"]["error"] < 0.1
    assert first["probability"] + second["probability"] == pytest.approx(1.0)
    assert re.search(r"model +log evidence ± se +probability", ran.stderr)
    assert "Both depend on the priors" in ran.stderr
    assert "sampled: all that converged, by AICc (power_law, bingham)" in ran.stderr


def test_deviations_and_what_is_fixed_are_said_in_table_and_json(rheojobs, zener_file, tmp_path):
    lines = zener_file.read_text().splitlines()
    rows = [f"{line},{0.02 * float(line.split(',')[1]):.6g}" for line in lines[1:]]
    zener_file.write_text("\n".join([f"{lines[0]},std (Pa)", *rows]) + "\n")
    out = tmp_path / "out.json"
    ran = rheojobs(
        *("compare", zener_file, "--models", "maxwell,zener", "--sigma", "std"),
        *("--fix", "Ge=1e4", "--json", out),
    )
    assert ran.status == 0, ran.stderr
    assert "weights for all by the data's own standard deviations" in ran.stderr
    assert re.search(r"^zener .* 2 +Ge fixed$", ran.stdout, re.MULTILINE)
    assert "Ge = 10000 is fixed in zener; the others have no such parameter" in ran.stdout
    facts = json.loads(out.read_text())
    assert facts["weights"] == "sigma"
    assert {row["model"]: row["fixed"] for row in facts["models"]} == {
        "zener": {"Ge": 1e4},
        "maxwell": {},
    }


def test_that_nothing_could_be_fitted_is_a_failure(rheojobs, zener_file, tmp_path):
    ran = rheojobs("compare", zener_file, "--models", "cross", "--plot", tmp_path / "out.png")
    assert ran.status == 1
    assert "cross  does not describe relaxation" in ran.stdout
    assert not (tmp_path / "out.png").exists()


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("--models", "maxwel"), "did you mean 'maxwell'?"),
        (("--models", "maxwell,,zener"), "with commas between them"),
        (("--models", "maxwell:"), "takes NAME=VALUE, such as n_modes=6"),
        (("--models", "zener,zener"), "given twice"),
        (("--models", "zener", "--timeout", "0"), "timeout must be a positive"),
        (("--models", "zener", "--weights", "same"), "--weights cannot be 'same'"),
        (("--models", "zener", "--sigma", "3"), "takes two columns"),
        (("--models", "zener,maxwell", "--fix", "G_0=1"), "did you mean 'G0'?"),
        (("--models", "zener", "--tie", "Ge=2*G9"), "no parameter 'G9'"),
        (("--models", "zener", "--fix", "Ge"), "--fix takes NAME=VALUE"),
        (("--models", "zener", "--plot", "out.txt"), "must end in .png"),
        (("--model", "zener"), "--models"),
    ],
)
def test_what_is_refused(rheojobs, arguments, words):
    ran = rheojobs("compare", example_melt.csv_path(), *arguments)
    assert ran.status == 2
    assert ran.stdout == ""
    assert words in ran.error
    assert ran.error.startswith("rheojobs: ")
    assert "Traceback" not in ran.stderr


def test_an_expression_in_the_table_can_be_copied(rheojobs, folder: Path):
    ran = rheojobs("compare", folder / "run0.csv", "--models", "zener", "--tie", "eta=Gm-1")
    assert "eta = Gm-1" in ran.stdout


@pytest.mark.slow
@pytest.mark.skipif(sys.platform == "win32", reason="needs SIGINT")
def test_ctrl_c_prints_and_saves_what_is_finished(shared_data: Path, tmp_path: Path):
    out = tmp_path / "out.json"
    data = str(shared_data / "ethylcellulose_5pct_flow.csv")
    command = [sys.executable, "-m", "rheojobs", "compare", data, "--json", str(out)]
    with (tmp_path / "err").open("w") as talk:
        process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=talk, text=True)
        deadline = time.monotonic() + 120
        while "power_law: AICc" not in (tmp_path / "err").read_text():
            assert process.poll() is None
            assert time.monotonic() < deadline
            time.sleep(0.1)
        process.send_signal(signal.SIGINT)
        printed, _ = process.communicate(timeout=30)
    assert process.returncode == 130, (tmp_path / "err").read_text()
    facts = json.loads(out.read_text())
    assert facts["is_partial"]
    assert "power_law" in {row["model"] for row in facts["models"]}
    assert "power_law" in printed
    assert "not done yet: " in printed
    assert "Traceback" not in (tmp_path / "err").read_text()
