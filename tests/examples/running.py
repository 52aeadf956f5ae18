"""Run examples as a user does: from a terminal, and with a user of their windows."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

__all__ = ["EXAMPLES", "environment", "run", "run_with_user"]

EXAMPLES = Path(__file__).parents[2] / "examples"

WITH_USER = """
import runpy
import sys

import psutil
from PySide6.QtCore import QTimer
from PySide6.QtWidgets import QApplication, QMainWindow

really_exec = QApplication.exec


def exec_with_a_user(*_application):
    (window,) = (w for w in QApplication.topLevelWidgets() if isinstance(w, QMainWindow))
    assert window.isVisible()
    steps = user(window)
    timer = QTimer(interval=20)

    def look():
        try:
            next(steps)
        except StopIteration:
            timer.stop()
            window.close()

    timer.timeout.connect(look)
    timer.start()
    status = really_exec()
    print("processes left:", len(psutil.Process().children(recursive=True)))
    return status


if __name__ == "__main__":
    QApplication.exec = exec_with_a_user
    runpy.run_path(sys.argv[1], run_name="__main__")
"""
"""Before it stands `user`, a generator that looks at the window until it yields no more."""


def environment(folder: Path) -> dict[str, str]:
    """Return the environment of an example, whose store and checkpoints are in a folder."""
    state = str(folder / "state")
    return {**os.environ, "QT_QPA_PLATFORM": "offscreen", "RHEOJOBS_STATE_DIR": state}


def run(name: str, folder: Path, *, code: str | None = None) -> str:
    """Run an example to its end; return what it printed."""
    script = EXAMPLES / name
    if code is not None:
        (folder / "driver.py").write_text(code, encoding="utf-8")
    command = [str(script)] if code is None else ["driver.py", str(script)]
    done = subprocess.run(
        [sys.executable, *command],
        cwd=folder,
        capture_output=True,
        text=True,
        timeout=100,
        env=environment(folder),
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert "Traceback" not in done.stderr, done.stderr
    return done.stdout


def run_with_user(name: str, user: str, folder: Path) -> str:
    """Run an example whose window has a user; return what it printed."""
    return run(name, folder, code=user + WITH_USER)
