"""Models of the user's in the window: formulas and functions in files, fitted by clicks."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from pytestqt.qtbot import QtBot
from qtpy.QtCore import Qt
from qtpy.QtWidgets import QAbstractButton, QApplication
from tests.qt.helpers import data_plot, decay_data

from rheojobs.qt.app.main_window import MainWindow
from rheojobs.qt.widgets.model.own_model_dialog import OwnModelDialog
from rheojobs.qt.widgets.model.parameter_rows import ParameterColumn

JOB_MS = 60_000

SOURCE = '''
from pathlib import Path

import jax.numpy as jnp

Path(__file__).with_name("was_run").touch()


def stretched(t, G0: (1, 1e9) = 1e4, tau=1.0, beta: (0.1, 1) = 0.7):
    """Stretched exponential."""
    return G0 * jnp.exp(-((t / tau) ** beta))
'''

pytestmark = pytest.mark.usefixtures("quiet_qt")


@pytest.fixture(scope="module")
def window(qapp: QApplication) -> Iterator[MainWindow]:
    window = MainWindow()
    window.show()
    window.library.add(decay_data())
    yield window
    window.close()
    window.deleteLater()
    qapp.processEvents()


def click(qtbot: QtBot, button: QAbstractButton) -> None:
    assert button.isEnabled()
    qtbot.mouseClick(button, Qt.MouseButton.LeftButton)


def dialog_of(window: MainWindow, qtbot: QtBot) -> OwnModelDialog:
    qtbot.waitUntil(lambda: window.model_picker.model is not None, timeout=JOB_MS)
    click(qtbot, window.model_picker.new_button)
    dialog = window.own_models.dialog
    assert isinstance(dialog, OwnModelDialog)
    return dialog


def column(window: MainWindow, column: ParameterColumn) -> list[str]:
    rows = range(window.parameters.rowCount())
    return [str(window.parameters.index(row, column).data()) for row in rows]


def fit(window: MainWindow, qtbot: QtBot) -> None:
    click(qtbot, window.run_panel.fit_button)
    qtbot.waitUntil(lambda: not window.session.is_running, timeout=JOB_MS)
    assert window.run_panel.message.kind == "success", window.run_panel.message.text()


def test_a_formula_is_checked_while_it_is_typed_and_fitted(
    window: MainWindow, qtbot: QtBot
) -> None:
    dialog = dialog_of(window, qtbot)
    assert not dialog.ok_button.isEnabled()
    qtbot.keyClicks(dialog.formula, "G0*exp(-t/tau")
    assert dialog.message.kind == "error"
    assert "column" in dialog.message.text()
    assert not dialog.ok_button.isEnabled()
    qtbot.keyClicks(dialog.formula, ")")
    assert dialog.message.kind == ""
    assert "τ" in dialog.pretty.text()
    shown = [
        [dialog.parameters.item(row, place).text() for place in range(2)]
        for row in range(dialog.parameters.rowCount())
    ]
    assert shown == [["G0", "Pa"], ["tau", "s"]]
    click(qtbot, dialog.ok_button)
    assert window.own_models.dialog is None
    model = window.configuration.model
    assert model is not None
    assert model.name == "G0*exp(-t/tau)"
    assert column(window, ParameterColumn.NAME) == ["G₀", "τ"]
    assert column(window, ParameterColumn.UNIT) == ["Pa", "s"]
    fit(window, qtbot)
    found = window.session.fit_result
    assert found is not None
    assert found.parameters["tau"] == pytest.approx(1.5, rel=0.1)
    # It stays in the list, beside the models of the catalogue.
    assert window.model_picker.choose("maxwell")
    assert window.model_picker.choose("G0*exp(-t/tau)")


@pytest.mark.parametrize(
    ("text", "wrong"), [("maxwell", "no formula"), ("sigma_y + K*gamma_dot^n", "relaxation")]
)
def test_a_formula_that_does_not_suit_says_so(
    window: MainWindow, qtbot: QtBot, text: str, wrong: str
) -> None:
    dialog = dialog_of(window, qtbot)
    dialog.formula.setText(text)
    assert dialog.message.kind == "error"
    assert wrong in dialog.message.text()
    dialog.reject()


def test_a_file_is_run_only_after_a_question(
    window: MainWindow, qtbot: QtBot, tmp_path: Path
) -> None:
    file, was_run = tmp_path / "mine.py", tmp_path / "was_run"
    file.write_text(SOURCE, encoding="utf-8")
    for answer in ("Cancel", "&Run it"):
        dialog = dialog_of(window, qtbot)
        dialog.pages.setCurrentIndex(1)
        dialog.path.setText(str(tmp_path / "other.py"))
        assert "there is no file" in dialog.message.text()
        dialog._take_file(str(file))
        assert dialog.function.text() == "stretched"
        click(qtbot, dialog.ok_button)
        question = window.own_models.question
        assert question is not None
        assert "mine.py:stretched" in question.text()
        assert not was_run.exists()
        (button,) = [b for b in question.buttons() if b.text().strip("&") == answer.strip("&")]
        click(qtbot, button)
    names = window.model_picker.names
    qtbot.waitUntil(lambda: names.currentText() == "mine.py:stretched", timeout=JOB_MS)
    assert was_run.exists()
    assert column(window, ParameterColumn.NAME) == ["G₀", "τ", "β"]
    fit(window, qtbot)
    found = window.session.fit_result
    assert found is not None
    assert found.model_name == "mine.py:stretched"
    # Another source is refused, not run.
    file.write_text(SOURCE + "\n# other\n", encoding="utf-8")
    click(qtbot, window.run_panel.fit_button)
    qtbot.waitUntil(lambda: not window.session.is_running, timeout=JOB_MS)
    assert "has changed" in window.run_panel.message.text()


def test_a_file_that_cannot_be_run_is_said_beside_the_models(
    window: MainWindow, qtbot: QtBot, tmp_path: Path
) -> None:
    file = tmp_path / "broken.py"
    file.write_text("def stretched(t, a=1.0):\n    return t\nraise OSError('no disk')\n")
    dialog = dialog_of(window, qtbot)
    dialog.pages.setCurrentIndex(1)
    dialog._take_file(str(file))
    click(qtbot, dialog.ok_button)
    question = window.own_models.question
    assert question is not None
    (button,) = [b for b in question.buttons() if "Run" in b.text()]
    click(qtbot, button)
    message = window.model_picker.message
    qtbot.waitUntil(lambda: message.kind == "error", timeout=JOB_MS)
    assert "no disk" in message.text()


def test_a_formula_can_be_explored(window: MainWindow, qtbot: QtBot) -> None:
    dialog = dialog_of(window, qtbot)
    dialog.formula.setText("G0/(1 + t/tau)^m")
    click(qtbot, dialog.ok_button)
    click(qtbot, window.explorer.button)
    sliders = window.explorer.sliders
    sliders.slider("m").setValue(300)

    def follows() -> bool:
        curve, values = data_plot(window).curve, sliders.values()
        if curve is None:
            return False
        expected = values["G0"] / (1 + curve.x / values["tau"]) ** values["m"]
        return np.allclose(curve.parts[0], expected)

    qtbot.waitUntil(follows, timeout=JOB_MS)
    click(qtbot, window.explorer.button)
