"""The window with the table of jobs fits two models, shows both jobs and closes."""

from __future__ import annotations

from pathlib import Path

import pytest
from tests.examples.running import run_with_user

USER = """
def user(window):
    window.button.click()
    window.models.setCurrentText("maxwell")
    window.button.click()
    table = window.jobs.model

    def rows():
        columns = range(table.columnCount())
        return [
            " ".join(str(table.index(row, column).data()) for column in columns)
            for row in range(table.rowCount())
        ]

    while sum("succeeded" in row for row in rows()) < 2:
        yield
    print("\\n".join(rows()))
"""


@pytest.mark.slow
def test_it_runs(tmp_path: Path) -> None:
    printed = run_with_user("window_with_job_table.py", USER, tmp_path)
    lines = [line for line in printed.splitlines() if line.startswith("succeeded")]
    assert any(" maxwell " in line for line in lines)
    assert any(" fractional_maxwell_model " in line for line in lines)
    assert printed.endswith("processes left: 0\n")
