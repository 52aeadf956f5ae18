"""Run the window's fits and samplings on our engine; a caller in another thread waits for them."""

from __future__ import annotations

import concurrent.futures
import functools
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any, Protocol

from rheojobs.engine import CancellationError, Job, JobEngine, Task
from rheojobs.engine.events import Progress
from rheojobs.errors import InputError
from rheojobs.inference.models.catalogue import cached_catalogue, catalogue
from rheojobs.inference.readiness.prewarm import PrewarmTask
from rheojobs.inference.readiness.warm_up import PRELOAD
from rheojobs.integrations.rheojax import hooks
from rheojobs.integrations.rheojax.conversions import FitCall, SampleCall, fit_dict, sample_dict
from rheojobs.integrations.rheojax.progress import message_of
from rheojobs.qt.binding import QThreadPool

__all__ = ["CannotRunError", "Runner"]

POLL_SECONDS = 0.03
"""Seconds between two looks at the progress and at the request to cancel."""


type Report = Callable[[dict[str, Any]], object]
"""Called with each message of progress."""


class CannotRunError(InputError):
    """A model or a test that only RheoJAX's own function runs."""


class Flag(Protocol):
    """A request to cancel, such as an event of `multiprocessing`."""

    def is_set(self) -> bool: ...


class Runner:
    """Runs fits and samplings as jobs.

    Parameters
    ----------
    objective : str
        ``"rheojax"`` or ``"rheojobs"``, as `install` has it.
    workers : int
        How many jobs run at a time.
    store : path, optional
        The store of the jobs.
    """

    def __init__(
        self, objective: str = "rheojax", workers: int = 2, store: str | Path | None = None
    ) -> None:
        self.objective = objective
        self._engine = JobEngine("processes", max_workers=workers, preload=PRELOAD, store=store)
        self._fixed: dict[tuple[str, str], dict[str, float]] = {}
        self._prewarming: set[str] = set()
        self._running: dict[type, Job] = {}

    @property
    def engine(self) -> JobEngine:
        """The engine of the jobs."""
        return self._engine

    def close(self) -> None:
        """Cancel all jobs, and end the workers."""
        self._engine.shutdown(wait=True)

    def fit(self, call: FitCall, report: Report, cancelled: Flag) -> dict[str, Any]:
        """Fit, and return the dict of RheoJAX's `run_fit_isolated`.

        Raises
        ------
        CannotRunError
            If this is to be run by RheoJAX's own function.
        CancellationError
            If it was cancelled.
        """
        self.check(call.model_name, call.test_mode)
        defaults = hooks.parameter_defaults(call.model_name, call.model_config or {})
        task = call.task(defaults)
        self._fixed[call.dataset_id, call.model_name] = dict((task.options or {}).get("fixed", {}))
        result, is_partial = self._run(call, task, report, cancelled)
        if is_partial:
            raise CancellationError
        for words in result.warnings:
            hooks.log().warning("%s: %s", call.model_name, words)
        return fit_dict(result, call)

    def sample(self, call: SampleCall, report: Report, cancelled: Flag) -> dict[str, Any]:
        """Sample, and return the dict of RheoJAX's `run_bayesian_isolated`.

        A cancelled sampling returns the draws that it has. Parameters that the fit of the same
        data kept fixed are fixed here too.

        Raises
        ------
        CannotRunError
            If this is to be run by RheoJAX's own function.
        CancellationError
            If it was cancelled before the first draw.
        """
        self.check(call.model_name, call.test_mode)
        config = call.model_config or {}
        call.fixed = self._fixed.get((call.dataset_id, call.model_name), {})
        task = call.task(
            hooks.parameter_defaults(call.model_name, config),
            hooks.own_prior_names(call.model_name, config),
        )
        result, _ = self._run(call, task, report, cancelled)
        for words in result.diagnostics["warnings"]:
            hooks.log().warning("%s: %s", call.model_name, words)
        return sample_dict(result, call)

    def pause(self, kind: type, wanted: bool) -> bool:
        """Pause or resume the latest job of a kind of call; return whether it runs."""
        job = self._running.get(kind)
        return job is not None and (job.pause() if wanted else job.resume())

    def prewarm(self, key: str, make: Callable[[], PrewarmTask]) -> None:
        """Compile in the background what will be asked for; once for each `key`.

        The task is made in a thread: a new model of RheoJAX may import modules.
        """
        if key not in self._prewarming:
            self._prewarming.add(key)
            QThreadPool.globalInstance().start(functools.partial(self._prewarm, make))

    def _prewarm(self, make: Callable[[], PrewarmTask]) -> None:
        try:
            self._engine.prewarm(make())
        except Exception as error:  # whatever RheoJAX raises for a setting of a model
            hooks.log().debug("nothing is prewarmed: %s", error)

    def check(self, model_name: str, test_mode: str) -> None:
        """Raise `CannotRunError` if RheoJAX's own function must run this, as far as is known.

        Making the list of models takes seconds, which the first fit must not wait for.
        """
        known = {info.name: info for info in cached_catalogue() or ()}
        if not known:
            return
        if model_name not in known:
            raise CannotRunError(f"{model_name} is not among the models of rheojobs")
        info = known[model_name]
        if test_mode in info.refused or test_mode not in info.test_modes:
            why = info.refused.get(test_mode, "it does not describe this test")
            raise CannotRunError(f"{model_name}, {test_mode}: {why}")

    def _run(self, call: FitCall | SampleCall, task: Task, report: Report, cancelled: Flag) -> Any:
        """Run a task; return its result, and whether it is partial."""
        job = self._running[type(call)] = self._engine.submit(task)
        try:
            return self._wait(job, report, cancelled)
        except InputError:
            if cached_catalogue() is None:
                self._engine.run(_make_catalogue).result()
                self.check(call.model_name, call.test_mode)
            raise

    def _wait(self, job: Job, report: Report, cancelled: Flag) -> tuple[Any, bool]:
        """Wait for a job, with its progress; return its result, and whether it is partial."""
        seen: Progress | None = None
        furthest = 0
        began = time.monotonic()
        try:
            while not concurrent.futures.wait([job.future], POLL_SECONDS).done:
                if cancelled.is_set():
                    job.cancel()
                latest = job.latest_progress
                if latest is not None and latest is not seen:
                    seen = latest
                    message = message_of(latest, time.monotonic() - began)
                    # A later stage begins anew; the bar does not.
                    message["percent"] = furthest = max(furthest, message["percent"])
                    report(message)
            return job.result_or_partial()
        finally:
            job.forget()


def _make_catalogue() -> None:
    catalogue()
