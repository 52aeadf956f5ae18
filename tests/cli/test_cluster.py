"""The commands on a cluster: what they run there, and what they find there again."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from tests.engine import helpers
from tests.engine.cluster import Cluster, shared_cluster
from tests.engine.helpers import wait_until

from rheojobs.cli.app import main
from rheojobs.engine import JobState, JobStore

ROOT = Path(__file__).parents[2]


@pytest.fixture
def relaxation(tmp_path: Path) -> Path:
    t = np.geomspace(0.01, 100.0, 40)
    y = 1e4 + 4e4 * np.exp(-t)
    path = tmp_path / "run.csv"
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
        wait_until(lambda: len(helpers.lines(tmp_path / "trace")) == 3)
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
        assert helpers.lines(tmp_path / "trace") == ["1", "2", "3", "4", "5", "6"]
    finally:
        cluster.close()
