"""Changes jobs by the messages of their tasks, and starts them again if the policy decides so.

The decisions are in `policy.transitions` and `policy.retry`.
"""

from __future__ import annotations

import logging
import time

from rheojobs.engine import messages
from rheojobs.engine.errors import WorkerDiedError
from rheojobs.engine.events import PartialResult, Progress, ProgressMade
from rheojobs.engine.jobs.job import Job
from rheojobs.engine.jobs.job_registry import JobRegistry
from rheojobs.engine.policy import transitions
from rheojobs.engine.policy.retry import TRIED_AGAIN, GiveUp, Retry, after_death, after_error
from rheojobs.engine.recorder import Recorder
from rheojobs.engine.states import JobState
from rheojobs.errors import one_line

__all__ = ["MessageHandler"]

logger = logging.getLogger(__name__)


class MessageHandler:
    """Handles the messages of the jobs of a table.

    Parameters
    ----------
    table : JobRegistry
        The jobs.
    recorder : Recorder
        Records and publishes progress, partial results and checkpoints.
    """

    def __init__(self, table: JobRegistry, recorder: Recorder) -> None:
        self._table = table
        self._recorder = recorder

    def handle(self, job: Job, message: messages.Message, attempt: object = None) -> None:
        """Process a message of a job's task or its executor; called from any thread.

        Parameters
        ----------
        attempt : object, optional
            The attempt that sent it; messages of an earlier attempt are ignored.
        """
        # The text of an error may be user code, so not under the lock.
        words = one_line(message.error) if isinstance(message, messages.Failed) else ""
        with self._table.lock:
            if attempt is not None and job.attempt is not attempt:
                logger.debug("a message of an earlier attempt of job %s: %r", job.id, message)
                return
            effects = transitions.effects_of(
                message, job.state, cancel_wanted=job.cancel_wanted, stop_error=job.stop_error
            )
            for effect in effects:
                self._apply(job, effect, words)

    def _apply(self, job: Job, effect: transitions.Effect, words: str) -> None:
        match effect:
            case transitions.Enter(state):
                self._table.move(job, state)
            case transitions.Begin():
                job.attempts += 1
            case transitions.End(state, result, error):
                self._table.end(job, state, result=result, error=error)
            case transitions.Report(progress):
                self._on_progress(job, progress)
            case transitions.Partial(value, is_event):
                job.partial = value
                if is_event:
                    event = PartialResult(job.id, time.time(), value)
                    self._recorder.publish(event, private=job.is_prewarming)
            case transitions.Inspection():
                self._table.answer_inspections(job)
            case transitions.Checkpoint(packed):
                job.checkpoint = packed
                if not job.is_prewarming:
                    self._recorder.keep_checkpoint(job.id, packed)
            case transitions.Failure(error):
                self._on_failure(job, error, words)
            case transitions.Death(reason):
                self._on_death(job, reason)
            case transitions.Loss(reason):
                self._on_loss(job, reason)

    def _on_progress(self, job: Job, progress: Progress) -> None:
        job.latest_progress = progress
        job.estimate.note(progress, job.clock.seconds(time.monotonic()))
        event = ProgressMade(job.id, time.time(), progress)
        self._recorder.publish(event, private=job.is_prewarming)

    # ---------------------------------------------------------------- starting again

    def _on_failure(self, job: Job, error: BaseException, words: str) -> None:
        decision = after_error(error, job.attempts, job.retry)
        if isinstance(decision, Retry) and not self._is_unwanted(job):
            reason = f"{TRIED_AGAIN} in {decision.after:g} s: {words}"
            self._start_again(job, decision.after, reason)
        else:
            self._table.end(job, JobState.FAILED, error=error, message=words)

    def _on_death(self, job: Job, reason: str) -> None:
        job.deaths += 1
        has_begun = job.state is not JobState.QUEUED
        decision = after_death(
            attempts=job.attempts,
            max_attempts=job.max_attempts,
            deaths=job.deaths,
            has_begun=has_begun,
            is_prewarming=job.is_prewarming,
        )
        if isinstance(decision, GiveUp):
            words = f"{reason}; {decision.why}" if decision.why else reason
            self._table.end(job, JobState.FAILED, error=WorkerDiedError(words))
        elif self._is_unwanted(job):
            self._cancel_now(job)
        else:
            self._start_again(job, decision.after, reason)

    def _on_loss(self, job: Job, reason: str) -> None:
        """Start a job whose cluster is gone again, or leave it in the store for others."""
        if job.state is not JobState.QUEUED and job.attempts < job.max_attempts:
            self._on_death(job, reason)
            return
        if job.is_durable and not job.is_prewarming:
            self._recorder.give_away(job.id, reason)
            reason += f"; it can be continued with: rheojobs jobs resume {job.id[:8]}"
        self._table.end(job, JobState.FAILED, error=WorkerDiedError(reason))

    def _is_unwanted(self, job: Job) -> bool:
        return self._table.closed or job.cancel_wanted

    def _cancel_now(self, job: Job) -> None:
        if job.state in (JobState.RUNNING, JobState.PAUSED):
            self._table.move(job, JobState.CANCELLING)
        self._table.end(job, JobState.CANCELLED)

    def _start_again(self, job: Job, seconds: float, reason: str) -> None:
        if job.state is not JobState.QUEUED:
            self._table.move(job, JobState.INTERRUPTED, reason)
        logger.info("job %s is started again in %g s: %s", job.id[:8], seconds, reason)
        self._table.scheduler.give_back(job.needs)
        job.dispatched, job.handle, job.attempt = False, None, None
        self._table.answer_inspections(job)
        self._table.call_later(job, seconds, self._queue_again)

    def _queue_again(self, job: Job) -> None:
        if job.state is JobState.INTERRUPTED:
            self._table.move(job, JobState.QUEUED)
        if job.state is JobState.QUEUED:
            self._table.line_up(job)
