"""What fit and sampling workers have in common: a task, its signals, and a token.

A worker is handed to a `WorkerPool`, which runs its task wherever the pool's engine does and
relays what happens to the worker's own signals; or it runs itself, in the thread that calls
`run`. Thin: no fitting and no sampling here.
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
    """A `QRunnable` around a task.

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
        # Python owns the worker; a pool that deletes it would leave its signals dangling.
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
        except Exception as error:  # whatever the task raises is told by a signal
            logger.debug("%s failed", self.task, exc_info=True)
            self.cancel_token.set_error(error)
            self.relay_failed(one_line(error))
        else:
            self.relay_completed(result)

    def relay_progress(self, progress: Progress) -> None:
        """Emit what a report means for this kind of worker."""
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
