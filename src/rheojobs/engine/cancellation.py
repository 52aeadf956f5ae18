"""Cancellation: the token that carries the request, and the error that ends the work."""

from __future__ import annotations

import threading
from collections.abc import Callable

from rheojobs.engine.loops import call_logged

__all__ = ["CancellationError", "CancellationToken"]


class CancellationError(Exception):
    """Raised inside work that was asked to stop, to end it."""

    def __init__(self, message: str = "cancelled") -> None:
        super().__init__(message)


class CancellationToken:
    """A thread-safe, reusable request to stop.

    The caller that wants the work to stop calls `cancel`; the work calls `check` at points where
    it can stop. One token may serve several jobs, and may be used again after `reset`.
    """

    def __init__(self) -> None:
        self._cancelled = threading.Event()
        self._lock = threading.Lock()
        self._error: BaseException | None = None
        self._callbacks: list[Callable[[], object]] = []

    def cancel(self) -> None:
        """Request cancellation. Idempotent; never blocks; a callback that raises is logged."""
        with self._lock:
            if self._cancelled.is_set():
                return
            self._cancelled.set()
            callbacks = tuple(self._callbacks)
        for callback in callbacks:
            _call(callback)

    def is_cancelled(self) -> bool:
        """Return whether cancellation was requested, without blocking."""
        return self._cancelled.is_set()

    def check(self) -> None:
        """Raise `CancellationError` if cancellation was requested."""
        if self._cancelled.is_set():
            raise CancellationError

    def set_error(self, error: BaseException) -> None:
        """Store the error that ended the work."""
        self._error = error

    def get_error(self) -> BaseException | None:
        """Return the error that ended the work, or None."""
        return self._error

    def reset(self) -> None:
        """Reset the token: not cancelled, no error."""
        with self._lock:
            self._cancelled.clear()
            self._error = None

    def wait(self, timeout: float | None = None) -> bool:
        """Block until cancelled (True) or until `timeout` seconds have passed (False)."""
        return self._cancelled.wait(timeout)

    def on_cancel(self, callback: Callable[[], object]) -> Callable[[], None]:
        """Call `callback` when cancellation is requested, at once if it already was.

        The callback runs in the thread that cancels, so it must not block. An exception that it
        raises is logged: the other callbacks are called, and `cancel` returns, all the same.

        Returns
        -------
        callable
            Removes the callback.
        """
        with self._lock:
            self._callbacks.append(callback)
            already = self._cancelled.is_set()
        if already:
            _call(callback)

        def remove() -> None:
            with self._lock:
                if callback in self._callbacks:
                    self._callbacks.remove(callback)

        return remove


def _call(callback: Callable[[], object]) -> None:
    # Ctrl-C is meant for the thread, not for the callback.
    call_logged(callback, "a callback of a cancellation token", but=KeyboardInterrupt)
