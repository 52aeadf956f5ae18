"""`Page`: one tab of the window, and what it is told of data, models and runs."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import ClassVar, Literal

from PySide6.QtCore import QCoreApplication
from PySide6.QtWidgets import QWidget

from rheojobs.engine.events import Progress
from rheojobs.inference.data.dataset import Dataset
from rheojobs.inference.models.catalogue import ModelInfo
from rheojobs.inference.results.bayesian_result import BayesianResult
from rheojobs.inference.results.fit_result import FitResult
from rheojobs.qt.app.pages.late_tabs import LateTabs

__all__ = ["Page", "RunStart"]


@dataclass(frozen=True)
class RunStart:
    """A fit or a sampling that begins.

    Attributes
    ----------
    kind : str
        Which of the two.
    model : ModelInfo
        What is fitted.
    until_ess : float or None
        The ESS that ends a sampling.
    """

    kind: Literal["fit", "sampling"]
    model: ModelInfo
    until_ess: float | None = None


class Page[View: QWidget]:
    """One tab. A subclass makes the view, and overrides what it has to do with.

    The view is made when it is asked for, looked at, or in the background after the start: what
    a page is told before, it keeps until then.

    Parameters
    ----------
    tabs : LateTabs
        Where the page gets its tab.

    Attributes
    ----------
    title : str
        On its tab.
    hint : str
        Stands in the place of the view; a page with a hint is not made when it is looked at.
    modules : tuple of str
        What is to be imported in the background, before `make` needs it.
    """

    title: ClassVar[str] = ""
    hint: ClassVar[str] = ""
    modules: ClassVar[tuple[str, ...]] = ()

    def __init__(self, tabs: LateTabs) -> None:
        self._tabs = tabs
        title, hint = (
            QCoreApplication.translate("pages", text) if text else ""
            for text in (self.title, self.hint)
        )
        self._late = tabs.add(title, self.make, hint)

    def make(self) -> View:
        """Return the view, as it is to look after what was told before."""
        raise NotImplementedError

    @property
    def view(self) -> View:
        """The view; the first time it is made."""
        return self._late.get()

    @property
    def made(self) -> View | None:
        """The view, if there is one already."""
        return self._late.made

    def come_forward(self) -> None:
        """Show this page, and no other."""
        self._tabs.setCurrentWidget(self.view)

    # ---------------------------------------------------------------- what a page is told

    def model_shown(self, model: ModelInfo | None) -> None:
        """Begin anew with a model, or none; `dataset_shown` follows."""

    def dataset_shown(self, dataset: Dataset | None, owner: Dataset | None) -> None:
        """Show data without a result, or none; `owner` has them as they were read."""

    def dataset_dropped(self, owner: Dataset) -> None:
        """Forget data that are in the list no more."""

    def plot_arranged(self, others: Sequence[Dataset], is_log: bool | None) -> None:
        """Show other data beside the present ones, on axes of this kind."""

    def bounds_edited(self, bounds: Mapping[str, tuple[float, float]]) -> None:
        """Take the bounds that the user made narrower."""

    def run_began(self, run: RunStart) -> None:
        """Show that a fit or a sampling begins."""

    def progressed(self, progress: Progress) -> None:
        """Show what it reports."""

    def run_ended(self) -> None:
        """Show that nothing runs any more."""

    def result_shown(self, result: FitResult | BayesianResult) -> None:
        """Show the result of a run, new or from the past; it follows `run_ended`."""
