"""CPython's own tests of executors, by another Python of this machine if this one lacks them.

CPython 3.12.0 and 3.12.1 install everything of `test` but these.
"""

from __future__ import annotations

import importlib.util
import os
import subprocess
import sys
import sysconfig
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
SUITE = "test.test_concurrent_futures"


def other_python() -> str:
    """Find a Python that comes with the suite."""
    found = subprocess.run(
        [ROOT / "scripts" / "find-python", "3.12", f"{SUITE}.executor"],
        env={**os.environ, "PYTHON": "", "UV": "/nonexistent"},
        capture_output=True,
        text=True,
        check=False,
    )
    return found.stdout.strip() if found.returncode == 0 else ""


@pytest.mark.alone
@pytest.mark.skipif(importlib.util.find_spec(SUITE) is not None, reason="run by this Python")
def test_another_python_runs_them() -> None:
    python = other_python()
    if not python:
        pytest.skip("no Python of this machine comes with test.test_concurrent_futures")
    # What the engine needs of other packages is pure Python, or works with any version of it.
    packages = sysconfig.get_path("purelib")
    done = subprocess.run(
        [
            *(python, "-m", "pytest", "-q", "-p", "no:cacheprovider", "-c", os.devnull),
            *("--rootdir", str(ROOT), "--import-mode=importlib", "--noconftest"),
            "tests/engine/test_cpython_executors.py",
        ],
        cwd=ROOT,
        env={
            **os.environ,
            "PYTHONPATH": os.pathsep.join([str(ROOT / "src"), str(ROOT), packages]),
            "PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1",
        },
        capture_output=True,
        text=True,
        timeout=280,
        check=False,
    )
    assert done.returncode == 0, done.stdout[-4000:] + done.stderr[-2000:]
    assert " passed" in done.stdout
    assert "skipped" not in done.stdout
    assert sys.version_info < (3, 13), "later versions come with them"
