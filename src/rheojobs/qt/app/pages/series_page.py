"""The page of many files."""

from __future__ import annotations

from typing import TYPE_CHECKING

from qtpy.QtCore import QT_TRANSLATE_NOOP, QObject, Signal

from rheojobs.inference.models.catalogue import ModelInfo
from rheojobs.inference.results.bayesian_result import BayesianResult
from rheojobs.inference.results.fit_result import FitResult
from rheojobs.qt.app.pages.late_tabs import LateTabs
from rheojobs.qt.app.pages.page import Page
from rheojobs.qt.widgets.series.model import SeriesModel

if TYPE_CHECKING:  # the plots take as long to load as everything else
    from rheojobs.qt.widgets.series.view import SeriesView

__all__ = ["SeriesPage"]


class _Wants(QObject):
    """What the user wants in the view."""

    fit = Signal(object)
    refit = Signal(object, object)
    cancel = Signal()
    export = Signal()
    activated = Signal(object)
    fitted = Signal(object)


class SeriesPage(Page["SeriesView"]):
    """The table of all files, and a parameter of their fits against a condition.

    Attributes
    ----------
    model : SeriesModel
        The files and their fits; there before the view is made.
    fit_model : ModelInfo or None
        The present model.
    fit_wanted, refit_wanted, cancel_wanted, export_wanted, activated : Signal
        As those of the view.
    fitted : Signal
        A `FitResult` of the present data that the window shows.
    """

    title = str(QT_TRANSLATE_NOOP("pages", "Files"))
    modules = ("rheojobs.qt.widgets.series.view",)

    def __init__(self, tabs: LateTabs) -> None:
        self.model = SeriesModel(tabs)
        self.fit_model: ModelInfo | None = None
        self._reading = (0, 0)
        self._wants = wants = _Wants(tabs)
        self.fit_wanted, self.refit_wanted = wants.fit, wants.refit
        self.cancel_wanted, self.export_wanted = wants.cancel, wants.export
        self.activated, self.fitted = wants.activated, wants.fitted
        super().__init__(tabs)

    def make(self) -> SeriesView:
        """Return a view of the files so far."""
        from rheojobs.qt.widgets.series.view import SeriesView

        view = SeriesView(self.model)
        view.fit_wanted.connect(self._wants.fit)
        view.refit_wanted.connect(self._wants.refit)
        view.cancel_wanted.connect(self._wants.cancel)
        view.export_wanted.connect(self._wants.export)
        view.activated.connect(self._wants.activated)
        view.set_can_fit(self.fit_model is not None)
        view.show_reading(*self._reading)
        return view

    def model_shown(self, model: ModelInfo | None) -> None:
        """Offer to fit a model."""
        self.fit_model = model
        if self.made is not None:
            self.made.set_can_fit(model is not None)

    def result_shown(self, result: FitResult | BayesianResult) -> None:
        """Take a fit of the present data into the table."""
        if isinstance(result, FitResult):
            self._wants.fitted.emit(result)

    def show_reading(self, done: int, total: int) -> None:
        """Show how many files are read."""
        self._reading = (done, total)
        if self.made is not None:
            self.made.show_reading(done, total)
