"""The keys of the window, its Help menu and its icon."""

from __future__ import annotations

import re
import sys
import time
import tomllib
from collections.abc import Iterator
from pathlib import Path

import pytest
from pytestqt.qtbot import QtBot
from qtpy.QtCore import Qt, QUrl
from qtpy.QtGui import QDesktopServices, QGuiApplication, QKeySequence
from qtpy.QtWidgets import QDialog, QMessageBox, QTableWidget
from tests.qt.helpers import fit_view

from rheojobs import __version__
from rheojobs.cli import main as command
from rheojobs.qt.app.closing import ClosingChoice
from rheojobs.qt.app.help.keys import keys_of, keys_page
from rheojobs.qt.app.help.versions import versions
from rheojobs.qt.app.main_window import MainWindow
from rheojobs.qt.widgets.common.confirm import LONG_WORK

ROOT = Path(__file__).parents[2]
_NAMED = re.compile(r"\(((?:Ctrl\+|Shift\+|Alt\+)*(?:F\d|[A-Z]|Del|Esc))\)\"")
"""Keys in parentheses at the end of a text."""


@pytest.fixture(scope="module")
def window(tmp_path_factory: pytest.TempPathFactory, qapp: object) -> Iterator[MainWindow]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("RHEOJOBS_STATE_DIR", str(tmp_path_factory.mktemp("state")))
        window = MainWindow()
        window.show()
        yield window
        window.closing.choose(ClosingChoice.CANCEL)
        window.deleteLater()


def standard(key: QKeySequence.StandardKey) -> QKeySequence:
    return QKeySequence(key)


def test_standard_keys_do_what_they_do_everywhere(window: MainWindow) -> None:
    menus, keys = window.menus, QKeySequence.StandardKey
    assert menus.open.shortcut() == standard(keys.Open)
    assert standard(keys.Close) in menus.close_data.shortcuts()
    assert menus.help.documentation.shortcut() == standard(keys.HelpContents)
    taken = {QKeySequence(key.keys) for key in keys_of(window)}
    for unused in (keys.Print, keys.Refresh, keys.Bold):
        others = [sequence for sequence in QKeySequence.keyBindings(unused) if sequence in taken]
        assert [each.toString() for each in others if each != QKeySequence("F5")] == []


def test_no_key_has_two_meanings_in_one_place(window: MainWindow) -> None:
    found = keys_of(window)
    assert len({(key.place, key.keys) for key in found}) == len(found)


def test_every_key_that_a_text_names_is_one_of_the_window(window: MainWindow, qtbot: QtBot) -> None:
    qtbot.waitUntil(lambda: fit_view(window) is not None, timeout=30_000)
    known = {key.keys for key in keys_of(window)}
    named = set()
    for path in (ROOT / "src/rheojobs/qt").rglob("*.py"):
        named |= set(
            re.findall(r"\(((?:Ctrl\+|Shift\+|Alt\+)*(?:F\d|[A-Z]|Del|Esc))\)\"", path.read_text())
        )
    assert named <= known, named - known


def test_the_page_of_the_keys_has_the_keys_of_the_window(window: MainWindow, qtbot: QtBot) -> None:
    qtbot.waitUntil(lambda: "Remove the selected fits" in keys_page(window), timeout=30_000)
    page = (ROOT / "docs/reference/keys.md").read_text(encoding="utf-8")
    assert keys_page(window) in page, keys_page(window)


def test_the_dialog_of_the_keys_is_made_of_the_actions(window: MainWindow, qtbot: QtBot) -> None:
    window.menus.help.keys.trigger()
    dialog = next(
        d for d in window.findChildren(QDialog) if d.windowTitle() == "Keyboard shortcuts"
    )
    table = dialog.findChild(QTableWidget)
    assert table is not None
    rows = {
        (table.item(row, 1).text(), table.item(row, 2).text()) for row in range(table.rowCount())
    }
    assert {("Fit", "F5"), ("Sample", "F6"), ("Pause or resume", "F7")} <= rows
    dialog.close()


def test_tool_tips_have_the_keys_of_the_menu(window: MainWindow) -> None:
    assert window.run_panel.fit_button.toolTip().endswith("(F5)")
    assert window.run_panel.cancel_button.toolTip().endswith("(Shift+Esc)")
    assert window.data_panel.open_button.toolTip().endswith("(Ctrl+O)")


def test_a_long_run_is_stopped_by_the_key_only_after_a_question(
    window: MainWindow, monkeypatch: pytest.MonkeyPatch, qtbot: QtBot
) -> None:
    button, stopped = window.run_panel.cancel_button, []
    button.clicked.connect(lambda: stopped.append(True))
    window.run_panel.set_ready(True)
    window.run_panel.begin_fit("a fit")
    window.runs.locked.emit(True)
    window.menus._began = time.monotonic() - 2 * LONG_WORK

    def answer(words: str) -> None:
        window.menus.cancel.trigger()
        box = next(box for box in window.findChildren(QMessageBox) if box.isVisible())
        assert "2 min" in box.informativeText().replace("\N{NO-BREAK SPACE}", " ")
        assert box.defaultButton().text() == "&Keep running"
        found = next(each for each in box.buttons() if words in each.text())
        qtbot.mouseClick(found, Qt.MouseButton.LeftButton)

    answer("Keep")
    assert stopped == []
    answer("Stop")
    assert stopped == [True]
    window.menus._began = time.monotonic()
    window.menus.cancel.trigger()  # at once
    assert stopped == [True, True]
    window.run_panel.end()
    window.runs.locked.emit(False)


def test_about_and_a_report_have_the_versions_without_importing_jax(
    window: MainWindow, monkeypatch: pytest.MonkeyPatch, qtbot: QtBot
) -> None:
    opened: list[str] = []
    monkeypatch.setattr(
        QDesktopServices, "openUrl", staticmethod(lambda url: opened.append(QUrl(url).toString()))
    )
    found = versions()
    assert found["rheojobs"] != "not installed"
    assert {"jax", "rheojax", "Qt", "Python"} <= set(found)
    window.menus.help.about.trigger()
    about = next(box for box in window.findChildren(QMessageBox) if box.isVisible())
    assert f"jax {found['jax']}" in about.informativeText()
    assert "MIT" in about.informativeText()
    about.close()
    window.menus.help.report.trigger()
    assert f"Qt: {found['Qt']}" in QGuiApplication.clipboard().text()
    report = next(box for box in window.findChildren(QMessageBox) if box.isVisible())
    page = next(button for button in report.buttons() if "page" in button.text())
    qtbot.mouseClick(page, Qt.MouseButton.LeftButton)
    window.menus.help.documentation.trigger()
    assert [address.startswith("https://") for address in opened] == [True, True]
    assert __version__
    assert "rheojobs" in sys.modules


def test_the_window_has_an_icon_of_every_size(window: MainWindow) -> None:
    icon = window.windowIcon()
    assert {size.width() for size in icon.availableSizes()} >= {16, 32, 256}
    assert icon.pixmap(64, 64).toImage().pixelColor(32, 56).alpha() == 255


def test_the_program_without_a_terminal_opens_the_window(monkeypatch: pytest.MonkeyPatch) -> None:
    given: list[list[str]] = []
    monkeypatch.setattr(command, "main", lambda arguments: given.append(arguments) or 0)
    monkeypatch.setattr(sys, "argv", ["rheojobs-window", "sweep.csv"])
    assert command.window() == 0
    assert given == [["gui", "sweep.csv"]]
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    assert project["gui-scripts"] == {"rheojobs-window": "rheojobs.cli.main:window"}
