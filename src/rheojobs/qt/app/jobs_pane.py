"""The jobs in the window: the table, problems of their store, and jobs left by a closed program.

Starts no job without the user's consent.
"""

from __future__ import annotations

from collections.abc import Sequence

from qtpy.QtCore import QTimer, Signal
from qtpy.QtWidgets import QVBoxLayout, QWidget

from rheojobs.engine.job_control import OrphanedJobs
from rheojobs.qt.widgets.common.choice_bar import ChoiceBar
from rheojobs.qt.widgets.common.message_bar import MessageBar
from rheojobs.qt.widgets.jobs.table import JobTable
from rheojobs.qt.worker_pool import WorkerPool

__all__ = ["HOUSEKEEPING", "JobsPane"]

HOUSEKEEPING = ("catalogue", "describe", "read")
"""Functions that the window runs for itself: never shown, and not left for the next start."""

_STORE_MS = 1000


class JobsPane(QWidget):
    """The table of the pool's jobs, with messages below it.

    Attributes
    ----------
    table : JobTable
        The jobs.
    store_message : MessageBar
        Why jobs are not stored on disk at present.
    recovery : ChoiceBar
        Asks what to do with jobs that a closed application has left.
    message : MessageBar
        Why an action failed.
    recovered : Signal()
        The search for such jobs has ended.
    """

    recovered = Signal()

    def __init__(self, pool: WorkerPool, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._engine = pool.engine
        self.table = JobTable(pool, hidden=HOUSEKEEPING)
        self.store_message = MessageBar(self)
        self.store_message.setAccessibleName(self.tr("Message about the store of jobs"))
        self.recovery = ChoiceBar(self)
        self.message = MessageBar(self)
        self.waiting = OrphanedJobs()
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(4)
        layout.addWidget(self.table, 1)
        # Below: a message that comes must not move the rows under the pointer.
        for bar in (self.store_message, self.recovery, self.message):
            layout.addWidget(bar)
        self.table.verbs.failed.connect(lambda text: self.message.say("error", text))
        self.table.view.selectionModel().selectionChanged.connect(self.message.clear)
        self._store_timer = QTimer(self, interval=_STORE_MS)
        self._store_timer.timeout.connect(self._check_store)
        self._store_timer.start()
        self._check_store()
        self._look_for_waiting()

    def close_down(self) -> None:
        """Stop watching the jobs."""
        self._store_timer.stop()
        self.table.close_down()

    # ---------------------------------------------------------------- the store

    def _check_store(self) -> None:
        problem = self._engine.store_problem
        if not problem:
            self.store_message.clear()
            return
        text = self.tr(
            "The jobs are not stored on disk: {problem}. They run anyway, and are lost when the "
            "program ends."
        ).format(problem=problem)
        if self.store_message.text() != text:
            self.store_message.say("warning", text)

    # ---------------------------------------------------------------- jobs that were left

    def _look_for_waiting(self) -> None:
        control = self.table.verbs.control
        self.table.model.background.do(
            lambda: control.waiting(HOUSEKEEPING), self._ask, self._say_unreadable
        )

    def _ask(self, waiting: OrphanedJobs) -> None:
        self.waiting = waiting
        if waiting:
            self.recovery.ask(
                "info",
                self._left(waiting),
                [(self.tr("Resume"), self._take_up), (self.tr("Leave"), self._leave)],
            )
            self.recovery.buttons[0].setToolTip(
                self.tr("Resume the jobs: those that had begun continue from their last checkpoint")
            )
            self.recovery.buttons[1].setToolTip(
                self.tr("Leave the jobs in the table, where they can be resumed or cancelled")
            )
        self.recovered.emit()

    def _say_unreadable(self, text: str) -> None:
        self.message.say("error", text)
        self.recovered.emit()

    def _left(self, waiting: OrphanedJobs) -> str:
        begun, queued = len(waiting.interrupted), len(waiting.queued)
        parts = []
        if begun == 1:
            parts.append(self.tr("1 job was interrupted when the program ended"))
        elif begun:
            parts.append(
                self.tr("{count} jobs were interrupted when the program ended").format(count=begun)
            )
        if queued == 1:
            parts.append(self.tr("1 job waits, not yet started"))
        elif queued:
            parts.append(self.tr("{count} jobs wait, not yet started").format(count=queued))
        return "; ".join(parts) + "."

    def _take_up(self) -> None:
        waiting, self.waiting = self.waiting, OrphanedJobs()
        control = self.table.verbs.control
        self.table.model.background.do(
            lambda: control.take_up(waiting), self._on_taken_up, self._say_unreadable
        )

    def _on_taken_up(self, refusals: Sequence[str]) -> None:
        if refusals:
            self.message.say("warning", "\n".join(refusals))

    def _leave(self) -> None:
        self.waiting = OrphanedJobs()
