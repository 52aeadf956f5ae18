"""The colour and the words of the message after a run: green only if nothing speaks against it."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime

import numpy as np
from pytestqt.qtbot import QtBot
from qtpy.QtCore import Qt
from qtpy.QtTest import QTest

from rheojobs.inference.results.bayesian_result import BayesianResult
from rheojobs.inference.results.fit_result import FitResult
from rheojobs.qt.app.reports import fit_report, posterior_report
from rheojobs.qt.widgets.common.message_bar import MessageBar

NOW = datetime.now(UTC)
FIT = FitResult("maxwell", {"G0": 1.0, "tau_1": 2.0}, 0.99, 1.0, 1.0, 0.1, NOW, 5, True)
DIAGNOSTICS = {"r_hat": {"G0": 1.0}, "divergences": 0, "warnings": []}
DRAWS = BayesianResult("maxwell", {"G0": np.ones(4)}, {}, DIAGNOSTICS, 2, 2, 0.1, NOW)


def test_only_a_converged_fit_without_warnings_is_green() -> None:
    kind, text, link = fit_report(FIT)
    assert (kind, link) == ("success", "")
    assert text.startswith("Converged: R² = 0.99000")


def test_the_first_warning_is_in_words_and_the_rest_behind_a_link() -> None:
    warnings = ["these data do not determine tau_1", "G0 is at its bound", "another"]
    kind, text, link = fit_report(replace(FIT, warnings=warnings))
    assert (kind, link) == ("warning", "2 more warnings")
    assert text.startswith("These data do not determine τ₁. R² = ")
    assert fit_report(replace(FIT, warnings=warnings[:2]))[2] == "1 more warning"
    assert fit_report(replace(FIT, warnings=warnings[1:2]))[1].startswith("G₀ is at its bound.")
    assert fit_report(replace(FIT, warnings=warnings[1:2]))[2] == "Details"


def test_a_fit_that_stopped_says_so_before_all_else() -> None:
    kind, text, _ = fit_report(replace(FIT, success=False, message="limit", warnings=["another"]))
    assert kind == "warning"
    assert text.startswith("The fit did not converge: limit.")


def test_draws_are_judged_alike() -> None:
    assert posterior_report(DRAWS)[0] == "success"
    told = DIAGNOSTICS | {"warnings": ["the chains disagree on G0", "few draws"]}
    kind, text, link = posterior_report(replace(DRAWS, diagnostics=told))
    assert (kind, link) == ("warning", "1 more warning")
    assert text.startswith("The chains disagree on G₀. 2 × 2 draws")


def test_a_message_with_a_link_takes_no_text_for_html(qtbot: QtBot) -> None:
    bar = MessageBar()
    qtbot.addWidget(bar)
    bar.say("warning", "a <b> & c", "2 more")
    assert bar.words == "a <b> & c"
    assert "a &lt;b&gt; &amp; c" in bar.text()
    assert bar.accessibleDescription() == "a <b> & c 2 more"
    bar.resize(300, 60)
    bar.show()
    bar.setFocus()
    with qtbot.waitSignal(bar.linkActivated):
        QTest.keyClick(bar, Qt.Key.Key_Tab)
        QTest.keyClick(bar, Qt.Key.Key_Return)
    bar.say("error", "a <b>")
    assert bar.textFormat() == Qt.TextFormat.PlainText
    assert bar.link == ""
