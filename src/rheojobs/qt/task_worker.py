"""The base of the fit and sampling workers: a task, its signals, and a cancel token.

A `WorkerPool` runs the worker's task on the executor of its engine, and emits the worker's
signals. Without a pool, `run` does the task in the calling thread.
"""

from __future__ import annotations

import logging
from typing import Any

from rheojobs.engine.cancellation import CancellationError, CancellationToken
from rheojobs.engine.events import Progress
from rheojobs.engine.local_context import local_context
from rheojobs.engine.task import Task
from rheojobs.errors import one_line
from rheojobs.qt.binding import QObject, QRunnable

__all__ = ["TaskWorker"]

logger = logging.getLogger(__name__)


class TaskWorker(QRunnable):
    """A `QRunnable` that runs a task.

    Attributes
    ----------
    task : Task
        The work, as data.
    signals : QObject
        Has at least ``completed``, ``failed`` and ``cancelled``.
    cancel_token : CancellationToken
        Cancelling it stops the worker, wherever it runs.
    """

    signals: Any

    def __init__(
        self, task: Task, signals: QObject, cancel_token: CancellationToken | None
    ) -> None:
        super().__init__()
        # Python owns the worker: a pool that deletes it would leave its signals dangling.
        self.setAutoDelete(False)
        self.task = task
        self.signals = signals
        self.cancel_token = cancel_token if cancel_token is not None else CancellationToken()

    def run(self) -> None:
        """Do the work in the calling thread, and emit the signals from it."""
        try:
            with local_context(self.relay_progress, self.cancel_token) as context:
                context.check()
                result = self.task.run(context)
        except CancellationError:
            self.relay_cancelled()
        except Exception as error:  # a signal reports any error of the task
            logger.debug("%s failed", self.task, exc_info=True)
            self.cancel_token.set_error(error)
            self.relay_failed(one_line(error))
        else:
            self.relay_completed(result)

    def relay_progress(self, progress: Progress) -> None:
        """Emit the signals of this kind of worker for a progress report."""
        raise NotImplementedError

    def relay_completed(self, result: object) -> None:
        """Emit the result."""
        self.signals.completed.emit(result)

    def relay_failed(self, message: str) -> None:
        """Emit the error message."""
        self.signals.failed.emit(message)

    def relay_cancelled(self) -> None:
        """Emit that the work was stopped."""
        self.signals.cancelled.emit()
