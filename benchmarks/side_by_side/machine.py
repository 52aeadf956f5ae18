"""The machine: what it is, and the same terms for all sides."""

from __future__ import annotations

import compileall
import contextlib
import importlib.metadata
import importlib.util
import os
import platform
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import psutil

__all__ = ["children_write_to", "compile_bytecode", "describe", "empty_caches"]

COMPILED = ("rheojobs", "rheojax", "jax", "jaxlib", "numpyro", "nlsq", "arviz", "PySide6")
PEERS = ("scipy", "optimistix", "blackjax", "nutpie", "pymc", "numba", "bumps")


def describe() -> dict[str, Any]:
    """Return the load, and a line with processor, memory, revision and versions."""
    versions = [f"python {platform.python_version()}"]
    for name in (*COMPILED, "numpy", *PEERS):
        with contextlib.suppress(importlib.metadata.PackageNotFoundError):
            versions.append(f"{name} {importlib.metadata.version(name)}")
    load = round(psutil.getloadavg()[0], 2)
    return {
        "load": load,
        "words": f"{_processor()}, {len(os.sched_getaffinity(0))} cores, "
        f"{psutil.virtual_memory().total / 2**30:.1f} GiB; load {load} before; "
        f"revision {_revision()}; {', '.join(versions)}.",
    }


def _processor() -> str:
    info = Path("/proc/cpuinfo")
    lines = info.read_text(errors="replace").splitlines() if info.exists() else []
    names = (line.partition(":")[2].strip() for line in lines if line.startswith("model name"))
    return next(names, platform.processor() or platform.machine())


def _revision() -> str:
    """Return the revision of the project that is imported, which need not be the one around."""
    spec = importlib.util.find_spec("rheojobs")
    folder = Path(spec.origin if spec and spec.origin else __file__).parent
    command = ["git", "describe", "--always", "--dirty"]
    try:
        given = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=True)
    except (OSError, subprocess.CalledProcessError):
        return "unknown"
    return given.stdout.strip()


def compile_bytecode() -> None:
    """Write what bytecode is missing, so that no side compiles while it imports."""
    for name in COMPILED:
        spec = importlib.util.find_spec(name)
        for folder in (spec.submodule_search_locations or ()) if spec else ():
            compileall.compile_dir(folder, quiet=2)


def empty_caches(folder: Path) -> None:
    """Give all sides empty folders for compiled programs, so that a first job is a first job.

    RheoJAX and nlsq keep theirs under the home folder, this project under RHEOJOBS_CACHE_DIR;
    Matplotlib's list of fonts stays where it is.
    """
    fonts = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "matplotlib"
    os.environ.setdefault("MPLCONFIGDIR", str(fonts))
    os.environ["HOME"] = os.environ["USERPROFILE"] = str(folder)
    os.environ["RHEOJOBS_CACHE_DIR"] = str(folder / "rheojobs")
    os.environ.pop("JAX_COMPILATION_CACHE_DIR", None)


@contextlib.contextmanager
def children_write_to(path: Path) -> Iterator[None]:
    """Send what child processes write to standard error to a file; ours stays where it is."""
    path.parent.mkdir(parents=True, exist_ok=True)
    sys.stderr.flush()
    kept, before = os.dup(2), sys.stderr
    own = os.fdopen(os.dup(2), "w", buffering=1, encoding="utf-8", errors="replace")
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
