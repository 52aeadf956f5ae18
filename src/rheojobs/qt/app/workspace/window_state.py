"""`WindowState`: takes what the window shows as a workspace, and shows a workspace again."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Literal, cast

from qtpy.QtCore import QObject, Signal

from rheojobs.inference.data.dataset import Dataset
from rheojobs.inference.models.catalogue import ModelInfo
from rheojobs.inference.results.fit_result import FitResult
from rheojobs.inference.workspace.content import Workspace, WorkspaceData, WorkspaceEdits
from rheojobs.qt.app.dataset_library import OpenedDataset
from rheojobs.qt.app.pages.fit_page import FitPage
from rheojobs.qt.app.pages.priors_page import PriorsPage
from rheojobs.qt.app.workspace.notes_page import NotesPage
from rheojobs.qt.app.workspace.run_record import RunRecord

if TYPE_CHECKING:
    from rheojobs.qt.app.main_window import MainWindow

__all__ = ["WindowState"]


class WindowState(QObject):
    """The data, edits, results and notes of a window.

    Parameters
    ----------
    window : MainWindow
        With all its parts.

    Attributes
    ----------
    is_restoring : bool
        Whether it is changing the window itself.
    restored : Signal()
        A workspace is shown.
    """

    restored = Signal()

    def __init__(self, window: MainWindow) -> None:
        super().__init__(window)
        self._window = window
        self.record = RunRecord(window.session, self)
        self.notes = window.tabs.page(NotesPage)
        self.priors = window.tabs.page(PriorsPage)
        self.is_restoring = False
        self._waiting: WorkspaceEdits | None = None
        window.model_picker.model_changed.connect(self._on_models)

    def taken(self) -> Workspace:
        """Return what the window has now; the data and the results are not copied."""
        library = self._window.library
        return Workspace(
            tuple(_data(opened) for opened in library.opened),
            self.record.of(library.datasets),
            self.edits(),
            self.notes.text,
        )

    def edits(self) -> WorkspaceEdits:
        """Return what the user has chosen and typed."""
        window, model = self._window, self._window.model_picker.model
        if self._waiting is not None:  # the list of models is still being made
            return self._waiting
        return WorkspaceEdits(
            window.library.number,
            "" if model is None else model.name,
            window.parameters.given_values(),
            window.parameters.fixed_values(),
            window.parameters.edited_bounds(),
            self.priors.edited(),
        )

    def restore(self, workspace: Workspace) -> None:
        """Show a workspace in place of what is shown."""
        self.is_restoring = True
        try:
            self.record.restore(workspace)
            self.notes.set_text(workspace.notes)
            opened = [_opened(item) for item in workspace.datasets]
            self._window.library.replace_all(opened, workspace.edits.data)
        finally:
            self.is_restoring = False
        self._waiting = workspace.edits
        self._on_models()

    def restore_edits(self, edits: WorkspaceEdits) -> None:
        """Show the dataset of these edits with its fits, the model, its last results, the edits."""
        self.is_restoring = True
        window = self._window
        try:
            for dataset in window.library.datasets:
                self._restore_fits(dataset)
            if window.library.opened:
                window.library.show(max(edits.data, 0))
            if edits.model and not window.model_picker.choose(edits.model):
                words = self.tr("The workspace has the model {model}, which is not offered here.")
                window.parameter_message.say("warning", words.format(model=edits.model))
                return
            self._show_results(edits.model)
            window.parameters.restore_edits(edits.starts, edits.fixed, edits.bounds)
            self.priors.restore_edited(edits.priors)
        finally:
            self.is_restoring = False

    def _on_models(self) -> None:
        """Show the rest of a workspace as soon as the models are known."""
        edits = self._waiting
        if edits is None or self._window.model_picker.is_loading or self.is_restoring:
            return
        self._waiting = None
        self.restore_edits(edits)
        self.restored.emit()

    def _restore_fits(self, dataset: Dataset) -> None:
        runs = [each.run for each in self.record.runs if each.dataset is dataset]
        fits = [
            (run.result, _as_fitted(dataset, self._window.model_picker.info(run.model)))
            for run in runs
            if isinstance(run.result, FitResult)
        ]
        if fits:
            self._window.tabs.page(FitPage).restore_fits(dataset, fits)

    def _show_results(self, model: str) -> None:
        window, dataset = self._window, self._window.library.dataset
        if dataset is None:
            return
        fitted = self.record.last(dataset, model, "fit")
        if fitted is not None and isinstance(fitted.result, FitResult):
            window.session.fit_result = fitted.result
            window.runs.show_result(fitted.result)
        sampled = self.record.last(dataset, model, "sampling")
        if sampled is not None:
            window.runs.show_result(sampled.result)


def _data(opened: OpenedDataset) -> WorkspaceData:
    path = "" if opened.path is None else str(opened.path.absolute())
    return WorkspaceData(opened.dataset, path, reading=opened.reading)


def _opened(item: WorkspaceData) -> OpenedDataset:
    return OpenedDataset(item.dataset, Path(item.path) if item.path else None, item.reading)


def _as_fitted(dataset: Dataset, model: ModelInfo | None) -> Dataset:
    """Return a dataset in the quantity that a model predicts."""
    if model is None or dataset.test_mode != "flow_curve":
        return dataset
    return dataset.as_flow_quantity(cast(Literal["stress", "viscosity"], model.flow_quantity))
