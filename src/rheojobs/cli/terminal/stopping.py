"""Ctrl-C and SIGTERM: both stop a command, and both keep what there is.

Imports neither typer nor an engine, so that `jobs list` is quick.
"""

from __future__ import annotations

import os
import signal
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType

from rheojobs.cli.statuses import INTERRUPTED, TERMINATED

__all__ = ["StopRequest", "Terminated", "end_at_sigterm", "stop_requests", "terminable"]

_STATUSES = {signal.SIGINT: INTERRUPTED, signal.SIGTERM: TERMINATED}


class Terminated(BaseException):
    """SIGTERM arrived; no KeyboardInterrupt, since typer would make status 130 of that."""


class StopRequest:
    """Whether the user or the system has asked the command to stop.

    Attributes
    ----------
    status : int
        The exit status of a command that was stopped so; 0 if it was not.
    """

    def __init__(self) -> None:
        self.status = 0

    def __bool__(self) -> bool:
        return self.status != 0

    def on_signal(self, number: int, frame: FrameType | None) -> None:
        """Note the first signal; end the process at once at the second."""
        if self:
            if sys.stderr.isatty():
                os.write(sys.stderr.fileno(), b"\x1b[?25h\n")  # the drawing has hidden the cursor
            # The worker ends with this process: the pipe between them closes.
            os._exit(self.status)
        self.status = _STATUSES[signal.Signals(number)]


@contextmanager
def stop_requests() -> Iterator[StopRequest]:
    """Note Ctrl-C and SIGTERM instead of raising within a drawing."""
    wanted = StopRequest()
    before = {number: signal.signal(number, wanted.on_signal) for number in _STATUSES}
    try:
        yield wanted
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


@contextmanager
def terminable() -> Iterator[None]:
    """Raise `Terminated` at SIGTERM, so that no worker and no half-written file is left."""

    def on_signal(number: int, frame: FrameType | None) -> None:
        raise Terminated

    if threading.current_thread() is not threading.main_thread():  # only there signals arrive
        yield
        return
    before = signal.signal(signal.SIGTERM, on_signal)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before)


def end_at_sigterm() -> None:
    """End the process at SIGTERM: the loop of a window would not see a handler in Python."""
    if threading.current_thread() is threading.main_thread():
        signal.signal(signal.SIGTERM, signal.SIG_DFL)
