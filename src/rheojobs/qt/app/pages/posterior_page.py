"""The page of the sampling and its posterior."""

from __future__ import annotations

from typing import TYPE_CHECKING

from qtpy.QtCore import QT_TRANSLATE_NOOP

from rheojobs.engine.events import Progress
from rheojobs.inference.models.catalogue import ModelInfo
from rheojobs.inference.results.bayesian_result import BayesianResult
from rheojobs.inference.results.fit_result import FitResult
from rheojobs.qt.app.pages.late_tabs import LateTabs
from rheojobs.qt.app.pages.page import Page, RunStart

if TYPE_CHECKING:  # the plots take as long to load as everything else
    from rheojobs.qt.widgets.posterior.posterior_view import PosteriorView

__all__ = ["PosteriorPage"]

_MOST_NOISE = 2
"""Parameters of the noise: one for the real, one for the imaginary part."""


class PosteriorPage(Page["PosteriorView"]):
    """The diagnostics and the draws of a sampling, while it runs and afterwards."""

    title = str(QT_TRANSLATE_NOOP("pages", "Posterior"))
    hint = str(QT_TRANSLATE_NOOP("pages", "Sample a model to see its posterior (F6)"))
    modules = ("rheojobs.qt.widgets.posterior.posterior_view",)

    def __init__(self, tabs: LateTabs) -> None:
        self._model: ModelInfo | None = None
        super().__init__(tabs)

    def make(self) -> PosteriorView:
        """Return a view with plots for the parameters of the model."""
        from rheojobs.qt.widgets.posterior.posterior_view import PosteriorView

        view = PosteriorView()
        view.prepare(self._count())
        return view

    def model_shown(self, model: ModelInfo | None) -> None:
        """Show no posterior, and prepare the plots for this model."""
        self._model = model
        if self.made is not None:
            self.made.clear()
            self.made.prepare(self._count())

    def run_began(self, run: RunStart) -> None:
        """Show that a sampling begins."""
        if run.kind == "sampling":
            units = {item.name: item.unit for item in run.model.parameters}
            self.view.begin(units, run.until_ess)
            self.come_forward()

    def progressed(self, progress: Progress) -> None:
        """Show diagnostics and traces."""
        if self.made is not None:
            self.made.take_progress(progress.metrics)

    def run_ended(self) -> None:
        """Show that the run has ended."""
        if self.made is not None:
            self.made.end()

    def result_shown(self, result: FitResult | BayesianResult) -> None:
        """Show a posterior."""
        if isinstance(result, BayesianResult):
            self.view.show_result(result)

    def _count(self) -> int:
        """Return the largest number of parameters that a sampling draws, noise included."""
        return len(self._model.parameters) + _MOST_NOISE if self._model is not None else 0
