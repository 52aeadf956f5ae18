"""`rheojobs sample`: from a file to draws that ArviZ opens; and what Ctrl-C leaves."""

from __future__ import annotations

import os
import re
import select
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import psutil
import pytest

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
    assert ran.status == 0, ran.stderr
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


class _Terminal:
    """A command on a pseudo-terminal, as a person has it."""

    def __init__(self, folder: Path, *arguments: str) -> None:
        import pty

        self._screen, other = pty.openpty()
        environment = os.environ | {"TERM": "xterm-256color", "COLUMNS": "100", "LINES": "40"}
        command = [sys.executable, "-m", "rheojobs", *arguments]
        self.process = subprocess.Popen(
            command,
            cwd=folder,
            env=environment,
            stdin=other,
            stdout=other,
            stderr=other,
            start_new_session=True,
        )
        os.close(other)
        self.text = ""

    def wait_for(self, pattern: str, timeout: float = 120.0) -> None:
        deadline = time.monotonic() + timeout
        while not re.search(pattern, self.text):
            assert time.monotonic() < deadline, self.text[-2000:]
            assert self._read() or self.process.poll() is None, self.text[-2000:]

    def wait(self, timeout: float = 30.0) -> int:
        deadline = time.monotonic() + timeout
        while self.process.poll() is None:
            assert time.monotonic() < deadline, self.text[-2000:]
            self._read()
        while self._read():
            pass
        os.close(self._screen)
        return self.process.returncode

    def _read(self) -> bool:
        ready, _, _ = select.select([self._screen], [], [], 0.1)
        if not ready:
            return False
        try:
            piece = os.read(self._screen, 65536)
        except OSError:  # Linux says so when the other end is closed
            return False
        escapes = re.compile(r"\x1b\[[0-9;?]*[A-Za-z]")
        self.text += escapes.sub("", piece.decode(errors="replace"))
        return bool(piece)


@pytest.mark.skipif(sys.platform == "win32", reason="needs a pseudo-terminal")
def test_ctrl_c_keeps_what_was_drawn_and_leaves_no_process(shared_data: Path, tmp_path: Path):
    from xarray import open_datatree

    data = str(shared_data / "ethylcellulose_5pct_flow.csv")
    terminal = _Terminal(
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


def test_draws_that_left_the_data_are_noticed():
    from rheojobs.cli.report import sampling_concerns

    class Fit:
        residuals = np.array([1.0, -1.0, 1.0])

    class Draws:
        units: dict[str, str] = {"sigma": "Pa"}  # noqa: RUF012
        diagnostics: dict[str, list[str]] = {"warnings": ["few draws"]}  # noqa: RUF012
        summary = {"sigma": {"mean": 40.0}}  # noqa: RUF012

    told = sampling_concerns(Draws(), Fit())  # type: ignore[arg-type]
    assert told[0] == "few draws"
    assert "much worse than the fit" in told[1]
    Draws.summary["sigma"]["mean"] = 1.2
    assert sampling_concerns(Draws(), Fit()) == ["few draws"]  # type: ignore[arg-type]
