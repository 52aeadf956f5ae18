"""JAX as this project uses it: float64, and compiled programs kept on disk.

Also what a worker process imports before it is ready. Nothing here knows of models or data.
"""

from __future__ import annotations

import hashlib
import importlib
import importlib.util
import logging
import os
import platform
import threading
from pathlib import Path

__all__ = ["PRELOAD", "cache_folder", "configure_jax", "warm_up"]

logger = logging.getLogger(__name__)

PRELOAD = ("rheojobs.inference.jax_setup:warm_up",)
"""What a `JobEngine` preloads, so that the first fit or sampling finds its worker warm."""

MAX_CACHE_BYTES = 1 << 30

_lock = threading.Lock()
_configured = False


def cache_folder() -> Path:
    """Give the folder of everything that can be made again; `RHEOJOBS_CACHE_DIR` moves it."""
    from platformdirs import user_cache_path

    override = os.environ.get("RHEOJOBS_CACHE_DIR")
    return Path(override) if override else user_cache_path("rheojobs", appauthor=False)


def configure_jax() -> None:
    """Set float64 and the compile cache; idempotent, and must come before the first array."""
    global _configured
    with _lock:
        if _configured:
            return
        import jax

        jax.config.update("jax_enable_x64", True)
        folder = cache_folder() / "xla" / _processor_fingerprint()
        try:
            folder.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            logger.warning("compiled programs are not kept: %s", error)
        else:
            jax.config.update("jax_compilation_cache_dir", str(folder))
            jax.config.update("jax_persistent_cache_min_compile_time_secs", 0.05)
            jax.config.update("jax_persistent_cache_min_entry_size_bytes", 0)
            if importlib.util.find_spec("filelock") is not None:
                jax.config.update("jax_compilation_cache_max_size", MAX_CACHE_BYTES)
        _configured = True


def _processor_fingerprint() -> str:
    """Tell processors apart: a program compiled for another one may not run on this."""
    lines = [platform.machine(), platform.processor()]
    cpuinfo = Path("/proc/cpuinfo")
    if cpuinfo.exists():
        text = cpuinfo.read_text(errors="replace").splitlines()
        lines += [next((line for line in text if line.startswith(("flags", "Features"))), "")]
    return hashlib.sha256("\n".join(lines).encode()).hexdigest()[:12]


def warm_up() -> None:
    """Import what fits and samplings need, and start JAX's back end."""
    configure_jax()
    import jax.numpy as jnp

    for module in (
        "rheojobs.inference.fitting",
        "rheojobs.inference.sampling",
        "arviz_base",
        "arviz_stats.base",
        "nlsq",
        "numpyro.infer",
    ):
        importlib.import_module(module)
    if importlib.util.find_spec("rheojax") is not None:
        from rheojobs.inference import rheojax_models

        rheojax_models.register_all()
    jnp.zeros(1).block_until_ready()
