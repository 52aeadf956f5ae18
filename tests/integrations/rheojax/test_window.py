"""RheoJAX's real window on our engine, driven through its own controls, each in its own process."""

from __future__ import annotations

import csv
import importlib.util
import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import psutil
import pytest

from rheojobs.engine import JobEngine, Progress

if importlib.util.find_spec("rheojax") is None:
    pytest.skip("RheoJAX is not installed", allow_module_level=True)

pytestmark = [pytest.mark.slow, pytest.mark.timeout(280)]

ROOT = Path(__file__).parents[3]
GAP = 0.1
"""Seconds for which a job may hold the window at most; promised for a machine at leisure."""

FIRST_PAINT = 1.0
"""Seconds for which RheoJAX's page of plots may be painted first: the icons of eight toolbars."""

BUSY = 2
"""The factor by which a machine may be slower."""


def start(scenario: str, out: Path, files: list[Path], *options: str) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [
            *(sys.executable, "-m", "tests.integrations.rheojax.driver", scenario, out, *files),
            *("--ours", *options),
        ],
        cwd=ROOT,
        env={**os.environ, "QT_QPA_PLATFORM": "offscreen"},
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        text=True,
    )


def driven(scenario: str, tmp_path: Path, files: list[Path], *options: str) -> dict[str, Any]:
    """Run a scenario; return what it saw."""
    out = tmp_path / f"{scenario}.json"
    with start(scenario, out, files, *options) as process:
        _, errors = process.communicate(timeout=250)
    assert process.returncode == 0, errors[-3000:]
    seen: dict[str, Any] = json.loads(out.read_text())
    assert "error" not in seen, seen["error"]
    assert seen["uncaught"] == []
    return seen


@pytest.fixture(scope="module")
def relaxations(shared_data: Path, tmp_path_factory: pytest.TempPathFactory) -> list[Path]:
    """Three datasets of one measurement, each of every 30th point."""
    folder = tmp_path_factory.mktemp("relaxations")
    lines = (shared_data / "ps145_relaxation.csv").read_text().replace("\t", ",").splitlines()
    files = [folder / f"part{k}.csv" for k in range(3)]
    for k, file in enumerate(files):
        file.write_text("\n".join([lines[0], *lines[1 + k :: 30]]) + "\n")
    return files


@pytest.fixture(scope="module")
def moduli(shared_data: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A frequency sweep, in order: RheoJAX refuses what is not monotonic."""
    with (shared_data / "polyisoprene_483k_oscillation.csv").open() as source:
        rows = sorted(tuple(map(float, row)) for row in list(csv.reader(source))[1:])
    rows = [row for k, row in enumerate(rows) if k == 0 or row[0] > rows[k - 1][0]]
    file = tmp_path_factory.mktemp("moduli") / "sweep.csv"
    with file.open("w", newline="") as target:
        csv.writer(target).writerows([("omega (rad/s)", "G' (Pa)", 'G" (Pa)'), *rows])
    return file


@pytest.mark.alone
def test_fits_samplings_and_plots(relaxations: list[Path], tmp_path: Path) -> None:
    seen = driven("each", tmp_path, relaxations[:1])
    assert seen["fit"]["success"]
    assert seen["fit"]["num_iterations"] > 0
    assert set(seen["sampling"]["draws"]) == {"G0", "eta", "sigma"}
    assert seen["sampling"]["verdict"]["converged"]
    for step in ("first fit", "second fit", "first sampling", "second sampling"):
        assert seen[step]["longest_gap"] < BUSY * GAP, step
    assert seen["look at the plots"]["longest_gap"] < BUSY * FIRST_PAINT


@pytest.mark.alone
def test_a_cancelled_sampling_keeps_its_draws_and_the_window_closes(
    relaxations: list[Path], tmp_path: Path
) -> None:
    seen = driven("cancelling", tmp_path, relaxations[:1])
    assert seen["paused"]["visible"]
    before, after = (text.partition(" draws")[0] for text in seen["paused"]["texts"])
    assert before == after
    assert "," in before  # thousands
    assert seen["paused"]["names"] == ["Resume", "Pause"]
    kept = seen["kept"]
    assert kept["is_partial"]
    assert 1 <= kept["num_samples"] < 100_000
    sizes = {draws["size"] for draws in kept["draws"].values()}
    assert sizes == {16 * kept["num_samples"]}
    assert not kept["verdict"]["converged"]
    assert f"stopped: {kept['num_samples']} of 100000" in kept["verdict"]["reasons"][0]
    assert seen["cancelled sampling"]["after_cancel"] < BUSY * 0.5
    assert seen["cancelled sampling"]["status_values"] >= 10
    assert seen["cancelled sampling"]["step_values"] >= 10
    bundle = seen["project"].pop("bundle")
    assert {"parameters", "fitted_curve", "posterior_samples"} <= set(bundle)
    assert seen["project"] == {"draws": True, "fit": True}
    assert float(seen["ended"]) - float(seen["close asked"]) < BUSY * 2.0


def test_moduli_fixed_parameters_starts_and_settings(
    moduli: Path, relaxations: list[Path], tmp_path: Path
) -> None:
    """Of which RheoJAX alone runs neither the first nor the second."""
    seen = driven("kinds", tmp_path, [moduli, relaxations[0]])
    assert seen["moduli fit"]["success"]
    assert set(seen["moduli draws"]["draws"]) == {
        *("Gm", "alpha", "tau_alpha", "sigma_real", "sigma_imag")
    }
    ((name, value),) = seen["fixed fit"]["fixed"].items()
    assert seen["fixed fit"]["params"][name] == value
    assert name not in seen["fixed draws"]["draws"]
    assert {"G_1", "G_2", "tau_1", "tau_2"} <= set(seen["modes fit"]["params"])


def test_a_pipeline_of_three_datasets(relaxations: list[Path], tmp_path: Path) -> None:
    seen = driven("pipeline", tmp_path, relaxations)
    assert seen["statuses"] == ["completed"] * 6
    assert float(seen["ended"]) - float(seen["close asked"]) < 10.0


@pytest.mark.skipif(os.name != "posix", reason="signals")
def test_killed_amid_a_sampling_nothing_is_left(relaxations: list[Path], tmp_path: Path) -> None:
    out, store = tmp_path / "endless.json", tmp_path / "jobs.db"
    options = json.dumps({"store": str(store)})
    with start("endless", out, relaxations[:1], "--options", options) as process:
        end = time.monotonic() + 120
        while not out.with_suffix(".busy").exists():
            assert time.monotonic() < end
            assert process.poll() is None
            time.sleep(0.1)
        workers = psutil.Process(process.pid).children(recursive=True)
        assert workers
        process.send_signal(signal.SIGKILL)
        process.communicate()
    _, alive = psutil.wait_procs(workers, timeout=10.0)
    assert alive == []
    # Another application takes the sampling up where it was.
    with JobEngine(store=store, max_workers=1) as engine:
        (left,) = [job for job in engine.recover() if "sample" in job.name]
        job = engine.resume_job(left.id)
        end = time.monotonic() + 60
        while min((job.latest_progress or Progress()).metrics.get("chains", [0])) <= 500:
            assert time.monotonic() < end
            time.sleep(0.1)
        job.cancel()
        kept, is_partial = job.result_or_partial(timeout=30)
    assert is_partial
    assert kept.num_chains == 16
    assert kept.num_samples >= 1


@pytest.mark.skipif(not hasattr(os, "sched_setaffinity"), reason="one core cannot be chosen")
def test_on_one_core_cancel_works(relaxations: list[Path], tmp_path: Path) -> None:
    """RheoJAX cancels in a thread of a pool that has one thread then, which the job holds."""
    seen = driven("cancelling", tmp_path, relaxations[:1], "--one-core")
    assert seen["kept"]["num_samples"] < 100_000
