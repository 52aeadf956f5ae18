"""The window on a real screen, with fits and samplings of the shipped data, as pictures.

Run as a module by `test_screenshots`, in a process of its own: ``python -m tests.qt.picturing
FOLDER``. Its last line is JSON: for each picture what is cut off in it, and what Qt has said.
"""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from qtpy.QtCore import QEvent, QPoint, QRect, Qt, qInstallMessageHandler
from qtpy.QtGui import QColor, QPalette
from qtpy.QtWidgets import (
    QAbstractButton,
    QApplication,
    QComboBox,
    QLabel,
    QSplitter,
    QStyleOptionViewItem,
    QTabBar,
    QTableView,
    QWidget,
)

from rheojobs import BayesianWorker, FitWorker
from rheojobs.engine.jobs.job import Job
from rheojobs.engine.states import JobState
from rheojobs.inference.data import example_melt
from rheojobs.qt.app.main_window import MainWindow
from rheojobs.qt.app.pages.posterior_page import PosteriorPage
from rheojobs.qt.widgets.jobs.columns import JobColumn
from rheojobs.qt.widgets.jobs.progress_delegate import ProgressDelegate

WIDTH, HEIGHT = 1280, 800
THEMES = ("light", "dark")
SCENES = ("fit", "posterior", "jobs")
PATIENCE_S = 240.0
MODELS = ("fractional_maxwell_liquid", "fractional_maxwell_model")


def wait(condition: Callable[[], bool], seconds: float = PATIENCE_S) -> None:
    """Process events of the window until a condition holds."""
    end = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > end:
            raise TimeoutError(f"waited {seconds:g} s")
        QApplication.processEvents()
        time.sleep(0.002)


def linger(seconds: float) -> None:
    """Process events of the window for a while, so that all of it is drawn."""
    end = time.monotonic() + seconds
    wait(lambda: time.monotonic() > end)


def dark_palette() -> QPalette:
    """Return the colours of a dark desktop; a bare X server has none."""
    role, group = QPalette.ColorRole, QPalette.ColorGroup
    palette = QPalette(QColor("#303236"))
    for which, color in {
        role.Base: "#1e2023",
        role.AlternateBase: "#26282c",
        role.Text: "#e6e6e6",
        role.WindowText: "#e6e6e6",
        role.ButtonText: "#e6e6e6",
        role.ToolTipBase: "#303236",
        role.ToolTipText: "#e6e6e6",
        role.Highlight: "#2f6fb0",
        role.HighlightedText: "#ffffff",
        role.PlaceholderText: "#9a9a9a",
    }.items():
        palette.setColor(which, QColor(color))
    for which in (role.Text, role.WindowText, role.ButtonText):
        palette.setColor(group.Disabled, which, QColor("#85888c"))
    return palette


# ---------------------------------------------------------------- what is cut off


def cut_off(window: QWidget) -> list[str]:
    """Return the texts that are cut off, except those of running jobs, which have a tool tip."""
    found = []
    for widget in window.findChildren(QWidget):
        if not widget.isVisible() or widget.window() is not window:
            continue
        if isinstance(widget, QTableView):
            found += [f"in {widget.accessibleName()!r}: {text}" for text in _cut_cells(widget)]
        elif isinstance(widget, QLabel | QAbstractButton | QComboBox | QTabBar):
            if not _is_whole(widget):
                found.append(f"{type(widget).__name__} {_words(widget)!r}")
            if _words(widget) and not _is_inside(widget, window):
                found.append(f"{type(widget).__name__} {_words(widget)!r} lies outside")
    return found


def _words(widget: Any) -> str:
    if isinstance(widget, QComboBox):
        return widget.currentText()
    if isinstance(widget, QTabBar):
        return ", ".join(widget.tabText(number) for number in range(widget.count()))
    return str(widget.text())


def _is_whole(widget: Any) -> bool:
    if isinstance(widget, QLabel) and widget.wordWrap():
        return widget.height() >= widget.heightForWidth(widget.width()) - 1
    if isinstance(widget, QComboBox):
        arrow = 28
        return widget.width() >= widget.fontMetrics().horizontalAdvance(_words(widget)) + arrow
    return widget.width() >= widget.sizeHint().width() - 1


def _is_inside(widget: QWidget, window: QWidget) -> bool:
    """Return whether a widget lies within the window and all its parents, except scroll areas."""
    return window.rect().contains(QRect(widget.mapTo(window, QPoint(0, 0)), widget.size()))


def _cut_cells(table: QTableView) -> Iterator[str]:
    model, header = table.model(), table.horizontalHeader()
    if table.horizontalScrollBar().maximum() > 0:
        yield "columns lie outside"
    columns = [n for n in range(model.columnCount()) if not table.isColumnHidden(n)]
    for column in columns:
        if header.sectionSize(column) < header.sectionSizeFromContents(column).width() - 1:
            yield f"head {model.headerData(column, Qt.Orientation.Horizontal)!r}"
        for row in range(model.rowCount()):
            index = model.index(row, column)
            if table.visualRect(index).top() >= table.viewport().height():
                break
            is_job = table.accessibleName() == "Jobs" and column == JobColumn.NAME
            if is_job or isinstance(table.itemDelegateForIndex(index), ProgressDelegate):
                assert str(index.data()) in str(index.data(Qt.ItemDataRole.ToolTipRole))
                continue
            option: Any = QStyleOptionViewItem()
            table.initViewItemOption(option)
            needed = table.itemDelegateForIndex(index).sizeHint(option, index).width()
            if table.columnWidth(column) < needed:
                yield f"cell {index.data()!r}: {table.columnWidth(column)} of {needed} pixels"


# ---------------------------------------------------------------- the pictures


class Photographer:
    """Takes each scene in each theme."""

    def __init__(self, window: MainWindow, folder: Path) -> None:
        self._window, self._folder = window, folder
        app = QApplication.instance()
        assert isinstance(app, QApplication)
        self._app = app
        self._palettes = {"light": app.palette(), "dark": dark_palette()}
        self.found: dict[str, list[str]] = {}

    def take(self, scene: str) -> None:
        for theme in THEMES:
            self._app.setPalette(self._palettes[theme])
            linger(0.5)
            posterior = self._window.tabs.page(PosteriorPage).made
            if posterior is not None:
                wait(lambda view=posterior: view.plot.is_drawn)
            linger(0.5)
            name = f"window-{scene}-{theme}.png"
            picture = self._window.screen().grabWindow(0, 0, 0, WIDTH, HEIGHT)
            assert picture.save(str(self._folder / name))
            self.found[name] = cut_off(self._window)
        self._app.setPalette(self._palettes["light"])


def fit(window: MainWindow, model: str) -> None:
    assert window.model_picker.choose(model)
    window.run_panel.fit_button.click()
    wait(lambda: not window.session.is_running)


def start_jobs(window: MainWindow) -> list[Job]:
    """Make jobs in many states: one that runs, and others that wait, failed or were stopped."""
    pool, data, model = window.pool, window.session.dataset, MODELS[1]
    refused = pool.job(pool.submit(FitWorker("maxwell", data, {"G0": -5.0})))
    wait(refused.done)
    result = window.session.fit_result
    assert result is not None

    def sample(draws: int) -> Job:
        worker = BayesianWorker(
            model, data, 500, draws, 4, result.parameters, likelihood="relative"
        )
        return pool.job(pool.submit(worker))

    stopped = sample(100_000)
    wait(lambda: _draws(stopped))
    stopped.cancel()
    wait(stopped.done)
    paused, running = sample(20_000), sample(100_000)
    wait(lambda: _draws(running) and _draws(paused))  # else the job with priority would be first
    again = pool.engine.submit(running.task, after=[running], name="sample again")
    others = [pool.engine.submit(running.task, priority=priority) for priority in (0, 2)]
    paused.pause()
    wait(lambda: paused.state is JobState.PAUSED)
    window.jobs_pane.table.select(running.id)
    linger(3.0)  # the remaining time is estimated once a second
    return [again, *others, paused, running]


def _draws(job: Job) -> bool:
    progress = job.latest_progress
    return progress is not None and progress.stage == "sampling" and progress.current > 0


def main() -> None:
    """Take the pictures."""
    said: list[str] = []
    qInstallMessageHandler(lambda _kind, _context, message: said.append(message))
    app = QApplication(sys.argv[:1])
    app.setCursorFlashTime(0)
    window = MainWindow()
    window.resize(WIDTH, HEIGHT)
    window.show()
    photographer = Photographer(window, Path(sys.argv[1]))
    window.open([example_melt.csv_path()])
    wait(lambda: window.session.dataset is not None and window.model_picker.model is not None)
    for model in MODELS:
        fit(window, model)
    photographer.take("fit")
    jobs = start_jobs(window)
    rows = window.findChild(QSplitter, "rows")
    assert rows is not None
    sizes = rows.sizes()
    rows.setSizes([sizes[0] - 60, sizes[1] + 60])
    photographer.take("jobs")
    for job in jobs:
        job.cancel()
    wait(lambda: all(job.done() for job in jobs))
    rows.setSizes(sizes)
    window.run_panel.sample_button.click()
    wait(lambda: not window.session.is_running)
    photographer.take("posterior")
    assert window.close()
    window.deleteLater()
    QApplication.sendPostedEvents(window, QEvent.Type.DeferredDelete)
    print(json.dumps({"cut off": photographer.found, "said": said}))


if __name__ == "__main__":
    main()
