"""A batch that is killed, interrupted or takes too long loses nothing that was done."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import psutil
import pytest
import xarray
from tests.cli.batches import ENDED, rows_of, write_plan

from rheojobs import JobStore
from rheojobs.inference.sampling.checkpoints import Checkpoints


def _start(folder: Path, plan: Path) -> subprocess.Popen[str]:
    """Run the command in a separate process, and wait until a first file is fitted."""
    environment = os.environ | {"PYTHONUNBUFFERED": "1"}
    process = subprocess.Popen(
        [sys.executable, "-m", "rheojobs", "batch", str(plan)],
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        env=environment,
    )
    deadline = time.monotonic() + 120
    while not list((folder / "batch-results").rglob("fit.json")):
        assert process.poll() is None, process.communicate()[0]
        assert time.monotonic() < deadline
        time.sleep(0.05)
    return process


@pytest.mark.slow
@pytest.mark.skipif(sys.platform == "win32", reason="kills as POSIX does")
def test_killed_workers_cost_nothing(folder: Path):
    plan = write_plan(folder, sample={"warmup": 200, "draws": 40000, "chains": 2})
    process = _start(folder, plan)
    workers = psutil.Process(process.pid).children(recursive=True)
    assert workers
    for worker in workers:
        worker.kill()
    told, _ = process.communicate(timeout=200)
    assert process.returncode == 0, told
    assert "3 done, 0 skipped (nothing has changed), 0 failed" in told
    assert {row["draws"] for row in rows_of(folder)} == {"80000"}


_KILLED_AT = """
import os, signal, sys
from rheojobs.cli.main import main
from rheojobs.engine import JobStore
from rheojobs.inference.batch.item_store import ItemStore

name, step, plan = sys.argv[1:]
usual = getattr(ItemStore, name)

def die(store, *arguments, **options):
    if step and arguments[0] != step:
        return usual(store, *arguments, **options)
    with JobStore() as jobs:  # whatever is tidied up after a job that is done is gone by now
        while jobs.untidied():
            pass
    os.kill(os.getpid(), signal.SIGKILL)

setattr(ItemStore, name, die)
sys.exit(main(["batch", plan]))
"""


@pytest.mark.skipif(sys.platform == "win32", reason="kills as POSIX does")
@pytest.mark.parametrize(
    ("name", "step", "has_posterior"), [("keep_posterior", "", False), ("note", "sample", True)]
)
def test_killed_when_all_is_drawn_and_not_yet_noted(
    rheojobs, folder: Path, monkeypatch, name: str, step: str, has_posterior: bool
):
    """The draws made before the kill are in the final result: none is drawn again."""
    monkeypatch.setenv("RHEOJOBS_STATE_DIR", str(folder / "state"))
    plan = write_plan(
        folder, files=["run0.csv"], sample={"warmup": 150, "draws": 100, "chains": 2, "seed": 7}
    )
    killed = subprocess.run(
        [sys.executable, "-c", _KILLED_AT, name, step, str(plan)], capture_output=True, text=True
    )
    assert killed.returncode == -signal.SIGKILL, killed.stderr
    item = folder / "batch-results" / "items" / "run0.csv" / "zener"
    assert (item / "posterior.nc").exists() is has_posterior
    (sampling,) = item.glob("sampling-*")
    segments, note = Checkpoints(sampling).read_segments()
    assert segments[-1].meta["done"] == [250, 250]
    assert note == ""
    drawn = sum(np.array(segment.meta["lengths"]) for segment in segments)
    assert drawn.tolist() == [100, 100]
    ran = rheojobs("batch", plan)
    assert ran.status in ENDED, ran.stderr
    assert " 0 skipped (nothing has changed), 0 failed" in ran.stdout
    with JobStore() as store:  # of the command that was killed
        (job,) = (job for job in store.jobs() if job.task_type.endswith(":SampleTask"))
        before = store.result(job.id).posterior_samples
    with xarray.open_dataset(item / "posterior.nc", group="posterior", engine="h5netcdf") as kept:
        for parameter, draws in before.items():
            np.testing.assert_array_equal(kept[parameter].values.ravel(), draws)
    assert not list(folder.rglob("sampling-*"))


@pytest.mark.skipif(sys.platform == "win32", reason="kills as POSIX does")
def test_killed_before_it_had_taken_the_result_of_a_fit(folder: Path, monkeypatch):
    """The store has the result: the fit does not run again unless its result is removed."""
    monkeypatch.setenv("RHEOJOBS_STATE_DIR", str(folder / "state"))
    plan = write_plan(folder, files=["run0.csv"])
    killed = subprocess.run(
        [sys.executable, "-c", _KILLED_AT, "keep_fit", "", str(plan)],
        capture_output=True,
        text=True,
    )
    assert killed.returncode == -signal.SIGKILL, killed.stderr
    for fits in (1, 2):
        ran = subprocess.run(
            [sys.executable, "-m", "rheojobs", "batch", str(plan)], capture_output=True, text=True
        )
        assert ran.returncode == 0, ran.stderr
        assert "1 done, 0 skipped (nothing has changed), 0 failed" in ran.stdout
        with JobStore() as store:
            assert len(store.jobs()) == fits
        shutil.rmtree(folder / "batch-results")


@pytest.mark.slow
@pytest.mark.skipif(sys.platform == "win32", reason="needs SIGINT")
def test_ctrl_c_keeps_what_is_done_and_the_same_command_goes_on(rheojobs, folder: Path):
    plan = write_plan(folder, sample={"warmup": 200, "draws": 40000, "chains": 2})
    process = _start(folder, plan)
    process.send_signal(signal.SIGINT)
    told, _ = process.communicate(timeout=30)
    assert process.returncode == 130, told
    assert f"stopped; continue with: rheojobs batch {plan}" in told
    assert "Traceback" not in told
    rows = rows_of(folder)
    assert len(rows) == 3
    assert "stopped" in {row["state"] for row in rows}
    fits = {path: path.stat().st_mtime_ns for path in folder.rglob("fit.json")}
    assert fits
    ran = rheojobs("batch", plan)
    assert ran.status == 0, ran.stderr
    assert {row["state"] for row in rows_of(folder)} == {"succeeded"}
    for path, when in fits.items():
        assert path.stat().st_mtime_ns == when
    assert not list(folder.rglob("sampling-*"))


@pytest.mark.slow
def test_a_step_that_takes_too_long_is_stopped_and_listed(rheojobs, folder: Path):
    rate = np.geomspace(0.1, 10.0, 12)
    rows = "".join(f"{x:.6g},{3 + x:.6g}\n" for x in rate)
    (folder / "run9.csv").write_text("shear rate (1/s),shear stress (Pa)\n" + rows)
    rheojobs("fit", folder / "run9.csv", "--model", "bingham", "--out", folder / "fit.json")
    # Its programs are compiled by now, which may take longer than its time.
    plan = write_plan(folder, files=["run9.csv"], models=["lattice_epm", "bingham"], timeout=8)
    ran = rheojobs("batch", plan)
    assert ran.status == 1
    assert "1 done, 0 skipped (nothing has changed), 1 failed" in ran.stdout
    assert "ran longer than the 8 s it was given" in ran.stdout
    record = folder / "batch-results" / "items" / "run9.csv" / "lattice_epm" / "fit.step.json"
    assert json.loads(record.read_text())["state"] == "failed"
