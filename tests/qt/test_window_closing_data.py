"""Closing data in the window: their jobs continue, their results stay in the table of jobs."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import pytest
from pytestqt.qtbot import QtBot
from qtpy.QtCore import Qt
from qtpy.QtWidgets import QApplication
from tests.qt.helpers import data_plot, decay_data, fit_view
from tests.qt.test_window import click, finish

from rheojobs import Dataset
from rheojobs.engine.states import JobState
from rheojobs.inference.results.bayesian_result import BayesianResult
from rheojobs.qt.app.closing import ClosingChoice
from rheojobs.qt.app.main_window import MainWindow

LONG = 60_000

pytestmark = pytest.mark.usefixtures("quiet_qt")


@pytest.fixture
def window(
    qapp: QApplication, tmp_path_factory: pytest.TempPathFactory, qtbot: QtBot
) -> Iterator[MainWindow]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("RHEOJOBS_STATE_DIR", str(tmp_path_factory.mktemp("state")))
        window = MainWindow()
        window.show()
        qtbot.waitUntil(window.model_picker.names.isEnabled, timeout=LONG)
        yield window
        window.closing.choose(ClosingChoice.CANCEL)
        window.deleteLater()
        qapp.processEvents()


def creep() -> Dataset:
    t = np.linspace(0.1, 5.0, 30)
    return Dataset(t, 1e-3 * (1 + t), "creep", name="creep")


def test_closing_shows_the_next_and_then_none(window: MainWindow, qtbot: QtBot) -> None:
    panel = window.data_panel
    assert not panel.close_button.isEnabled()
    window.menus.close_data.trigger()  # without data
    window.library.add(decay_data())
    window.library.add(creep())
    window.activateWindow()
    qtbot.keyClick(window, Qt.Key.Key_W, Qt.KeyboardModifier.ControlModifier)
    assert window.session.dataset is not None
    assert window.session.dataset.test_mode == "relaxation"
    assert panel.modes.currentData() == "relaxation"
    click(qtbot, panel.close_button)
    assert window.library.datasets == []
    assert window.windowTitle() == "rheojobs"
    assert panel.summary.isHidden()
    assert not panel.close_button.isEnabled()
    assert not panel.correct_button.isEnabled()
    assert not window.run_panel.fit_button.isEnabled()
    assert data_plot(window)._hint.isVisible()
    window.library.add(creep())
    assert data_plot(window).view.isVisible()
    assert window.run_panel.fit_button.isEnabled()


def test_the_fits_of_closed_data_stay_in_the_table(window: MainWindow, qtbot: QtBot) -> None:
    window.library.add(decay_data())
    assert window.model_picker.choose("maxwell")
    with qtbot.waitSignal(window.session.fitted, timeout=LONG):
        click(qtbot, window.run_panel.fit_button)
        (job,) = window.pool.engine.jobs()
    assert len(fit_view(window).kept.fits()) == 1
    window.close_data()
    assert fit_view(window).kept._fits == {}
    table = window.jobs_pane.table
    qtbot.waitUntil(lambda: table.model.row(job.id) is not None)
    with qtbot.waitSignal(window.history.opened, timeout=LONG):
        window.history.open(job.id)
    assert [dataset.test_mode for dataset in window.library.datasets] == ["relaxation"]
    assert window.session.fit_result is not None


def test_a_running_job_of_closed_data_goes_on(window: MainWindow, qtbot: QtBot) -> None:
    window.library.add(creep())
    window.library.add(decay_data())
    assert window.model_picker.choose("maxwell")
    run = window.run_panel
    run.warmup.setValue(200)
    run.draws.setValue(200_000)
    run.chains.setValue(1)
    click(qtbot, run.sample_button)
    (job,) = (job for job in window.pool.engine.jobs() if not job.state.is_terminal)
    qtbot.waitUntil(lambda: run.chain_bars.counts()[0] > 0, timeout=LONG)
    click(qtbot, window.data_panel.close_button)
    assert not job.state.is_terminal
    # The window is free for other data, and nothing of the job is shown there.
    assert not window.session.is_running
    assert window.session.dataset is not None
    assert window.session.dataset.test_mode == "creep"
    assert window.model_picker.names.isEnabled()
    assert run.fit_button.isEnabled()
    assert not run.cancel_button.isEnabled()
    click(qtbot, run.fit_button)
    finish(window, qtbot)
    qtbot.waitUntil(lambda: job.state is JobState.SUCCEEDED, timeout=LONG)
    assert window.session.dataset.test_mode == "creep"
    store = window.pool.engine.store
    assert store is not None
    window.pool.engine.wait(10)
    assert isinstance(window.jobs_pane.table.verbs.control.kept(job.id).result, BayesianResult)
    with qtbot.waitSignal(window.history.opened, timeout=LONG):
        window.history.open(job.id)
    assert [dataset.test_mode for dataset in window.library.datasets] == ["creep", "relaxation"]
