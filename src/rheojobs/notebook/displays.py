"""Where progress is shown: a cell of a notebook, the line of a terminal, or plain lines.

A kernel of Jupyter is recognized without importing IPython, which a script need not have.
"""

from __future__ import annotations

import shutil
import sys
from typing import Protocol, TextIO

from rheojobs.notebook.job_view import JobView

__all__ = ["Display", "in_notebook", "open_display"]


class Display(Protocol):
    """Shows one job from its start to its end."""

    def show(self, view: JobView, hint: str = "") -> None:
        """Show the job as it is now, with a line of advice where there is room for it."""
        ...

    def close(self, view: JobView, hint: str = "") -> None:
        """Show the job for the last time."""
        ...


def in_notebook() -> bool:
    """Return whether this process is a kernel of Jupyter, whose frontend displays HTML."""
    module = sys.modules.get("IPython")
    shell = module.get_ipython() if module is not None else None
    return getattr(shell, "kernel", None) is not None


def open_display(stream: TextIO | None = None) -> Display:
    """Return the display that suits this process.

    Parameters
    ----------
    stream : text file, optional
        Where lines are written if this is no notebook: by default standard error.
    """
    if stream is None and in_notebook():
        return CellDisplay()
    stream = sys.stderr if stream is None else stream
    return TerminalDisplay(stream) if stream.isatty() else PlainDisplay(stream)


class CellDisplay:
    """A part of the output of a cell, which is replaced; from any thread."""

    def __init__(self) -> None:
        from IPython.display import DisplayHandle

        self._handle = DisplayHandle()
        self._shown: dict[str, str] = {}

    def show(self, view: JobView, hint: str = "") -> None:
        bundle = {"text/html": view.as_html(hint), "text/plain": view.as_line()}
        if not self._shown:
            self._handle.display(bundle, raw=True)
        elif bundle != self._shown:
            self._handle.update(bundle, raw=True)
        self._shown = bundle

    close = show


class TerminalDisplay:
    """One line of a terminal, which is rewritten."""

    def __init__(self, stream: TextIO) -> None:
        self._stream = stream
        self._shown = ""

    def show(self, view: JobView, hint: str = "") -> None:
        line = view.as_line()
        if line != self._shown:
            self._shown = line
            width = shutil.get_terminal_size().columns - 1  # a full line would wrap
            self._write(line if len(line) <= width else f"{line[: width - 1]}…")

    def close(self, view: JobView, hint: str = "") -> None:
        line = view.as_line()
        self._write(f"{line}; {hint}\n" if hint else f"{line}\n")

    def _write(self, text: str) -> None:
        self._stream.write(f"\r\x1b[K{text}")
        self._stream.flush()


class PlainDisplay:
    """A line for each stage and one for the end, as for a file."""

    def __init__(self, stream: TextIO) -> None:
        self._stream = stream
        self._shown = ""

    def show(self, view: JobView, hint: str = "") -> None:
        line = f"{view.title}: {view.stage or view.state}"
        if line != self._shown:
            self._shown = line
            print(line, file=self._stream, flush=True)

    def close(self, view: JobView, hint: str = "") -> None:
        line = view.as_line()
        print(f"{line}; {hint}" if hint else line, file=self._stream, flush=True)
