"""A region of the terminal that is redrawn; plain lines if there is no terminal."""

from __future__ import annotations

import time
from typing import Self

from rich.console import Console, RenderableType
from rich.live import Live
from rich.spinner import Spinner

__all__ = ["STOPPING", "Drawing"]

STOPPING = "stopping, keeping what there is (Ctrl-C again leaves at once)"


class Drawing:
    """Draws what it is given, between being entered and left.

    Parameters
    ----------
    console : Console
        Standard error. Where it is no terminal, only the title is written, once.
    title : str
        What is being done: ``fit of maxwell``.
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
            # Drawn by the thread that waits for the jobs: one of its own would outlive Ctrl-C.
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
        """Whether there is a place to draw on."""
        return self._live is not None

    @property
    def elapsed(self) -> float:
        """Seconds since it was entered."""
        return time.monotonic() - self._began

    def draw(self, picture: RenderableType) -> None:
        """Draw in place of what was drawn before."""
        if self._live is not None:
            self._live.update(picture, refresh=True)
