"""The plots of the window around a real fit: views, residuals, loss, and the link to the report."""

from __future__ import annotations

from pytestqt.qtbot import QtBot
from tests.qt.helpers import data_plot, fit_view
from tests.qt.test_window import click, finish, prepare, window  # noqa: F401

from rheojobs.qt.app.main_window import MainWindow


def test_a_doubtful_fit_leads_to_its_report(window: MainWindow, qtbot: QtBot) -> None:  # noqa: F811
    prepare(window, qtbot, draws=100)
    window.menus.oscillation.actions_of["van_gurp_palmen"].trigger()
    click(qtbot, window.run_panel.fit_button)
    finish(window, qtbot)
    view, message = fit_view(window), window.run_panel.message
    assert message.kind == "warning"
    assert "R²" in message.words
    assert message.link
    view.details.setCurrentWidget(view.loss_plot)
    message.linkActivated.emit("more")
    assert view.details.currentWidget() is view.report
    frame = data_plot(window).frame
    assert frame is not None
    assert frame.symbols == ("δ",)
    shown = view.residual_plot.residuals
    assert shown is not None
    assert shown.unit == "%"
    assert len(shown.parts) == 2
    assert view.loss_plot.count() > 1
