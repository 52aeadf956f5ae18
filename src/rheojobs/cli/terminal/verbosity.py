"""How much a command writes, and in which colours: the options --quiet, --verbose, --no-color.

Imports neither typer nor rich, so that `jobs list` is quick.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager

__all__ = ["be_quiet", "is_quiet", "log_details", "of_one_command", "without_color"]

_NO_COLOR = "NO_COLOR"
_quiet = False


@contextmanager
def of_one_command() -> Iterator[None]:
    """Restore at the end what a command changed: it may run in a process that goes on."""
    global _quiet
    before = os.environ.get(_NO_COLOR)
    try:
        yield
    finally:
        _quiet = False
        if before is None:
            os.environ.pop(_NO_COLOR, None)
        else:
            os.environ[_NO_COLOR] = before


def be_quiet() -> None:
    """Write results, warnings and errors only."""
    global _quiet
    _quiet = True


def is_quiet() -> bool:
    """Whether --quiet was given."""
    return _quiet


def without_color() -> None:
    """Write without colours; rich and typer's help follow the same variable."""
    os.environ[_NO_COLOR] = "1"


def log_details() -> None:
    """Log details to standard error."""
    import logging  # late: it takes as long as the rest

    logging.basicConfig(format="%(relativeCreated)6d ms %(name)s: %(message)s")
    logging.getLogger("rheojobs").setLevel(logging.DEBUG)
