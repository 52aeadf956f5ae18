"""Run a batch: its missing fits as jobs, then the samplings that start from them.

The caller calls `poll` regularly, so that a terminal can show the progress. Imports no JAX.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from rheojobs.engine import JobEngine, JobState
from rheojobs.engine.jobs.attempt import Attempt
from rheojobs.errors import one_line
from rheojobs.inference.batch.files import BatchFiles
from rheojobs.inference.batch.item_store import ItemStore, fit_fingerprint, sample_fingerprint
from rheojobs.inference.batch.leftover_jobs import LeftJobs
from rheojobs.inference.batch.plan import BatchItem, BatchPlan
from rheojobs.inference.fits.task import FitTask
from rheojobs.inference.results.fit_result import FitResult
from rheojobs.inference.sampling.task import SampleTask

__all__ = ["BatchEntry", "BatchRun"]

IN_FLIGHT = 8
"""Jobs submitted at a time, or twice the number of workers if that is more."""

BEGUN_AT_ONCE = 16
"""Jobs started in one poll, since each reads a file and the caller also draws."""

FIT_ATTEMPTS = 2
"""A fit is retried if its worker was killed."""


@dataclass(eq=False)
class BatchEntry:
    """The progress of one model on one file.

    Attributes
    ----------
    item : BatchItem
        The file, the model and the options.
    store : ItemStore
        Where the results are stored.
    state : str
        ``"waiting"``, ``"fitting"``, ``"sampling"``, ``"succeeded"``, ``"failed"`` or
        ``"stopped"``.
    message : str
        Why it failed.
    fit : FitResult or None
        The fit.
    posterior : dict or None
        The fields of the posterior, all but the draws.
    worked : bool
        Whether this run did anything for it.
    attempt : Attempt or None
        The job that it waits for.
    """

    item: BatchItem
    store: ItemStore
    state: str = "waiting"
    message: str = ""
    fit: FitResult | None = None
    posterior: dict[str, Any] | None = None
    worked: bool = False
    attempt: Attempt | None = None
    fingerprint: str = field(default="", repr=False)

    @property
    def is_settled(self) -> bool:
        """Whether it is finished, with or without success."""
        return self.state in ("succeeded", "failed", "stopped")

    @property
    def was_skipped(self) -> bool:
        """Whether an earlier run has done all of it."""
        return self.state == "succeeded" and not self.worked


class BatchRun:
    """A running batch.

    Parameters
    ----------
    engine : JobEngine
        Where the jobs run.
    plan : BatchPlan
        The plan.
    elsewhere : bool
        As for `LeftJobs`, which may refuse to continue.

    Attributes
    ----------
    entries : list of BatchEntry
        In the order of the plan.
    """

    def __init__(self, engine: JobEngine, plan: BatchPlan, elsewhere: bool = False) -> None:
        self._left = LeftJobs(engine, plan.out, elsewhere)
        self._engine = engine
        self._plan = plan
        self._stopped = False
        self._files = BatchFiles(self._most_in_flight)
        self.entries = [BatchEntry(item, ItemStore(plan.out, item)) for item in plan.items]

    def poll(self) -> bool:
        """Process ended jobs and start the next; return True at the end."""
        for entry in self.entries:
            if entry.attempt is not None and entry.attempt.ended():
                self._guarded(entry, self._take_up)
        # Few at a time, so that not all data are in memory.
        under_way = sum(entry.attempt is not None for entry in self.entries)
        for _ in range(min(self._most_in_flight - under_way, BEGUN_AT_ONCE)):
            if not self._begin_one():
                break
        return all(entry.is_settled for entry in self.entries)

    def cancel(self) -> None:
        """Cancel running jobs and start no more; poll until all have stopped."""
        self._stopped = True
        for entry in self.entries:
            if entry.attempt is not None:
                entry.attempt.job.cancel()
            elif entry.state == "waiting":
                entry.state, entry.message = "stopped", "not started"

    # ---------------------------------------------------------------- inside

    @property
    def _most_in_flight(self) -> int:
        return max(IN_FLIGHT, 2 * self._engine.executor.capacity)

    def _guarded(self, entry: BatchEntry, step: Any) -> None:
        """Take a step for an entry; an error with its file ends only this entry."""
        try:
            step(entry)
        except Exception as error:  # of readers, disks and libraries: reported in the results
            entry.attempt = None
            self._fail(entry, "fit" if entry.fit is None else "sample", one_line(error))

    def _begin_one(self) -> bool:
        """Start the next job; skip steps that are done or cannot be started."""
        for entry in self.entries:
            if entry.state == "waiting":
                self._guarded(entry, self._begin)
                if entry.attempt is not None:
                    return True
        return False

    def _begin(self, entry: BatchEntry) -> None:
        entry.fingerprint = fit_fingerprint(entry.item, self._files.digest(entry.item.file))
        entry.fit = entry.store.fit(entry.fingerprint)
        if entry.fit is not None:
            self._follow(entry)
            return
        if self._found_again(entry, "fitting", entry.fingerprint):
            return
        item = entry.item
        options = {key: value for key, value in item.fit.items() if key != "initial_params"}
        options["model_config"] = item.config
        start = item.fit.get("initial_params")
        task = FitTask(item.model, self._files.dataset(item), start, options)
        self._submit(entry, task, entry.fingerprint, FIT_ATTEMPTS)

    def _found_again(self, entry: BatchEntry, state: str, fingerprint: str) -> bool:
        """Continue the job of a step that an earlier batch left, if there is one."""
        entry.worked = True
        entry.state = state
        entry.store.drop("fit" if state == "fitting" else "sample")
        left = self._left.take(self._left.tags(entry.store.folder, fingerprint))
        if left is None:
            return False
        if left.state is not JobState.SUCCEEDED:
            entry.attempt = Attempt(self._left.resume(left))
            return True
        result, seconds = self._left.result(left)
        if result is not None:
            self._keep(entry, left.id, result, seconds)
        return result is not None

    def _submit(
        self,
        entry: BatchEntry,
        task: FitTask | SampleTask,
        fingerprint: str,
        attempts: int | None = None,
    ) -> None:
        job = self._engine.submit(
            task,
            max_attempts=attempts,
            timeout=self._plan.timeout,
            tags=self._left.tags(entry.store.folder, fingerprint),
        )
        entry.attempt = Attempt(job)

    def _follow(self, entry: BatchEntry) -> None:
        """Continue after the fit: with the sampling, if one is requested and missing."""
        if entry.item.sample is None:
            entry.state = "succeeded"
            return
        fingerprint = sample_fingerprint(entry.item, entry.fingerprint)
        entry.posterior = entry.store.posterior(fingerprint)
        if entry.posterior is not None:
            entry.state = "succeeded"
            return
        if self._stopped:
            entry.state, entry.message = "stopped", "fitted, but not sampled"
            return
        if self._found_again(entry, "sampling", fingerprint):
            return
        assert entry.fit is not None
        item = entry.item
        task = SampleTask(
            item.model,
            self._files.dataset(item),
            fit=entry.fit,
            model_config=item.config,
            checkpoint=entry.store.checkpoint(fingerprint),
            keep_checkpoint=True,  # until the posterior is on disk
            **item.sample,  # type: ignore[arg-type]
        )
        self._submit(entry, task, fingerprint)

    def _take_up(self, entry: BatchEntry) -> None:
        """Store the result of an ended job."""
        attempt, entry.attempt = entry.attempt, None
        assert attempt is not None
        attempt.job.forget()
        failure, sampling = attempt.failure, entry.state == "sampling"
        if failure == "stopped" and self._stopped:
            entry.state = "stopped"
            entry.message = "stopped while it was " + ("sampled" if sampling else "fitted")
        elif failure:
            self._fail(entry, "sample" if sampling else "fit", failure)
        else:
            self._keep(entry, attempt.job.id, attempt.result, attempt.seconds)

    def _keep(self, entry: BatchEntry, job_id: str, result: Any, seconds: float) -> None:
        """Store the result of a step, and continue."""
        if entry.state == "sampling":
            fingerprint = sample_fingerprint(entry.item, entry.fingerprint)
            entry.posterior = entry.store.keep_posterior(fingerprint, result, seconds)
            self._left.settle(job_id)
            entry.state = "succeeded"
        else:
            entry.store.keep_fit(entry.fingerprint, result, seconds)
            entry.fit = result
            self._left.settle(job_id)
            self._follow(entry)

    def _fail(self, entry: BatchEntry, step: str, reason: str) -> None:
        entry.state, entry.worked = "failed", True
        entry.message = reason if step == "fit" else f"its sampling failed: {reason}"
        if step == "fit" and entry.item.sample is not None:
            entry.message += " (not sampled: its fit failed)"
        try:
            entry.store.note(step, entry.fingerprint, "failed", entry.message)
        except OSError as error:
            entry.message += f"; and this cannot be recorded: {error.strerror}"
