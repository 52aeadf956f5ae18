"""The Python examples of the README and of the guide run as they stand."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from rheojobs.inference.data import example_melt

pytestmark = pytest.mark.slow

ROOT = Path(__file__).parents[1]


def examples_of(page: str) -> list[str]:
    """Return the blocks of Python of a page, in their order."""
    return re.findall(r"```python\n(.*?)```", (ROOT / page).read_text(encoding="utf-8"), re.DOTALL)


QT_EXAMPLE, FIT_EXAMPLE, FUNCTION_EXAMPLE = examples_of("README.md")

GIVEN = """
import time


def slow_function():
    time.sleep(0.1)
    return "done"
"""
"""What the guide's examples assume that the reader has."""

USER = """
import psutil
from PySide6.QtCore import QTimer
from PySide6.QtWidgets import QApplication, QMainWindow, QPushButton

really_exec = QApplication.exec


def exec_with_a_user(*_application):
    (window,) = (w for w in QApplication.topLevelWidgets() if isinstance(w, QMainWindow))
    cancel = window.findChild(QPushButton)
    assert window.isVisible()

    def look():
        text = window.centralWidget().text()
        if CANCELS and text == "cancelled" or not CANCELS and text.startswith(("G0", "eta")):
            print(text)
            timer.stop()
            window.close()
        elif CANCELS and window.bar.value() > 0:
            cancel.click()

    timer = QTimer(interval=20)
    timer.timeout.connect(look)
    timer.start()
    status = really_exec()
    print("processes left:", len(psutil.Process().children(recursive=True)))
    return status


QApplication.exec = exec_with_a_user
"""
"""A user of the window, who waits for the posterior or presses *Cancel*, then closes it."""


def run(code: str, folder: Path) -> str:
    """Run a script where its data are; return what it printed."""
    shutil.copy(example_melt.csv_path(), folder / "sweep.csv")
    t = np.logspace(-1, 1, 40)
    noise = 1 + 0.01 * np.random.default_rng(0).standard_normal(40)
    table = np.column_stack([t, 1e5 * np.exp(-t / 2) * noise])
    header = "Time (s),G(t) (Pa)"
    np.savetxt(folder / "relaxation.csv", table, delimiter=",", header=header, comments="")
    script = folder / "example.py"
    script.write_text(code, encoding="utf-8")
    done = subprocess.run(
        [sys.executable, str(script)],
        cwd=folder,
        capture_output=True,
        text=True,
        timeout=240,
        env={**os.environ, "QT_QPA_PLATFORM": "offscreen"},
    )
    assert done.returncode == 0, done.stderr
    assert "Traceback" not in done.stderr
    return done.stdout


@pytest.mark.parametrize("cancels", [False, True])
def test_the_window_runs_is_cancelled_and_closes(cancels: bool, tmp_path: Path) -> None:
    printed = run(f"CANCELS = {cancels}\n{USER}\n{QT_EXAMPLE}", tmp_path)
    assert ("cancelled" if cancels else "G0: ") in printed
    assert "processes left: 0" in printed


def test_a_fit_and_its_posterior(tmp_path: Path) -> None:
    printed = run(FIT_EXAMPLE, tmp_path)
    assert "{'mean'" in printed
    assert (tmp_path / "posterior.nc").is_file()


def test_any_function(tmp_path: Path) -> None:
    printed = run(FUNCTION_EXAMPLE, tmp_path)
    # Two threads print: the result may come between the last step and the end of its line.
    steps = re.findall(r"step (\d+) of 20(?=\n|20\n)", printed)
    assert steps[-1] == "20"
    assert sorted(map(int, steps)) == list(map(int, steps))
    assert re.sub(r"step \d+ of 20", "", printed).split() == ["20", "cancelled"]


@pytest.mark.parametrize("number", range(2))
def test_the_guide(number: int, tmp_path: Path) -> None:
    examples = examples_of("docs/guide.md")
    assert len(examples) == 2
    expected = ("total: 6", "done")[number]
    assert expected in run(GIVEN + examples[number], tmp_path)


def test_each_promise_has_tests_and_each_marker_a_promise() -> None:
    promised = set(
        re.findall(r"^\| `([a-z-]+)` \|", (ROOT / "README.md").read_text(encoding="utf-8"), re.M)
    )
    shown: set[str] = set()
    for path in Path(__file__).parent.rglob("test_*.py"):
        for arguments in re.findall(r"mark\.promise\(([^)]*)\)", path.read_text(encoding="utf-8")):
            shown |= set(re.findall(r'"([a-z-]+)"', arguments))
    assert shown == promised
