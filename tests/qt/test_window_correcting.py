"""Correcting in the window how a file was read: real files, real dialog, keys and clicks."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from pytestqt.qtbot import QtBot
from qtpy.QtCore import Qt
from qtpy.QtWidgets import QApplication
from tests.qt.helpers import decay_data

from rheojobs.inference.data import example_melt
from rheojobs.qt.app.main_window import MainWindow
from rheojobs.qt.widgets.data.reading_editor import ReadingEditor

LONG = 60_000

pytestmark = pytest.mark.usefixtures("quiet_qt")


@pytest.fixture(scope="module")
def window(qapp: QApplication, tmp_path_factory: pytest.TempPathFactory) -> Iterator[MainWindow]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("RHEOJOBS_STATE_DIR", str(tmp_path_factory.mktemp("state")))
        window = MainWindow()
        window.show()
        yield window
        window.close()
        window.deleteLater()
        qapp.processEvents()


@pytest.fixture
def opened(window: MainWindow, qtbot: QtBot, tmp_path: Path):
    """Open a text as a file, then the dialog by its button."""

    def open_text(text: str, name: str = "data.csv") -> ReadingEditor:
        path = tmp_path / name
        path.write_text(text, encoding="utf-8")
        return open_path(path)

    def open_path(path: Path) -> ReadingEditor:
        count = len(window.library.datasets)
        window.open([path])
        qtbot.waitUntil(lambda: len(window.library.datasets) == count + 1, timeout=LONG)
        qtbot.mouseClick(window.data_panel.correct_button, Qt.MouseButton.LeftButton)
        editor = window.correcting.editor
        assert editor is not None
        qtbot.waitUntil(editor.use_button.isEnabled, timeout=LONG)
        return editor

    yield open_text
    if window.correcting.editor is not None:
        window.correcting.editor.reject()


def choose(box, data: object) -> None:
    """Choose as a user does: a choice that changes nothing emits nothing."""
    row = box.findData(data)
    assert row >= 0
    box.setCurrentIndex(row)


def problem(editor: ReadingEditor, qtbot: QtBot) -> tuple[str, str]:
    """Wait for a problem; return where it is shown, and its text."""
    qtbot.waitUntil(lambda: any(not p.isHidden() for p in editor.problems.values()), timeout=LONG)
    (found,) = [(place, p.text()) for place, p in editor.problems.items() if not p.isHidden()]
    assert not editor.use_button.isEnabled()
    return found


def test_columns_units_and_constants_are_corrected(
    window: MainWindow, opened, qtbot: QtBot
) -> None:
    rows = "\n".join(f"{t};{t * 100};{t + 0.5}" for t in range(1, 12))
    editor = opened(f"Time (s);Stress (Pa);torque\n{rows}\n")
    assert editor.columns["y"].currentText() == "as found: Stress (Pa)"
    assert editor.table.horizontalHeaderItem(0).text() == "x = Time (s)"
    choose(editor.modes, "startup")
    choose(editor.columns["y"], 3)
    editor.units["x"].setEditText("min")
    editor.units["y"].setEditText("kPa")
    qtbot.keyClicks(editor.constants["gamma_dot"], "0,1")
    qtbot.waitUntil(editor.use_button.isEnabled, timeout=LONG)
    assert editor.summary.text().startswith("startup, 11 points, t = 60–660 s, gamma_dot = 0.1")
    qtbot.mouseClick(editor.use_button, Qt.MouseButton.LeftButton)
    assert window.correcting.editor is None
    data = window.session.dataset
    assert data is not None
    assert data.test_mode == "startup"
    assert np.allclose(data.y[:2], [1500, 2500])
    assert data.protocol == {"gamma_dot": 0.1}
    assert window.data_panel.modes.currentData() == "startup"
    assert "gamma_dot = 0.1" in window.data_panel.summary.text()
    assert window.run_panel.fit_button.isEnabled()
    # Opened again, it begins with the earlier choices.
    window.menus.correct.trigger()
    again = window.correcting.editor
    assert again is not None
    qtbot.waitUntil(again.use_button.isEnabled, timeout=LONG)
    assert again.columns["y"].currentData() == 3
    assert again.units["y"].currentText() == "kPa"
    assert again.constants["gamma_dot"].text() == "0,1"


def test_a_problem_is_said_next_to_its_field(opened, qtbot: QtBot) -> None:
    editor = opened("f [Hz],G' [Pa],G'' [Pa]\n1,10,20\n2,30,40\n4,50,60\n")
    editor.units["x"].setEditText("kPa")
    place, words = problem(editor, qtbot)
    assert (place, "no unit of frequency" in words) == ("x unit", True)
    editor.units["x"].setEditText("")
    qtbot.waitUntil(editor.use_button.isEnabled, timeout=LONG)
    editor.constants["omega"].setText("fast")
    place, words = problem(editor, qtbot)
    assert (place, words) == ("omega", "'fast' is no number: write one such as 0.5")
    editor.constants["omega"].setText("")
    qtbot.waitUntil(editor.use_button.isEnabled, timeout=LONG)
    choose(editor.modes, "creep")
    place, words = problem(editor, qtbot)
    assert place == "columns"
    assert "(--" not in words
    choose(editor.modes, None)
    qtbot.waitUntil(editor.use_button.isEnabled, timeout=LONG)
    choose(editor.delimiters, "|")
    assert problem(editor, qtbot)[0] == "delimiter"
    choose(editor.delimiters, ",")
    qtbot.waitUntil(editor.use_button.isEnabled, timeout=LONG)
    qtbot.keyClick(editor, Qt.Key.Key_Escape)


def test_the_decimal_sign_is_corrected(window: MainWindow, opened, qtbot: QtBot) -> None:
    text = "Time (s);G(t) (Pa)\n" + "\n".join(f"1{n},234;{9 - n},567" for n in range(8))
    editor = opened(text)
    choose(editor.decimals, ",")
    qtbot.waitUntil(editor.use_button.isEnabled, timeout=LONG)
    qtbot.mouseClick(editor.use_button, Qt.MouseButton.LeftButton)
    assert window.session.dataset is not None
    assert window.session.dataset.x[0] == 10.234


def test_a_file_that_was_not_understood_is_opened_with_corrections(
    window: MainWindow, qtbot: QtBot, tmp_path: Path
) -> None:
    path = tmp_path / "strange.csv"
    path.write_text("a;b;c\n1,5;10;7\n2,5;30;8\n3,5;20;9\n", encoding="utf-8")
    panel, count = window.data_panel, len(window.library.datasets)
    window.open([path])
    qtbot.waitUntil(lambda: panel.message.kind == "error", timeout=LONG)
    assert "columns not recognised" in panel.message.text()
    assert "(--" not in panel.message.text()
    assert QApplication.activeModalWidget() is None
    qtbot.mouseClick(panel.failed_button, Qt.MouseButton.LeftButton)
    editor = window.correcting.editor
    assert editor is not None
    assert problem(editor, qtbot)[0] == "columns"
    assert [editor.columns["y"].itemText(n) for n in range(4)] == [
        "as found",
        "1: a",
        "2: b",
        "3: c",
    ]
    choose(editor.modes, "relaxation")
    choose(editor.columns["x"], 1)
    choose(editor.columns["y"], 3)
    qtbot.waitUntil(editor.use_button.isEnabled, timeout=LONG)
    qtbot.mouseClick(editor.use_button, Qt.MouseButton.LeftButton)
    assert len(window.library.datasets) == count + 1
    data = window.session.dataset
    assert data is not None
    assert (data.name, data.test_mode, list(data.y)) == ("strange", "relaxation", [7.0, 8.0, 9.0])
    assert panel.failed_button.isHidden()
    assert panel.message.kind == ""
    # From now on the file of these data is known.
    window.menus.correct.trigger()
    assert window.correcting.editor is not None
    again = window.correcting.editor
    qtbot.waitUntil(again.use_button.isEnabled, timeout=LONG)
    assert again.columns["y"].currentData() == 3
    again.reject()
    # A missing file cannot be corrected.
    window.open([tmp_path / "missing.csv"])
    qtbot.waitUntil(lambda: panel.message.kind == "error", timeout=LONG)
    assert panel.failed_button.isHidden()


def test_rows_and_a_range_of_x_are_chosen(opened, window: MainWindow, qtbot: QtBot) -> None:
    editor = opened("Time (s),G(t) (Pa)\n1,10\n2,8\n3,5\n4,4\n")
    editor.left_out["rows"].setText("9-")
    qtbot.waitUntil(lambda: "none of the 4 rows" in editor.problems["rows"].text(), timeout=LONG)
    assert not editor.use_button.isEnabled()
    editor.left_out["rows"].setText("2-")
    editor.left_out["x_range"].setText(",3")
    qtbot.waitUntil(editor.use_button.isEnabled, timeout=LONG)
    qtbot.mouseClick(editor.use_button, Qt.MouseButton.LeftButton)
    assert window.session.dataset is not None
    assert window.session.dataset.x.tolist() == [2.0, 3.0]
    window.menus.correct.trigger()
    assert window.correcting.editor is not None
    assert window.correcting.editor.left_out["rows"].text() == "2-"
    window.correcting.editor.reject()


def test_rows_left_out_stay_left_out_in_another_correction(
    opened, window: MainWindow, qtbot: QtBot
) -> None:
    editor = opened("Time (s),G(t) (Pa)\n1,10\n2,8\n3,5\n4,4\n")
    editor.left_out["leave_out"].setText("1-")
    qtbot.waitUntil(lambda: "leaves no row" in editor.problems["leave_out"].text(), timeout=LONG)
    editor.left_out["leave_out"].setText("2")
    qtbot.waitUntil(editor.use_button.isEnabled, timeout=LONG)
    qtbot.mouseClick(editor.use_button, Qt.MouseButton.LeftButton)
    window.menus.correct.trigger()
    again = window.correcting.editor
    assert again is not None
    assert again.left_out["leave_out"].text() == "2"
    again.left_out["x_range"].setText(",3")
    qtbot.waitUntil(again.use_button.isEnabled, timeout=LONG)
    qtbot.mouseClick(again.use_button, Qt.MouseButton.LeftButton)
    assert window.session.dataset is not None
    assert window.session.dataset.x.tolist() == [1.0, 3.0]


@pytest.mark.parametrize(
    ("name", "text"),
    [("skip", "abc"), ("skip", "50"), ("rows", "3-1"), ("leave_out", "3-1")],
)
def test_what_leaves_out_too_much_can_be_taken_back(
    opened, qtbot: QtBot, name: str, text: str
) -> None:
    editor = opened("Time (s),G(t) (Pa)\n1,10\n2,8\n3,5\n")
    editor.left_out[name].setText(text)
    qtbot.waitUntil(lambda: bool(editor.problems[name].text()), timeout=LONG)
    assert editor.left_out[name].isEnabled()
    editor.left_out[name].setText("")
    qtbot.waitUntil(editor.use_button.isEnabled, timeout=LONG)
    editor.reject()


def test_cancelling_leaves_the_data_as_they_were(window: MainWindow, opened, qtbot: QtBot) -> None:
    editor = opened("Time (s),G(t) (Pa)\n1,10\n2,8\n3,5\n")
    before = window.session.dataset
    editor.units["x"].setEditText("h")
    qtbot.waitUntil(lambda: "t = 3,600–" in editor.summary.text(), timeout=LONG)
    qtbot.keyClick(editor, Qt.Key.Key_Escape)
    assert window.correcting.editor is None
    assert window.session.dataset is before


def test_data_that_no_table_stands_behind_get_constants(window: MainWindow, qtbot: QtBot) -> None:
    """Data of a past job, for example, have no file."""
    dataset = decay_data()
    window.library.add(dataset)
    window.menus.correct.trigger()
    editor = window.correcting.editor
    assert editor is not None
    qtbot.waitUntil(editor.use_button.isEnabled, timeout=LONG)
    assert not editor.columns["x"].isEnabled()
    assert editor.table.isHidden()
    editor.constants["gamma_0"].setText("0.01")
    qtbot.waitUntil(lambda: "gamma_0 = 0.01" in editor.summary.text(), timeout=LONG)
    qtbot.mouseClick(editor.use_button, Qt.MouseButton.LeftButton)
    assert window.session.dataset is not None
    assert window.session.dataset.protocol == {"gamma_0": 0.01}


def test_an_instrument_s_own_format_loads_no_jax_here(
    window: MainWindow, qtbot: QtBot, tmp_path: Path
) -> None:
    """RheoJAX reads it, in a worker; the dialog offers test and constants, and reads nothing."""
    path = tmp_path / "own.json"
    path.write_text(json.dumps({"nothing": "of use"}), encoding="utf-8")
    dataset = decay_data()
    window.library.add(dataset, path)
    window.menus.correct.trigger()
    editor = window.correcting.editor
    assert editor is not None
    qtbot.waitUntil(editor.use_button.isEnabled, timeout=LONG)
    assert not editor.columns["x"].isEnabled()
    editor.reject()


def test_everything_can_be_reached_and_is_named(window: MainWindow, qtbot: QtBot) -> None:
    window.open([example_melt.csv_path()])
    count = len(window.library.datasets)
    qtbot.waitUntil(lambda: len(window.library.datasets) == count + 1, timeout=LONG)
    window.menus.correct.trigger()
    editor = window.correcting.editor
    assert editor is not None
    qtbot.waitUntil(editor.use_button.isEnabled, timeout=LONG)
    fields = [editor.modes, editor.delimiters, editor.decimals, *editor.columns.values()]
    edits = (*editor.left_out.values(), *editor.constants.values())
    for field in (*fields, *editor.units.values(), *edits, editor.table):
        assert field.accessibleName()
        assert field.focusPolicy() & Qt.FocusPolicy.TabFocus
    assert editor.sizeHint().width() <= 1280
    assert editor.sizeHint().height() <= 760
    editor.reject()
