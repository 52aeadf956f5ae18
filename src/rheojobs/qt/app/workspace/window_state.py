"""`WindowState`: takes what the window shows as a workspace, and shows a workspace again."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from qtpy.QtCore import QObject, Signal

from rheojobs.inference.data.dataset import Dataset
from rheojobs.inference.models.labels import label_of
from rheojobs.inference.models.own.reference import is_formula
from rheojobs.inference.results.fit_result import FitResult
from rheojobs.inference.workspace.content import (
    Workspace,
    WorkspaceData,
    WorkspaceEdits,
)
from rheojobs.qt.app.dataset_library import OpenedDataset
from rheojobs.qt.app.pages.fit_page import FitPage
from rheojobs.qt.app.pages.priors_page import PriorsPage
from rheojobs.qt.app.session import as_predicted
from rheojobs.qt.app.workspace.notes_page import NotesPage
from rheojobs.qt.app.workspace.run_record import RunRecord
from rheojobs.qt.widgets.common.refresh import InSteps

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
    settled : Signal()
        What was restored is shown: edits, or a whole workspace.
    restored : Signal()
        A whole workspace is shown.
    """

    settled = Signal()
    restored = Signal()

    def __init__(self, window: MainWindow) -> None:
        super().__init__(window)
        self._window = window
        self.record = RunRecord(window.session, self)
        self.notes = window.tabs.page(NotesPage)
        self.priors = window.tabs.page(PriorsPage)
        self.is_restoring = False
        self._waiting: WorkspaceEdits | None = None
        self._is_whole = False
        self._steps = InSteps(self)
        self._when_models_are_known: Callable[[], object] = _nothing
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
        window, model = self._window, self._window.configuration.model
        if self._waiting is not None:  # not all of it is shown yet
            return self._waiting
        return WorkspaceEdits(
            window.library.number,
            "" if model is None else model.name,
            window.parameters.given_values(),
            window.parameters.fixed_values(),
            window.parameters.edited_bounds(),
            self.priors.edited(),
            {} if model is None else dict(model.config),
        )

    def restore(self, workspace: Workspace, then: Callable[[], object] = lambda: None) -> None:
        """Show a workspace in place of what is shown, and call `then` when its data are listed."""
        self.record.restore(workspace)
        self.notes.set_text(workspace.notes)
        opened = [_opened(item) for item in workspace.datasets]

        def show() -> None:
            self._window.library.replace_all(opened, workspace.edits.data)
            then()

        self._is_whole = True
        self._begin(workspace.edits, [item.dataset for item in workspace.datasets], show)

    def restore_edits(self, edits: WorkspaceEdits) -> None:
        """Show the dataset of these edits with its fits, the model, its last results, the edits."""
        self._is_whole = False
        self._begin(edits, self._window.library.datasets, lambda: self._show_data(edits))

    def _begin(
        self, edits: WorkspaceEdits, datasets: Sequence[Dataset], show: Callable[[], object]
    ) -> None:
        self._waiting = edits
        self.is_restoring = True
        if not self._window.model_picker.is_loading:
            self._show_in_steps(datasets, show)
            return
        show()
        self.is_restoring = False
        self._when_models_are_known = lambda: self._begin(
            edits, datasets, lambda: self._show_data(edits)
        )

    def _on_models(self) -> None:
        """Show the rest of a workspace as soon as the models are known."""
        if not self._window.model_picker.is_loading:
            self._when_models_are_known, act = _nothing, self._when_models_are_known
            act()

    def _show_in_steps(self, datasets: Sequence[Dataset], show: Callable[[], object]) -> None:
        """Show one thing after the other, so that the window is not blocked by all of them."""
        edits = self._waiting
        assert edits is not None
        fits = [partial(self._restore_fits, dataset) for dataset in datasets]
        self._steps.begin(
            [
                *fits,
                show,
                lambda: self._choose(edits),
            ]
        )

    def _show_data(self, edits: WorkspaceEdits) -> None:
        library = self._window.library
        library.show(min(max(edits.data, 0), len(library.opened) - 1))

    def _choose(self, edits: WorkspaceEdits) -> None:
        """Choose the model; a worker may have to read its parameters before the rest is shown."""
        window = self._window
        if not edits.model:
            self._show_rest(edits)
        elif window.model_picker.info(edits.model) is None and not is_formula(edits.model):
            words = self.tr("The workspace has the model {model}, which is not offered here.")
            window.parameter_message.say("warning", words.format(model=edits.model))
            self._steps.begin([self._finish])
        else:
            window.configuration.choose(edits.model, edits.config, lambda: self._show_rest(edits))

    def _show_rest(self, edits: WorkspaceEdits) -> None:
        self._steps.begin(
            [
                lambda: self._show_last(edits, "fit"),
                lambda: self._show_last(edits, "sampling"),
                lambda: self.restore_typed(edits),
                self._finish,
            ]
        )

    def restore_typed(self, edits: WorkspaceEdits) -> None:
        """Show typed values and priors of the present model."""
        self._window.parameters.change_rows(
            lambda row: row.restore(
                edits.starts.get(row.name), edits.fixed.get(row.name), edits.bounds.get(row.name)
            )
        )
        self.priors.restore_edited(edits.priors)

    def _finish(self) -> None:
        self._waiting = None
        self.is_restoring = False
        self.settled.emit()
        if self._is_whole:
            self.restored.emit()

    def _restore_fits(self, dataset: Dataset) -> None:
        runs = [each.run for each in self.record.runs if each.dataset is dataset]
        info = self._window.model_picker.info
        fits = [
            (run.result, as_predicted(dataset, info(run.model)), run.label)
            for run in runs
            if isinstance(run.result, FitResult)
        ]
        if fits:
            self._window.tabs.page(FitPage).restore_fits(dataset, fits)

    def _show_last(self, edits: WorkspaceEdits, kind: str) -> None:
        """Show the last result of the chosen model with its settings."""
        dataset = self._window.library.dataset
        label = label_of(edits.model, edits.config)
        run = None if dataset is None else self.record.last(dataset, label, kind)
        if run is None:
            return
        if isinstance(run.result, FitResult):
            self._window.session.fit_result = run.result
        self._window.runs.show_result(run.result)


def _nothing() -> None:
    pass


def _data(opened: OpenedDataset) -> WorkspaceData:
    path = "" if opened.path is None else str(opened.path.absolute())
    return WorkspaceData(opened.dataset, path, reading=opened.reading)


def _opened(item: WorkspaceData) -> OpenedDataset:
    return OpenedDataset(item.dataset, Path(item.path) if item.path else None, item.reading)
