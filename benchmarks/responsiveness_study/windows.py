"""Runs the windows, each in a process of its own."""

from __future__ import annotations

import os
import shutil
from pathlib import Path
from typing import Any

from side_by_side.child import Child, ChildError

__all__ = ["platform", "run_window"]

PATIENCE = 120.0
"""Seconds for a window to open and to close, besides those that are measured."""


def platform() -> str:
    """Say what the windows are shown on."""
    if os.environ.get("DISPLAY") or os.environ.get("WAYLAND_DISPLAY"):
        return "the screen"
    return "a virtual screen (Xvfb)" if shutil.which("xvfb-run") else "Qt's offscreen platform"


def run_window(module: str, cache: Path, seconds: float = 0.0) -> dict[str, Any]:
    """Run one of this package's windows for so long; return what it found, or the error.

    `cache` is the folder of compiled programs, of the list of models and of the store.
    """
    where = platform()
    environment = {
        "RHEOJOBS_CACHE_DIR": str(cache),
        "RHEOJOBS_STATE_DIR": str(cache / "state"),
        "QT_QPA_PLATFORM": "offscreen" if "offscreen" in where else "",  # Qt chooses
    }
    prefix = ["xvfb-run", "-a", "-s", "-screen 0 1280x800x24"] if "Xvfb" in where else []
    try:
        with Child(f"responsiveness_study.{module}", environment, prefix) as child:
            child.ask({"seconds": seconds})
            return child.hear(timeout=seconds + PATIENCE)[1]
    except ChildError as error:
        return {"error": str(error)}
