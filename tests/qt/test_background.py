from __future__ import annotations

import logging
import threading

import pytest
from pytestqt.qtbot import QtBot
from qtpy.QtCore import QCoreApplication, QObject, QThread

from rheojobs.errors import InputError
from rheojobs.qt.background import Background


def test_what_came_of_it_is_told_in_the_owner_s_thread(
    qtbot: QtBot, caplog: pytest.LogCaptureFixture
) -> None:
    background = Background()
    here, told = QThread.currentThread(), []

    def then(what: object) -> None:
        told.append((what, QThread.currentThread() is here))

    def bad_input() -> None:
        raise InputError("the file is empty")

    def fault() -> None:
        raise ZeroDivisionError("a fault of ours")

    background.do(threading.get_ident, then)
    background.do(bad_input, then, then)
    with caplog.at_level(logging.ERROR):
        background.do(fault, then, then)
        qtbot.waitUntil(lambda: len(told) == 3)
    assert told[0][0] != threading.get_ident()
    assert told[1:] == [
        ("the file is empty", True),
        ("ZeroDivisionError: a fault of ours", True),
    ]
    assert "a fault of ours" in caplog.text
    assert "the file is empty" not in caplog.text
    background.close()


@pytest.mark.parametrize("how", ["closed", "deleted"])
def test_nothing_is_told_after_the_end(how: str, qtbot: QtBot) -> None:
    parent = QObject()
    background = Background(parent)
    thread = background._thread
    go, done, told = threading.Event(), threading.Event(), []

    def work() -> None:
        go.wait(10)
        done.set()

    background.do(work, told.append)
    if how == "closed":
        background.close()
        background.do(work, told.append)  # nothing more is taken
    else:
        with qtbot.waitSignal(parent.destroyed):
            parent.deleteLater()
    go.set()
    thread.shutdown(wait=True)
    assert done.is_set()  # what had begun is finished
    QCoreApplication.processEvents()
    assert told == []
