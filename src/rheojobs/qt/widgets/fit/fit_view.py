"""`FitView`: data with the curve of a fit; below, its loss while it runs, then its report."""

from __future__ import annotations

from typing import Any

import numpy as np
from qtpy.QtCore import Qt
from qtpy.QtWidgets import QSplitter, QTabWidget, QVBoxLayout, QWidget

from rheojobs.inference.data.dataset import Dataset
from rheojobs.inference.results.bands import predictive_bands
from rheojobs.inference.results.bayesian_result import BayesianResult
from rheojobs.inference.results.curves import Curve
from rheojobs.inference.results.fit_result import FitResult
from rheojobs.qt.widgets.common.refresh import InSteps, Refresher
from rheojobs.qt.widgets.fit.kept_fits import KeptFit, KeptFits
from rheojobs.qt.widgets.fit.loss_plot import LossPlot
from rheojobs.qt.widgets.fit.report_view import FitReportView
from rheojobs.qt.widgets.plots.data_plot import DataPlot

__all__ = ["FitView"]


class FitView(QWidget):
    """The plot of the data, and below it the loss and the report of a fit.

    Attributes
    ----------
    data_plot : DataPlot
        Data, the present or fitted curve, earlier fits, bands.
    loss_plot : LossPlot
        Of the running fit, or the last one.
    report : FitReportView
        Of the last fit.
    kept : KeptFits
        All fits of the present data.
    """

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.data_plot = DataPlot()
        self.loss_plot = LossPlot()
        self.report = FitReportView()
        self.kept = KeptFits()
        self.details = QTabWidget()
        self.details.setDocumentMode(True)
        self.details.addTab(self.report, self.tr("Report"))
        self.details.addTab(self.kept, self.tr("Compare"))
        self.below = QSplitter(Qt.Orientation.Horizontal)
        self.below.setChildrenCollapsible(False)
        self.below.addWidget(self.loss_plot)
        self.below.addWidget(self.details)
        self.below.setSizes([290, 510])
        self.below.setStretchFactor(1, 1)
        self._whole = QSplitter(Qt.Orientation.Vertical)
        self._whole.setChildrenCollapsible(False)
        self._whole.addWidget(self.data_plot)
        self._whole.addWidget(self.below)
        self._whole.setStretchFactor(0, 1)
        self._whole.setSizes([400, 200])
        self.loss_plot.setMinimumSize(180, 110)
        self.details.setMinimumHeight(110)
        self.below.hide()
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

    def show_data(self, dataset: Dataset, owner: Dataset) -> None:
        """Show data, in the quantity that a model predicts, with earlier fits of `owner`."""
        self._dataset, self._shown = dataset, None
        self._stop_drawing()
        self.kept.go_to(owner)
        self.report.show_result(None)
        self.loss_plot.clear()
        self.data_plot.show_data(dataset, self.kept.curves(dataset, None))
        self.below.setVisible(bool(self.kept.fits()))
        self._count()

    def clear(self) -> None:
        """Show that there are no data."""
        self._dataset = self._shown = None
        self._stop_drawing()
        self.kept.go_to(None)
        self.report.show_result(None)
        self.loss_plot.clear()
        self.data_plot.clear()
        self.below.hide()
        self._count()

    def begin_fit(self, name: str) -> None:
        """Show that a fit begins; its curve gets this name."""
        self._present, self._name, self._shown = None, name, None
        self._stop_drawing()
        self.loss_plot.clear()
        self.report.show_result(None)
        self.data_plot.show_curve("", None)
        self._show_kept()
        self.below.show()

    def take_progress(self, iteration: int, metrics: Any) -> None:
        """Take the progress of a running fit; it is drawn soon."""
        if "loss" not in metrics:
            return
        if "curve_y" in metrics:
            self._present = metrics["curve_x"], metrics["curve_y"]
            self.loss_plot.replace(metrics["losses"])
        self.loss_plot.add(iteration, float(metrics["loss"]))
        self._refresher.request()

    def show_fit(self, result: FitResult, name: str) -> None:
        """Show the result of a fit."""
        self._stop_drawing()
        self.loss_plot.draw()
        self._shown = result
        self.data_plot.show_curve(name, result.fitted)
        self.report.show_result(result)
        self.details.setCurrentWidget(self.report)
        self.below.show()
        if self._dataset is not None:
            self.kept.add(KeptFit(result, self._dataset))
        self._show_kept()

    def keep(self, owner: Dataset, fit: KeptFit) -> None:
        """Keep a fit of any dataset; its curve is drawn if these data are shown."""
        self.kept.add_of(owner, fit)
        if owner is not self.kept.owner:
            return
        self.below.setVisible(self._shown is not None or bool(self.kept.fits()))
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

    def _stop_drawing(self) -> None:
        self._refresher.cancel()
        self._steps.cancel()
        self._banding.cancel()

    def _draw_present(self) -> None:
        # One after the other, so that they are not painted at the same time.
        self._steps.begin([self.loss_plot.draw, self._lay_present])

    def _lay_present(self) -> None:
        if self._present is not None:
            x, y = self._present
            self.data_plot.show_present(Curve(self._name, x, tuple(y)))

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
