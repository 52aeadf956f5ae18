"""The main program of a worker process: imports once, then runs tasks until its application ends.

Started by `rheojobs.engine.executors.processes.pool`; never imported by the application.
"""

from __future__ import annotations

import faulthandler
import gc
import importlib
import itertools
import json
import logging
import os
import queue
import signal
import sys
import threading
import time
from collections.abc import Callable, Iterator
from typing import Any, NoReturn

from rheojobs.engine import messages
from rheojobs.engine.executors import process_family
from rheojobs.engine.executors.processes.channel import Channel, ChannelClosedError
from rheojobs.engine.executors.processes.lifeline import die_with_the_application
from rheojobs.engine.executors.worker_task import obey, run_pickled, undeliverable
from rheojobs.engine.task import TaskContext

__all__ = ["main"]

logger = logging.getLogger(__name__)

IDLE_SECONDS = 0.2
"""Seconds without a task after which a worker continues its preload."""

LOOK = 0.01
"""Seconds between two checks for a long task, during which the second thread must read."""

QUIET = 100
"""Checks without a new task after which checking stops."""

_Item = tuple[str, bytes] | None


class Worker:
    """Runs tasks on the main thread; a second thread cancels and pauses them.

    Between two tasks the main thread itself reads from the channel, so that a short task need not
    wait for two threads to wake up; the second thread reads during long tasks and the preload.

    Parameters
    ----------
    channel : Channel
        To the application.
    later : iterator
        Each step of it is one step of the preload.
    """

    def __init__(self, channel: Channel, later: Iterator[object]) -> None:
        self._channel = channel
        self._later = later
        self._todo: queue.SimpleQueue[_Item] = queue.SimpleQueue()
        self._contexts: dict[str, TaskContext] = {}
        self._reading = threading.Lock()  # the thread that holds it reads from the channel
        self._is_prepared = False
        self._begun = self._ended = 0
        self._is_asleep = False
        self._wakeup = threading.Event()

    def serve(self) -> None:
        """Run tasks until the application asks the worker to end."""
        self._reading.acquire()  # at first, the second thread reads
        threading.Thread(target=self._listen, name="rheojobs-listen", daemon=True).start()
        self._channel.send(("ready", os.getpid()))
        while (item := self._next()) is not None:
            self._run(item)
            del item  # an idle worker holds no task and no result

    def _run(self, item: tuple[str, bytes]) -> None:
        run_id, task = item
        self._begun += 1
        if self._is_asleep:
            self._wakeup.set()
        ending = run_pickled(task, self._contexts[run_id], self._sender(run_id))
        del self._contexts[run_id]
        self._ended += 1
        self._tell(run_id, ending)

    def _next(self) -> _Item:
        """Wait for a task, and continue the preload meanwhile."""
        while not self._is_prepared:
            try:
                return self._todo.get(timeout=IDLE_SECONDS)
            except queue.Empty:
                self._is_prepared = self._prepare()
        if self._reading.acquire(blocking=False):
            try:
                return self._receive() if self._todo.empty() else self._todo.get()
            finally:
                self._reading.release()
        return self._todo.get()  # the other thread reads, and will put the next task there

    def _prepare(self) -> bool:
        """Take a step of the preload; return whether it is complete."""
        nothing = object()
        try:
            return next(self._later, nothing) is nothing
        except BaseException:  # any error of an import; a task that needs it fails by itself
            logger.warning("a worker is not fully prepared", exc_info=True)
            return False

    def _sender(self, run_id: str) -> Callable[[messages.Message], None]:
        return lambda message: self._channel.send((run_id, message))

    def _tell(self, run_id: str, ending: messages.Message) -> None:
        try:
            self._channel.send((run_id, ending))
        except ChannelClosedError:
            raise
        except BaseException as error:  # the result cannot be pickled
            self._channel.send((run_id, undeliverable(error)))

    def _listen(self) -> None:
        """Read from the channel, except between short tasks, when the main thread does."""
        try:
            while True:
                item = self._receive()
                self._todo.put(item)  # before the other thread may read: it checks here first
                del item
                if not self._is_prepared:
                    continue  # the other thread is in the preload
                self._reading.release()
                self._wait_for_a_long_task()
        except ChannelClosedError:
            self._leave()
        except BaseException:  # a worker that can no longer be cancelled must be replaced
            logger.exception("a worker cannot read messages any more")
            self._leave(1)

    def _leave(self, status: int = 0) -> None:
        """End the process: the application has ended, or must start another worker."""
        _end_process(status)

    def _wait_for_a_long_task(self) -> None:
        """Return, with the right to read, once a task has run from one check to the next."""
        begun, quiet = -1, 0
        while True:
            time.sleep(LOOK)
            is_running = self._begun > self._ended
            if is_running and begun == self._begun and self._reading.acquire(blocking=False):
                return
            quiet = quiet + 1 if begun == self._begun else 0
            begun = self._begun
            if quiet > QUIET and not is_running:
                self._is_asleep = True
                if self._begun == begun:  # else a new task has begun meanwhile
                    self._wakeup.wait()
                self._is_asleep = False
                self._wakeup.clear()
                quiet = 0

    def _receive(self) -> _Item:
        """Read until there is a task, or None for the end; apply requests meanwhile."""
        while True:
            verb, *args = self._channel.receive()
            if verb == "run":
                run_id, task, restored = args
                self._contexts[run_id] = TaskContext(
                    self._sender(run_id), restored=restored, is_tidied=True
                )
                return run_id, task
            if verb == "exit":
                return None
            if (context := self._contexts.get(args[0])) is not None:
                obey(context, verb)


def _end_process(status: int = 0) -> NoReturn:
    """End this process at once: exit handlers of other libraries save nothing, and may hang."""
    try:
        process_family.kill_children()
    finally:
        os._exit(status)


def main() -> None:
    """Serve the application that started this process."""
    config: dict[str, Any] = json.loads(sys.argv[1])
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # the application handles Ctrl-C
    if config["lifeline"] is not None:
        die_with_the_application(config["lifeline"])
    if hasattr(os, "nice"):  # on Windows the application has set the priority
        os.nice(config["nice"])
    faulthandler.enable()
    channel = _take_standard_streams()
    later = []
    gc.disable()  # imports leave little garbage, and looking for it takes 7 % of their time
    for target in config["preload"]:
        module, _, function = target.partition(":")
        prepared = getattr(importlib.import_module(module), function)()
        if isinstance(prepared, Iterator):
            next(prepared, None)
            later.append(prepared)
    gc.enable()
    try:
        Worker(channel, itertools.chain(*later)).serve()
    except ChannelClosedError:
        _end_process()
    sys.stderr.flush()
    _end_process()


def _take_standard_streams() -> Channel:
    """Return a channel over the standard streams, to which tasks can no longer print."""
    reader = os.fdopen(os.dup(0), "rb")
    writer = os.fdopen(os.dup(1), "wb")
    devnull = os.open(os.devnull, os.O_RDONLY)
    os.dup2(devnull, 0)
    os.close(devnull)
    os.dup2(2, 1)

    def let_go() -> None:
        # A forked child of the task must not hold the pipes open when this process has died,
        # and must not write into them.
        nothing = os.open(os.devnull, os.O_RDWR)
        os.dup2(nothing, reader.fileno(), inheritable=False)
        os.dup2(nothing, writer.fileno(), inheritable=False)
        os.close(nothing)

    if hasattr(os, "register_at_fork"):
        os.register_at_fork(after_in_child=let_go)
    return Channel(reader, writer)
