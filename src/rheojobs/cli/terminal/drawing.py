"""Redraws a region of the terminal; prints plain lines if there is no terminal."""

from __future__ import annotations

import time
from typing import Self

from rich.console import Console, RenderableType
from rich.live import Live
from rich.spinner import Spinner

__all__ = ["FRAME", "STOPPING", "Drawing"]

FRAME = 1 / 15
"""Seconds between two drawings."""

STOPPING = "stopping, keeping the results so far (Ctrl-C again exits at once)"


class Drawing:
    """A context manager that draws in the terminal until it is left.

    Parameters
    ----------
    console : Console
        Standard error. If it is not a terminal, only the title is written, once.
    title : str
        What is being done, such as ``fit of maxwell``.
    """

    def __init__(self, console: Console, title: str) -> None:
        self._console = console
        self._title = title
        self._spinner = Spinner("dots", style="cyan")
        self._began = time.monotonic()
        self._live: Live | None = None

    def __enter__(self) -> Self:
        self._began = time.monotonic()
        if self._console.is_terminal:
            # The thread that waits for the jobs draws: a thread of its own would outlive Ctrl-C.
            self._live = Live(
                console=self._console,
                auto_refresh=False,
                transient=True,
                redirect_stdout=False,
                redirect_stderr=False,
            )
            self._live.start()
        else:
            self._console.print(f"{self._title} …", highlight=False)
        return self

    def __exit__(self, *exception: object) -> None:
        if self._live is not None:
            self._live.stop()
            self._live = None

    @property
    def is_live(self) -> bool:
        """Whether it draws on a terminal."""
        return self._live is not None

    @property
    def elapsed(self) -> float:
        """Seconds since the drawing began."""
        return time.monotonic() - self._began

    def draw(self, picture: RenderableType) -> None:
        """Replace what was drawn before."""
        if self._live is not None:
            self._live.update(picture, refresh=True)
