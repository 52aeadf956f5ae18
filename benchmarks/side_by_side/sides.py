"""The two sides: this project's pool and RheoJAX's, each asked for the same jobs.

A side starts a job and waits for its completed signal; what comes out is brought to one form.
"""

from __future__ import annotations

import contextlib
import signal
import time
import warnings
from abc import ABC, abstractmethod
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PySide6.QtCore import QEventLoop, QRunnable, QTimer
from rheojax.core.data import RheoData
from rheojax.gui.jobs.process_adapter import make_bayesian_worker, make_fit_worker
from rheojax.gui.jobs.worker_pool import WorkerPool as RheojaxPool

from rheojobs import BayesianWorker, Dataset, FitWorker, WorkerPool
from rheojobs.inference.results.diagnostics import summarize
from side_by_side.cases import Case, Sampling

__all__ = ["Outcome", "Rheojax", "Rheojobs", "Side", "outcome_of_draws", "stoppable"]

JOB_TIMEOUT = 900.0


@dataclass
class Outcome:
    """How a job went.

    Attributes
    ----------
    seconds : float
        From submit to the completed (or failed) signal.
    error : str
        Why there is no result; empty where there is one.
    parameters : dict of str to float
        Of a fit.
    posterior : dict of str to dict of str to float
        Of a sampling: mean, std, mcse_mean, ess_bulk, r_hat and so on, by parameter.
    logarithms : dict of str to dict of str to float
        The same of the decadic logarithms, for parameters that are positive.
    divergences : int
        Of a sampling.
    """

    seconds: float
    error: str = ""
    parameters: dict[str, float] = field(default_factory=dict)
    posterior: dict[str, dict[str, float]] = field(default_factory=dict)
    logarithms: dict[str, dict[str, float]] = field(default_factory=dict)
    divergences: int = 0

    @property
    def min_ess(self) -> float:
        """The smallest bulk ESS of all parameters, the noise included."""
        return min((row["ess_bulk"] for row in self.posterior.values()), default=float("nan"))

    @property
    def max_r_hat(self) -> float:
        """The largest R-hat of all parameters, the noise included."""
        return max((row["r_hat"] for row in self.posterior.values()), default=float("nan"))


def outcome_of_draws(
    seconds: float,
    samples: Mapping[str, NDArray[np.float64]],
    divergences: int,
    sampling: Sampling,
) -> Outcome:
    """Summarise draws, alike for all sides.

    Parameters
    ----------
    seconds : float
        What the job took.
    samples : mapping of str to ndarray
        One chain after another, shape (chains * draws,).
    divergences : int
        After the warm-up.
    sampling : Sampling
        What was asked for.
    """
    shape = (sampling.num_chains, sampling.num_samples)
    draws = {name: np.asarray(values).reshape(shape) for name, values in samples.items()}
    positive = {name: np.log10(values) for name, values in draws.items() if (values > 0).all()}
    return Outcome(
        seconds,
        posterior=summarize(draws),
        logarithms=summarize(positive) if positive else {},
        divergences=divergences,
    )


class _Wait:
    """An event loop that ends with a job, a timeout or a signal of the system."""

    current: _Wait | None = None

    def __init__(self) -> None:
        self.loop = QEventLoop()
        self.stopped_by = 0

    def run(self, timeout: float) -> None:
        tick = QTimer()  # Python hears signals of the system only while it runs
        tick.timeout.connect(lambda: None)
        tick.start(200)
        _Wait.current = self
        try:
            QTimer.singleShot(int(timeout * 1000), self.loop, self.loop.quit)
            self.loop.exec()
        finally:
            _Wait.current = None
            tick.stop()
        if self.stopped_by:
            raise KeyboardInterrupt


@contextlib.contextmanager
def stoppable() -> Iterator[None]:
    """Let Ctrl-C and SIGTERM end the run through `finally`, even from within the event loop."""

    def stop(number: int, _frame: object) -> None:
        if _Wait.current is None:
            raise KeyboardInterrupt
        _Wait.current.stopped_by = number
        _Wait.current.loop.quit()

    before = {number: signal.signal(number, stop) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def _rheo_data(dataset: Dataset) -> RheoData:
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


class Side(ABC):
    """A job system under comparison."""

    name: str
    pool: Any

    @abstractmethod
    def open(self) -> None:
        """Make the pool."""

    @abstractmethod
    def close(self) -> None:
        """Shut the pool down; safe to call twice."""

    @abstractmethod
    def fit_worker(self, case: Case, data: Dataset) -> QRunnable:
        """Make the worker of a fit."""

    @abstractmethod
    def bayesian_worker(
        self, case: Case, data: Dataset, sampling: Sampling, warm_start: Mapping[str, float]
    ) -> QRunnable:
        """Make the worker of a sampling."""

    @abstractmethod
    def parameters(self, result: Any) -> dict[str, float]:
        """Give what a fit found."""

    @abstractmethod
    def draws(self, result: Any) -> tuple[Mapping[str, NDArray[np.float64]], int]:
        """Give the draws, chain after chain, and how many diverged."""

    def fit(self, case: Case, data: Dataset) -> Outcome:
        """Fit, and say how long it took."""
        seconds, result, error = self._time(self.fit_worker(case, data))
        if error:
            return Outcome(seconds, error)
        return Outcome(seconds, parameters=self.parameters(result))

    def sample(
        self, case: Case, data: Dataset, sampling: Sampling, warm_start: Mapping[str, float]
    ) -> Outcome:
        """Sample, and say how long it took; ESS is computed afterwards, alike for both."""
        worker = self.bayesian_worker(case, data, sampling, warm_start)
        seconds, result, error = self._time(worker)
        if error:
            return Outcome(seconds, error)
        samples, divergences = self.draws(result)
        return outcome_of_draws(seconds, samples, divergences, sampling)

    def _time(self, worker: QRunnable) -> tuple[float, Any, str]:
        """Submit, and wait for the end: seconds, result, error."""
        pool, wait = self.pool, _Wait()
        ends: list[tuple[float, Any, str]] = []

        def end(result: Any, error: str) -> None:
            ends.append((time.perf_counter(), result, error))
            wait.loop.quit()

        def completed(_job_id: str, result: object) -> None:
            end(result, "")

        def failed(_job_id: str, message: str) -> None:
            end(None, " ".join(message.split()) or "no reason given")

        def cancelled(_job_id: str) -> None:
            end(None, "cancelled")

        connections = [
            (pool.job_completed, completed),
            (pool.job_failed, failed),
            (pool.job_cancelled, cancelled),
        ]
        for emitter, slot in connections:
            emitter.connect(slot)
        try:
            started = time.perf_counter()
            job_id = pool.submit(worker)
            wait.run(JOB_TIMEOUT)
        finally:
            for emitter, slot in connections:
                emitter.disconnect(slot)
        if not ends:
            pool.cancel(job_id)
            return JOB_TIMEOUT, None, f"no end within {JOB_TIMEOUT:.0f} s"
        ended, result, error = ends[0]
        return ended - started, result, error


class Rheojobs(Side):
    """This project, in warm worker processes."""

    name = "rheojobs"

    def __init__(self) -> None:
        self.pool: WorkerPool | None = None

    def open(self) -> None:
        self.pool = WorkerPool()

    def close(self) -> None:
        if self.pool is not None:
            self.pool.shutdown()
            self.pool = None

    def fit_worker(self, case: Case, data: Dataset) -> QRunnable:
        options = {**case.fit_options, "model_config": dict(case.config)}
        return FitWorker(case.model, _rheo_data(data), None, options)

    def bayesian_worker(
        self, case: Case, data: Dataset, sampling: Sampling, warm_start: Mapping[str, float]
    ) -> QRunnable:
        return BayesianWorker(
            case.model,
            _rheo_data(data),
            sampling.num_warmup,
            sampling.num_samples,
            sampling.num_chains,
            dict(warm_start),
            dict(case.priors),
            seed=sampling.seed,
            model_config=dict(case.config),
            likelihood="constant",
            default_priors="rheojax",  # the statistical model of the other side
        )

    def parameters(self, result: Any) -> dict[str, float]:
        return dict(result.parameters)

    def draws(self, result: Any) -> tuple[Mapping[str, NDArray[np.float64]], int]:
        return result.posterior_samples, int(result.diagnostics["divergences"])


class Rheojax(Side):
    """RheoJAX's own job system in its default mode: a new process for every job."""

    name = "RheoJAX"

    def __init__(self) -> None:
        self.pool: RheojaxPool | None = None

    def open(self) -> None:
        self.pool = RheojaxPool(4)

    def close(self) -> None:
        if self.pool is not None:
            with contextlib.suppress(AttributeError):  # it trips over a job that ends meanwhile
                self.pool.shutdown(wait=True)
            with contextlib.suppress(AttributeError):
                RheojaxPool.reset()  # it is a singleton
            self.pool = None

    def fit_worker(self, case: Case, data: Dataset) -> QRunnable:
        worker: QRunnable = make_fit_worker(case.model, _rheo_data(data))
        return worker

    def bayesian_worker(
        self, case: Case, data: Dataset, sampling: Sampling, warm_start: Mapping[str, float]
    ) -> QRunnable:
        worker: QRunnable = make_bayesian_worker(
            case.model,
            _rheo_data(data),
            sampling.num_warmup,
            sampling.num_samples,
            sampling.num_chains,
            dict(warm_start),
            dict(case.their_priors),
            seed=sampling.seed,
        )
        return worker

    def parameters(self, result: Any) -> dict[str, float]:
        return {name: float(value) for name, value in result["parameters"].items()}

    def draws(self, result: Any) -> tuple[Mapping[str, NDArray[np.float64]], int]:
        return result["posterior_samples"], int(result["divergences"])
