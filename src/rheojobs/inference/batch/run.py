"""The work of a batch: fits as jobs, then the samplings that start from them, and what is missing.

Looked at now and then (`poll`), so that a terminal can show it while it goes on. Knows jobs,
fits and samplings; must not know how it is shown, nor JAX.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from rheojobs.engine import JobEngine, JobState
from rheojobs.engine.attempt import Attempt
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
"""Jobs that are submitted at a time, or twice as many as there are workers, if that is more."""

BEGUN_AT_ONCE = 16
"""Jobs that are begun at one look, each of which reads a file: whoever looks also draws."""

FIT_ATTEMPTS = 2
"""A worker that was killed, by whomever, does not cost its fit."""


@dataclass(eq=False)
class BatchEntry:
    """One model on one file, on its way.

    Attributes
    ----------
    item : BatchItem
        What is to be done.
    store : ItemStore
        Where the results go.
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
        Whether anything was done for it that was not done already.
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
        """Whether nothing more is done for it."""
        return self.state in ("succeeded", "failed", "stopped")

    @property
    def was_skipped(self) -> bool:
        """Whether all of it was done already."""
        return self.state == "succeeded" and not self.worked


class BatchRun:
    """A batch that is under way.

    Parameters
    ----------
    engine : JobEngine
        Where the jobs run.
    plan : BatchPlan
        What is to be done.
    elsewhere : bool
        As of `LeftJobs`, which may refuse to go on.

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
        """See what has ended, and start what follows; True at the end."""
        for entry in self.entries:
            if entry.attempt is not None and entry.attempt.ended():
                self._guarded(entry, self._take_up)
        # Few at a time, so that not all data have to be in memory.
        under_way = sum(entry.attempt is not None for entry in self.entries)
        for _ in range(min(self._most_in_flight - under_way, BEGUN_AT_ONCE)):
            if not self._begin_one():
                break
        return all(entry.is_settled for entry in self.entries)

    def cancel(self) -> None:
        """Stop what runs and begin nothing more; `poll` goes on until all has stopped."""
        self._stopped = True
        for entry in self.entries:
            if entry.attempt is not None:
                entry.attempt.job.cancel()
            elif entry.state == "waiting":
                entry.state, entry.message = "stopped", "not begun"

    # ---------------------------------------------------------------- inside

    @property
    def _most_in_flight(self) -> int:
        return max(IN_FLIGHT, 2 * self._engine.executor.capacity)

    def _guarded(self, entry: BatchEntry, step: Any) -> None:
        """Take a step for an entry; whatever goes wrong with its file ends this entry alone."""
        try:
            step(entry)
        except Exception as error:  # of readers, disks and libraries: it is told in the results
            entry.attempt = None
            self._fail(entry, "fit" if entry.fit is None else "sample", one_line(error))

    def _begin_one(self) -> bool:
        """Start the next job; what is done already, or cannot be begun, is passed over."""
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
        """Go on with the job of a step that a batch before this one has left, if there is one."""
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
        """Go on after the fit: with the sampling, where one is wanted and missing."""
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
            warm_start=entry.fit.parameters,
            fixed=item.fit.get("fixed", {}),
            model_config=item.config,
            checkpoint=entry.store.checkpoint(fingerprint),
            keep_checkpoint=True,  # until the posterior is on disk
            **item.sample,  # type: ignore[arg-type]
        )
        self._submit(entry, task, fingerprint)

    def _take_up(self, entry: BatchEntry) -> None:
        """Keep what a job that has ended gave."""
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
        """Keep the result of a step, and go on."""
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
            entry.message += f"; and that cannot be noted: {error.strerror}"
