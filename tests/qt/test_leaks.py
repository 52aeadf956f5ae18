"""A window that is opened and closed leaves no widget, thread, file or process behind."""

from __future__ import annotations

import gc
import os
from pathlib import Path

import psutil
import pytest
from pytestqt.qtbot import QtBot
from qtpy.compat import isalive
from qtpy.QtCore import QEvent, QObject
from qtpy.QtWidgets import QApplication
from tests.qt.helpers import data_plot, posterior_view, priors_editor
from tests.qt.test_window import click, finish

from rheojobs.inference.data import example_melt
from rheojobs.qt.app.main_window import MainWindow

pytestmark = [pytest.mark.promise("nothing-left-behind"), pytest.mark.alone]

os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")

SETTLED = 5
"""Number of windows after which everything that is loaded once is loaded."""

FITS_EVERY = 10
SMALL_OBJECTS = 40
"""Of a window, that Python may keep, of the thousands that it has: an engine leaves what is called
at exit, and pytest-qt keeps what Qt's offscreen plugin says."""

ONCE = 1000
"""Objects that Python may keep once and for all, whenever it comes to them: a window has more."""

JOB_MS = 60_000


def counts(app: QApplication) -> dict[str, int]:
    """Count objects, threads, files and processes."""
    gc.collect()
    process = psutil.Process()
    objects = gc.get_objects()
    wrappers = [thing for thing in objects if isinstance(thing, QObject)]
    return {
        "Qt objects known to Python": len(wrappers),
        "of them deleted": sum(not isalive(thing) for thing in wrappers),
        "widgets": len(app.allWidgets()),
        "top-level widgets": len(app.topLevelWidgets()),
        "threads": process.num_threads(),
        "open files": process.num_fds(),
        "child processes": len(process.children(recursive=True)),
        "Python objects": len(objects),
    }


def open_and_close(app: QApplication, qtbot: QtBot, *, with_fit: bool) -> None:
    """Open a window with data, show all its pages, and close it."""
    window = MainWindow()
    window.show()
    window.open([example_melt.csv_path()])
    qtbot.waitUntil(lambda: window.session.dataset is not None, timeout=JOB_MS)
    qtbot.waitUntil(lambda: window.model_picker.model is not None, timeout=JOB_MS)
    assert data_plot(window).plot.listDataItems()
    for page in (posterior_view(window), priors_editor(window)):
        window.tabs.setCurrentWidget(page)
        app.processEvents()
    if with_fit:
        assert window.model_picker.choose("maxwell")
        click(qtbot, window.run_panel.fit_button)
        finish(window, qtbot)
        assert window.run_panel.message.kind == "warning"  # one mode misses the melt
    assert window.close()
    window.deleteLater()
    app.sendPostedEvents(window, QEvent.Type.DeferredDelete)
    app.processEvents()


@pytest.mark.slow
@pytest.mark.timeout(900)
@pytest.mark.parametrize("times", [12, 50])
def test_opened_and_closed_many_times_nothing_is_left(
    qapp: QApplication, qtbot: QtBot, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, times: int
) -> None:
    monkeypatch.setenv("RHEOJOBS_STATE_DIR", str(tmp_path))
    before: dict[str, int] = {}
    for number in range(1, times + 1):
        open_and_close(qapp, qtbot, with_fit=number % FITS_EVERY == 1)
        now = counts(qapp)
        if number == SETTLED:
            before = now
        elif number > SETTLED:
            grown = {what: now[what] - count for what, count in before.items()}
            kept = grown.pop("Python objects")
            assert {what: more for what, more in grown.items() if more > 0} == {}, number
            assert kept <= ONCE + SMALL_OBJECTS * (number - SETTLED), number
