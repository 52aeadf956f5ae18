"""Sliders in the window: the curve follows a worker's, and a fit starts from there."""

from __future__ import annotations

import time
from collections.abc import Iterator

import numpy as np
import psutil
import pytest
from pytestqt.qtbot import QtBot
from qtpy.QtCore import Qt
from qtpy.QtWidgets import QAbstractButton, QApplication
from tests.qt.helpers import data_plot

from rheojobs.inference.data import example_melt
from rheojobs.inference.problem.curve_task import CurveTask
from rheojobs.qt.app.main_window import MainWindow
from rheojobs.qt.widgets.model.parameter_rows import ParameterColumn

JOB_MS = 60_000

pytestmark = pytest.mark.usefixtures("quiet_qt")


def children() -> set[int]:
    return {child.pid for child in psutil.Process().children(recursive=True)}


@pytest.fixture(scope="module")
def window(qapp: QApplication) -> Iterator[MainWindow]:
    before = children()
    window = MainWindow()
    window.show()
    window.open([example_melt.csv_path()])
    yield window
    window.explorer.button.setChecked(True)  # closed while the sliders are shown
    window.close()
    assert children() <= before
    window.deleteLater()
    qapp.processEvents()


def click(qtbot: QtBot, button: QAbstractButton) -> None:
    assert button.isEnabled()
    qtbot.mouseClick(button, Qt.MouseButton.LeftButton)


def explore(window: MainWindow, qtbot: QtBot, model: str = "maxwell") -> None:
    qtbot.waitUntil(lambda: window.run_panel.fit_button.isEnabled(), timeout=JOB_MS)
    assert window.model_picker.choose(model)
    if not window.explorer.button.isChecked():
        click(qtbot, window.explorer.button)
    qtbot.waitUntil(lambda: is_by_hand(window), timeout=JOB_MS)
    assert window.explorer.sliders.isVisible()


def is_by_hand(window: MainWindow) -> bool:
    curve = data_plot(window).curve
    return curve is not None and curve.name.endswith("by hand")


def moduli(window: MainWindow) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    curve = data_plot(window).curve
    assert curve is not None
    return curve.x, *curve.parts


def maxwell(omega: np.ndarray, modulus: float, viscosity: float) -> np.ndarray:
    s = 1j * omega * viscosity / modulus
    return modulus * s / (1.0 + s)


def test_the_curve_follows_a_slider(window: MainWindow, qtbot: QtBot) -> None:
    explore(window, qtbot)
    sliders = window.explorer.sliders
    slider = sliders.slider("G0")
    assert sliders.note.text() == ""
    slider.setSliderDown(True)
    for step in (600, 700, 820):
        slider.setValue(step)
    slider.setSliderDown(False)

    def follows() -> bool:
        omega, storage, loss = moduli(window)
        values = sliders.values()
        expected = maxwell(omega, values["G0"], values["eta"])
        return np.allclose(storage, expected.real) and np.allclose(loss, expected.imag)

    qtbot.waitUntil(follows, timeout=JOB_MS)
    field = sliders.field("eta")
    field.setText("1e5")
    qtbot.keyClick(field, Qt.Key.Key_Return)
    assert sliders.values()["eta"] == 1e5
    qtbot.waitUntil(follows, timeout=JOB_MS)
    # By keys too.
    before = sliders.values()["G0"]
    qtbot.keyClick(slider, Qt.Key.Key_Right)
    assert sliders.values()["G0"] > before
    qtbot.waitUntil(follows, timeout=JOB_MS)


def test_a_curve_that_fails_is_said_and_the_worker_goes_on(
    window: MainWindow, qtbot: QtBot
) -> None:
    explore(window, qtbot)
    worker = window.explorer.worker
    data = window.session.dataset
    assert data is not None
    with qtbot.waitSignal(worker.failed, timeout=JOB_MS) as failed:
        worker.request(CurveTask("no_such_model", data, {}))
    assert "no_such_model" in failed.args[0]
    assert window.run_panel.message.kind == "error"
    with qtbot.waitSignal(worker.computed, timeout=JOB_MS):
        window.explorer.sliders.slider("G0").setValue(300)


def test_curves_that_are_overtaken_are_never_computed(window: MainWindow, qtbot: QtBot) -> None:
    explore(window, qtbot)
    worker, data = window.explorer.worker, window.session.dataset
    assert data is not None
    found: list[float] = []

    def take(task: CurveTask, _: object) -> None:
        found.append(task.values["G0"])

    qtbot.waitUntil(lambda: worker._running is None, timeout=JOB_MS)
    worker.computed.connect(take)
    for modulus in range(1, 101):
        worker.request(CurveTask("maxwell", data, {"G0": float(modulus), "eta": 1.0}))
    qtbot.waitUntil(lambda: 100.0 in found, timeout=JOB_MS)
    worker.computed.disconnect(take)
    assert found == [1.0, 100.0]


def test_a_fit_starts_from_the_sliders_and_reset_returns_to_it(
    window: MainWindow, qtbot: QtBot
) -> None:
    explore(window, qtbot)
    sliders = window.explorer.sliders
    wanted = {"G0": 2e4, "eta": 3e4}
    for name, value in wanted.items():
        sliders.field(name).setText(f"{value:g}")
        qtbot.keyClick(sliders.field(name), Qt.Key.Key_Return)
    starts: list[dict[str, float]] = []
    submit = window.session.fit
    window.session.fit = lambda model, start, options: (  # type: ignore[method-assign]
        starts.append(dict(start)),
        submit(model, start, options),
    )
    click(qtbot, sliders.fit_button)
    window.session.fit = submit  # type: ignore[method-assign]
    assert starts == [wanted]
    assert not sliders.isEnabled()
    qtbot.waitUntil(lambda: not window.session.is_running, timeout=JOB_MS)
    fit = window.session.fit_result
    assert fit is not None
    assert sliders.isEnabled()
    assert sliders.values() == pytest.approx(fit.parameters)
    sliders.slider("G0").setValue(900)
    qtbot.waitUntil(lambda: is_by_hand(window), timeout=JOB_MS)
    click(qtbot, sliders.reset_button)
    assert sliders.values() == pytest.approx(fit.parameters)
    curve = data_plot(window).curve
    assert curve is not None
    assert curve.name == "maxwell, fitted"
    click(qtbot, window.explorer.button)
    assert window.parameter_table.isVisible()
    assert not window.explorer.worker.is_started


def test_fixed_parameters_stay_and_tied_ones_follow(window: MainWindow, qtbot: QtBot) -> None:
    explore(window, qtbot)
    table = window.parameters
    for row, (name, value) in enumerate((("G0", "1e4"), ("eta", "2e4"))):
        assert table.index(row, ParameterColumn.NAME).data(Qt.ItemDataRole.EditRole) == name
        assert table.setData(table.index(row, ParameterColumn.VALUE), value)
    cell = table.index(0, ParameterColumn.FIXED)
    assert table.setData(cell, Qt.CheckState.Checked.value, Qt.ItemDataRole.CheckStateRole)
    sliders = window.explorer.sliders
    assert not sliders.slider("G0").isEnabled()
    assert sliders.slider("eta").isEnabled()
    assert table.setData(cell, Qt.CheckState.Unchecked.value, Qt.ItemDataRole.CheckStateRole)
    window.run_panel.options.ties.set_values({"eta": "3 * G0"})
    sliders.slider("G0").setValue(600)

    def is_tied() -> bool:
        omega, storage, _ = moduli(window)
        modulus = sliders.values()["G0"]
        return np.allclose(storage, maxwell(omega, modulus, 3.0 * modulus).real)

    qtbot.waitUntil(is_tied, timeout=JOB_MS)
    assert sliders.values()["eta"] == pytest.approx(3.0 * sliders.values()["G0"])
    assert not sliders.slider("eta").isEnabled()
    click(qtbot, sliders.fit_button)
    qtbot.waitUntil(lambda: not window.session.is_running, timeout=JOB_MS)
    message = window.run_panel.message
    assert message.kind == "warning"  # one mode misses the melt
    assert message.words.startswith("The curve misses the data")
    fit = window.session.fit_result
    assert fit is not None
    assert fit.parameters["eta"] == pytest.approx(3.0 * fit.parameters["G0"])
    window.run_panel.options.reset()
    assert sliders.slider("eta").isEnabled()


def test_a_dragged_curve_is_on_the_screen_soon_and_holds_no_frame(
    window: MainWindow, qtbot: QtBot, qapp: QApplication
) -> None:
    explore(window, qtbot, "fractional_maxwell_model")
    slider = window.explorer.sliders.slider("c1")
    slider.setSliderDown(True)
    waits, frames = [], []
    for step in range(300, 700, 10):
        came: list[float] = []
        connection = window.explorer.worker.computed.connect(
            lambda *_, came=came: came.append(time.perf_counter())
        )
        begun, before = time.perf_counter(), time.thread_time()
        slider.setValue(step)
        frames.append(time.thread_time() - before)
        while not came:
            before = time.thread_time()  # other processes do not count
            qapp.processEvents()
            frames.append(time.thread_time() - before)
        waits.append(came[0] - begun)
        window.explorer.worker.computed.disconnect(connection)
    slider.setSliderDown(False)
    assert np.median(waits) < 0.1
    assert max(frames) < 0.016
