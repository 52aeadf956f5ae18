"""Interrupts of the kernel (or Ctrl-C) while a job is shown, and errors of one line in a cell."""

from __future__ import annotations

import signal
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import FrameType

from rheojobs.errors import RheojobsError, one_line

__all__ = ["Interrupted", "interrupts", "short_traceback"]


class Interrupted(KeyboardInterrupt):
    """The kernel was interrupted; a cell shows the message without a traceback."""

    def _render_traceback_(self) -> list[str]:  # IPython calls it
        return [str(self)]


@contextmanager
def interrupts() -> Iterator[Callable[[], bool]]:
    """Count interrupts instead of raising them within a display; a second one is raised.

    On another thread than the main one, which alone receives interrupts, nothing is counted.
    """
    if threading.current_thread() is not threading.main_thread():
        yield lambda: False
        return
    count = 0

    def on_signal(number: int, frame: FrameType | None) -> None:
        nonlocal count
        count += 1
        if count > 1:
            raise Interrupted("interrupted twice: what was running is abandoned")

    before = signal.signal(signal.SIGINT, on_signal)
    try:
        yield lambda: count > 0
    finally:
        signal.signal(signal.SIGINT, before)


@contextmanager
def short_traceback() -> Iterator[None]:
    """Let a cell show an error of ours, such as a wrong input, as the line that it is."""
    try:
        yield
    except RheojobsError as error:
        line = one_line(error)
        error._render_traceback_ = lambda: [line]  # type: ignore[attr-defined]  # IPython calls it
        raise
