"""What tests of the tables of jobs look at."""

from __future__ import annotations

from pytestqt.qtbot import QtBot

from rheojobs.engine.states import JobState
from rheojobs.qt.widgets.jobs.columns import JobColumn, job_state
from rheojobs.qt.widgets.jobs.table import JobTable
from rheojobs.qt.widgets.jobs.table_model import JobTableModel

LONG = 30_000
"""Milliseconds to wait for something before the test fails."""


def text(model: JobTableModel, row: int, column: JobColumn) -> str:
    return str(model.index(row, column).data())


def state(model: JobTableModel, row: int) -> JobState:
    return job_state(model.index(row, 0))


def shown(table: JobTable, qtbot: QtBot) -> JobTable:
    qtbot.addWidget(table)
    table.resize(900, 300)
    table.show()
    return table


def choose(table: JobTable, row: int) -> None:
    """Select a row, even if an earlier test has left keys pressed, and refresh the actions."""
    table.select(table.model.rows_between(row, row)[0].job_id)
    table.verbs.refresh()
