"""The page of a sampling shows a preview as such, and only until there are draws."""

from __future__ import annotations

from typing import Any

import pytest
from pytestqt.qtbot import QtBot

from rheojobs.qt.widgets.posterior.posterior_view import PosteriorView

COUNTS = {"chains": [10, 12], "num_warmup": 100, "num_samples": 200, "divergences": 0}
WORDS = "preview: importance sampling at the maximum, k̂ = 0.30"
PREVIEW = {
    "k": 0.3,
    "words": WORDS,
    "summary": {
        "G0": {"mean": 1000.0, "std": 10.0, "q05": 983.6, "q95": 1016.4},
        "sigma": {"mean": 3.0, "std": 0.3, "q05": 2.5, "q95": 3.5},
    },
}
DRAWN: dict[str, Any] = {
    key: dict.fromkeys(("G0", "sigma"), value)
    for key, value in {
        "r_hat": 1.0,
        "ess_bulk": 900.0,
        "ess_tail": 900.0,
        "mean": 1001.0,
        "std": 9.0,
    }.items()
}


@pytest.fixture
def view(qtbot: QtBot) -> PosteriorView:
    view = PosteriorView()
    qtbot.addWidget(view)
    view.show()
    view.begin({"G0": "Pa"}, None)
    return view


def texts(view: PosteriorView, row: int) -> list[str]:
    return [view.table.item(row, column).text() for column in range(8)]


def test_a_preview_is_shown_until_draws_replace_it(qtbot: QtBot, view: PosteriorView) -> None:
    view.take_progress({"preview": PREVIEW})  # before the chains begin
    qtbot.waitUntil(lambda: view.table.isVisible())
    assert view.status.text() == WORDS
    view.take_progress(COUNTS | {"preview": PREVIEW})
    qtbot.waitUntil(lambda: "Warm-up: 10, 12 of 100 steps" in view.status.text())
    assert WORDS in view.status.text()
    assert texts(view, 0)[:7] == ["G₀", "1000", "10", "Pa", "–", "–", "–"]
    assert texts(view, 0)[7] == "preview; 5 % to 95 %: 984 … 1016"
    pale = view.table.item(0, 1).foreground().color()
    view.take_progress(COUNTS | DRAWN)
    qtbot.waitUntil(lambda: view.table.words() == ["good", "good"])
    assert "preview" not in view.status.text()
    assert texts(view, 0)[4:7] == ["1.000", "900", "900"]
    assert view.table.item(0, 1).foreground().color() != pale
    view.end()
    assert view.table.isVisible()


def test_an_unreliable_one_has_words_only(qtbot: QtBot, view: PosteriorView) -> None:
    words = "no reliable preview: importance sampling at the maximum, k̂ = 1.20"
    view.take_progress(COUNTS | {"preview": {"k": 1.2, "words": words, "summary": {}}})
    qtbot.waitUntil(lambda: words in view.status.text())
    assert view.table.isHidden()


def test_of_a_sampling_that_ends_before_its_first_draws_nothing_stays(
    qtbot: QtBot, view: PosteriorView
) -> None:
    view.take_progress(COUNTS | {"preview": PREVIEW})
    qtbot.waitUntil(lambda: view.table.isVisible())
    view.end()
    assert view.table.isHidden()
    assert view.status.isHidden()
