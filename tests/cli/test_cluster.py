"""The commands on a cluster: they run jobs there, and find them again after a restart."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from tests.engine import chores
from tests.engine.cluster import Cluster, shared_cluster
from tests.engine.helpers import wait_until

from rheojobs.cli.main import main
from rheojobs.engine import JobState, JobStore, TaskContext

ROOT = Path(__file__).parents[2]


@pytest.fixture
def relaxation(tmp_path: Path) -> Path:
    return write_relaxation(tmp_path / "run.csv", 1e4)


def write_relaxation(path: Path, plateau: float) -> Path:
    t = np.geomspace(0.01, 100.0, 40)
    y = plateau + 4e4 * np.exp(-t)
    rows = "".join(f"{a:.6g},{b:.6g}\n" for a, b in zip(t, y, strict=True))
    path.write_text("time (s),relaxation modulus (Pa)\n" + rows)
    return path


def test_fit_and_compare(
    relaxation: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    where = ["--cluster", shared_cluster().address, "--json", str(tmp_path / "out.json")]
    assert main(["fit", str(relaxation), "--model", "zener", *where]) == 0
    fit = json.loads((tmp_path / "out.json").read_text())
    assert fit["parameters"]["Ge"] == pytest.approx(1e4, rel=1e-3)
    assert main(["compare", str(relaxation), "--models", "zener,maxwell", *where]) == 0
    ranking = json.loads((tmp_path / "out.json").read_text())
    assert len(ranking["models"]) == 2


def test_a_killed_one_s_job_is_found_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("RHEOJOBS_STATE_DIR", str(tmp_path))
    store = tmp_path / "jobs.sqlite3"
    cluster = Cluster(workers=1)
    try:
        application = subprocess.Popen(
            [
                *(sys.executable, "-m", "tests.engine.application", "work_on_a_cluster"),
                *(store, tmp_path, cluster.address),
            ],
            env=os.environ | {"PYTHONPATH": os.pathsep.join([str(ROOT), *sys.path])},
        )
        wait_until(lambda: len(chores.lines(tmp_path / "trace")) == 3)
        with JobStore(store) as opened:
            [job] = opened.jobs()
            wait_until(lambda: opened.find(job.id).state is JobState.RUNNING)
        application.kill()
        application.wait()
        assert main(["jobs", "list"]) == 0
        told = " ".join(capsys.readouterr().out.split())
        assert "interrupted" in told
        assert "may still run" in told
        (tmp_path / "gate").touch()
        assert main(["jobs", "resume", job.id[:8]]) == 0
        assert json.loads(capsys.readouterr().out) == [0, 6]
        assert chores.lines(tmp_path / "trace") == ["1", "2", "3", "4", "5", "6"]
    finally:
        cluster.close()


def _have_runs_wait(step: str, folder: str) -> None:
    """Make each fit and sampling on a worker log its start and end; one kind waits."""
    from rheojobs.inference.fits.task import FitTask
    from rheojobs.inference.sampling.task import SampleTask

    for task in (FitTask, SampleTask):
        task.run = _noted(task.run, task.__name__, task.__name__ == step, Path(folder))  # type: ignore[attr-defined,method-assign]


def _noted(
    run: Callable[[Any, TaskContext], Any], name: str, waits: bool, folder: Path
) -> Callable[[Any, TaskContext], Any]:
    def noted(task: Any, context: TaskContext) -> Any:
        what = f"{name} {float(task.checked_data().y[0])}"
        chores.note(str(folder / "begun"), what)
        while waits and not (folder / "gate").exists():
            context.check()
            time.sleep(0.01)
        result = run(task, context)
        chores.note(str(folder / "done"), what)
        return result

    return noted


@pytest.mark.parametrize(
    ("step", "ends_meanwhile"), [("FitTask", True), ("SampleTask", False)], ids=["fits", "samples"]
)
def test_a_killed_batch_finds_its_runs_again(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    step: str,
    ends_meanwhile: bool,
) -> None:
    """Each fit and each sampling runs to completion once, and none begins a second time."""
    from distributed import Client

    monkeypatch.setenv("RHEOJOBS_STATE_DIR", str(tmp_path / "state"))
    for number in range(3):
        write_relaxation(tmp_path / f"run{number}.csv", 1e4 * (1 + number))
    plan = tmp_path / "plan.yaml"
    sample = {"warmup": 100, "draws": 50, "chains": 1}
    plan.write_text(json.dumps({"files": ["run*.csv"], "models": ["zener"], "sample": sample}))
    cluster = Cluster(workers=2)
    begun, done = tmp_path / "begun", tmp_path / "done"
    batch = ["batch", str(plan), "--cluster", cluster.address]
    try:
        with Client(cluster.address, set_as_default=False) as client:
            client.run(_have_runs_wait, step, str(tmp_path))
            command = subprocess.Popen(
                [sys.executable, "-m", "rheojobs", *batch],
                env=os.environ | {"PYTHONPATH": os.pathsep.join([str(ROOT), *sys.path])},
            )
            wait_until(lambda: [line for line in chores.lines(begun) if step in line][1:], 120.0)
            command.kill()
            command.wait()
        assert main(batch[:2]) == 2
        told = capsys.readouterr().err
        assert f"of this batch may still run on {cluster.address}: continue there" in told
        if ends_meanwhile:
            (tmp_path / "gate").touch()
            wait_until(lambda: len(chores.lines(done)) >= 2, 120.0)
        else:
            threading.Timer(2.0, (tmp_path / "gate").touch).start()
        assert main(batch) == 0
        assert "3 done, 0 skipped (nothing has changed), 0 failed" in capsys.readouterr().out
        assert len(chores.lines(begun)) == len(set(chores.lines(begun))) == 6
        assert sorted(chores.lines(done)) == sorted(chores.lines(begun))
        with JobStore(tmp_path / "state" / "jobs.sqlite3") as store:
            assert [job.state for job in store.jobs()] == [JobState.SUCCEEDED] * 6
        assert main(batch) == 0
        assert "0 done, 3 skipped" in capsys.readouterr().out
    finally:
        cluster.close()
