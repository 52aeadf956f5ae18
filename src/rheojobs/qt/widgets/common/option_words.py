"""Messages that name options of the command line, as a window says them. Knows no widget."""

from __future__ import annotations

import re

__all__ = ["without_options"]


def without_options(text: str) -> str:
    """Take the command line's spelling off the names of what can be chosen.

    ``"name them with x= (--x)"`` becomes ``"name them with x"``.
    """
    return re.sub(r"\b(\w+)= \(--[\w-]+\)", r"\1", text)
