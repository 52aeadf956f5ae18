"""SIGTERM stops a command as Ctrl-C does, with a status of its own."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
import time
from pathlib import Path

import psutil
import pytest
from tests.cli.batches import write_plan
from tests.cli.pseudo_terminal import Terminal

from rheojobs.cli import work
from rheojobs.cli.terminal.stopping import stop_requests
from rheojobs.inference.data import example_melt

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="needs POSIX signals")

MELT = str(example_melt.csv_path())


def test_sigterm_keeps_what_was_drawn_and_leaves_no_process(tmp_path: Path):
    from xarray import open_datatree

    terminal = Terminal(
        tmp_path,
        *("sample", MELT, "-m", "springpot", "--no-warm-start", "--init", "alpha=0.6"),
        *("--warmup", "50", "--draws", "1000000", "--chains", "2"),
    )
    terminal.wait_for(r"chain 2 .*draws +[1-9]\d*/1000000")
    workers = psutil.Process(terminal.process.pid).children(recursive=True)
    terminal.process.send_signal(signal.SIGTERM)
    assert terminal.wait() == 143, terminal.text[-2000:]
    found = re.search(r"kept ([\d,]+) draws? of each of 2 chains", terminal.text)
    assert found is not None, terminal.text[-2000:]
    with open_datatree(tmp_path / "posterior-partial.nc", engine="h5netcdf") as tree:
        assert tree["posterior"].sizes["draw"] == int(found[1].replace(",", ""))
    assert re.search(r"rheojobs sample --resume \S+/state/samplings/\w+", terminal.text)
    assert "Traceback" not in terminal.text
    assert not psutil.wait_procs(workers, timeout=5)[1]


def test_sigterm_in_a_batch_prints_the_command_that_continues(folder: Path):
    plan = write_plan(folder, sample={"warmup": 100, "draws": 100000, "chains": 2})
    process = subprocess.Popen(
        [sys.executable, "-m", "rheojobs", "batch", str(plan)],
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    deadline = time.monotonic() + 120
    while not list((folder / "batch-results").rglob("fit.json")):
        assert process.poll() is None, process.communicate()[0]
        assert time.monotonic() < deadline
        time.sleep(0.05)
    process.send_signal(signal.SIGTERM)
    told, _ = process.communicate(timeout=60)
    assert process.returncode == 143, told
    assert "stopped; continue with: rheojobs batch" in told


def test_outside_a_job_too(rheojobs, monkeypatch):
    def wait(*arguments: object) -> int:
        os.kill(os.getpid(), signal.SIGTERM)
        time.sleep(5)
        return 0

    before = signal.getsignal(signal.SIGTERM)
    monkeypatch.setattr(work, "run_fit", wait)
    ran = rheojobs("fit", MELT, "-m", "springpot")
    assert ran.status == 143
    assert ran.error == "rheojobs: stopped by SIGTERM"
    assert signal.getsignal(signal.SIGTERM) == before


@pytest.mark.parametrize(("number", "status"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
def test_the_first_signal_is_noted(number: signal.Signals, status: int):
    with stop_requests() as wanted:
        assert not wanted
        os.kill(os.getpid(), number)
        assert (bool(wanted), wanted.status) == (True, status)
