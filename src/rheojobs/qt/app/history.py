"""Opens and exports the results of past jobs."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Mapping, Sequence
from concurrent.futures import CancelledError
from pathlib import Path
from typing import Any

from qtpy.QtCore import QObject, Signal
from qtpy.QtWidgets import QFileDialog

from rheojobs.engine.job_control import JobControl, StoredResult
from rheojobs.engine.states import JobState
from rheojobs.engine.task import FunctionTask
from rheojobs.errors import InputError
from rheojobs.inference.data.dataset import Dataset
from rheojobs.inference.reports.export import KINDS, check_export, export
from rheojobs.inference.results.bayesian_result import BayesianResult
from rheojobs.inference.results.fit_result import FitResult
from rheojobs.qt.app.jobs_pane import JobsPane
from rheojobs.qt.background import Background, Then
from rheojobs.qt.widgets.jobs.rows import JobRow
from rheojobs.qt.worker_pool import WorkerPool

__all__ = ["History"]

REMEMBERED = 20
"""Number of results kept in memory if no store has them."""

Result = FitResult | BayesianResult


def _may_have_result(row: JobRow) -> bool:
    return row.state in (JobState.SUCCEEDED, JobState.CANCELLED)


def _found(
    control: JobControl, job_id: str, remembered: StoredResult | None
) -> tuple[Result, Dataset, Mapping[str, Any]]:
    """Read a result and its data; raise `InputError` if they cannot be shown."""
    kept = remembered or control.kept(job_id)
    if not isinstance(kept.result, FitResult | BayesianResult):
        raise InputError(f"{kept.name}: its result is neither a fit nor a posterior")
    if not hasattr(kept.task, "checked_data"):
        raise InputError(f"{kept.name}: its data are not stored")
    options = getattr(kept.task, "options", None) or {}
    config = options.get("model_config") or getattr(kept.task, "model_config", None)
    return kept.result, kept.task.checked_data(), dict(config or {})


class History(QObject):
    """Opens and exports the results of jobs in the table.

    Parameters
    ----------
    pane : JobsPane
        Shows the jobs and gets the actions.
    pool : WorkerPool
        Its results are kept in memory if no store has them; its engine writes the files.

    Attributes
    ----------
    opened : Signal(object, object, object)
        A `FitResult` or `BayesianResult`, its `Dataset`, and the settings of its model.
    exported : Signal(str)
        The path of a file that was written.
    """

    opened = Signal(object, object, object)
    exported = Signal(str)

    def __init__(self, pane: JobsPane, pool: WorkerPool, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._pane = pane
        self._pool = pool
        self._model = pane.table.model
        self._control = pane.table.verbs.control
        self._writing = Background(self)
        self._remembered: OrderedDict[str, StoredResult] = OrderedDict()
        verbs = pane.table.verbs
        self.open_action = verbs.add(
            self.tr("&Open result"),
            "Return",
            self.tr("Show the result of the selected job with its data"),
            _may_have_result,
            self._open_first,
            "show",
        )
        self.export_action = verbs.add(
            self.tr("E&xport…"),
            "Ctrl+E",
            self.tr("Write the result of the selected job to a file: report, table, figure, draws"),
            _may_have_result,
            self._ask_where,
            "save",
        )
        for action in (self.open_action, self.export_action):
            pane.table.add(action)
        pane.table.activated.connect(self.open)
        pool.job_completed.connect(self._remember)

    def close(self) -> None:
        """Emit no more files."""
        self._writing.close()

    def open(self, job_id: str) -> None:
        """Show the result of a job."""
        self._read(job_id, lambda found: self.opened.emit(*found))

    def export(self, job_id: str, path: str | Path) -> None:
        """Write the result of a job to a file, in a worker."""
        self._read(job_id, lambda found: self._write(found[0], found[1], Path(path)))

    # ---------------------------------------------------------------- inside

    def _read(self, job_id: str, then: Then) -> None:
        remembered = self._remembered.get(job_id)
        self._model.background.do(
            lambda: _found(self._control, job_id, remembered), then, self._fail
        )

    def _fail(self, text: str) -> None:
        self._pane.message.say("error", text)

    def _open_first(self, rows: Sequence[JobRow]) -> None:
        if rows:
            self.open(rows[0].job_id)

    def _ask_where(self, rows: Sequence[JobRow]) -> None:
        if not rows:
            return
        kinds = [f"{self._kind(suffix)} (*{suffix})" for suffix in KINDS]
        dialog = QFileDialog(self._pane.window(), self.tr("Export the result"))
        dialog.setAcceptMode(QFileDialog.AcceptMode.AcceptSave)
        dialog.setNameFilters(kinds)
        dialog.setDefaultSuffix("html")
        dialog.selectFile(f"{rows[0].name}.html")
        dialog.filterSelected.connect(
            lambda kind: dialog.setDefaultSuffix(kind.rpartition("*.")[2].rstrip(")"))
        )
        dialog.fileSelected.connect(lambda path: self.export(rows[0].job_id, path))
        dialog.open()

    def _kind(self, suffix: str) -> str:
        return {
            ".html": self.tr("Report on one page"),
            ".csv": self.tr("Table of parameters"),
            ".json": self.tr("All numbers"),
            ".nc": self.tr("Draws for ArviZ, NetCDF"),
        }.get(suffix, self.tr("Figure"))

    def _write(self, result: Result, dataset: Dataset, path: Path) -> None:
        engine = self._pool.local_engine  # the file belongs on this machine

        def write() -> str:
            check_export(result, path)
            task = FunctionTask(export, (result, dataset, str(path)))
            try:
                return str(engine.submit(task, name=f"export {path.name}").result())
            except CancelledError:
                raise InputError(f"{path} was not written: its job was cancelled") from None

        self._pane.message.say("info", self.tr("Writing {path} …").format(path=path))
        self._writing.do(write, self._on_written, self._fail)

    def _on_written(self, path: str) -> None:
        self._pane.message.say("success", self.tr("Wrote {path}").format(path=path))
        self.exported.emit(path)

    def _remember(self, job_id: str, result: object) -> None:
        """Keep a result in memory if no store has it."""
        engine = self._pool.engine
        self._model.flush()  # the table may not have the job yet
        row = self._model.row(job_id)
        if row is None or not isinstance(result, FitResult | BayesianResult):
            return
        if engine.store is None or engine.store_problem:
            task = row.task if row.job is None else row.job.task
            self._remembered[job_id] = StoredResult(job_id, row.name, task, result)
            while len(self._remembered) > REMEMBERED:
                self._remembered.popitem(last=False)
