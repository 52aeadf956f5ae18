"""What a worker of a Dask cluster does for us: it runs tasks, and hears what is said about them.

Runs inside the cluster's workers, whose event loop calls all but `run_here` while a task runs on a
thread. Knows nothing of the application but the topic that it listens to.
"""

from __future__ import annotations

import importlib
import importlib.metadata
import logging
import os
import platform
import signal
import threading
import time
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from rheojobs.engine import messages
from rheojobs.engine.errors import MemoryLimitError
from rheojobs.engine.executors.dask.held import HeldRun, Holdings, Whereabouts, pickled
from rheojobs.engine.executors.memory import MEMORY_INTERVAL, resident_bytes
from rheojobs.engine.executors.worker_task import obey, run_pickled, undeliverable
from rheojobs.engine.sizes import size
from rheojobs.engine.task import TaskContext

__all__ = [
    "COMPARED",
    "CUT_OFF_SECONDS",
    "acknowledge",
    "adopt",
    "begin_preload",
    "hear",
    "kill_worker",
    "run_here",
    "take",
    "versions",
    "whereabouts",
]

logger = logging.getLogger(__name__)

COMPARED = ("rheojobs", "jax", "numpyro", "rheojax", "numpy")
"""What must be of the same version on the workers as in the application."""

EARLY_WORDS = 1000
"""Words kept about runs that have not begun here; those of runs that never come are forgotten."""

CUT_OFF_GRACE = 2.0
"""Seconds that a task has to stop by itself when its worker leaves, or has lost, the scheduler."""

CUT_OFF_SECONDS = CUT_OFF_GRACE + 4 * MEMORY_INTERVAL
"""Seconds after which no task goes on on a worker that the cluster knows no more."""

_lock = threading.Lock()
_held = Holdings()
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
    """Run a task on this thread, once what it needs is imported; gives its ending, pickled.

    Parameters
    ----------
    topic, key, restored, files
        As `HeldRun` has them.
    task : bytes
        The task, pickled.
    memory : int or None
        Bytes that this process may hold.
    preload : sequence of str
        As of `begin_preload`.
    acknowledged : list of str
        Runs whose ending need not be held any more.
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
    ending = run_pickled(task, run.context, run.tell)
    if run.is_cut_off and isinstance(ending, messages.Cancelled):
        return pickled(messages.Died("its worker has left the cluster"))
    try:
        return pickled(ending)
    except Exception as error:  # the result cannot be pickled
        return pickled(undeliverable(error))


def hear(key: str, verb: str) -> None:
    """Take a word about a run: cancel, pause, resume or inspect."""
    with _lock:
        run = _held.get(key)
        if run is None:
            _early.setdefault(key, []).append(verb)
            while len(_early) > EARLY_WORDS:
                del _early[next(iter(_early))]
            return
    if run.ending is None:
        obey(run.context, verb)


def take(key: str, number: int) -> bytes | None:
    """Give a message that was too large for an event; once."""
    run = _held.get(key)
    return None if run is None else run.take(number)


def whereabouts(topic: str) -> list[Whereabouts]:
    """Give each run that is held here for others than those who listen to a topic."""
    return _held.whereabouts(topic)


def adopt(key: str, topic: str, there: Mapping[str, str]) -> bool:
    """Let an application that came back have a run, as `HeldRun.adopt`; False where it is gone."""
    run = _held.get(key)
    if run is not None:
        run.adopt(topic, there)
    return run is not None


def acknowledge(keys: list[str]) -> None:
    """Let go of runs whose ending has come to their application."""
    _held.drop(keys)


# ---------------------------------------------------------------- watching


def _begin_watch(worker: Any) -> None:
    """Watch this process, on one thread for all runs, from the first on."""
    global _watching
    with _lock:
        if _watching is not None:
            return
        _watching = threading.Thread(
            target=_watch, args=(worker,), name="rheojobs-watch", daemon=True
        )
    _watching.start()


def _watch(worker: Any) -> None:
    """See that no run holds more memory than it may, and that none goes on for nobody."""
    while worker.status.name not in ("closing", "closed", "failed"):
        time.sleep(MEMORY_INTERVAL)
        for run in _held.active() if _limits else ():
            _check_memory(run)
    # Nobody can take any more what a task finds: its job goes on elsewhere, and must not be done
    # twice. It was not cancelled by anybody, either.
    for run in _held.active():
        run.is_cut_off = True
        run.context.token.cancel()
    deadline = time.monotonic() + CUT_OFF_GRACE
    while _held.active() and time.monotonic() < deadline:
        time.sleep(MEMORY_INTERVAL)
    if _held.active():
        os.kill(os.getpid(), signal.SIGKILL)


def _check_memory(run: HeldRun) -> None:
    limit = _limits.get(run.key)
    used = resident_bytes(os.getpid())
    if limit is not None and used > limit:
        _limits.pop(run.key, None)
        text = f"used {size(used)} of the {size(limit)} it was given"
        run.tell(messages.Failed(MemoryLimitError(text)))


# ---------------------------------------------------------------- preparing


def begin_preload(targets: Sequence[str]) -> None:
    """Call functions ``"package.module:function"`` on a thread, once in the life of a worker."""
    global _preloading
    with _lock:
        if _preloading is not None or not targets:
            return
        _preloading = threading.Thread(target=_preload, args=(targets,), daemon=True)
    _preloading.start()


def _wait_for_preload(targets: Sequence[str], context: TaskContext) -> None:
    """Let the imports end: modules that two threads import at the same time may come out broken."""
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
        except Exception:  # whatever an import raises; a task that needs it will say so
            logger.warning("a worker is not fully prepared", exc_info=True)


def versions() -> dict[str, str]:
    """Give the versions of what must be alike on both sides; "" for what is not installed."""
    found = {"python": platform.python_version()}
    for name in COMPARED:
        try:
            found[name] = importlib.metadata.version(name)
        except importlib.metadata.PackageNotFoundError:
            found[name] = ""
    return found


def kill_worker(dask_worker: Any = None) -> None:
    """End a worker's process at once; called in its nanny, or in the worker where it has none."""
    pid = getattr(dask_worker, "pid", None)  # a nanny knows its worker's
    os.kill(pid if isinstance(pid, int) else os.getpid(), signal.SIGKILL)
