"""Ask before something is lost; without a terminal nobody can be asked."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from pathlib import Path

from rheojobs.errors import InputError

__all__ = ["agrees", "can_ask", "check_overwriting"]


def can_ask() -> bool:
    """Whether a person sits at both ends: reads standard error, and types."""
    return bool(sys.stdin and sys.stdin.isatty() and sys.stderr.isatty())


def agrees(question: str) -> bool:
    """Ask a question on standard error; anything but yes is no."""
    print(f"{question} [y/N] ", end="", file=sys.stderr, flush=True)
    answer = ""
    try:
        answer = sys.stdin.readline()
    finally:
        if not answer.endswith("\n"):  # Ctrl-C or Ctrl-D: the prompt's line is still open
            print(file=sys.stderr)
    return answer.strip().casefold() in ("y", "yes")


def check_overwriting(paths: Sequence[Path], overwrite: bool | None) -> None:
    """Raise `InputError` unless files may be replaced by new results.

    Parameters
    ----------
    paths : sequence of Path
        Where results go; those that do not exist, or are devices, are not asked for.
    overwrite : bool or None
        Whether to replace them. None asks if there is a terminal; a script replaces them, as it
        must be possible to run it again, and the line that names a written file says so.
    """
    there = [str(path) for path in paths if path.is_file()]
    if not there or overwrite:
        return
    names = ", ".join(there)
    exist = "exist" if len(there) > 1 else "exists"
    if overwrite is None:
        if not can_ask() or agrees(f"{names} {exist}: replace {'them' if there[1:] else 'it'}?"):
            return
        raise InputError(f"{names}: kept; give another name, or --overwrite")
    raise InputError(f"{names} {exist}: give another name, or --overwrite")
