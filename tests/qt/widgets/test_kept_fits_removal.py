"""A fit that took long is removed from the comparison only after a question."""

from __future__ import annotations

import dataclasses

import pytest
from pytestqt.qtbot import QtBot
from qtpy.QtCore import Qt
from qtpy.QtGui import QGuiApplication
from qtpy.QtWidgets import QMessageBox
from tests.qt.helpers import decay_data

from rheojobs import fit
from rheojobs.inference.results.fit_result import FitResult
from rheojobs.qt.widgets.fit.kept_fits import KeptFit, KeptFits


@pytest.fixture(scope="module")
def result() -> FitResult:
    return fit(decay_data(), "maxwell")


@pytest.fixture
def kept(result: FitResult, qtbot: QtBot) -> KeptFits:
    kept = KeptFits()
    qtbot.addWidget(kept)
    data = decay_data()
    kept.go_to(data)
    kept.add(KeptFit(dataclasses.replace(result, fit_time=3600.0), data))
    kept.show()
    kept.activateWindow()
    kept.table.setFocus()
    qtbot.waitUntil(kept.table.hasFocus)
    kept.table.selectRow(0)
    return kept


@pytest.mark.parametrize(("words", "left"), [("Keep", 1), ("Remove", 0)])
def test_the_key_asks_first(kept: KeptFits, qtbot: QtBot, words: str, left: int) -> None:
    qtbot.keyClick(kept.table, Qt.Key.Key_Delete)
    assert len(kept.fits()) == 1
    box = kept.findChild(QMessageBox)
    assert box is not None
    assert box.defaultButton().text() == "&Keep"
    button = next(each for each in box.buttons() if words in each.text())
    qtbot.mouseClick(button, Qt.MouseButton.LeftButton)
    assert len(kept.fits()) == left


def test_fits_are_copied_with_all_digits(kept: KeptFits, result: FitResult, qtbot: QtBot) -> None:
    qtbot.keyClick(kept.table, Qt.Key.Key_C, Qt.KeyboardModifier.ControlModifier)
    lines = [line.split("\t") for line in QGuiApplication.clipboard().text().splitlines()]
    assert lines[0] == ["Model", "AICc", "Δ", "R²"]
    assert float(lines[1][1]) == result.aicc
    assert float(lines[1][3]) == result.r_squared
