"""`rheojobs sample`: from a file to draws that ArviZ opens, and what Ctrl-C leaves."""

from __future__ import annotations

import re
import signal
import sys
import time
from pathlib import Path

import numpy as np
import psutil
import pytest
from tests.cli.batches import ENDED
from tests.cli.pseudo_terminal import Terminal

from rheojobs import BayesianResult


def test_sampling_writes_draws_json_and_figure(rheojobs, shared_data: Path, tmp_path: Path):
    from xarray import open_datatree

    out, fields, plot = tmp_path / "p.nc", tmp_path / "p.json", tmp_path / "p.png"
    ran = rheojobs(
        *("sample", shared_data / "ethylcellulose_5pct_flow.csv", "--model", "power_law"),
        *("--warmup", 200, "--draws", 150, "--chains", 2, "--seed", 3),
        *("--prior", "n=normal(0.9, 0.3)"),
        *("--out", out, "--json", fields, "--plot", plot),
    )
    assert ran.status in ENDED, ran.stderr
    assert "fit of power_law: converged" in ran.stderr
    assert "2 chains × (200 warm-up + 150 draws)" in ran.stdout
    for head in ("mean ± std", "95 % interval", "R-hat", "bulk/tail"):
        assert head in ran.stdout
    result = BayesianResult.load(fields)
    assert result.posterior_samples["n"].shape == (300,)
    assert "Normal" in result.diagnostics["priors"]["n"]
    with open_datatree(out, engine="h5netcdf") as tree:
        kept = np.asarray(tree["posterior"]["n"])
    assert kept.shape == (2, 150)
    np.testing.assert_array_equal(kept.ravel(), result.posterior_samples["n"])
    assert plot.read_bytes().startswith(b"\x89PNG")


def test_with_deviations_the_noise_is_known_and_what_is_fixed_is_not_drawn(
    rheojobs, tmp_path: Path
):
    t = np.geomspace(0.01, 100.0, 40)
    y = (1e4 + 4e4 * np.exp(-t)) * (1 + 0.02 * np.random.default_rng(3).standard_normal(t.size))
    rows = "".join(f"{a:.6g},{b:.6g},{0.02 * b:.6g}\n" for a, b in zip(t, y, strict=True))
    path, fields = tmp_path / "zener.csv", tmp_path / "p.json"
    path.write_text("time (s),relaxation modulus (Pa),std (Pa)\n" + rows)
    ran = rheojobs(
        *("sample", path, "--model", "zener", "--sigma", "std", "--fix", "Ge=1e4"),
        *("--bounds", "Gm=3e4,4e4"),
        *("--warmup", 100, "--draws", 100, "--chains", 2, "--json", fields),
    )
    assert ran.status in ENDED, ran.stderr
    assert "fixed: Ge = 10000" in ran.stdout
    assert re.search(r"noise: known, .*; residuals are (0\.\d+|1\.\d+) σ", ran.stdout)
    result = BayesianResult.load(fields)
    assert result.posterior_samples.keys() == {"Gm", "eta"}
    assert 3.5e4 < result.posterior_samples["Gm"].max() <= 4e4
    assert result.diagnostics["likelihood"] == "sigma"


@pytest.mark.skipif(sys.platform == "win32", reason="needs a pseudo-terminal")
def test_ctrl_c_keeps_what_was_drawn_and_leaves_no_process(shared_data: Path, tmp_path: Path):
    from xarray import open_datatree

    data = str(shared_data / "ethylcellulose_5pct_flow.csv")
    terminal = Terminal(
        tmp_path,
        *("sample", data, "-m", "power_law", "--no-warm-start", "--init", "n=0.9"),
        *("--warmup", "100", "--draws", "1000000", "--chains", "2"),
    )
    terminal.wait_for(r"starting a worker")
    terminal.wait_for(r"chain 2 .*draws +[1-9]\d*/1000000")
    assert re.search(r"divergences?, .*(left|so far)", terminal.text)
    workers = psutil.Process(terminal.process.pid).children(recursive=True)
    assert workers
    terminal.process.send_signal(signal.SIGINT)
    assert terminal.wait() == 130, terminal.text[-2000:]
    found = re.search(r"kept ([\d,]+) draws? of each of 2 chains", terminal.text)
    assert found is not None, terminal.text[-2000:]
    with open_datatree(tmp_path / "posterior-partial.nc", engine="h5netcdf") as tree:
        assert tree["posterior"].sizes["draw"] == int(found[1].replace(",", ""))
    _, alive = psutil.wait_procs(workers, timeout=5)
    assert not alive
    assert "Traceback" not in terminal.text
    assert re.search(r"rheojobs sample --resume \S+/state/samplings/\w+", terminal.text)


def _draws(path: Path) -> dict[str, np.ndarray]:
    from xarray import open_datatree

    with open_datatree(path, engine="h5netcdf") as tree:
        return {str(name): np.asarray(draws) for name, draws in tree["posterior"].items()}


@pytest.mark.slow
@pytest.mark.skipif(sys.platform == "win32", reason="needs a pseudo-terminal")
def test_killed_outright_it_goes_on_with_the_same_draws(
    rheojobs, shared_data: Path, tmp_path: Path
):
    """Command and worker are killed at once; the files on disk must be enough to resume."""
    asked = [
        *("sample", str(shared_data / "ethylcellulose_5pct_flow.csv"), "-m", "carreau"),
        *("--warmup", "200", "--draws", "150000", "--chains", "2", "--seed", "5"),
    ]
    terminal = Terminal(tmp_path, *asked)
    terminal.wait_for(r"chain 2 .*draws")
    folders = tmp_path / "state" / "samplings"
    deadline = time.monotonic() + 60
    while not list(folders.glob("*/0*.npz")):
        assert terminal.process.poll() is None, "too quick to be killed: ask for more draws"
        assert time.monotonic() < deadline
        terminal.read()  # otherwise the command waits for its terminal forever
    terminal.process.kill()
    terminal.process.wait()
    (folder,) = folders.iterdir()
    ran = rheojobs("sample", "--resume", folder, "--out", tmp_path / "resumed.nc")
    assert ran.status in ENDED, ran.stderr
    ran = rheojobs(*asked, "--out", tmp_path / "whole.nc")
    assert ran.status in ENDED, ran.stderr
    resumed, whole = _draws(tmp_path / "resumed.nc"), _draws(tmp_path / "whole.nc")
    assert resumed.keys() == whole.keys()
    for name, draws in whole.items():
        np.testing.assert_array_equal(resumed[name], draws)


def test_draws_stop_when_there_are_enough(rheojobs, shared_data: Path):
    ran = rheojobs(
        *("sample", shared_data / "ethylcellulose_5pct_flow.csv", "--model", "power_law"),
        *("--warmup", 200, "--draws", 100, "--until-ess", 300, "--seed", 3),
    )
    assert ran.status in ENDED, ran.stderr
    draws = int(re.search(r"warm-up \+ (\d+) draws", ran.stdout)[1])
    assert 50 < draws <= 1000


def test_what_resume_refuses(rheojobs, tmp_path: Path):
    ran = rheojobs("sample", "--resume", tmp_path)
    assert ran.status == 2
    assert "not the folder of a stopped sampling" in ran.error
    ran = rheojobs("sample", "data.csv", "--resume", tmp_path)
    assert ran.status == 2
    assert "takes no FILE" in ran.error
    ran = rheojobs("sample", "data.csv")
    assert ran.status == 2
    assert "--model is missing" in ran.error


def test_the_warnings_of_a_result_are_shown_and_no_others():
    """Noise that is a fraction is not compared with residuals in pascals."""
    from rheojobs.cli.report import sampling_concerns

    class Draws:
        units: dict[str, str] = {"sigma": ""}  # noqa: RUF012
        diagnostics: dict[str, list[str]] = {"warnings": ["few draws"]}  # noqa: RUF012
        summary = {"sigma": {"mean": 0.05}}  # noqa: RUF012

    assert sampling_concerns(Draws()) == ["few draws"]  # type: ignore[arg-type]
