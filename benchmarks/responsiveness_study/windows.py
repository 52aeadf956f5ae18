"""Runs the windows, each in a process of its own, and takes what they say."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

__all__ = ["platform", "run_window"]

FOLDER = Path(__file__).parents[1]


def platform() -> str:
    """Say what the windows are shown on."""
    if os.environ.get("DISPLAY") or os.environ.get("WAYLAND_DISPLAY"):
        return "the screen"
    return "a virtual screen (Xvfb)" if shutil.which("xvfb-run") else "Qt's offscreen platform"


def run_window(module: str, *arguments: str, timeout: float, cache: Path) -> dict[str, Any]:
    """Run one of this package's modules on a screen; gives what it found.

    Parameters
    ----------
    module : str
        Such as ``"own_window"``.
    *arguments : str
        Of its command line.
    timeout : float
        Seconds.
    cache : Path
        Where compiled programs and the list of models are kept.
    """
    command = [sys.executable, "-m", f"responsiveness_study.{module}", *arguments]
    where = platform()
    environment = {
        **os.environ,
        "RHEOJOBS_CACHE_DIR": str(cache),
        "RHEOJOBS_STATE_DIR": str(cache / "state"),
    }
    environment.pop("QT_QPA_PLATFORM", None)
    if "Xvfb" in where:
        command = ["xvfb-run", "-a", "-s", "-screen 0 1280x800x24", *command]
    elif "offscreen" in where:
        environment["QT_QPA_PLATFORM"] = "offscreen"
    done = subprocess.run(
        command, cwd=FOLDER, env=environment, stdout=subprocess.PIPE, timeout=timeout, check=False
    )
    lines = done.stdout.decode().splitlines()
    try:
        return dict(json.loads(lines[-1]))
    except (IndexError, ValueError):
        return {"error": f"no answer; exit status {done.returncode}"}
