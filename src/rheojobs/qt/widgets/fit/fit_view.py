"""`FitView`: data with the curve of a fit, its residuals, its report, and its loss."""

from __future__ import annotations

from typing import Any

import numpy as np
from qtpy.QtCore import Qt
from qtpy.QtWidgets import QHBoxLayout, QSplitter, QTabWidget, QToolButton, QVBoxLayout, QWidget

from rheojobs.inference.data.arrays import parts_of
from rheojobs.inference.data.dataset import Dataset
from rheojobs.inference.results.bands import predictive_bands
from rheojobs.inference.results.bayesian_result import BayesianResult
from rheojobs.inference.results.curves import Curve
from rheojobs.inference.results.fit_result import FitResult
from rheojobs.inference.results.oscillation_views import VIEWS
from rheojobs.inference.results.residuals import Residuals, residuals_of
from rheojobs.qt.widgets.common.refresh import InSteps, Refresher
from rheojobs.qt.widgets.fit.kept_fits import KeptFit, KeptFits
from rheojobs.qt.widgets.fit.loss_plot import LossPlot
from rheojobs.qt.widgets.fit.report_view import FitReportView
from rheojobs.qt.widgets.plots.data_plot import DataPlot
from rheojobs.qt.widgets.plots.frame import Frame
from rheojobs.qt.widgets.plots.oscillation_menu import OscillationMenu
from rheojobs.qt.widgets.plots.residual_plot import ResidualPlot

__all__ = ["FitView"]


_AXIS_WIDTH = 74
"""Of the left axes of data and residuals, so that their x agree."""


class FitView(QWidget):
    """The plot of the data, below it the residuals, and tabs; each has its place from the start.

    Parameters
    ----------
    parent : QWidget, optional
        The Qt parent.
    menu : OscillationMenu, optional
        Says how an oscillation is shown; by default a menu of its own.

    Attributes
    ----------
    data_plot : DataPlot
        Data, the present or fitted curve, earlier fits, bands.
    view_button : QToolButton
        Chooses what is shown of an oscillation; hidden for other data.
    residual_plot : ResidualPlot
        Of the present curve.
    report : FitReportView
        Of the last fit.
    kept : KeptFits
        All fits of the present data.
    loss_plot : LossPlot
        Of the running fit, or the last one.
    details : QTabWidget
        Report, comparison and loss.
    """

    def __init__(self, parent: QWidget | None = None, menu: OscillationMenu | None = None) -> None:
        super().__init__(parent)
        self._menu = menu or OscillationMenu(self)
        self._menu.chosen.connect(self._show_view)
        self.data_plot = DataPlot()
        self.residual_plot = ResidualPlot()
        self.loss_plot = LossPlot()
        self.report = FitReportView()
        self.kept = KeptFits()
        self.view_button = self._make_view_button()
        self.details = QTabWidget()
        self.details.setDocumentMode(True)
        self.details.addTab(self.report, self.tr("Report"))
        self.details.addTab(self.kept, self.tr("Compare"))
        self.details.addTab(self.loss_plot, self.tr("Loss"))
        plots = QWidget()
        column = QVBoxLayout(plots)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(0)
        row = QHBoxLayout()
        row.setContentsMargins(8, 4, 8, 0)
        row.addWidget(self.view_button)
        row.addStretch(1)
        column.addLayout(row)
        column.addWidget(self.data_plot, 1)
        for plot in (self.data_plot.plot, self.residual_plot.plot):
            plot.getAxis("left").setWidth(_AXIS_WIDTH)
        self._whole = QSplitter(Qt.Orientation.Vertical)
        self._whole.setChildrenCollapsible(False)
        for widget in (plots, self.residual_plot, self.details):
            self._whole.addWidget(widget)
        for place, share in enumerate((6, 2, 2)):
            self._whole.setStretchFactor(place, share)
        self._whole.setSizes([275, 140, 145])
        self.data_plot.setMinimumHeight(120)
        self.residual_plot.setMinimumHeight(100)
        self.details.setMinimumHeight(110)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.addWidget(self._whole)
        self._dataset: Dataset | None = None
        self._shown: FitResult | None = None
        self._present: tuple[np.ndarray[Any, Any], np.ndarray[Any, Any]] | None = None
        self._name = ""
        self._refresher = Refresher(self._draw_present, self)
        self._steps = InSteps(self)
        self._sampled: BayesianResult | None = None
        self._banding = Refresher(self._lay_bands, self)
        self.kept.changed.connect(self._show_kept)
        self._show_view()

    def _make_view_button(self) -> QToolButton:
        button = QToolButton(self)
        button.setPopupMode(QToolButton.ToolButtonPopupMode.InstantPopup)
        button.setToolButtonStyle(Qt.ToolButtonStyle.ToolButtonTextOnly)
        button.setToolTip(self.tr("What is shown of the oscillation"))
        button.setAccessibleName(self.tr("View of the oscillation"))
        button.setMenu(self._menu)
        button.hide()
        return button

    def set_log(self, is_log: bool | None) -> None:
        """Make the axes logarithmic or linear; None: as usual."""
        self.data_plot.set_log(is_log)
        self._align_residuals()

    def show_report(self) -> None:
        """Bring the report forward."""
        self.details.setCurrentWidget(self.report)
        self.report.setFocus()

    def show_data(self, dataset: Dataset, owner: Dataset) -> None:
        """Show data, in the quantity that a model predicts, with earlier fits of `owner`."""
        self._dataset, self._shown = dataset, None
        self._stop_drawing()
        self.kept.go_to(owner)
        self.report.show_result(None)
        self.loss_plot.clear()
        self.data_plot.show_data(dataset, self.kept.curves(dataset, None))
        self.residual_plot.show_residuals(None)
        self._offer_views(np.iscomplexobj(dataset.y))
        self._align_residuals()
        self._count()

    def clear(self) -> None:
        """Show that there are no data."""
        self._dataset = self._shown = None
        self._stop_drawing()
        self.kept.go_to(None)
        self.report.show_result(None)
        self.loss_plot.clear()
        self.data_plot.clear()
        self.residual_plot.show_residuals(None)
        self._offer_views(False)
        self._count()

    def begin_fit(self, name: str) -> None:
        """Show that a fit begins; its curve gets this name."""
        self._present, self._name, self._shown = None, name, None
        self._stop_drawing()
        self.loss_plot.clear()
        self.report.show_result(None)
        self.data_plot.show_curve("", None)
        self.residual_plot.show_residuals(None)
        self._show_kept()

    def take_progress(self, iteration: int, metrics: Any) -> None:
        """Take the progress of a running fit; it is drawn soon."""
        if "loss" not in metrics:
            return
        if "curve_y" in metrics:
            self._present = metrics["curve_x"], metrics["curve_y"]
            self.loss_plot.replace(metrics["losses"])
        else:
            self.loss_plot.add(iteration, float(metrics["loss"]), int(metrics.get("start", 1)))
        self._refresher.request()

    def show_fit(self, result: FitResult, name: str) -> None:
        """Show the result of a fit; `name` is that of the model, with its settings."""
        self._stop_drawing()
        self.loss_plot.draw()
        self._shown = result
        self.data_plot.show_curve(self.tr("{model}, fitted").format(model=name), result.fitted)
        self.report.show_result(result)
        self.residual_plot.show_residuals(self._residuals_of(result))
        if self._dataset is not None:
            self.kept.add(KeptFit(result, self._dataset, name))
        self._show_kept()

    def keep(self, owner: Dataset, fit: KeptFit) -> None:
        """Keep a fit of any dataset; its curve is drawn if these data are shown."""
        self.kept.add_of(owner, fit)
        if owner is self.kept.owner:
            self._show_kept()

    def show_bands(self, result: BayesianResult) -> None:
        """Draw the bands of a posterior behind the data, after everything else of it is shown."""
        self._sampled = result
        self._banding.request()

    def end(self) -> None:
        """Show that the fit has ended; remove a present curve that has no result."""
        self._stop_drawing()
        if self._shown is None:
            self.data_plot.show_curve("", None)
            self.residual_plot.show_residuals(None)

    # ---------------------------------------------------------------- views

    def _offer_views(self, offered: bool) -> None:
        self.view_button.setVisible(offered)
        self._menu.set_offered(offered)

    def _show_view(self) -> None:
        view = self._menu.view
        self.view_button.setText(self.tr(view.title))
        self.data_plot.set_view(view)
        self._align_residuals()

    def _align_residuals(self) -> None:
        """Give the residuals the x of the data; in a view over another quantity, their own."""
        frame = self.data_plot.frame
        if self._dataset is None or frame is None:
            return
        plain = frame if frame.shows_x else Frame.of(self._dataset, VIEWS[0], None)
        above = self.data_plot.plot if frame.shows_x else None
        self.data_plot.share_x(above is not None)
        self.residual_plot.set_x(plain.x_label, plain.log[0], above)

    # ---------------------------------------------------------------- residuals

    def _residuals_of(self, result: FitResult) -> Residuals | None:
        data, fitted, residuals = self._dataset, result.fitted, result.residuals
        if data is None or fitted is None or residuals is None or fitted.size != data.x.size:
            return None
        sigma = data.sigma if result.weights == "sigma" else None
        return residuals_of(
            data.x,
            fitted + residuals,
            fitted,
            sigma=sigma,
            is_relative=result.is_relative,
            unit=data.y_unit,
        )

    def _residuals_now(self, x: Any, y: Any) -> Residuals | None:
        """Return the residuals of a present curve at those of the data that it was computed for."""
        data = self._dataset
        if data is None:
            return None
        order = np.argsort(data.x, kind="stable")
        at = order[np.minimum(np.searchsorted(data.x, x, sorter=order), order.size - 1)]
        if not np.array_equal(data.x[at], x):
            return None
        fitted = y[0] + 1j * y[1] if len(y) == 2 else y[0]
        # As the usual weights of a fit.
        sigma = None if data.sigma is None else data.sigma[at]
        is_relative = all(bool((part > 0).all()) for part in parts_of(data.y))
        return residuals_of(
            x, data.y[at], fitted, sigma=sigma, is_relative=is_relative, unit=data.y_unit
        )

    # ---------------------------------------------------------------- drawing

    def _stop_drawing(self) -> None:
        self._refresher.cancel()
        self._steps.cancel()
        self._banding.cancel()

    def _draw_present(self) -> None:
        # One after the other, so that they are not painted at the same time.
        self._steps.begin([self.loss_plot.draw, self._lay_present, self._lay_residuals])

    def _lay_present(self) -> None:
        if self._present is not None:
            x, y = self._present
            self.data_plot.show_present(Curve(self._name, x, tuple(y)))

    def _lay_residuals(self) -> None:
        if self._present is not None:
            self.residual_plot.show_residuals(self._residuals_now(*self._present))

    def _lay_bands(self) -> None:
        if self._sampled is not None:
            self.data_plot.show_bands(predictive_bands(self._sampled))
            self._sampled = None

    def _show_kept(self) -> None:
        if self._dataset is not None:
            self.data_plot.show_kept(self.kept.curves(self._dataset, self._shown))
        self._count()

    def _count(self) -> None:
        count = len(self.kept.fits())
        text = self.tr("Compare ({count})").format(count=count) if count else self.tr("Compare")
        self.details.setTabText(self.details.indexOf(self.kept), text)
