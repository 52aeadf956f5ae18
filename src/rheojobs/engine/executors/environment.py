"""Environment variables of workers: their device, their threads, their share of a GPU."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from rheojobs.errors import InputError
from rheojobs.machine import DEVICE

__all__ = ["environments", "worker_environment"]

_THREADS = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "NPROC")


def worker_environment(
    *,
    device: str | None = None,
    threads: int | None = None,
    gpus: Iterable[int | str] | None = None,
    gpu_memory: float | None = None,
) -> dict[str, str]:
    """Return an environment for `ProcessExecutor`'s `env`.

    Parameters
    ----------
    device : str, optional
        The device on which a worker computes, as JAX names it: ``"cpu"``, ``"cpu:1"``, ``"gpu"``,
        ``"cuda:1"``. Its number counts the devices that the worker sees (`gpus`).
    threads : int, optional
        Threads that a worker computes on: those of OpenMP, OpenBLAS, MKL, and XLA's pool
        (``NPROC``, which jaxlib reads in place of the number of cores). N workers with 1/N of the
        cores each do not compete for them.
    gpus : iterable of int or str, optional
        Devices that a worker sees (``CUDA_VISIBLE_DEVICES``); none if it is empty.
    gpu_memory : float, optional
        Share of a device's memory that a worker takes, above 0 and at most 1
        (``XLA_CLIENT_MEM_FRACTION``): 0.9 / N for N workers on one device.

    Examples
    --------
    Four workers, two on each of two GPUs::

        two = [worker_environment(gpus=[n], gpu_memory=0.3) for n in (0, 1)]
        ProcessExecutor(4, env=two)  # 0.3, since a warm spare comes on top
    """
    env: dict[str, str] = {}
    if device is not None:
        env[DEVICE] = device
    if threads is not None:
        if isinstance(threads, bool) or not isinstance(threads, int) or threads < 1:
            raise InputError(f"threads must be a whole number above 0, got {threads!r}")
        env.update(dict.fromkeys(_THREADS, str(threads)))
    if gpus is not None:
        env["CUDA_VISIBLE_DEVICES"] = ",".join(str(device) for device in gpus)
    if gpu_memory is not None:
        if not 0.0 < gpu_memory <= 1.0:
            raise InputError(f"gpu_memory is a share above 0 and at most 1, got {gpu_memory!r}")
        env["XLA_CLIENT_MEM_FRACTION"] = f"{gpu_memory:g}"
    return env


def environments(
    env: Mapping[str, str] | Sequence[Mapping[str, str]],
) -> list[Mapping[str, str]]:
    """Return one or more environments; raise `InputError` for anything but text."""
    found = [env] if isinstance(env, Mapping) else list(env)
    for each in found:
        for name, value in each.items():
            if not isinstance(name, str) or not isinstance(value, str):
                raise InputError(f"an environment has text alone, got {name!r}: {value!r}")
    return found or [{}]
