"""A thread for small things that would hold up the window: a look at the disk, at the machine.

Work that takes long is a job of the engine; this knows no jobs.
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Any

from PySide6.QtCore import QObject, Signal

from rheojobs.errors import RheojobsError, one_line
from rheojobs.qt.thread_gate import ThreadGate

__all__ = ["Background", "Then"]

logger = logging.getLogger(__name__)

Then = Callable[[Any], object]


class Background(QObject):
    """Does one thing after another in a thread of its own; tells what came of it in this one."""

    _woken = Signal()

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="rheojobs-window")
        self._gate = ThreadGate(self, self._woken, self._deliver)
        # Deleted by its parent: what the thread does is not wanted any more.
        thread = self._thread
        self.destroyed.connect(lambda: _leave(thread))

    def do(
        self,
        work: Callable[[], Any],
        then: Then | None = None,
        failed: Callable[[str], object] | None = None,
    ) -> None:
        """Have something done; nothing is, once this is closed.

        Parameters
        ----------
        work : callable
            Called in the other thread.
        then : callable, optional
            Called here with what `work` gave.
        failed : callable, optional
            Called here with one line, where `work` raised; it is logged where not given.
        """
        if self._gate.is_open:
            future = self._thread.submit(work)
            future.add_done_callback(lambda done: self._gate.put((done, then, failed)))

    def close(self) -> None:
        """Take nothing more; what is still done is not told."""
        self._gate.close()
        _leave(self._thread)

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
    thread.shutdown(wait=False)  # what waits is done yet: it may close what is open
