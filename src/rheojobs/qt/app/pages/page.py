"""`Page`: one tab of the window, with methods for changes of data, models and runs."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import ClassVar, Literal

from qtpy.QtCore import QCoreApplication
from qtpy.QtWidgets import QWidget

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
        ``"fit"`` or ``"sampling"``.
    model : ModelInfo
        The model that is fitted.
    until_ess : float or None
        The ESS that ends a sampling.
    """

    kind: Literal["fit", "sampling"]
    model: ModelInfo
    until_ess: float | None = None


class Page[View: QWidget]:
    """One tab. A subclass makes the view, and overrides the methods that concern it.

    The view is made when it is asked for, when it is shown, or in the background after the start.
    The page keeps what it receives before that.

    Parameters
    ----------
    tabs : LateTabs
        The tabs that the page belongs to.

    Attributes
    ----------
    title : str
        On its tab.
    hint : str
        Shown in place of the view; a page with a hint is not made when it is shown.
    modules : tuple of str
        Modules to import in the background, before `make` needs them.
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
        """Return the view, with everything that the page has received before."""
        raise NotImplementedError

    @property
    def view(self) -> View:
        """The view; the first access makes it."""
        return self._late.get()

    @property
    def made(self) -> View | None:
        """The view if it is made already, else None."""
        return self._late.made

    def come_forward(self) -> None:
        """Make this page the present tab."""
        self._tabs.setCurrentWidget(self.view)

    # ---------------------------------------------------------------- changes

    def model_shown(self, model: ModelInfo | None) -> None:
        """Start again with a model, or none; `dataset_shown` follows."""

    def dataset_shown(self, dataset: Dataset | None, owner: Dataset | None) -> None:
        """Show data without a result, or none; `owner` is the dataset as it was read."""

    def dataset_dropped(self, owner: Dataset) -> None:
        """Forget data that were removed from the list."""

    def dataset_relabelled(self, before: Dataset, after: Dataset) -> None:
        """Take a dataset for another one with the same values and other conditions."""

    def plot_arranged(self, others: Sequence[Dataset], is_log: bool | None) -> None:
        """Show other data beside the present data, on axes of this kind."""

    def bounds_edited(self, bounds: Mapping[str, tuple[float, float]]) -> None:
        """Use the bounds that the user has narrowed."""

    def run_began(self, run: RunStart) -> None:
        """Show that a fit or a sampling begins."""

    def progressed(self, progress: Progress) -> None:
        """Show the progress that the run reports."""

    def run_ended(self) -> None:
        """Show that the run has ended."""

    def result_shown(self, result: FitResult | BayesianResult) -> None:
        """Show the result of a run, new or from the past; called after `run_ended`."""
