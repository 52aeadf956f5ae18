"""The jobs in the window: the table, what is wrong with their store, what a start has found.

Starts nothing by itself; must not know data and models.
"""

from __future__ import annotations

from collections.abc import Sequence

from PySide6.QtCore import QTimer, Signal
from PySide6.QtWidgets import QVBoxLayout, QWidget

from rheojobs.engine.job_control import OrphanedJobs
from rheojobs.qt.widgets.common.choice_bar import ChoiceBar
from rheojobs.qt.widgets.common.message_bar import MessageBar
from rheojobs.qt.widgets.jobs.table import JobTable
from rheojobs.qt.worker_pool import WorkerPool

__all__ = ["HOUSEKEEPING", "JobsPane"]

HOUSEKEEPING = ("catalogue", "read")
"""The functions that the window runs for itself: they are shown nowhere, and left to nobody."""

_STORE_MS = 1000


class JobsPane(QWidget):
    """The table of the pool's jobs, and above it what should be known of them.

    Attributes
    ----------
    table : JobTable
        The jobs.
    store_message : MessageBar
        Why jobs are not kept on disk at present.
    recovery : ChoiceBar
        What to do with jobs that an application which is gone has left.
    message : MessageBar
        Why something could not be done.
    recovered : Signal()
        It is known now whether there are such jobs.
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
        for bar in (self.store_message, self.recovery, self.message):
            layout.addWidget(bar)
        layout.addWidget(self.table, 1)
        self.table.verbs.failed.connect(lambda text: self.message.say("error", text))
        self.table.view.selectionModel().selectionChanged.connect(self.message.clear)
        self._store_timer = QTimer(self, interval=_STORE_MS)
        self._store_timer.timeout.connect(self._check_store)
        self._store_timer.start()
        self._check_store()
        self._look_for_waiting()

    def close_down(self) -> None:
        """Look no more at the jobs."""
        self._store_timer.stop()
        self.table.close_down()

    # ---------------------------------------------------------------- the store

    def _check_store(self) -> None:
        problem = self._engine.store_problem
        if not problem:
            self.store_message.clear()
            return
        text = self.tr(
            "The jobs are not kept on disk: {problem}. They run all the same, and are gone when "
            "the program ends."
        ).format(problem=problem)
        if self.store_message.text() != text:
            self.store_message.say("warning", text)

    # ---------------------------------------------------------------- what others left

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
                self.tr("Go on with them: those that had begun, from where they were last kept")
            )
            self.recovery.buttons[1].setToolTip(
                self.tr("Leave them in the table: they can be resumed or cancelled there")
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
            parts.append(self.tr("1 job waits that had not begun"))
        elif queued:
            parts.append(self.tr("{count} jobs wait that had not begun").format(count=queued))
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
