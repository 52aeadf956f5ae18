"""How an engine admits a new job: recorded, added to the table, and started at once if possible."""

from __future__ import annotations

from rheojobs.engine.cancellation import CancellationToken
from rheojobs.engine.jobs.dispatcher import Dispatcher
from rheojobs.engine.jobs.job import Job
from rheojobs.engine.jobs.job_registry import JobRegistry
from rheojobs.engine.jobs.recovery import new_job
from rheojobs.engine.recorder import Recorder

__all__ = ["Admission"]


class Admission:
    """Adds jobs to a table. No event of a job is published before it is on disk.

    Parameters
    ----------
    table : JobRegistry
        The table.
    dispatcher : Dispatcher
        Starts them.
    recorder : Recorder
        Writes them.
    """

    def __init__(self, table: JobRegistry, dispatcher: Dispatcher, recorder: Recorder) -> None:
        self._table = table
        self._dispatcher = dispatcher
        self._recorder = recorder

    def admit(self, job: Job, cancel_token: CancellationToken | None, *, waits: bool) -> None:
        """Record a new job, then add it; one that may start at once is recorded meanwhile.

        Parameters
        ----------
        waits : bool
            Whether the task has arguments that do not exist yet: results of other jobs.

        Raises
        ------
        EngineClosedError
            If the engine accepts no more jobs.
        """
        new = new_job(job, has_store=self._recorder.store is not None, waits=waits)
        self._table.admit()
        try:
            if cancel_token is None and self._dispatcher.may_start_at_once(job):
                with self._recorder.adding(new):
                    self._take_in(job, may_start=True)
            else:
                self._recorder.add(new)
                self._take_in(job, cancel_token)
        except BaseException:  # Ctrl-C: the caller gets no job that it could cancel
            if job.id in self._table.open:
                self._dispatcher.cancel(job)
            raise
        finally:
            self._table.leave_door(job)

    def _take_in(
        self, job: Job, cancel_token: CancellationToken | None = None, *, may_start: bool = False
    ) -> None:
        with self._table.lock:
            may_start = may_start and not self._dispatcher.paused and not self._table.closed
            starts = self._table.add(job, may_start=may_start)
            if cancel_token is not None:
                # Before the job can start, so that a token that is cancelled already stops it.
                job.token = cancel_token
                job.forget_token = cancel_token.on_cancel(job.cancel)
                if job.state.is_terminal:
                    job.forget_token()
            if self._table.closed:  # meanwhile: the other jobs were asked to stop before
                self._dispatcher.cancel(job)
        if starts:
            self._dispatcher.start(job)
