"""What a child process says: one JSON line on its standard output for each thing that happens.

What libraries print goes to standard error, so that it cannot get in between.
"""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

__all__ = ["Mouth", "processors", "save_draws", "serve"]


class Mouth:
    """Says things to the parent."""

    def __init__(self) -> None:
        self._out = os.fdopen(os.dup(1), "w", encoding="utf-8")
        os.dup2(2, 1)

    def say(self, event: str, **details: Any) -> None:
        """Send a line, at once."""
        self._out.write(json.dumps({"event": event, **details}) + "\n")
        self._out.flush()


def processors() -> int:
    """Count the processors that this process may use; without the project, which children time."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def save_draws(path: str, draws: Mapping[str, Any]) -> None:
    """Write draws for the parent, each of shape (chains, draws)."""
    arrays: dict[str, NDArray[np.float64]] = {
        name: np.asarray(values, dtype=np.float64) for name, values in draws.items()
    }
    np.savez(Path(path), **arrays)  # type: ignore[arg-type]


def serve(handle: Callable[[Mapping[str, Any], Mouth], None]) -> None:
    """Handle the parent's requests, one JSON line each, until it closes the pipe."""
    mouth = Mouth()
    for line in sys.stdin:
        try:
            handle(json.loads(line), mouth)
        except Exception as error:  # whatever a library raises is told, and the next may work
            words = " ".join(str(error).split())
            mouth.say("failed", error=f"{type(error).__name__}: {words[:300]}")
