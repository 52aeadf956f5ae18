"""An executor of threads: quick to start, but a task that never calls `check` cannot be stopped."""

from __future__ import annotations

import threading
import time

from rheojobs.engine import messages
from rheojobs.engine.executors.base import Executor, Run, RunHandle, run_task
from rheojobs.engine.task import TaskContext

__all__ = ["ThreadExecutor"]


class _ThreadRun(RunHandle):
    def __init__(self, run: Run) -> None:
        self.context = TaskContext(run.tell, restored=run.restored, is_tidied=True)

    def cancel(self) -> None:
        self.context.token.cancel()

    def pause(self) -> None:
        self.context.pause()

    def resume(self) -> None:
        self.context.resume()

    def inspect(self) -> None:
        self.context.begin_inspect()


class ThreadExecutor(Executor):
    """Runs each task on a daemon thread of its own.

    Parameters
    ----------
    max_workers : int
        How many tasks may run at a time.
    """

    def __init__(self, max_workers: int = 4) -> None:
        if max_workers < 1:
            raise ValueError(f"max_workers must be greater than 0, got {max_workers}")
        self.capacity = max_workers
        self._lock = threading.Lock()
        self._running: dict[threading.Thread, _ThreadRun] = {}

    def has_idle_worker(self) -> bool:
        """Return True: a thread starts at once."""
        return True

    def start(self, run: Run) -> RunHandle:
        """Start a run on a new thread."""
        control = _ThreadRun(run)
        thread = threading.Thread(
            target=self._work, args=(run, control), name=f"rheojobs-task-{run.id[:8]}", daemon=True
        )
        with self._lock:  # `shutdown` must not find a thread that it cannot join yet
            thread.start()  # raises if the system has no more threads
            self._running[thread] = control
        return control

    def _work(self, run: Run, control: _ThreadRun) -> None:
        ending: messages.Message
        if control.context.token.is_cancelled():
            ending = messages.Cancelled()
        else:
            ending = run_task(run.task, control.context, run.tell)
        with self._lock:
            del self._running[threading.current_thread()]
        run.report(ending)
        del run, control, ending  # an error's traceback refers to this frame: avoid a cycle

    def shutdown(self, timeout: float) -> bool:
        """Ask all tasks to stop and wait for their threads."""
        with self._lock:
            running = dict(self._running)
        for control in running.values():
            control.cancel()
        deadline = time.monotonic() + timeout
        for thread in running:
            thread.join(max(0.0, deadline - time.monotonic()))
        return not any(thread.is_alive() for thread in running)
