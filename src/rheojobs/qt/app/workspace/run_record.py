"""`RunRecord`: the fits and samplings that ended in the window, with what they were given."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Literal

from qtpy.QtCore import QObject, Signal

from rheojobs.inference.data.dataset import Dataset
from rheojobs.inference.models.own.reference import FileReference
from rheojobs.inference.results.bayesian_result import BayesianResult
from rheojobs.inference.results.fit_result import FitResult
from rheojobs.inference.workspace.content import Workspace, WorkspaceRun
from rheojobs.inference.workspace.repetition import given_in
from rheojobs.qt.app.session import WindowSession

__all__ = ["RecordedRun", "RunRecord"]


@dataclass(frozen=True, eq=False)
class RecordedRun:
    """A run and its data: the index of a dataset changes when others are closed."""

    dataset: Dataset
    run: WorkspaceRun

    def repeats(self, other: RecordedRun) -> bool:
        """Return whether both were given the same."""
        first, second = self.run, other.run
        return self.dataset is other.dataset and (
            (first.kind, first.model, first.start, first.options)
            == (second.kind, second.model, second.start, second.options)
        )


class RunRecord(QObject):
    """Records each fit and sampling when it ends; a repeated one replaces the earlier one.

    Parameters
    ----------
    session : WindowSession
        Runs the jobs.
    parent : QObject, optional
        The Qt parent.

    Attributes
    ----------
    runs : list of RecordedRun
        In the order of their ends, also of data that were closed: closing can be undone.
    recorded : Signal()
        A run was recorded.
    """

    recorded = Signal()

    def __init__(self, session: WindowSession, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._session = session
        self.runs: list[RecordedRun] = []
        session.fitted.connect(self._on_ended)
        session.sampled.connect(self._on_ended)

    def of(self, datasets: Sequence[Dataset]) -> tuple[WorkspaceRun, ...]:
        """Return the runs of these datasets, with their indices."""
        numbers = {id(dataset): number for number, dataset in enumerate(datasets)}
        return tuple(
            replace(recorded.run, data=numbers[id(recorded.dataset)])
            for recorded in self.runs
            if id(recorded.dataset) in numbers
        )

    def restore(self, workspace: Workspace) -> None:
        """Begin with the runs of a workspace."""
        data = workspace.datasets
        self.runs = [RecordedRun(data[run.data].dataset, run) for run in workspace.runs]

    def last(self, dataset: Dataset, label: str, kind: str) -> WorkspaceRun | None:
        """Return the last run of this kind of a model, by its label, if there is one."""
        for recorded in reversed(self.runs):
            run = recorded.run
            if recorded.dataset is dataset and (run.label, run.kind) == (label, kind):
                return run
        return None

    def _on_ended(self, result: FitResult | BayesianResult) -> None:
        if self._session.submitted is None:
            return
        dataset, task = self._session.submitted
        # Code of the user's own is no part of a workspace: opening it must execute nothing.
        if not isinstance(task.model, str) or FileReference.of(task.model) is not None:
            return
        _, start, options = given_in(task)
        kind: Literal["fit", "sampling"] = "fit" if isinstance(result, FitResult) else "sampling"
        run = WorkspaceRun(kind, 0, task.model, start, options, result)
        made = RecordedRun(dataset, run)
        self.runs = [other for other in self.runs if not other.repeats(made)] + [made]
        self.recorded.emit()
