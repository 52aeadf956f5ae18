"""The script shows its progress, loads neither JAX nor Qt, and keeps what Ctrl-C left."""

from __future__ import annotations

import re
import signal
import subprocess
import sys
from pathlib import Path

import psutil
import pytest
from tests.examples.running import EXAMPLES, environment

pytestmark = pytest.mark.slow

NAME = "script_without_qt.py"


def started(folder: Path) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, str(EXAMPLES / NAME)],
        cwd=folder,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env=environment(folder),
    )


def test_ctrl_c_keeps_what_was_drawn(tmp_path: Path) -> None:
    script = started(tmp_path)
    assert script.stderr is not None
    said = ""
    while "ESS" not in said.rpartition("\x1b[Ksampling")[2]:
        more = script.stderr.read(1)
        assert more, said
        said += more
    workers = psutil.Process(script.pid).children(recursive=True)
    script.send_signal(signal.SIGINT)  # a terminal sends it to the workers too
    printed, rest = script.communicate(timeout=120)
    assert script.returncode == 0, rest
    assert "Traceback" not in rest
    assert int(re.findall(r"(\d+) draws of each of 4 chains", printed)[0]) > 0
    assert "tau_6: " in printed
    assert "stopped; rheojobs.resume(" in printed
    assert not [worker for worker in workers if worker.is_running()]


def test_ctrl_c_before_there_are_draws(tmp_path: Path) -> None:
    script = started(tmp_path)
    assert script.stderr is not None
    script.stderr.read(len("\r\x1b[Kp"))  # it is being prepared
    script.send_signal(signal.SIGINT)
    printed, rest = script.communicate(timeout=120)
    assert (script.returncode, printed) == (1, "")
    assert rest.endswith("\nstopped before there were enough draws\n")
    assert "Traceback" not in rest


def test_it_loads_neither_jax_nor_qt(tmp_path: Path) -> None:
    code = (
        "import runpy, sys; runpy.run_path(sys.argv[1]); "
        "found = {'jax', 'PySide6', 'rheojax'} & set(sys.modules); assert not found, found"
    )
    command = [sys.executable, "-c", code, str(EXAMPLES / NAME)]
    subprocess.run(command, check=True, timeout=120, env=environment(tmp_path))
