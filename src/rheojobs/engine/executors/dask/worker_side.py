"""Worker side: runs tasks, and handles requests about them.

A task runs on a thread of the worker (`run_here`); the worker's event loop calls everything else.
"""

from __future__ import annotations

import importlib
import importlib.metadata
import logging
import os
import platform
import threading
import time
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from rheojobs.engine import messages
from rheojobs.engine.errors import MemoryLimitError
from rheojobs.engine.executors.dask.held import HeldRun, HeldRunInfo, HeldRuns, pickled
from rheojobs.engine.executors.memory import MEMORY_INTERVAL, resident_bytes
from rheojobs.engine.executors.process_family import kill_process
from rheojobs.engine.executors.worker_task import obey, run_pickled, undeliverable
from rheojobs.engine.sizes import size
from rheojobs.engine.task import TaskContext

__all__ = [
    "COMPARED",
    "CUT_OFF_SECONDS",
    "acknowledge",
    "attach",
    "begin_preload",
    "handle_request",
    "kill_worker",
    "list_runs",
    "run_here",
    "take_message",
    "versions",
]

logger = logging.getLogger(__name__)

COMPARED = ("rheojobs", "jax", "numpyro", "rheojax", "numpy")
"""The packages whose versions must be the same on workers and in the application."""

MAX_EARLY = 1000
"""The most runs for which requests are stored before they begin, since some never begin."""

CUT_OFF_GRACE = 2.0
"""Seconds that a task has to stop when its worker leaves or loses the scheduler."""

CUT_OFF_SECONDS = CUT_OFF_GRACE + 4 * MEMORY_INTERVAL
"""Seconds after which no task runs on a worker that has left its cluster."""

_lock = threading.Lock()
_held = HeldRuns()
_limits: dict[str, int] = {}
_early: dict[str, list[str]] = {}
_preloading: threading.Thread | None = None
_watching: threading.Thread | None = None


def run_here(
    topic: str,
    key: str,
    task: bytes,
    restored: bytes | None,
    files: Mapping[str, bytes],
    memory: int | None,
    preload: Sequence[str],
    acknowledged: list[str],
) -> bytes:
    """Run a task on this thread once the preload is done; return its ending, pickled.

    Parameters
    ----------
    topic, key, restored, files
        As of `HeldRun`.
    task : bytes
        The task, pickled.
    memory : int or None
        Memory limit of this process, in bytes.
    preload : sequence of str
        As of `begin_preload`.
    acknowledged : list of str
        Keys of runs whose ending need not be held any more.
    """
    from distributed import get_worker

    acknowledge(acknowledged)
    run = HeldRun(get_worker(), topic, key, restored, files)
    with _lock:
        _held.add(run)
        early = _early.pop(key, [])
        if memory is not None:
            _limits[key] = memory
    _begin_watch(get_worker())
    for verb in early:
        obey(run.context, verb)
    ending = pickled(messages.Died("the worker could not run the task"))
    try:
        _wait_for_preload(preload, run.context)
        ending = _ending(task, run)
    finally:
        _limits.pop(key, None)
        run.end(ending)
    _held.limit()
    return ending


def _ending(task: bytes, run: HeldRun) -> bytes:
    if run.context.token.is_cancelled():
        return pickled(messages.Cancelled())
    ending = run_pickled(task, run.context, run.send)
    if run.is_cut_off and isinstance(ending, messages.Cancelled):
        return pickled(messages.Died("its worker has left the cluster"))
    try:
        return pickled(ending)
    except Exception as error:  # for example, the result cannot be pickled
        return pickled(undeliverable(error))


def handle_request(key: str, verb: str) -> None:
    """Cancel, pause, resume or inspect a run, now or when it begins."""
    with _lock:
        run = _held.get(key)
        if run is None:
            _early.setdefault(key, []).append(verb)
            while len(_early) > MAX_EARLY:
                del _early[next(iter(_early))]
            return
    if run.ending is None:
        obey(run.context, verb)


def take_message(key: str, number: int) -> bytes | None:
    """Return and remove a message that was too large for an event."""
    run = _held.get(key)
    return None if run is None else run.take_message(number)


def list_runs() -> list[HeldRunInfo]:
    """Return the runs that are held here, of all applications."""
    return _held.infos()


def attach(key: str, topic: str, digests: Mapping[str, str]) -> bool:
    """Attach an application to a run (`HeldRun.attach`); return False if the run is not here."""
    run = _held.get(key)
    if run is not None:
        run.attach(topic, digests)
    return run is not None


def acknowledge(keys: list[str]) -> None:
    """Remove runs whose ending has reached their application."""
    _held.drop(keys)


# ---------------------------------------------------------------- watching


def _begin_watch(worker: Any) -> None:
    """Start to monitor this process, on one thread for all runs, from the first run on."""
    global _watching
    with _lock:
        if _watching is not None:
            return
        watching = threading.Thread(
            target=_watch, args=(worker,), name="rheojobs-watch", daemon=True
        )
        try:
            watching.start()
        except RuntimeError as error:  # no thread can be started now: the next run tries again
            logger.warning("the memory of this worker is not watched: %s", error)
            return
        _watching = watching


def _watch(worker: Any) -> None:
    """Stop runs that exceed their memory limit, and all runs when the worker leaves the cluster."""
    while worker.status.name not in ("closing", "closed", "failed"):
        time.sleep(MEMORY_INTERVAL)
        for run in _held.active() if _limits else ():
            try:
                _check_memory(run)
            except Exception:  # the limits of the other runs must still be checked
                logger.exception("the memory of run %s cannot be checked", run.key)
    # No application can receive the results any more: the jobs continue elsewhere, and must not
    # be done twice. They must not look cancelled, either.
    for run in _held.active():
        run.is_cut_off = True
        obey(run.context, "cancel")
    deadline = time.monotonic() + CUT_OFF_GRACE
    while _held.active() and time.monotonic() < deadline:
        time.sleep(MEMORY_INTERVAL)
    if _held.active():
        kill_process(os.getpid())


def _check_memory(run: HeldRun) -> None:
    limit = _limits.get(run.key)
    used = resident_bytes(os.getpid())
    if limit is not None and used > limit:
        _limits.pop(run.key, None)
        text = f"used {size(used)} of the {size(limit)} it was given"
        run.send(messages.Failed(MemoryLimitError(text)))


# ---------------------------------------------------------------- preparing


def begin_preload(targets: Sequence[str]) -> None:
    """Call functions ``"package.module:function"`` on a thread, once per worker."""
    global _preloading
    with _lock:
        if _preloading is not None or not targets:
            return
        preloading = threading.Thread(target=_preload, args=(targets,), daemon=True)
        preloading.start()
        _preloading = preloading


def _wait_for_preload(targets: Sequence[str], context: TaskContext) -> None:
    """Wait for the preload: a module that two threads import at a time may end up broken."""
    begin_preload(targets)
    if _preloading is not None and _preloading.is_alive():
        with context.unstoppable():
            _preloading.join()


def _preload(targets: Sequence[str]) -> None:
    for target in targets:
        module, _, function = target.partition(":")
        try:
            prepared = getattr(importlib.import_module(module), function)()
            if isinstance(prepared, Iterator):
                for _ in prepared:
                    pass
        except BaseException:  # any error of an import; a task that needs it fails by itself
            logger.warning("a worker is not fully prepared", exc_info=True)


def versions() -> dict[str, str]:
    """Return the versions of Python and of `COMPARED`; "" for a package that is not installed."""
    found = {"python": platform.python_version()}
    for name in COMPARED:
        try:
            found[name] = importlib.metadata.version(name)
        except importlib.metadata.PackageNotFoundError:
            found[name] = ""
    return found


def kill_worker(dask_worker: Any = None) -> None:
    """Kill a worker's process; called in its nanny, or in the worker if it has none."""
    pid = getattr(dask_worker, "pid", None)  # a nanny has the pid of its worker
    kill_process(pid if isinstance(pid, int) else os.getpid())
