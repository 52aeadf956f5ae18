"""`JobActions`: actions with keys for the selected jobs; they run in the background."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from functools import partial

from qtpy.QtCore import QObject, Qt, Signal
from qtpy.QtGui import QAction, QKeySequence
from qtpy.QtWidgets import QWidget

from rheojobs.engine.job_control import JobControl
from rheojobs.engine.states import JobState
from rheojobs.qt.background import Then
from rheojobs.qt.widgets.common.confirm import LONG_WORK, confirm
from rheojobs.qt.widgets.common.texts import duration
from rheojobs.qt.widgets.jobs.rows import JobRow
from rheojobs.qt.widgets.jobs.table_model import JobTableModel
from rheojobs.qt.widgets.jobs.verb_button import set_mark

__all__ = ["JobActions"]

_S = JobState
_Selected = Callable[[], Sequence[JobRow]]


def _can_cancel(row: JobRow) -> bool:
    return not row.state.is_terminal and row.state is not _S.CANCELLING


def _can_pause(row: JobRow) -> bool:
    return row.state is _S.RUNNING and not row.request


def _can_resume(row: JobRow) -> bool:
    return row.state is _S.PAUSED or row.can_be_taken


def _can_retry(row: JobRow) -> bool:
    if row.state not in (_S.FAILED, _S.CANCELLED):
        return False
    return row.task is not None or not row.not_durable_because


def _can_remove(row: JobRow) -> bool:
    return row.state.is_terminal


def _can_be_moved(row: JobRow) -> bool:
    return row.state in (_S.QUEUED, _S.BLOCKED) or row.can_be_taken


class JobActions(QObject):
    """The actions for a table of jobs; each is enabled if it suits any selected job.

    Parameters
    ----------
    model : JobTableModel
        The jobs.
    selected : callable
        Returns the selected rows.
    parent : QWidget
        The keys of the actions work in this widget and its children.

    Attributes
    ----------
    cancel, pause, resume, retry, remove, sooner, later : QAction
    failed : Signal(str)
        Why an action failed, in one line.
    """

    failed = Signal(str)

    def __init__(self, model: JobTableModel, selected: _Selected, parent: QWidget) -> None:
        super().__init__(parent)
        self.control = JobControl(model.engine)
        self._model = model
        self._selected = selected
        self._widget = parent
        self._conditions: dict[QAction, Callable[[JobRow], bool]] = {}
        self.resume = self.add(
            self.tr("&Resume"),
            "Shift+F8",
            self.tr("Resume the selected jobs that are paused or were interrupted"),
            _can_resume,
            self._resume,
            "play",
        )
        self.pause = self.add(
            self.tr("&Pause"),
            "Shift+F7",
            self.tr("Pause the selected jobs"),
            _can_pause,
            self._pause,
            "pause",
        )
        self.cancel = self.add(
            self.tr("&Cancel"),
            "Del",
            self.tr("Stop the selected jobs"),
            _can_cancel,
            self._cancel,
            "stop",
        )
        self.retry = self.add(
            self.tr("Re&try"),
            "Shift+F5",
            self.tr("Run the selected jobs again that failed or were cancelled"),
            _can_retry,
            self._retry,
            "again",
        )
        self.remove = self.add(
            self.tr("Re&move"),
            "Shift+Del",
            self.tr("Remove the selected jobs that have ended, with their results"),
            _can_remove,
            self._remove,
            "bin",
        )
        self.sooner = self.add(
            self.tr("Run &sooner"),
            "Alt+Up",
            self.tr("Raise the priority of the selected jobs that wait"),
            _can_be_moved,
            partial(self._move, 1),
        )
        self.later = self.add(
            self.tr("Run &later"),
            "Alt+Down",
            self.tr("Lower the priority of the selected jobs that wait"),
            _can_be_moved,
            partial(self._move, -1),
        )

    def add(
        self,
        text: str,
        keys: str,
        hint: str,
        condition: Callable[[JobRow], bool],
        act: Callable[[list[JobRow]], object],
        mark: str = "",
    ) -> QAction:
        """Make an action.

        Parameters
        ----------
        text, keys, hint : str
            Its name, its shortcut, and what it does.
        condition : callable
            Returns whether it suits a job; may use only its `JobRow.facts`.
        act : callable
            Called with the selected jobs that it suits.
        mark : str
            What a button shows instead of the text, one of `marks.MARKS`.
        """
        action = QAction(text, self)
        action.setShortcut(QKeySequence(keys))
        action.setShortcutContext(Qt.ShortcutContext.WidgetWithChildrenShortcut)
        action.setShortcutVisibleInContextMenu(True)
        action.setToolTip(f"{hint} ({action.shortcut().toString()})")
        action.setEnabled(False)
        set_mark(action, mark)
        self._conditions[action] = condition
        action.triggered.connect(lambda: act([r for r in self._selected() if condition(r)]))
        return action

    def all(self) -> list[QAction]:
        """Return all actions, in order of creation."""
        return list(self._conditions)

    def refresh(self) -> None:
        """Enable the actions that suit the selected jobs."""
        # Thousands may be selected; jobs with the same facts need one check.
        rows = list({row.facts: row for row in self._selected()}.values())
        for action, condition in self._conditions.items():
            action.setEnabled(any(condition(row) for row in rows))

    def close(self) -> None:
        """Close the access to the store; call this before the model is closed."""
        self._model.background.do(self.control.close)

    # ---------------------------------------------------------------- the functions called

    def _cancel(self, rows: Sequence[JobRow]) -> None:
        self._ask_if_long(
            rows,
            self.tr("Stop {jobs}?\nIt has run for {time}."),
            self.tr("Stop {jobs}?\nThe longest has run for {time}."),
            self.tr("&Stop"),
            lambda: self._do(rows, self.control.cancel),
        )

    def _pause(self, rows: Iterable[JobRow]) -> None:
        self._do(rows, self.control.pause)

    def _resume(self, rows: Iterable[JobRow]) -> None:
        self._do(rows, self.control.resume)

    def _retry(self, rows: Iterable[JobRow]) -> None:
        for row in rows:
            self._do_one(partial(self.control.retry, row.job_id, row.task, row.name))

    def _remove(self, rows: Sequence[JobRow]) -> None:
        def remove() -> None:
            for row in rows:
                self._do_one(partial(self._removed, row.job_id), self._model.drop)

        self._ask_if_long(
            rows,
            self.tr("Remove {jobs}, with its result?\nIt took {time}."),
            self.tr("Remove {jobs}, with their results?\nThe longest took {time}."),
            self.tr("&Remove"),
            remove,
        )

    def _ask_if_long(
        self, rows: Sequence[JobRow], one: str, many: str, verb: str, act: Callable[[], None]
    ) -> None:
        """Act at once if no job took long; else ask first."""
        longest = max((row.elapsed or 0.0 for row in rows), default=0.0)
        if longest < LONG_WORK:
            act()
            return
        jobs = rows[0].name if len(rows) == 1 else self.tr("{count} jobs").format(count=len(rows))
        question = (one if len(rows) == 1 else many).format(jobs=jobs, time=duration(longest))
        confirm(self._widget, question, verb, self.tr("&Keep"), act)

    def _removed(self, job_id: str) -> list[str]:
        self.control.remove(job_id)
        return [job_id]

    def _move(self, step: int, rows: Iterable[JobRow]) -> None:
        self._do(rows, partial(self.control.move, step))

    def _do(self, rows: Iterable[JobRow], verb: Callable[[str], object]) -> None:
        for row in rows:
            self._do_one(partial(verb, row.job_id))

    def _do_one(self, work: Callable[[], object], then: Then | None = None) -> None:
        self._model.background.do(work, then or self._look, self.failed.emit)

    def _look(self, _: object) -> None:
        self._model.look()
