"""Options and settings of models in the window: the README's six modes by clicks, and ties."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest
from pytestqt.qtbot import QtBot
from qtpy.QtCore import Qt
from qtpy.QtWidgets import QAbstractButton, QApplication
from tests.qt.helpers import data_plot, fit_view

from rheojobs.cli import demo
from rheojobs.cli.request import Request
from rheojobs.inference.data import example_melt
from rheojobs.qt.app.main_window import MainWindow
from rheojobs.qt.widgets.model.parameter_rows import ParameterColumn

JOB_MS = 120_000
MODES = range(1, 7)
NAMES = ["G_inf", *(f"G_{n}" for n in MODES), *(f"tau_{n}" for n in MODES)]

pytestmark = pytest.mark.usefixtures("quiet_qt")


@pytest.fixture(scope="module")
def window(qapp: QApplication) -> Iterator[MainWindow]:
    window = MainWindow()
    window.show()
    window.open([example_melt.csv_path()])
    yield window
    window.close()
    window.deleteLater()
    qapp.processEvents()


def click(qtbot: QtBot, button: QAbstractButton) -> None:
    assert button.isEnabled()
    qtbot.mouseClick(button, Qt.MouseButton.LeftButton)


def names(window: MainWindow) -> list[str]:
    model = window.parameters
    rows = range(model.rowCount())
    return [
        str(model.index(row, ParameterColumn.NAME).data(Qt.ItemDataRole.EditRole)) for row in rows
    ]


def set_modes(window: MainWindow, qtbot: QtBot, count: int) -> None:
    """Choose the generalized Maxwell model, and type the number of its modes."""
    qtbot.waitUntil(lambda: window.model_picker.model is not None, timeout=JOB_MS)
    qtbot.waitUntil(lambda: window.session.dataset is not None, timeout=JOB_MS)
    assert window.model_picker.choose("generalized_maxwell")
    click(qtbot, window.model_picker.settings_button)
    options = window.run_panel.options
    assert options.isVisible()
    field = options.model_form.field("n_modes")
    field.selectAll()
    qtbot.keyClicks(field, str(count))
    qtbot.waitUntil(lambda: len(names(window)) == 1 + 2 * count, timeout=JOB_MS)
    options.close()


def finish(window: MainWindow, qtbot: QtBot) -> None:
    qtbot.waitUntil(lambda: not window.session.is_running, timeout=JOB_MS)
    assert window.run_panel.message.kind in ("success", "warning"), window.run_panel.message.text()


def fit_of_the_command(window: MainWindow) -> tuple[Request, Any]:
    """Run the fit of `rheojobs demo` on the same workers."""
    request = Request(example_melt.csv_path(), demo.MODEL, fitting={"model_config": demo.CONFIG})
    dataset = request.read()
    request.fitting["initial_params"] = demo.start_values(dataset)
    return request, window.pool.engine.submit(request.fit_task(dataset)).result(JOB_MS / 1000)


def test_the_six_modes_of_the_readme_are_fitted_by_clicks(window: MainWindow, qtbot: QtBot) -> None:
    set_modes(window, qtbot, 6)
    assert names(window) == NAMES
    assert window.model_picker.settings_button.text().startswith("n_modes = 6")
    assert window.run_panel.options_button.text().endswith("(1)")
    assert "n_modes = 6" in window.run_panel.options_button.toolTip()
    start = demo.start_values(example_melt_data(window))
    for row, name in enumerate(NAMES):
        cell = window.parameters.index(row, ParameterColumn.VALUE)
        assert window.parameters.setData(cell, repr(start[name]))
    click(qtbot, window.run_panel.fit_button)
    finish(window, qtbot)
    found = window.session.fit_result
    assert found is not None
    _, expected = fit_of_the_command(window)
    assert found.parameters == expected.parameters
    assert found.uncertainties == expected.uncertainties
    curve = data_plot(window).curve
    assert curve is not None
    assert curve.name == "generalized_maxwell, n_modes = 6, fitted"
    assert "n_modes = 6" in fit_view(window).kept.fits()[0].name


def example_melt_data(window: MainWindow) -> Any:
    assert window.session.dataset is not None
    return window.session.dataset


@pytest.mark.slow
def test_the_six_modes_are_sampled_by_clicks(window: MainWindow, qtbot: QtBot) -> None:
    if window.session.fit_result is None:
        test_the_six_modes_of_the_readme_are_fitted_by_clicks(window, qtbot)
    run, fit = window.run_panel, window.session.fit_result
    assert fit is not None
    run.warmup.setValue(demo.SAMPLING["num_warmup"])
    run.draws.setValue(demo.SAMPLING["num_samples"])
    drawn: list[Any] = []
    window.session.sampled.connect(drawn.append)
    click(qtbot, run.sample_button)
    finish(window, qtbot)
    request, _ = fit_of_the_command(window)
    task = request.sample_task(example_melt_data(window), demo.SAMPLING, fit.parameters)
    expected = window.pool.engine.submit(task).result(JOB_MS / 1000)
    (found,) = drawn
    assert found.posterior_samples.keys() == expected.posterior_samples.keys()
    for name, draws in expected.posterior_samples.items():
        assert np.array_equal(found.posterior_samples[name], draws), name


def test_settings_are_kept_for_each_model(window: MainWindow, qtbot: QtBot) -> None:
    set_modes(window, qtbot, 2)
    assert window.model_picker.choose("maxwell")
    assert names(window) == ["G0", "eta"]
    assert window.run_panel.options.config_of("maxwell") == {}
    assert window.model_picker.choose("generalized_maxwell")
    assert len(names(window)) == 5


def test_programs_are_prepared_with_the_settings(
    window: MainWindow, qtbot: QtBot, monkeypatch: pytest.MonkeyPatch
) -> None:
    calls: list[dict[str, Any]] = []
    monkeypatch.setattr(window.pool, "prewarm", lambda *_, **options: calls.append(options))
    set_modes(window, qtbot, 5)
    qtbot.waitUntil(lambda: bool(calls), timeout=JOB_MS)
    assert calls[-1]["model_config"] == {"n_modes": 5}


def test_a_setting_that_the_model_refuses_is_taken_back(window: MainWindow, qtbot: QtBot) -> None:
    assert window.model_picker.choose("generalized_maxwell")
    window.configuration.choose("generalized_maxwell", {"n_modes": -1}, lambda: None)
    qtbot.waitUntil(lambda: window.parameter_message.kind == "error", timeout=JOB_MS)
    assert "generalized_maxwell does not take these settings" in window.parameter_message.text()
    assert window.run_panel.options.config_of("generalized_maxwell") != {"n_modes": -1}
    assert window.run_panel.fit_button.isEnabled()


def test_ties_are_checked_at_once_and_hold_in_the_fit(window: MainWindow, qtbot: QtBot) -> None:
    set_modes(window, qtbot, 2)
    options = window.run_panel.options
    click(qtbot, window.run_panel.options_button)
    qtbot.keyClicks(options.ties.text, "G_9 = 0.5*G_1")
    assert options.message.kind == "error"
    assert "no parameter 'G_9'" in options.message.text()
    click(qtbot, window.run_panel.fit_button)
    assert not window.session.is_running, "nothing is fitted without the tie"
    assert window.run_panel.message.kind == "error"
    options.ties.text.selectAll()
    qtbot.keyClicks(options.ties.text, "G_2 = 0.5*G_1")
    assert options.message.kind == ""
    click(qtbot, window.run_panel.fit_button)
    assert not options.ties.isEnabled()
    finish(window, qtbot)
    found = window.session.fit_result
    assert found is not None
    assert found.parameters["G_2"] == pytest.approx(0.5 * found.parameters["G_1"])
    click(qtbot, options.reset_button)
    assert options.differing() == []
    assert window.run_panel.options_button.text() == "&Options"
    qtbot.waitUntil(lambda: len(names(window)) == 7, timeout=JOB_MS)
    options.close()


def test_a_past_result_comes_back_with_its_settings(window: MainWindow, qtbot: QtBot) -> None:
    set_modes(window, qtbot, 4)
    ended: list[str] = []
    window.pool.job_completed.connect(lambda job_id, _: ended.append(job_id))
    click(qtbot, window.run_panel.fit_button)
    finish(window, qtbot)
    qtbot.waitUntil(lambda: len(ended) == 1)
    (job_id,) = ended
    click(qtbot, window.run_panel.options.reset_button)
    assert window.model_picker.choose("maxwell")
    window.history.open(job_id)
    qtbot.waitUntil(lambda: len(names(window)) == 9, timeout=JOB_MS)
    model = window.configuration.model
    assert model is not None
    assert model.label == "generalized_maxwell, n_modes = 4"


def test_no_button_moves_when_a_run_begins_or_ends(window: MainWindow, qtbot: QtBot) -> None:
    assert window.model_picker.choose("maxwell")
    run = window.run_panel

    def places() -> list[int]:
        return [b.mapToGlobal(b.rect().topLeft()).y() for b in (run.fit_button, run.noise)]

    run.message.clear()
    qtbot.wait(50)
    before = places()
    for button in (run.fit_button, run.sample_button):
        click(qtbot, button)
        qtbot.wait(20)
        assert places() == before
        finish(window, qtbot)
        qtbot.wait(20)
        assert places() == before
    run.message.say("warning", "A long message. " * 40)
    qtbot.wait(20)
    assert places() == before
