"""Sends a worker the task of a run, and then the requests about it, in order."""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Callable

from rheojobs.engine import messages
from rheojobs.engine.executors.pickling import pickle_task
from rheojobs.engine.executors.processes.channel import ChannelClosedError
from rheojobs.engine.executors.processes.run import ProcessRun
from rheojobs.engine.executors.processes.worker_handle import WorkerHandle
from rheojobs.errors import one_line

__all__ = ["Sender"]

PIPE_ROOM = 16 * 1024
"""Bytes that fit into a pipe, whether or not the other end reads."""


class Sender:
    """Sends tasks to workers, on threads of its own if that may take long.

    Parameters
    ----------
    lock : RLock
        The lock of the pool, which guards the runs.
    on_failure : callable
        Receives a run, the worker that it was assigned to, and why it cannot be pickled.
    """

    def __init__(
        self,
        lock: threading.RLock,
        on_failure: Callable[[ProcessRun, WorkerHandle, BaseException], object],
    ) -> None:
        self._lock = lock
        self._on_failure = on_failure

    def hand_over(self, control: ProcessRun, worker: WorkerHandle) -> None:
        """Send a run's task to the worker that it is assigned to.

        A light task is pickled here. Any other is pickled on a thread: it may take long, run
        user code, and fill the pipe of a worker that is stopped or swapped out.
        """
        if control.run.is_light:
            self._pickle_and_send(control, worker)
        else:
            _run_aside(self._pickle_and_send, control, worker)

    def _pickle_and_send(self, control: ProcessRun, worker: WorkerHandle) -> None:
        try:
            task = pickle_task(control.run.task)
        except BaseException as error:  # any exception is the task's failure
            self._on_failure(control, worker, error)
            if isinstance(error, KeyboardInterrupt):  # on the main thread, which submits
                raise
            return
        if control.run.is_light and len(task) + len(control.run.restored or b"") > PIPE_ROOM:
            _run_aside(self._send_task, control, worker, task)
        else:
            self._send_task(control, worker, task)

    def _send_task(self, control: ProcessRun, worker: WorkerHandle, task: bytes) -> None:
        with self._lock:
            if control.worker is not worker:
                return  # it was cancelled meanwhile, or the worker is dead
            control.is_sending = True
        try:
            worker.channel.send(("run", control.run.id, task, control.run.restored))
            self._send_unsent(control, worker)
        except ChannelClosedError:
            return  # the thread that reads from the worker handles its death
        except BaseException as error:  # such as Ctrl-C: the pipe may contain half a message
            control.stop_error = RuntimeError(f"the task cannot be sent: {one_line(error)}")
            worker.kill()
            if isinstance(error, KeyboardInterrupt):
                raise

    def _send_unsent(self, control: ProcessRun, worker: WorkerHandle) -> None:
        """Send the requests that were made while the task of a run was being sent."""
        while True:
            with self._lock:
                if control.worker is not worker:
                    return  # the worker is dead, and the run waits for another, or has ended
                words, control.unsent = control.unsent, []
                if not words:
                    control.sent = True
                    return
            for verb in words:
                worker.channel.send((verb, control.run.id))

    def send(self, control: ProcessRun, verb: str) -> None:
        """Send a request about a run to its worker."""
        with self._lock:
            if verb == "inspect":
                if control.is_inspected:
                    return  # the pending answer serves all callers
                control.is_inspected = True
            if not control.sent:
                # A large task takes time to pass the pipe; the caller must not wait for it.
                control.unsent.append(verb)
                return
            worker = control.worker
        if worker is not None:
            with contextlib.suppress(
                ChannelClosedError
            ):  # its death is handled by the reading thread
                worker.channel.send((verb, control.run.id))
                return
        if verb == "inspect":  # there is no worker to answer any more
            control.is_inspected = False
            control.run.report(messages.Inspected(None))


def _run_aside(function: Callable[..., object], *args: object) -> None:
    """Call a function on a thread; on this one if no other can be started."""
    thread = threading.Thread(target=function, args=args, name="rheojobs-sender", daemon=True)
    try:
        thread.start()
    except RuntimeError:
        function(*args)
