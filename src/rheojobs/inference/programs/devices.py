"""The device on which programs run: chosen by its name, and where arrays stay between calls."""

from __future__ import annotations

import contextlib
import functools
import re
from typing import Any

import jax
import numpy as np
from jax import export
from jax.extend import backend

from rheojobs.errors import InputError

__all__ = ["default_device", "device_named", "on_device", "platform"]


def default_device() -> jax.Device:
    """Return the device on which programs run: JAX's default one."""
    chosen = jax.config.jax_default_device
    if isinstance(chosen, str):
        return _first(chosen)
    return _first(None) if chosen is None else chosen


@functools.cache
def _first(kind: str | None) -> jax.Device:
    return jax.local_devices(backend=kind)[0]


def platform(device: jax.Device) -> str:
    """Return for what a program is exported: "cpu", "cuda", "rocm" or "tpu".

    JAX calls both CUDA and ROCm "gpu", but a program of one does not run on the other.
    """
    return "cpu" if device.platform == "cpu" else export.default_export_platform()


def on_device(tree: Any) -> Any:
    """Return arguments of programs as arrays of the device, so that no call moves them again."""
    device = default_device()
    return jax.tree.map(lambda leaf: jax.device_put(np.asarray(leaf), device), tree)


def device_named(name: str) -> jax.Device:
    """Return a device of this machine by its name, such as "cpu:1", "gpu" or "cuda:0".

    Raises
    ------
    InputError
        If there is none of this name; the message names those there are.
    """
    parts = re.fullmatch(r"([a-z_]+)(?::([0-9]+))?", name.strip().lower())
    found: list[jax.Device] = []
    if parts is not None:
        # JAX has no such platform, or its driver does not start.
        with contextlib.suppress(RuntimeError):
            found = jax.local_devices(backend=parts[1])
    number = int(parts[2] or 0) if parts is not None else 0
    if number < len(found):
        return found[number]
    names = ", ".join(_names())
    raise InputError(f"there is no device {name!r}; JAX finds here: {names}")


def _names() -> list[str]:
    """Return the names of all devices of this process."""
    return sorted(
        f"{kind}:{number}"
        for kind in backend.backends()
        for number in range(len(jax.local_devices(backend=kind)))
    )
