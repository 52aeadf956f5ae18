"""The smallest window fits, cancels, closes while it fits, and is short."""

from __future__ import annotations

from pathlib import Path

import pytest
from tests.examples.running import EXAMPLES, run_with_user

NAME = "smallest_window.py"

FITS = """
def user(window):
    window.button.click()
    while not window.statusBar().currentMessage().startswith("R²"):
        yield
    print("shown:", window.statusBar().currentMessage(), window.button.text())
"""

CANCELS = """
def user(window):
    window.button.click()
    while window.button.text() != "Cancel":
        yield
    window.button.click()
    while window.button.text() != "Fit":
        yield
    print("shown:", window.statusBar().currentMessage())
"""

CLOSES = """
def user(window):
    window.button.click()
    yield
"""


@pytest.mark.slow
@pytest.mark.parametrize(
    ("user", "shown"),
    [(FITS, "shown: R² = 0.95"), (CANCELS, "shown: cancelled"), (CLOSES, "")],
    ids=["fits", "cancels", "closes"],
)
def test_it_runs(user: str, shown: str, tmp_path: Path) -> None:
    printed = run_with_user(NAME, user, tmp_path)
    assert shown in printed
    assert printed.endswith("processes left: 0\n")


def test_it_is_short() -> None:
    assert len((EXAMPLES / NAME).read_text(encoding="utf-8").splitlines()) < 40
