"""`CurveWorker`: a worker process beside those of the jobs, which computes curves on demand."""

from __future__ import annotations

from concurrent.futures import CancelledError

from qtpy.QtCore import QObject, Signal

from rheojobs.engine import JobEngine
from rheojobs.engine.jobs.job import Job
from rheojobs.errors import one_line
from rheojobs.inference.problem.curve_task import CurveTask
from rheojobs.inference.readiness.warm_up import PRELOAD
from rheojobs.qt.thread_gate import ThreadGate

__all__ = ["CurveWorker"]

_END_S = 2.0


class CurveWorker(QObject):
    """Computes the newest curve that was asked for; those that it overtakes are never computed.

    Its process takes no place of a job, and is in no table and no store.

    Attributes
    ----------
    computed : Signal(object, object)
        The task, and its result: x, and the components of the curve.
    failed : Signal(str)
        Why there is no curve.
    """

    computed = Signal(object, object)
    failed = Signal(str)
    _woken = Signal()

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._engine: JobEngine | None = None
        self._running: Job | None = None
        self._newest: CurveTask | None = None
        self._gate = ThreadGate(self, self._woken, self._deliver)

    @property
    def is_started(self) -> bool:
        """Whether there is a process."""
        return self._engine is not None

    def start(self) -> None:
        """Start the process, so that the first curve comes soon."""
        if self._engine is None:
            self._engine = JobEngine("processes", max_workers=1, preload=PRELOAD)

    def request(self, task: CurveTask) -> None:
        """Compute a curve as soon as the one in work is done; it replaces one that waits."""
        self._newest = task
        if self._running is None:
            self._send()

    def stop(self, *, wait: bool = False) -> None:
        """End the process; the curve in work is dropped."""
        engine, self._engine = self._engine, None
        self._running = self._newest = None
        if engine is not None:
            engine.shutdown(wait, _END_S)

    def _send(self) -> None:
        task, self._newest = self._newest, None
        if task is None or self._engine is None:
            return
        self._running = self._engine.submit(task)
        self._running.add_done_callback(self._gate.put)

    def _deliver(self) -> None:
        self._gate.deliver(self._take)

    def _take(self, job: Job) -> None:
        if job is not self._running:
            return  # of a process that was ended
        self._running = None
        job.forget()
        try:
            result = job.result(0)
        except CancelledError:
            return
        except Exception as error:  # whatever the model raises
            self.failed.emit(one_line(error))
        else:
            self.computed.emit(job.task, result)
        self._send()
