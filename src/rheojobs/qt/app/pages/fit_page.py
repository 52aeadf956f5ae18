"""The page of the data and the fit."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from qtpy.QtCore import QT_TRANSLATE_NOOP, QCoreApplication

from rheojobs.engine.events import Progress
from rheojobs.inference.data.dataset import Dataset
from rheojobs.inference.models.catalogue import ModelInfo
from rheojobs.inference.models.own.reference import shown_name
from rheojobs.inference.results.bayesian_result import BayesianResult
from rheojobs.inference.results.fit_result import FitResult
from rheojobs.qt.app.pages.late_tabs import LateTabs
from rheojobs.qt.app.pages.page import Page, RunStart
from rheojobs.qt.widgets.plots.oscillation_menu import OscillationMenu

if TYPE_CHECKING:  # the plots take as long to load as everything else
    from rheojobs.qt.widgets.fit.fit_view import FitView

__all__ = ["FitPage"]


def _tr(text: str) -> str:
    return QCoreApplication.translate("pages", text)


class FitPage(Page["FitView"]):
    """The data with the curve of a fit, its residuals, its report and its loss."""

    title = str(QT_TRANSLATE_NOOP("pages", "Data and fit"))
    hint = str(
        QT_TRANSLATE_NOOP("pages", "Drop a file with measured data here, or open one (Ctrl+O)")
    )
    modules = ("rheojobs.qt.widgets.fit.fit_view",)

    def __init__(self, tabs: LateTabs) -> None:
        self._menu: OscillationMenu | None = None
        self._model: ModelInfo | None = None
        super().__init__(tabs)

    def model_shown(self, model: ModelInfo | None) -> None:
        """Name fits after this model, with its settings."""
        self._model = model

    def make(self) -> FitView:
        """Return an empty view; it is made for the first data at the latest."""
        from rheojobs.qt.widgets.fit.fit_view import FitView

        return FitView(menu=self._menu)

    def follow(self, menu: OscillationMenu) -> None:
        """Show an oscillation as this menu says; call it before the view is made."""
        assert self.made is None
        self._menu = menu

    def show_report(self) -> None:
        """Bring the report of the last fit forward."""
        self.come_forward()
        self.view.show_report()

    def dataset_shown(self, dataset: Dataset | None, owner: Dataset | None) -> None:
        """Show data with the earlier fits of `owner`."""
        if dataset is not None and owner is not None:
            self.view.show_data(dataset, owner)
        elif self.made is not None:
            self.made.clear()

    def dataset_dropped(self, owner: Dataset) -> None:
        """Forget the fits of data that were removed from the list."""
        if self.made is not None:
            self.made.kept.forget(owner)

    def restore_fits(self, owner: Dataset, fits: Sequence[tuple[FitResult, Dataset, str]]) -> None:
        """Keep earlier fits, each with its data, in the fitted quantity, and its model's label."""
        from rheojobs.qt.widgets.fit.kept_fits import KeptFit

        self.view.kept.restore(owner, [KeptFit(*each) for each in fits])

    def plot_arranged(self, others: Sequence[Dataset], is_log: bool | None) -> None:
        """Show other data beside the present data, on axes of this kind."""
        self.view.set_log(is_log)
        self.view.data_plot.show_others(others)

    def run_began(self, run: RunStart) -> None:
        """Show that a fit begins."""
        if run.kind == "fit":
            self.view.begin_fit(_tr("{model}, present curve").format(model=run.model.label))
            self.come_forward()

    def progressed(self, progress: Progress) -> None:
        """Show the present curve and the losses."""
        if self.made is not None:
            self.made.take_progress(progress.current, progress.metrics)

    def dataset_relabelled(self, before: Dataset, after: Dataset) -> None:
        """Keep the fits of data whose conditions were edited."""
        if self.made is not None:
            self.made.kept.relabel(before, after)

    def keep(self, owner: Dataset, result: FitResult, dataset: Dataset) -> None:
        """Keep a fit of any data of the list; `dataset` is in the quantity that was fitted."""
        from rheojobs.qt.widgets.fit.kept_fits import KeptFit

        self.view.keep(owner, KeptFit(result, dataset))

    def run_ended(self) -> None:
        """Show that the run has ended."""
        if self.made is not None:
            self.made.end()

    def result_shown(self, result: FitResult | BayesianResult) -> None:
        """Show a fit, or draw the bands of a posterior behind the data."""
        if isinstance(result, FitResult):
            model = self._model
            is_of = model is not None and shown_name(model.name) == result.model_name
            self.view.show_fit(
                result, model.label if is_of and model is not None else result.model_name
            )
            self.come_forward()
        else:
            self.view.show_bands(result)
