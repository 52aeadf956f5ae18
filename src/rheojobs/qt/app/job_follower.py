"""Follows one job by the events of the engine, and emits its states in the window's thread."""

from __future__ import annotations

from collections.abc import Callable

from qtpy.QtCore import QObject, Signal

from rheojobs.engine import JobEngine
from rheojobs.engine.events import JobEvent, StateChanged
from rheojobs.engine.jobs.job import Job
from rheojobs.engine.states import JobState
from rheojobs.qt.thread_gate import ThreadGate

__all__ = ["JobFollower"]


class JobFollower(QObject):
    """Emits each state that a job enters, whatever caused it.

    Parameters
    ----------
    engine : JobEngine
        The engine of the jobs; one is followed at a time.

    Attributes
    ----------
    state_changed : Signal(object)
        The `JobState` that the job has entered; the present one first.
    """

    state_changed = Signal(object)
    _woken = Signal()

    def __init__(self, engine: JobEngine, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._engine = engine
        self._job_id = ""
        self._unsubscribe: Callable[[], None] | None = None
        self._gate = ThreadGate(self, self._woken, self._deliver)

    def follow(self, job: Job) -> None:
        """Follow this job instead of the previous one."""
        self.leave()
        self._job_id = job.id
        gate = self._gate

        def hear(event: JobEvent) -> None:
            if isinstance(event, StateChanged):  # progress need not wake the window
                gate.put(event)

        self._unsubscribe = self._engine.subscribe(hear, job=job)

    def leave(self) -> None:
        """Follow no job."""
        self._job_id = ""
        if self._unsubscribe is not None:
            self._unsubscribe()
            self._unsubscribe = None

    def _deliver(self) -> None:
        self._gate.deliver(self._tell)

    def _tell(self, event: StateChanged) -> None:
        if event.job_id == self._job_id:
            self.state_changed.emit(JobState(event.state))
