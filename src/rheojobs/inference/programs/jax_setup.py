"""Configure JAX: float64, the device, and a cache of compiled programs on disk."""

from __future__ import annotations

import hashlib
import os
import platform
import threading
from pathlib import Path

from rheojobs.extras import missing_extra
from rheojobs.inference.programs.private_jax import keep_programs
from rheojobs.machine import DEVICE

__all__ = [
    "MAX_CACHE_BYTES",
    "cache_folder",
    "configure_jax",
    "programs_folder",
]

MAX_CACHE_BYTES = 1 << 30
"""The limit on the total size of the compiled programs on disk."""

_lock = threading.Lock()
_configured = False


def cache_folder() -> Path:
    """Return the folder of all caches; `RHEOJOBS_CACHE_DIR` moves it."""
    from platformdirs import user_cache_path

    override = os.environ.get("RHEOJOBS_CACHE_DIR")
    return Path(override) if override else user_cache_path("rheojobs", appauthor=False)


def programs_folder() -> Path:
    """Return the folder of compiled programs, of all the processors that share the disk."""
    return cache_folder() / "xla"


def configure_jax() -> None:
    """Set float64, the device and the compile cache; idempotent; comes before the first array.

    The device is that of the environment variable `RHEOJOBS_DEVICE`, and JAX's own choice by
    default. A variable, because an executor gives its workers nothing else before they import,
    and because it also reaches a Dask worker, the window and a script. JAX has none: its
    `JAX_DEFAULT_DEVICE` takes a platform but no number.

    Raises
    ------
    InputError
        If there is no such device.
    MissingExtraError
        If JAX is not installed.
    """
    global _configured
    with _lock:
        if _configured:
            return
        # RheoJAX and nlsq would set cache folders of their own, in which nothing is ever
        # dropped.
        os.environ.setdefault("NLSQ_DISABLE_PERSISTENT_CACHE", "1")
        os.environ.setdefault("RHEOJAX_NO_JIT_CACHE", "1")
        try:
            import jax
        except ModuleNotFoundError as error:
            raise missing_extra(error) or error from None

        _choose_device(os.environ.get(DEVICE, ""))
        jax.config.update("jax_enable_x64", True)
        # Many programs compile in less than the minimum time for which JAX stores a program.
        jax.config.update("jax_persistent_cache_min_compile_time_secs", 0.0)
        jax.config.update("jax_persistent_cache_min_entry_size_bytes", 0)
        keep_programs(
            programs_folder() / _processor_fingerprint(), programs_folder(), MAX_CACHE_BYTES
        )
        _configured = True


def _choose_device(name: str) -> None:
    if not name:
        return
    import jax

    from rheojobs.inference.programs.devices import device_named

    if name.partition(":")[0].strip().lower() == "cpu":
        # JAX would start on every GPU too, and take memory of each.
        jax.config.update("jax_platforms", "cpu")
    jax.config.update("jax_default_device", device_named(name))


def _processor_fingerprint() -> str:
    """Return an id of the processor: a program compiled for another one may not run on it."""
    lines = [platform.machine(), platform.processor()]
    cpuinfo = Path("/proc/cpuinfo")
    if cpuinfo.exists():
        text = cpuinfo.read_text("utf-8", errors="replace").splitlines()
        lines += [next((line for line in text if line.startswith(("flags", "Features"))), "")]
    return hashlib.sha256("\n".join(lines).encode()).hexdigest()[:12]
