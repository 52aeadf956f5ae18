"""Runs any `QRunnable` as a task of the engine, and relays its signals if it has any."""

from __future__ import annotations

import contextlib
import threading
from typing import Any

from rheojobs.engine.cancellation import CancellationError
from rheojobs.engine.loops import call_logged
from rheojobs.engine.task import TaskContext
from rheojobs.errors import RheojobsError
from rheojobs.qt.binding import QRunnable, Qt

__all__ = ["RunnableTask"]


class RunnableTask:
    """Runs a `QRunnable` on a thread; its signals report how it ended.

    The signals, all optional, are ``completed(result)``, ``failed(message)``, ``cancelled()`` and
    ``progress`` with two or three arguments: current, total, message. It is cancelled by its
    method ``cancel()``, or else by that of its ``cancel_token``.
    """

    def __init__(self, runnable: QRunnable) -> None:
        # Python owns it; it is never in a C++ pool.
        runnable.setAutoDelete(False)
        self._runnable = runnable
        self._result: Any = None
        self._failure: str | None = None
        self._cancelled = False

    @property
    def name(self) -> str:
        """The name that users see."""
        return type(self._runnable).__name__

    def run(self, context: TaskContext) -> Any:
        """Call `run` of the runnable."""
        forget = context.token.on_cancel(self._cancel)
        try:
            with self._listening(context):
                self._runnable.run()
        finally:
            forget()
        if self._failure is not None:
            raise RheojobsError(self._failure)
        if self._cancelled:
            raise CancellationError
        return self._result

    def _cancel(self) -> None:
        """Ask the runnable to stop: by its own `cancel`, else by that of its token.

        Both may exist, and its own may do more, such as to end a process. It may also block until
        the work has ended, so it is called in a thread.
        """
        owners = (self._runnable, getattr(self._runnable, "cancel_token", None))
        found = [getattr(owner, "cancel", None) for owner in owners]
        cancel = next((each for each in found if callable(each)), None)
        if cancel is not None:
            what = f"cancel of {self.name}"
            threading.Thread(target=call_logged, args=(cancel, what), daemon=True).start()

    @contextlib.contextmanager
    def _listening(self, context: TaskContext) -> Any:
        """Connect directly to the signals that exist: they are emitted in this thread."""

        def progress(*args: Any) -> None:
            numbers = [int(arg) for arg in args if isinstance(arg, int | float)][:2]
            words = [arg for arg in args if isinstance(arg, str)]
            current, total = [*numbers, 0, 0][:2]
            context.progress(current, total, words[0] if words else "")

        slots = {
            "completed": self._on_completed,
            "failed": self._on_failed,
            "cancelled": self._on_cancelled,
            "progress": progress,
        }
        signals = getattr(self._runnable, "signals", None)
        connected = []
        for name, slot in slots.items():
            signal = getattr(signals, name, None)
            if signal is not None and hasattr(signal, "connect"):
                signal.connect(slot, Qt.ConnectionType.DirectConnection)
                connected.append((signal, slot))
        try:
            yield
        finally:
            for signal, slot in connected:
                signal.disconnect(slot)

    def _on_completed(self, *result: Any) -> None:
        self._result = result[0] if result else None

    def _on_failed(self, *message: Any) -> None:
        self._failure = str(message[0]) if message else "failed"

    def _on_cancelled(self, *_: Any) -> None:
        self._cancelled = True
