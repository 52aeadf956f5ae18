"""The two job systems: this project's pool and RheoJAX's, each asked for the same jobs.

A side starts a job and waits for its completed signal; what comes out is brought to one form.
"""

from __future__ import annotations

import contextlib
import math
import time
import warnings
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PySide6.QtCore import QCoreApplication, QEventLoop, QRunnable, QTimer
from rheojax.core.data import RheoData
from rheojax.gui.jobs.process_adapter import make_bayesian_worker, make_fit_worker
from rheojax.gui.jobs.worker_pool import WorkerPool as RheojaxPool

from rheojobs import BayesianWorker, Dataset, FitWorker, WorkerPool
from rheojobs.inference.results.diagnostics import summarize
from side_by_side.cases import Case, Sampling
from side_by_side.measure import wait_until_quiet

__all__ = [
    "Outcome",
    "Rheojax",
    "Rheojobs",
    "alone",
    "means_apart",
    "outcome_of_draws",
    "rheo_data",
]

JOB_TIMEOUT = 900.0

DECADES = 100.0
"""Ratio of the 95 % to the 5 % quantile above which a parameter is compared by its logarithm."""


@dataclass
class Outcome:
    """How a job went.

    Attributes
    ----------
    seconds : float
        From submit to the completed (or failed) signal.
    error : str
        Why there is no result; empty if there is one.
    parameters : dict of str to float
        Of a fit.
    posterior, logarithms : dict of str to dict of str to float
        Of a sampling: mean, std, ess_bulk, r_hat and so on, by parameter; and the same of the
        decadic logarithms of positive parameters.
    divergences : int
        Of a sampling.
    """

    seconds: float
    error: str = ""
    parameters: dict[str, float] = field(default_factory=dict)
    posterior: dict[str, dict[str, float]] = field(default_factory=dict)
    logarithms: dict[str, dict[str, float]] = field(default_factory=dict)
    divergences: int = 0

    def to_record(self, points: int, **more: Any) -> dict[str, Any]:
        """Return what is stored of it: the worst ESS and R-hat, the noise's included."""
        kept: dict[str, Any] = {"points": points, "seconds": self.seconds, **more}
        if self.error:
            return {**kept, "error": self.error}
        if self.parameters:
            return {**kept, "parameters": self.parameters}
        rows = self.posterior.values()
        return {
            **kept,
            "min_ess": min(row["ess_bulk"] for row in rows),
            "max_r_hat": max(row["r_hat"] for row in rows),
            "divergences": self.divergences,
            "posterior": {name: [r["mean"], r["std"]] for name, r in self.posterior.items()},
        }


def outcome_of_draws(
    seconds: float, samples: Mapping[str, Any], divergences: int, sampling: Sampling
) -> Outcome:
    """Summarise draws, alike for all sides; each is of chains times draws values."""
    shape = (sampling.num_chains, sampling.num_samples)
    draws = {name: np.asarray(values).reshape(shape) for name, values in samples.items()}
    positive = {name: np.log10(values) for name, values in draws.items() if (values > 0).all()}
    return Outcome(
        seconds,
        posterior=summarize(draws),
        logarithms=summarize(positive) if positive else {},
        divergences=divergences,
    )


def means_apart(ours: Outcome, other: Outcome) -> dict[str, Any]:
    """Return how far the means of two posteriors are apart at most, in standard deviations.

    A parameter that spans decades is compared by its logarithm: a few draws make up its mean.
    """
    found = {}
    for name in ours.posterior.keys() & other.posterior.keys():
        rows = [side.posterior[name] for side in (ours, other)]
        logs = [side.logarithms[name] for side in (ours, other) if name in side.logarithms]
        if len(logs) == 2 and any(row["q95"] > DECADES * row["q05"] for row in rows):
            rows = logs
        a, b = rows
        deviation = math.sqrt((a["std"] ** 2 + b["std"] ** 2) / 2)
        found[name] = abs(a["mean"] - b["mean"]) / deviation
    if not found or ours is other:
        return {}
    worst = max(found, key=lambda name: found[name])
    return {"means_apart_in_sd": found[worst], "of": worst}


def alone(what: str, job: Callable[[], Outcome], say: Callable[[str], object]) -> Outcome:
    """Run a job with the machine to itself, and say how long it took."""
    if not wait_until_quiet():
        say("the children do not come to rest; the next time may be too long")
    outcome = job()
    end = f"failed: {outcome.error}" if outcome.error else f"{outcome.seconds:.3f} s"
    say(f"{what}: {end}")
    return outcome


def rheo_data(dataset: Dataset) -> RheoData:
    """Return a dataset as RheoJAX has it."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # a master curve's frequencies need not rise
        return RheoData(
            x=dataset.x,
            y=dataset.y,
            x_units=dataset.x_unit,
            y_units=dataset.y_unit,
            domain="frequency" if dataset.test_mode == "oscillation" else "time",
            initial_test_mode=dataset.test_mode,
        )


class Rheojobs:
    """This project, in warm worker processes."""

    name = "rheojobs"

    def __enter__(self) -> Rheojobs:
        self.pool: Any = WorkerPool()
        return self

    def __exit__(self, *exception: object) -> None:
        self.pool.shutdown()

    def fit(self, case: Case, data: Dataset) -> Outcome:
        """Fit with relative weights, and take the time."""
        options = {"weights": "relative", "model_config": dict(case.config)}
        seconds, result, error = _time(
            self.pool, FitWorker(case.model, rheo_data(data), None, options)
        )
        return Outcome(seconds, error, {} if error else dict(result.parameters))

    def sample(
        self, case: Case, data: Dataset, sampling: Sampling, warm_start: Mapping[str, float]
    ) -> Outcome:
        """Sample the statistical model of RheoJAX, and take the time."""
        worker = BayesianWorker(
            case.model,
            rheo_data(data),
            sampling.num_warmup,
            sampling.num_samples,
            sampling.num_chains,
            dict(warm_start),
            dict(case.priors),
            seed=sampling.seed,
            model_config=dict(case.config),
            likelihood="constant",
            default_priors="rheojax",
        )
        seconds, result, error = _time(self.pool, worker)
        if error:
            return Outcome(seconds, error)
        divergences = int(result.diagnostics["divergences"])
        return outcome_of_draws(seconds, result.posterior_samples, divergences, sampling)


class Rheojax:
    """RheoJAX's own job system in its default mode: a new process for every job."""

    name = "RheoJAX"

    def __enter__(self) -> Rheojax:
        self.pool: Any = RheojaxPool(4)
        return self

    def __exit__(self, *exception: object) -> None:
        with contextlib.suppress(AttributeError):  # it trips over a job that ends meanwhile
            self.pool.shutdown(wait=True)
        with contextlib.suppress(AttributeError):
            RheojaxPool.reset()  # it is a singleton

    def fit(self, case: Case, data: Dataset) -> Outcome:
        """Fit, and take the time."""
        seconds, result, error = _time(self.pool, make_fit_worker(case.model, rheo_data(data)))
        if error:
            return Outcome(seconds, error)
        return Outcome(seconds, parameters={k: float(v) for k, v in result["parameters"].items()})

    def sample(
        self, case: Case, data: Dataset, sampling: Sampling, warm_start: Mapping[str, float]
    ) -> Outcome:
        """Sample, and take the time."""
        worker = make_bayesian_worker(
            case.model,
            rheo_data(data),
            sampling.num_warmup,
            sampling.num_samples,
            sampling.num_chains,
            dict(warm_start),
            dict(case.their_priors),
            seed=sampling.seed,
        )
        seconds, result, error = _time(self.pool, worker)
        if error:
            return Outcome(seconds, error)
        draws: Mapping[str, NDArray[np.float64]] = result["posterior_samples"]
        return outcome_of_draws(seconds, draws, int(result["divergences"]), sampling)


def _time(pool: Any, worker: QRunnable) -> tuple[float, Any, str]:
    """Submit, and process events until the end: seconds, result, error."""
    ends: list[tuple[float, Any, str]] = []

    def end(result: Any, error: str) -> None:
        ends.append((time.perf_counter(), result, error))

    connections = [
        (pool.job_completed, lambda _job_id, result: end(result, "")),
        (pool.job_failed, lambda _job_id, words: end(None, " ".join(words.split()) or "no reason")),
        (pool.job_cancelled, lambda _job_id: end(None, "cancelled")),
    ]
    for emitter, slot in connections:
        emitter.connect(slot)
    tick = QTimer(interval=200)  # wakes the loop, so that Python sees Ctrl-C
    tick.start()
    try:
        started = time.perf_counter()
        job_id = pool.submit(worker)
        while not ends and time.perf_counter() - started < JOB_TIMEOUT:
            QCoreApplication.processEvents(QEventLoop.ProcessEventsFlag.WaitForMoreEvents)
    finally:
        tick.stop()
        for emitter, slot in connections:
            emitter.disconnect(slot)
    if not ends:
        pool.cancel(job_id)
        return JOB_TIMEOUT, None, f"no end within {JOB_TIMEOUT:.0f} s"
    ended, result, error = ends[0]
    return ended - started, result, error
