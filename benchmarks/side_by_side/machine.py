"""The machine and its processes: what it is, equal terms, quiet between jobs, nothing left over.

Knows neither side of the comparison.
"""

from __future__ import annotations

import compileall
import contextlib
import importlib.metadata
import importlib.util
import os
import platform
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import psutil

__all__ = [
    "children_write_to",
    "compile_bytecode",
    "describe",
    "empty_caches",
    "end_children",
    "wait_until_quiet",
]

PACKAGES = ("rheojobs", "rheojax", "jax", "jaxlib", "numpyro", "nlsq", "arviz", "PySide6", "numpy")
COMPILED = ("rheojobs", "rheojax", "jax", "jaxlib", "numpyro", "nlsq", "arviz", "PySide6")
QUIET_SHARE = 0.03
"""Of one processor, that all our children together may use in a quiet moment."""


def describe() -> dict[str, Any]:
    """Give processor, memory, load and versions."""
    versions = {"python": platform.python_version()}
    for name in PACKAGES:
        with contextlib.suppress(importlib.metadata.PackageNotFoundError):
            versions[name] = importlib.metadata.version(name)
    return {
        "processor": _processor(),
        "cores": len(psutil.Process().cpu_affinity())
        if hasattr(psutil.Process, "cpu_affinity")
        else psutil.cpu_count(),
        "memory_gib": round(psutil.virtual_memory().total / 2**30, 1),
        "system": platform.platform(),
        "load": round(psutil.getloadavg()[0], 2),
        "revision": _revision(),
        "versions": versions,
    }


def _processor() -> str:
    info = Path("/proc/cpuinfo")
    if info.exists():
        for line in info.read_text(errors="replace").splitlines():
            if line.startswith("model name"):
                return line.partition(":")[2].strip()
    return platform.processor() or platform.machine()


def _revision() -> str:
    """Give the revision of the project that is imported, which need not be the one around here."""
    spec = importlib.util.find_spec("rheojobs")
    folder = Path(spec.origin if spec and spec.origin else __file__).parent
    command = ["git", "describe", "--always", "--dirty"]
    try:
        given = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=True)
    except (OSError, subprocess.CalledProcessError):
        return "unknown"
    return given.stdout.strip()


def compile_bytecode() -> None:
    """Write what bytecode is missing, so that neither side compiles while it imports."""
    for name in COMPILED:
        spec = importlib.util.find_spec(name)
        for folder in (spec.submodule_search_locations or ()) if spec else ():
            compileall.compile_dir(folder, quiet=2)


def empty_caches(folder: Path) -> None:
    """Give both sides empty folders for compiled programs, so that a first job is a first job.

    RheoJAX and nlsq keep theirs under the home folder, this project under RHEOJOBS_CACHE_DIR;
    Matplotlib's list of fonts stays where it is.
    """
    fonts = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "matplotlib"
    os.environ.setdefault("MPLCONFIGDIR", str(fonts))
    os.environ["HOME"] = os.environ["USERPROFILE"] = str(folder)
    os.environ["RHEOJOBS_CACHE_DIR"] = str(folder / "rheojobs")
    os.environ.pop("JAX_COMPILATION_CACHE_DIR", None)


def _children() -> list[psutil.Process]:
    """Give all processes started from here, but for multiprocessing's tracker, which has to stay.

    It ends by itself when this process does.
    """
    found = []
    for child in psutil.Process().children(recursive=True):
        with contextlib.suppress(psutil.Error):
            if "multiprocessing.resource_tracker" not in " ".join(child.cmdline()):
                found.append(child)
    return found


def _seconds_used() -> float:
    used = 0.0
    for child in _children():
        with contextlib.suppress(psutil.Error):
            times = child.cpu_times()
            used += times.user + times.system
    return used


def wait_until_quiet(timeout: float = 60.0) -> bool:
    """Wait until no child works any more: the side whose turn is next has the machine."""
    deadline = time.monotonic() + timeout
    quiet, before = 0, _seconds_used()
    while quiet < 2 and time.monotonic() < deadline:
        time.sleep(0.3)
        now = _seconds_used()
        quiet = quiet + 1 if abs(now - before) <= 0.3 * QUIET_SHARE else 0
        before = now
    return quiet >= 2


def end_children(grace: float = 3.0) -> int:
    """End all child processes; gives how many had to be ended."""
    left = _children()
    for process in left:
        with contextlib.suppress(psutil.Error):
            process.terminate()
    _, alive = psutil.wait_procs(left, timeout=grace)
    for process in alive:
        with contextlib.suppress(psutil.Error):
            process.kill()
    psutil.wait_procs(alive, timeout=grace)
    return len(left)


@contextlib.contextmanager
def children_write_to(path: Path) -> Iterator[None]:
    """Send what child processes write to standard error to a file; ours stays where it is."""
    path.parent.mkdir(parents=True, exist_ok=True)
    sys.stderr.flush()
    kept = os.dup(2)
    own = os.fdopen(os.dup(2), "w", buffering=1, encoding="utf-8", errors="replace")
    before = sys.stderr
    with path.open("wb") as log:
        os.dup2(log.fileno(), 2)
    sys.stderr = own
    try:
        yield
    finally:
        sys.stderr = before
        own.close()
        os.dup2(kept, 2)
        os.close(kept)
