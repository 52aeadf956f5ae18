"""The command that starts RheoJAX's window on our engine."""

from __future__ import annotations

import importlib.util
import os
import subprocess
import sys

import pytest

if importlib.util.find_spec("rheojax") is None:
    pytest.skip("RheoJAX is not installed", allow_module_level=True)

pytestmark = pytest.mark.slow

OURS = "rheojobs.integrations.rheojax"


def command(*arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", *arguments],
        env={**os.environ, "QT_QPA_PLATFORM": "offscreen"},
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )


@pytest.mark.parametrize("which", [(OURS,), ("rheojobs", "rheojax-gui")])
def test_help(which):
    done = command(*which, "--help")
    assert done.returncode == 0
    assert "--objective" in done.stdout
    assert which[-1] in done.stdout


def test_what_is_wrong_is_one_line():
    done = command(OURS, "--workers", "none")
    assert done.returncode == 2
    assert "must be a whole number from 1 up, got 'none'" in done.stderr.splitlines()[-1]


@pytest.mark.skipif(importlib.util.find_spec("PyQt6") is None, reason="PyQt6 is not installed")
def test_pyqt6_is_refused_in_one_line(monkeypatch):
    monkeypatch.setenv("QT_API", "pyqt6")
    done = command(OURS, "--no-store")
    assert done.returncode == 2
    said = "rheojobs: RheoJAX's window needs PySide6, but this process uses PyQt6"
    assert done.stderr.splitlines() == [said]


def test_a_file_that_is_not_there_ends_with_the_workers(tmp_path):
    """RheoJAX says so and ends; the test would time out if a worker held the pipes."""
    missing = str(tmp_path / "none.csv")
    done = command(OURS, "--no-store", "--import", missing, "--protocol", "relaxation")
    assert done.returncode == 1
    assert f"Import file not found: {missing}" in done.stderr
