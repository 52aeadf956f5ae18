"""Pages of the window are made when they are needed, and then show what came before."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
from pytestqt.qtbot import QtBot
from qtpy.QtWidgets import QLabel

from rheojobs.inference.models.catalogue import ModelInfo
from rheojobs.inference.models.parameters import Parameter
from rheojobs.qt.app.pages import page_tabs
from rheojobs.qt.app.pages.fit_page import FitPage
from rheojobs.qt.app.pages.page import Page
from rheojobs.qt.app.pages.page_tabs import PageTabs
from rheojobs.qt.app.pages.posterior_page import PosteriorPage
from rheojobs.qt.app.pages.priors_page import PriorsPage

os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")

SCRIPT = """
import json, sys
from qtpy.QtWidgets import QApplication
from rheojobs.qt.app.main_window import MainWindow

app = QApplication([])
window = MainWindow()
window.show()
app.processEvents()
heavy = ("pyqtgraph", "scipy", "jax", "asyncio", "xarray", "matplotlib")
print(json.dumps([name for name in heavy if name in sys.modules]))
window.close()
window.deleteLater()
app.processEvents()
"""


WHILE_TYPES_ARE_ASKED_FOR = """
import sys
from qtpy import QtCore, QtGui, QtWidgets
from rheojobs.qt.app.pages.fit_page import FitPage
from rheojobs.qt.app.pages.page_tabs import PageTabs

app = QtWidgets.QApplication([])
sys.setswitchinterval(1e-5)
pages = PageTabs()
pages.load()
while "pyqtgraph.Qt" not in sys.modules:
    app.processEvents()
for module in (QtCore, QtGui, QtWidgets):
    for name in dir(module):
        getattr(module, name, None)
while pages.page(FitPage).made is None:
    app.processEvents()
print("made")
"""

ENDED_AMID_AN_IMPORT = """
import sys, time
from qtpy.QtWidgets import QApplication
from rheojobs.qt.app.pages.late_tabs import load_in_background

app = QApplication([])
load_in_background(["pyqtgraph"])
while "pyqtgraph" not in sys.modules:
    time.sleep(0.001)
time.sleep(0.05)
"""


def run(script: str, state: Path) -> subprocess.CompletedProcess[str]:
    """Run a script in a process of its own."""
    return subprocess.run(
        [sys.executable, "-c", script],
        env=os.environ
        | {
            "QT_QPA_PLATFORM": "offscreen",
            "RHEOJOBS_STATE_DIR": str(state),
            "PYTHONPATH": os.pathsep.join(filter(None, sys.path)),
        },
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )


def test_a_window_without_data_loads_no_plots(tmp_path: Path) -> None:
    done = run(SCRIPT, tmp_path)
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout) == []


def test_types_of_qt_are_made_in_one_thread(tmp_path: Path) -> None:
    """PySide crashes where two threads ask for a type that is not made yet."""
    done = run(WHILE_TYPES_ARE_ASKED_FOR, tmp_path)
    assert (done.returncode, done.stdout) == (0, "made\n"), done.stderr


def test_a_program_may_end_while_pages_are_loaded(tmp_path: Path) -> None:
    done = run(ENDED_AMID_AN_IMPORT, tmp_path)
    assert done.returncode == 0, done.stderr


@pytest.fixture
def model() -> ModelInfo:
    parameters = (Parameter("G0", 1.0, (1e-3, 1e9), "Pa"), Parameter("eta", 1.0, (1e-6, 1e12)))
    return ModelInfo("maxwell", ("oscillation",), parameters, "Spring and dashpot.", "stress")


def test_a_page_is_made_when_it_is_looked_at_and_takes_its_place(
    model: ModelInfo, qtbot: QtBot
) -> None:
    pages = PageTabs()
    qtbot.addWidget(pages)
    pages.show()
    titles = [pages.tabText(number) for number in range(pages.count())]
    hint = pages.currentWidget()
    assert isinstance(hint, QLabel)
    assert "Drop a file" in hint.text()
    for page in pages.pages:  # which makes nothing
        page.model_shown(model)
        page.dataset_shown(None, None)
        page.bounds_edited({"G0": (1.0, 2.0)})
        page.run_ended()
    assert all(isinstance(pages.widget(number), QLabel) for number in range(3))
    pages.setCurrentIndex(2)
    assert pages.currentWidget() is pages.page(PriorsPage).view
    editor = pages.page(PriorsPage).view
    assert editor.table.rowCount() == 2
    assert editor.priors() == {"G0": {"type": "loguniform", "low": 1.0, "high": 2.0}}
    pages.setCurrentIndex(1)
    assert isinstance(pages.currentWidget(), QLabel)  # there is nothing to see yet
    assert pages.currentWidget() is not pages.page(PosteriorPage).view
    assert pages.widget(1) is pages.page(PosteriorPage).view
    assert pages.currentIndex() == 1
    assert [pages.tabText(number) for number in range(pages.count())] == titles


def test_pages_are_made_while_nobody_waits_for_them(model: ModelInfo, qtbot: QtBot) -> None:
    pages = PageTabs()
    qtbot.addWidget(pages)
    pages.show()
    pages.load()
    qtbot.waitUntil(lambda: not any(isinstance(pages.widget(n), QLabel) for n in range(3)))
    assert pages.currentWidget() is pages.page(FitPage).view
    for page in pages.pages:
        page.model_shown(model)
    plot = pages.page(PosteriorPage).view.plot
    qtbot.waitUntil(lambda: plot.is_drawn)
    assert len(plot.traces) == len(plot.spreads) >= len(model.parameters)


class _Notes(Page[QLabel]):
    """A page of the tests."""

    title = "Notes"

    def make(self) -> QLabel:
        return QLabel("made")


def test_a_tab_is_one_class_in_one_list(qtbot: QtBot, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(page_tabs, "PAGES", (*page_tabs.PAGES, _Notes))
    pages = PageTabs()
    qtbot.addWidget(pages)
    last = len(page_tabs.PAGES) - 1
    assert pages.tabText(last) == "Notes"
    pages.setCurrentIndex(last)
    assert pages.currentWidget() is pages.page(_Notes).view
