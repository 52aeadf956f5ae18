"""The workspace of a window: saved, opened in a new window, restored, and edits undone."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path

import numpy as np
import pytest
from pytestqt.qtbot import QtBot
from qtpy.QtCore import QMimeData, QPointF, QSettings, Qt, QUrl
from qtpy.QtGui import QAction, QDropEvent
from qtpy.QtWidgets import QApplication, QMenu, QMessageBox
from tests.qt.helpers import fit_view, posterior_view, priors_editor
from tests.qt.test_window import click

from rheojobs import Dataset
from rheojobs.inference.data import example_melt
from rheojobs.inference.results.fit_result import FitResult
from rheojobs.inference.workspace.file_format import read_workspace
from rheojobs.qt.app.closing import ClosingChoice
from rheojobs.qt.app.main_window import MainWindow
from rheojobs.qt.app.model_list_loader import ModelListLoader
from rheojobs.qt.app.workspace import controller, edit_history
from rheojobs.qt.app.workspace.notes_page import NotesPage
from rheojobs.qt.widgets.model.parameter_rows import ParameterColumn

LONG = 60_000
EDIT = Qt.ItemDataRole.EditRole

pytestmark = pytest.mark.usefixtures("quiet_qt")

Open = Callable[[], MainWindow]


@pytest.fixture
def state(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("RHEOJOBS_STATE_DIR", str(tmp_path / "state"))
    return tmp_path / "state"


@pytest.fixture
def open_window(qapp: QApplication, state: Path, qtbot: QtBot) -> Iterator[Open]:
    """Open windows with the settings of one user; close those that are open at the end."""
    made: list[MainWindow] = []

    def start() -> MainWindow:
        file = str(state / "window.ini")
        window = MainWindow(settings=QSettings(file, QSettings.Format.IniFormat))
        made.append(window)
        window.show()
        qtbot.waitUntil(window.model_picker.names.isEnabled, timeout=LONG)
        return window

    yield start
    for window in made:
        if window.isVisible():
            close(window)
        window.deleteLater()
    qapp.processEvents()


def close(window: MainWindow) -> None:
    window.closing.choose(ClosingChoice.CANCEL)
    assert not window.isVisible()


def edit(window: MainWindow, name: str, column: ParameterColumn, text: str) -> None:
    model = window.parameters
    row = [model.index(r, 0).data(EDIT) for r in range(model.rowCount())].index(name)
    assert model.setData(model.index(row, column), text)


def shown(window: MainWindow, name: str, column: ParameterColumn) -> str:
    model = window.parameters
    row = [model.index(r, 0).data(EDIT) for r in range(model.rowCount())].index(name)
    return str(model.index(row, column).data())


def entry(window: MainWindow, text: str) -> QAction:
    found: list[QAction] = [
        action
        for menu in window.menuBar().findChildren(QMenu)
        for action in menu.actions()
        if action.text().replace("&", "").startswith(text)
    ]
    assert len(found) == 1
    return found[0]


def work(window: MainWindow, qtbot: QtBot) -> None:
    """Open data, fit, narrow a bound, choose a prior, write notes, and sample a little."""
    with qtbot.waitSignal(window.library.shown, timeout=LONG):
        window.open([str(example_melt.csv_path())])
    assert window.model_picker.choose("maxwell")
    with qtbot.waitSignal(window.session.fitted, timeout=LONG):
        click(qtbot, window.run_panel.fit_button)
    edit(window, "G0", ParameterColumn.BOUNDS, "1000 … 1e7")
    editor = priors_editor(window)
    editor.choose("eta")
    editor.kinds.setCurrentIndex(editor.kinds.findData("lognormal"))
    editor.kinds.activated.emit(editor.kinds.currentIndex())
    window.tabs.page(NotesPage).view.setPlainText("A melt.")
    model = window.model_picker.model
    assert model is not None
    options = {"num_warmup": 60, "num_samples": 50, "num_chains": 2, "seed": 3}
    with qtbot.waitSignal(window.session.sampled, timeout=LONG):
        window.session.sample(model, options)
    edit(window, "eta", ParameterColumn.VALUE, "12345")


def same_state(one: MainWindow, other: MainWindow) -> None:
    """Check that two windows show the same."""
    first, second = one.workspace.state.taken(), other.workspace.state.taken()
    assert vars(second.edits) == vars(first.edits)
    assert second.notes == first.notes == "A melt."
    assert [run.title for run in second.runs] == [run.title for run in first.runs]
    for old, new in zip(first.runs, second.runs, strict=True):
        assert dict(new.options) == dict(old.options)
        assert new.result.timestamp == old.result.timestamp
    for name in ("G0", "eta"):
        for column in (ParameterColumn.VALUE, ParameterColumn.BOUNDS, ParameterColumn.ESS):
            assert shown(other, name, column) == shown(one, name, column)
    np.testing.assert_array_equal(second.datasets[0].dataset.y, first.datasets[0].dataset.y)
    assert second.datasets[0].path == first.datasets[0].path
    for window in (one, other):
        (kept,) = fit_view(window).kept.fits()
        assert kept.result.model_name == "maxwell"
        assert isinstance(window.session.fit_result, FitResult)


def test_a_saved_workspace_comes_back_in_a_new_window_and_as_a_script(
    open_window: Open, qtbot: QtBot, tmp_path: Path
) -> None:
    file = tmp_path / "lab.rheojobs"
    before = open_window()
    work(before, qtbot)
    qtbot.waitUntil(before.isWindowModified)
    assert before.windowTitle().startswith("ldpe")
    before.workspace.write(file)
    qtbot.waitUntil(lambda: not before.isWindowModified(), timeout=LONG)
    assert "lab[*]" in before.windowTitle()
    before.workspace.write_script(tmp_path / "lab.py")
    qtbot.waitUntil((tmp_path / "lab.py").exists, timeout=LONG)
    close(before)

    after = open_window()
    drop(after, file)
    qtbot.waitUntil(lambda: after.workspace.state.taken().notes == "A melt.", timeout=LONG)
    qtbot.waitUntil(lambda: not after.workspace.state.is_restoring, timeout=LONG)
    assert after.workspace.path == file
    same_state(before, after)
    qtbot.waitUntil(lambda: not after.isWindowModified())
    assert posterior_view(after) is not None
    edit(after, "G0", ParameterColumn.BOUNDS, "2000 … 1e7")
    qtbot.waitUntil(after.isWindowModified)
    check_script(tmp_path, file)


def test_the_settings_of_the_model_come_back(
    open_window: Open, qtbot: QtBot, tmp_path: Path
) -> None:
    before = open_window()
    before.open([example_melt.csv_path()])
    qtbot.waitUntil(lambda: before.library.dataset is not None, timeout=LONG)
    chosen: list[bool] = []
    before.configuration.choose("generalized_maxwell", {"n_modes": 3}, lambda: chosen.append(True))
    qtbot.waitUntil(lambda: bool(chosen), timeout=LONG)
    edit(before, "G_3", ParameterColumn.VALUE, "250")
    before.workspace.write(tmp_path / "three.rheojobs")
    qtbot.waitUntil((tmp_path / "three.rheojobs").exists, timeout=LONG)
    close(before)

    after = open_window()
    drop(after, tmp_path / "three.rheojobs")
    qtbot.waitUntil(lambda: after.library.dataset is not None, timeout=LONG)
    qtbot.waitUntil(lambda: not after.workspace.state.is_restoring, timeout=LONG)
    model = after.configuration.model
    assert model is not None
    assert (model.name, dict(model.config)) == ("generalized_maxwell", {"n_modes": 3})
    assert after.parameters.given_values() == {"G_3": 250.0}


def test_settings_of_the_model_are_unsaved_work_and_an_undo_brings_them_back(
    open_window: Open, qtbot: QtBot, tmp_path: Path
) -> None:
    window = open_window()
    window.open([example_melt.csv_path()])
    qtbot.waitUntil(lambda: window.library.dataset is not None, timeout=LONG)
    assert window.model_picker.choose("generalized_maxwell")
    window.workspace.write(tmp_path / "modes.rheojobs")
    qtbot.waitUntil((tmp_path / "modes.rheojobs").exists, timeout=LONG)
    qtbot.waitUntil(lambda: not window.isWindowModified(), timeout=LONG)

    choose_modes(window, qtbot, 3)  # nothing else is changed
    qtbot.waitUntil(window.isWindowModified, timeout=LONG)
    edit(window, "G_3", ParameterColumn.VALUE, "250")
    choose_modes(window, qtbot, 2)
    window.workspace.history.undo()
    qtbot.waitUntil(lambda: not window.workspace.state.is_restoring, timeout=LONG)
    assert window.workspace.state.edits().config == {"n_modes": 3}
    assert window.parameters.given_values() == {}


def choose_modes(window: MainWindow, qtbot: QtBot, modes: int) -> None:
    chosen: list[bool] = []
    window.configuration.choose(
        "generalized_maxwell", {"n_modes": modes}, lambda: chosen.append(True)
    )
    qtbot.waitUntil(lambda: bool(chosen), timeout=LONG)


def drop(window: MainWindow, file: Path) -> None:
    data = QMimeData()
    data.setUrls([QUrl.fromLocalFile(str(file))])
    event = QDropEvent(
        QPointF(10, 10),
        Qt.DropAction.CopyAction,
        data,
        Qt.MouseButton.LeftButton,
        Qt.KeyboardModifier.NoModifier,
    )
    window.dropEvent(event)


def check_script(folder: Path, file: Path) -> None:
    """Check that the script gives the numbers of the workspace."""
    path = folder / "lab.py"
    text = path.read_text(encoding="utf-8")
    assert "rheojobs.read(" in text
    assert "seed=3" in text
    save = (
        "\nfit_1.save('fit.json')\nimport numpy\nnumpy.savez('d.npz', **draws_2.posterior_samples)"
    )
    path.write_text(text + save, encoding="utf-8")
    subprocess.run([sys.executable, path], cwd=folder, check=True, capture_output=True)
    fitted, sampled = (run.result for run in read_workspace(file).runs)
    assert isinstance(fitted, FitResult)
    assert not isinstance(sampled, FitResult)
    again = FitResult.load(folder / "fit.json")
    assert again.parameters == pytest.approx(fitted.parameters, rel=1e-9)
    with np.load(folder / "d.npz") as draws:
        for name, values in sampled.posterior_samples.items():
            np.testing.assert_array_equal(draws[name], values)


def test_the_last_session_is_offered_and_restored(open_window: Open, qtbot: QtBot) -> None:
    before = open_window()
    work(before, qtbot)
    close(before)
    after = open_window()
    qtbot.waitUntil(after.workspace.offer.isVisible, timeout=LONG)
    assert "1 dataset, 2 results" in after.workspace.offer.message.text()
    with qtbot.waitSignal(after.workspace.state.restored, timeout=LONG):
        click(qtbot, after.workspace.offer.buttons[0])
    same_state(before, after)
    qtbot.waitUntil(after.isWindowModified)  # no file has it
    close(after)


def test_the_last_session_can_be_discarded(open_window: Open, qtbot: QtBot) -> None:
    before = open_window()
    before.library.add(_some_data())
    close(before)
    after = open_window()
    qtbot.waitUntil(after.workspace.offer.isVisible, timeout=LONG)
    click(qtbot, after.workspace.offer.buttons[1])
    close(after)
    last = open_window()
    qtbot.wait(300)
    assert not last.workspace.offer.isVisible()
    assert last.library.opened == []


CRASH = """
import os, pathlib, sys
from qtpy.QtCore import QLockFile
folder = pathlib.Path(sys.argv[1])
lock = QLockFile(str(folder / "window-1.lock"))
assert lock.tryLock(0)
os._exit(1)
"""


def test_what_a_crashed_window_had_is_offered(
    open_window: Open, qtbot: QtBot, state: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(controller, "AUTOSAVE_MS", 0)
    before = open_window()
    before.library.add(_some_data())
    before.tabs.page(NotesPage).view.setPlainText("Never saved.")
    file = state / "workspaces" / "window-1.rheojobs"
    qtbot.waitUntil(lambda: _notes(file) == "Never saved.", timeout=LONG)
    second = open_window()  # at the same time: it has another file, and is offered nothing
    qtbot.wait(200)
    assert not second.workspace.offer.isVisible()
    close(second)
    content = file.read_bytes()
    close(before)
    file.write_bytes(content)
    subprocess.run([sys.executable, "-c", CRASH, str(file.parent)], check=False)
    assert (file.parent / "window-1.lock").exists()
    after = open_window()
    qtbot.waitUntil(after.workspace.offer.isVisible, timeout=LONG)
    with qtbot.waitSignal(after.workspace.state.restored, timeout=LONG):
        click(qtbot, after.workspace.offer.buttons[0])
    assert after.tabs.page(NotesPage).text == "Never saved."
    assert [data.name for data in after.library.datasets] == ["creep"]


def _notes(file: Path) -> str:
    return read_workspace(file).notes if file.exists() else ""


def _some_data() -> Dataset:
    t = np.linspace(0.1, 5.0, 30)
    return Dataset(t, 1e-3 * (1 + t), "creep", name="creep")


def _is_saved(window: MainWindow, path: Path) -> bool:
    return window.workspace.path == path


def test_files_that_are_gone_cannot_be_chosen(
    open_window: Open, qtbot: QtBot, tmp_path: Path
) -> None:
    window = open_window()
    window.library.add(_some_data())
    for path in (tmp_path / "a & b.rheojobs", tmp_path / "c.rheojobs"):
        window.workspace.write(path)
        qtbot.waitUntil(partial(_is_saved, window, path))
    (tmp_path / "c.rheojobs").unlink()
    close(window)
    recent = open_window().workspace.recent
    recent.look()
    qtbot.waitUntil(lambda: not recent.actions()[0].isEnabled())
    gone, there = recent.actions()
    assert gone.text() == "c.rheojobs"
    assert (there.text(), there.isEnabled()) == ("a && b.rheojobs", True)
    there.trigger()
    last = recent.parent()
    assert isinstance(last, MainWindow)
    qtbot.waitUntil(lambda: len(last.library.opened) == 1, timeout=LONG)


def test_a_damaged_file_leaves_the_window_as_it_was(
    open_window: Open, qtbot: QtBot, tmp_path: Path
) -> None:
    window = open_window()
    window.library.add(_some_data())
    bad = tmp_path / "bad.rheojobs"
    bad.write_bytes(b"PK\x03\x04 and nothing else")
    window.open([str(bad)])
    box = window.workspace.box  # the data are not saved
    assert box is not None
    box.button(QMessageBox.StandardButton.Discard).click()
    qtbot.waitUntil(lambda: "damaged" in window.jobs_pane.message.text(), timeout=LONG)
    assert len(window.library.opened) == 1
    assert window.workspace.path is None


def test_edits_are_undone_and_redone(open_window: Open, qtbot: QtBot) -> None:
    window = open_window()
    work(window, qtbot)
    undo, redo = entry(window, "Undo"), entry(window, "Redo")
    state = window.workspace.state
    last = vars(state.edits())
    assert undo.text() == "&Undo edit of parameters"
    undo.trigger()
    assert state.edits().starts == {}
    redo.trigger()
    assert vars(state.edits()) == last
    for _ in range(2):
        undo.trigger()
    assert state.edits().priors == {}
    assert state.edits().bounds == {"G0": (1000.0, 1e7)}
    undo.trigger()
    assert state.edits().bounds == {}
    assert not undo.isEnabled()
    while redo.isEnabled():
        redo.trigger()
    assert vars(state.edits()) == last


def test_a_prior_that_is_typed_is_one_edit(open_window: Open, qtbot: QtBot) -> None:
    window = open_window()
    window.library.add(_some_data())
    assert window.model_picker.choose("maxwell")
    editor = priors_editor(window)
    editor.choose("eta")
    editor.kinds.setCurrentIndex(editor.kinds.findData("lognormal"))
    editor.kinds.activated.emit(editor.kinds.currentIndex())
    before = editor.edited()
    editor.fields["loc"].setText("1")
    editor.fields["loc"].setText("12")
    entry(window, "Undo").trigger()
    assert editor.edited() == before
    assert editor.fields["loc"].text() == str(before["eta"]["loc"])
    entry(window, "Redo").trigger()
    assert editor.edited()["eta"]["loc"] == "12"


def test_a_value_that_is_dragged_is_one_edit(
    open_window: Open, monkeypatch: pytest.MonkeyPatch
) -> None:
    window = open_window()
    window.library.add(_some_data())
    assert window.model_picker.choose("maxwell")
    stack = window.workspace.history.stack
    for value in ("10", "20", "30"):  # the first makes an estimate a value
        edit(window, "eta", ParameterColumn.VALUE, value)
    assert stack.count() == 2
    edit(window, "G0", ParameterColumn.VALUE, "5")
    assert stack.count() == 3
    monkeypatch.setattr(edit_history, "_ONE_EDIT_S", 0.0)
    edit(window, "G0", ParameterColumn.VALUE, "6")
    edit(window, "G0", ParameterColumn.VALUE, "7")
    assert stack.count() == 5
    for starts in ({"eta": 30.0, "G0": 6.0}, {"eta": 30.0, "G0": 5.0}, {"eta": 30.0}):
        entry(window, "Undo").trigger()
        assert window.workspace.state.edits().starts == starts


def test_closed_data_come_back_with_their_fits(open_window: Open, qtbot: QtBot) -> None:
    window = open_window()
    work(window, qtbot)
    before = window.workspace.state.taken()
    window.library.add(_some_data(), show=False)
    window.close_data()
    assert [data.name for data in window.library.datasets] == ["creep"]
    assert window.workspace.state.taken().runs == ()
    with qtbot.waitSignal(window.workspace.state.settled, timeout=LONG):
        entry(window, "Undo closing").trigger()
    after = window.workspace.state.taken()
    assert [run.title for run in after.runs] == [run.title for run in before.runs]
    assert window.library.number == 0
    assert len(fit_view(window).kept.fits()) == 1
    assert after.edits.bounds == before.edits.bounds
    entry(window, "Redo closing").trigger()
    assert [data.name for data in window.library.datasets] == ["creep"]


def test_another_test_mode_is_undone(open_window: Open, qtbot: QtBot) -> None:
    window = open_window()
    window.library.add(_some_data())
    window.library.set_test_mode("relaxation")
    with qtbot.waitSignal(window.workspace.state.settled, timeout=LONG):
        entry(window, "Undo change of how").trigger()
    assert window.library.datasets[0].test_mode == "creep"
    assert window.data_panel.modes.currentData() == "creep"
    with qtbot.waitSignal(window.workspace.state.settled, timeout=LONG):
        entry(window, "Redo change of how").trigger()
    assert window.library.datasets[0].test_mode == "relaxation"


def test_no_edit_is_undone_while_a_job_runs(open_window: Open, qtbot: QtBot) -> None:
    window = open_window()
    work(window, qtbot)
    model = window.model_picker.model
    assert model is not None
    window.session.sample(model, {"num_samples": 200_000, "until_ess": 1e6})
    before = vars(window.workspace.state.edits())
    entry(window, "Undo").trigger()
    assert vars(window.workspace.state.edits()) == before
    with qtbot.waitSignal(window.session.cancelled, timeout=LONG):
        window.session.cancel()


def test_a_fit_that_is_repeated_is_recorded_once(open_window: Open, qtbot: QtBot) -> None:
    window = open_window()
    window.library.add(_some_data())
    assert window.model_picker.choose("maxwell")
    for bounds, count in (("", 1), ("", 1), ("1000 … 1e7", 2)):
        if bounds:
            edit(window, "G0", ParameterColumn.BOUNDS, bounds)
        with qtbot.waitSignal(window.session.fitted, timeout=LONG):
            click(qtbot, window.run_panel.fit_button)
        runs = window.workspace.state.taken().runs
        assert len(runs) == count
    assert [dict(run.options) for run in runs] == [{}, {"bounds": {"G0": (1000.0, 1e7)}}]
    assert runs[-1].result is window.session.fit_result


def test_data_that_are_dropped_with_a_workspace_are_added_to_it(
    open_window: Open, qtbot: QtBot, tmp_path: Path
) -> None:
    window, file = open_window(), tmp_path / "one.rheojobs"
    window.library.add(_some_data())
    window.workspace.write(file)
    qtbot.waitUntil(lambda: window.workspace.path == file, timeout=LONG)
    window.open([str(example_melt.csv_path()), str(file)])
    names = ["creep", "ldpe_melt_i_150C"]
    qtbot.waitUntil(lambda: [data.name for data in window.library.datasets] == names, timeout=LONG)


def test_a_workspace_waits_for_the_list_of_models(
    open_window: Open, qtbot: QtBot, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    before, file = open_window(), tmp_path / "lab.rheojobs"
    work(before, qtbot)
    before.workspace.write(file)
    qtbot.waitUntil(lambda: before.workspace.path == file, timeout=LONG)
    models = before.model_picker._models
    close(before)
    with monkeypatch.context() as patch:
        patch.setattr(ModelListLoader, "load", lambda loader: None)
        after = MainWindow()
    after.show()
    try:
        after.open([str(file)])
        qtbot.waitUntil(lambda: len(after.library.opened) == 1, timeout=LONG)
        qtbot.waitUntil(lambda: not after.workspace.state.is_restoring)
        assert vars(after.workspace.state.edits()) == vars(before.workspace.state.edits())
        with qtbot.waitSignal(after.workspace.state.restored, timeout=LONG):
            after.model_picker.set_models(models)
        same_state(before, after)
        qtbot.waitUntil(lambda: not after.isWindowModified())
    finally:
        close(after)
        after.deleteLater()
