"""Application side: a thread that delivers the messages of runs to the engine, in their order.

Processing a message may cost the engine a write to disk; Dask's event loop, which also sends the
heartbeats, must not wait for that.
"""

from __future__ import annotations

import logging
import threading
from collections import deque
from collections.abc import Callable
from functools import partial

from rheojobs.engine import messages
from rheojobs.engine.executors.dask.run import DaskRun
from rheojobs.engine.loops import call_logged
from rheojobs.errors import one_line

__all__ = ["FINAL", "DeliveryThread", "fault"]

logger = logging.getLogger(__name__)

FINAL = (
    messages.Succeeded,
    messages.Failed,
    messages.Cancelled,
    messages.Died,
    messages.Lost,
)
"""The messages that end a run."""

NOTIFICATION = "a notification of the engine"
"""Names in the log what the thread calls."""


def fault(error: BaseException) -> messages.Failed:
    """Return the ending of a run of which a message could not be handled in the application."""
    failure = RuntimeError(f"a message of this job could not be handled: {one_line(error)}")
    failure.__cause__ = error
    return messages.Failed(failure)


class DeliveryThread:
    """Delivers messages one after another.

    A progress report or a checkpoint that still waits is replaced by a newer one of its run, so
    that a slow receiver uses no memory for superseded messages.

    Parameters
    ----------
    on_fault : callable
        Called, on this thread, with a run that failed because its messages cannot be delivered.
    """

    def __init__(self, on_fault: Callable[[DaskRun], object]) -> None:
        self._on_fault = on_fault
        self._changed = threading.Condition()
        self._queue: deque[_Entry] = deque()
        self._newest: dict[tuple[DaskRun, str], _Entry] = {}
        self._closed = False
        self._has_ended = False
        self._thread = threading.Thread(target=self._run, name="rheojobs-deliver", daemon=True)
        self._thread.start()

    def put(self, control: DaskRun, message: messages.Message) -> None:
        """Deliver a message after all earlier ones; ignore it if the run has ended."""
        deliver, slot = partial(self._deliver, control, message), _slot(message)
        with self._changed:
            if control.is_settled:
                return
            control.is_settled = isinstance(message, FINAL)
            if not self._has_ended:
                self._append(_Entry(deliver, None if slot is None else (control, slot)))
                return
        deliver()

    def call(self, action: Callable[[], object]) -> None:
        """Call a function of the engine after all earlier deliveries."""
        with self._changed:
            if not self._has_ended:
                self._append(_Entry(partial(call_logged, action, NOTIFICATION)))

    def close(self, timeout: float) -> bool:
        """Deliver what waits and end the thread; return False if that exceeds `timeout` seconds."""
        with self._changed:
            self._closed = True
            self._changed.notify()
        if self._thread is threading.current_thread():
            return True
        self._thread.join(timeout)
        return not self._thread.is_alive()

    def _append(self, entry: _Entry) -> None:
        if entry.slot is not None:
            if (older := self._newest.get(entry.slot)) is not None:
                older.action = None
            self._newest[entry.slot] = entry
        self._queue.append(entry)
        self._changed.notify()

    def _run(self) -> None:
        while True:
            with self._changed:
                while not self._queue and not self._closed:
                    self._changed.wait()
                if not self._queue:
                    self._has_ended = True
                    return
                entry = self._queue.popleft()
                action = entry.action
                if entry.slot is not None and self._newest.get(entry.slot) is entry:
                    del self._newest[entry.slot]
            if action is not None:
                action()
            del entry, action  # an idle thread refers to no result

    def _deliver(self, control: DaskRun, message: messages.Message) -> None:
        if control.is_faulty:
            return
        try:
            control.run.tell(message)
        except BaseException as error:  # no exception may end the loop
            logger.exception("a message of job %s cannot be processed", control.run.id[:8])
            control.is_faulty = control.is_settled = True
            call_logged(partial(control.run.tell, fault(error)), NOTIFICATION)
            call_logged(partial(self._on_fault, control), NOTIFICATION)


class _Entry:
    """A function to call; None once it was superseded."""

    __slots__ = ("action", "slot")

    def __init__(
        self, action: Callable[[], object], slot: tuple[DaskRun, str] | None = None
    ) -> None:
        self.action: Callable[[], object] | None = action
        self.slot = slot


def _slot(message: messages.Message) -> str | None:
    """Return a name shared by messages of a run that supersede each other; None if none does."""
    if isinstance(message, messages.Progressed):
        return f"progress {message.progress.stage}"
    return "checkpoint" if isinstance(message, messages.Checkpointed) else None
