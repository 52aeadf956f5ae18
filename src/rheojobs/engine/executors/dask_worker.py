"""What a worker of a Dask cluster does for us: it runs tasks, and hears what is said about them.

Runs inside the cluster's workers, whose event loop calls `hear`, `take` and `begin_preload`
while a task runs on a thread. Knows nothing of the application but the topic that it listens to.
"""

from __future__ import annotations

import contextlib
import importlib
import importlib.metadata
import itertools
import logging
import os
import pickle
import platform
import signal
import threading
from collections.abc import Iterator, Sequence
from typing import Any

import cloudpickle

from rheojobs.engine import messages
from rheojobs.engine.errors import MemoryLimitError
from rheojobs.engine.executors.upkeep import MEMORY_INTERVAL, resident_bytes
from rheojobs.engine.executors.worker import obey, run_pickled, undeliverable
from rheojobs.engine.sizes import size
from rheojobs.engine.task import TaskContext

__all__ = ["COMPARED", "begin_preload", "hear", "kill_worker", "run_here", "take", "versions"]

logger = logging.getLogger(__name__)

COMPARED = ("rheojobs", "jax", "numpyro", "rheojax", "numpy")
"""What must be of the same version on the workers as in the application."""

IN_AN_EVENT = 64 * 1024
"""Bytes that travel in an event: the scheduler keeps events, so larger ones are called for."""

EARLY_WORDS = 1000
"""Words kept about runs that have not begun here; those of runs that never come are forgotten."""

_lock = threading.Lock()
_contexts: dict[str, TaskContext] = {}
_early: dict[str, list[str]] = {}
_outbox: dict[tuple[str, int], bytes] = {}
_preloading: threading.Thread | None = None


class _Voice:
    """Sends the messages of one run, in order, to whoever listens to the topic."""

    def __init__(self, worker: Any, topic: str, run_id: str) -> None:
        self._worker = worker
        self._topic = topic
        self._run_id = run_id
        self._numbers = itertools.count()
        self._lock = threading.Lock()

    def tell(self, message: messages.Message) -> None:
        data = _pickled(message)
        with self._lock:
            number = next(self._numbers)
            if len(data) <= IN_AN_EVENT:
                event: dict[str, Any] = {"run": self._run_id, "message": data}
            else:
                _outbox[self._run_id, number] = data
                event = {"run": self._run_id, "number": number}
            self._worker.log_event(self._topic, event)


def run_here(
    topic: str,
    run_id: str,
    pickled: bytes,
    restored: bytes | None,
    memory: int | None,
    preload: Sequence[str],
) -> bytes:
    """Run a task on this thread, once what it needs is imported; gives its ending, pickled."""
    from distributed import get_worker

    voice = _Voice(get_worker(), topic, run_id)
    context = TaskContext(voice.tell, restored=restored)
    with _lock:
        _contexts[run_id] = context
        early = _early.pop(run_id, [])
    for verb in early:
        obey(context, verb)
    try:
        _wait_for_preload(preload, context)
        with _kept_within(memory, voice):
            return _ending(pickled, context, voice)
    finally:
        with _lock:
            del _contexts[run_id]


def _ending(pickled: bytes, context: TaskContext, voice: _Voice) -> bytes:
    if context.token.is_cancelled():
        return _pickled(messages.Cancelled())
    ending = run_pickled(pickled, context, voice.tell)
    try:
        return _pickled(ending)
    except Exception as error:  # the result cannot be pickled
        return _pickled(undeliverable(error))


def _pickled(message: messages.Message) -> bytes:
    return bytes(cloudpickle.dumps(message, protocol=pickle.HIGHEST_PROTOCOL))


def hear(run_id: str, verb: str) -> None:
    """Take a word about a run: cancel, pause, resume or inspect."""
    with _lock:
        context = _contexts.get(run_id)
        if context is None:
            _early.setdefault(run_id, []).append(verb)
            while len(_early) > EARLY_WORDS:
                del _early[next(iter(_early))]
            return
    obey(context, verb)


def take(run_id: str, number: int) -> bytes:
    """Give a message that was too large for an event; once."""
    return _outbox.pop((run_id, number))


@contextlib.contextmanager
def _kept_within(memory: int | None, voice: _Voice) -> Iterator[None]:
    """Watch that this process holds no more than it may; it is replaced where it does."""
    over = threading.Event()

    def watch() -> None:
        while not over.wait(MEMORY_INTERVAL):
            used = resident_bytes(os.getpid())
            if memory is not None and used > memory:
                text = f"used {size(used)} of the {size(memory)} it was given"
                voice.tell(messages.Failed(MemoryLimitError(text)))
                return

    if memory is not None:
        threading.Thread(target=watch, name="rheojobs-memory", daemon=True).start()
    try:
        yield
    finally:
        over.set()


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
