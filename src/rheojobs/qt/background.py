"""A thread for short tasks that would block the window, such as reading the disk.

Long work is a job of the engine instead.
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Any

from rheojobs.errors import RheojobsError, one_line
from rheojobs.qt.binding import QObject, Signal, Slot
from rheojobs.qt.deletion import when_deleted
from rheojobs.qt.thread_gate import ThreadGate

__all__ = ["Background", "Then"]

logger = logging.getLogger(__name__)

Then = Callable[[Any], object]


class Background(QObject):
    """Runs functions one by one in a separate thread; delivers their results in the owner's."""

    _woken = Signal()

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="rheojobs-window")
        self._gate = ThreadGate(self, self._woken, self._deliver)
        # Deleted by its parent: the results of the thread are no longer needed.
        when_deleted(self, _leave, self._thread)

    def do(
        self,
        work: Callable[[], Any],
        then: Then | None = None,
        failed: Callable[[str], object] | None = None,
    ) -> None:
        """Run a function in the thread; do nothing if closed.

        Parameters
        ----------
        work : callable
            Called in the other thread.
        then : callable, optional
            Called in this thread with the result of `work`.
        failed : callable, optional
            Called in this thread with one line if `work` raised; by default the error is logged.
        """
        if self._gate.is_open:
            future = self._thread.submit(work)
            future.add_done_callback(lambda done: self._gate.put((done, then, failed)))

    def close(self) -> None:
        """Accept nothing more; results that are still to come are dropped."""
        self._gate.close()
        _leave(self._thread)

    @Slot()
    def _deliver(self) -> None:
        self._gate.deliver(self._tell)

    def _tell(self, what: tuple[Future[Any], Then | None, Then | None]) -> None:
        done, then, failed = what
        if done.cancelled():
            return
        error = done.exception()
        if error is None:
            if then is not None:
                then(done.result())
            return
        if not isinstance(error, RheojobsError):
            logger.error("%s", one_line(error), exc_info=error)
        if failed is not None:
            failed(one_line(error))
        elif isinstance(error, RheojobsError):
            logger.warning("%s", error)


def _leave(thread: ThreadPoolExecutor) -> None:
    thread.shutdown(wait=False)  # the queue is still run: it may close open resources
