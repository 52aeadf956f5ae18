"""`FitWorker` and `BayesianWorker` with the signatures of RheoJAX's, over our engine.

An application that is written against `rheojax.gui.jobs` imports them from here instead.
`WorkerPool`, `CancellationToken` and `CancellationError` are RheoJAX's own: the pool's threads only
wait for the engine's processes.
"""

from __future__ import annotations

import atexit
import functools
from collections.abc import Mapping
from typing import Any

from rheojobs.engine import cancellation
from rheojobs.errors import one_line
from rheojobs.integrations.rheojax import hooks
from rheojobs.integrations.rheojax.conversions import FitCall, SampleCall
from rheojobs.integrations.rheojax.running import Runner
from rheojobs.lazy import importer
from rheojobs.qt.binding import QObject, QRunnable, Signal

__all__ = ["BayesianWorker", "BayesianWorkerSignals", "FitWorker", "FitWorkerSignals"]

__getattr__ = importer(__name__, hooks.UNCHANGED_JOB_NAMES)


STAGES = ("warmup", "sampling")


class FitWorkerSignals(QObject):
    """Signals of a `FitWorker`.

    Attributes
    ----------
    progress : Signal(int, int, str)
        Percent, 100, message.
    completed : Signal(object)
        RheoJAX's `FitResult`.
    failed : Signal(str)
        The error message, one line.
    cancelled : Signal()
    """

    progress = Signal(int, int, str)
    completed = Signal(object)
    failed = Signal(str)
    cancelled = Signal()


class BayesianWorkerSignals(QObject):
    """Signals of a `BayesianWorker`.

    Attributes
    ----------
    progress : Signal(int, int, str)
        Percent, 100, message.
    stage_changed : Signal(str)
        ``"warmup"`` or ``"sampling"``.
    completed : Signal(object)
        RheoJAX's `BayesianResult`.
    failed : Signal(str)
        The error message, one line.
    cancelled : Signal()
    divergence_detected : Signal(int)
        The number of divergences so far.
    """

    progress = Signal(int, int, str)
    stage_changed = Signal(str)
    completed = Signal(object)
    failed = Signal(str)
    cancelled = Signal()
    divergence_detected = Signal(int)


class _Flag:
    """A token as an event."""

    def __init__(self, token: Any) -> None:
        self._token = token

    def is_set(self) -> bool:
        return bool(self._token.is_cancelled())


class _Worker(QRunnable):
    """Runs one call, and emits how it ended.

    Attributes
    ----------
    cancel_token : CancellationToken
        RheoJAX's; cancelling it stops the worker.
    partial : dict or None
        What a cancelled sampling had drawn, as the dict of `run_bayesian_isolated`.
    runner : Runner or None
        Runs it; by default one that all workers share.
    as_dict : bool
        Whether to emit the result as a dict, as RheoJAX's workers in processes do.
    """

    signals: Any
    what = ""

    def __init__(self, cancel_token: Any, runner: Runner | None, as_dict: bool) -> None:
        super().__init__()
        self.setAutoDelete(False)  # Python owns it, and its signals
        self.cancel_token = hooks.new_token() if cancel_token is None else cancel_token
        self.partial: dict[str, Any] | None = None
        self.runner = runner
        self.as_dict = as_dict

    def run(self) -> None:
        """Do the work, and emit the signals from the calling thread."""
        try:
            self.cancel_token.check()
            result = self._work(self.runner or shared_runner(), _Flag(self.cancel_token))
        except (cancellation.CancellationError, type(hooks.cancellation_error())):
            self.signals.cancelled.emit()
        except Exception as error:  # a signal reports any error of the task
            self.cancel_token.set_error(error)
            self.signals.failed.emit(f"{self.what}: {one_line(error)}")
        else:
            if result.get("is_partial"):
                self.partial = result
                self.signals.cancelled.emit()
            else:
                self.signals.completed.emit(result if self.as_dict else self._made(result))

    def cancel(self) -> None:
        """Stop the work; returns at once."""
        self.cancel_token.cancel()

    def check_cancellation(self) -> None:
        """Raise RheoJAX's `CancellationError` if the work was cancelled."""
        self.cancel_token.check()

    def report(self, message: dict[str, Any]) -> None:
        """Emit progress."""
        self.signals.progress.emit(message["percent"], message["total"], message["message"])

    def _work(self, runner: Runner, cancelled: _Flag) -> dict[str, Any]:
        raise NotImplementedError

    def _made(self, result: dict[str, Any]) -> Any:
        raise NotImplementedError


class FitWorker(_Worker):
    """Fits a model of RheoJAX to data; parameters as in `rheojax.gui.jobs.FitWorker`."""

    signals: FitWorkerSignals

    def __init__(
        self,
        model_name: str,
        data: Any,
        initial_params: Mapping[str, Any] | None = None,
        options: Mapping[str, Any] | None = None,
        cancel_token: Any = None,
        dataset_id: str = "",
        model_config: Mapping[str, Any] | None = None,
        *,
        runner: Runner | None = None,
        as_dict: bool = False,
    ) -> None:
        super().__init__(cancel_token, runner, as_dict)
        self.signals = FitWorkerSignals()
        self.what = f"Fit failed for {model_name}"
        self._given: dict[str, Any] = {
            "model_name": model_name,
            "initial_params": initial_params or {},
            "options": options or {},
            "dataset_id": dataset_id,
            "model_config": model_config,
        }
        self._data = data

    def _work(self, runner: Runner, cancelled: _Flag) -> dict[str, Any]:
        call = FitCall(**self._given, **hooks.data_of(self._data), objective=runner.objective)
        return runner.fit(call, self.report, cancelled)

    def _made(self, result: dict[str, Any]) -> Any:
        return hooks.fit_result(result)


class BayesianWorker(_Worker):
    """Samples a posterior; parameters as in `rheojax.gui.jobs.BayesianWorker`.

    If it is cancelled, its draws are in `partial`.
    """

    signals: BayesianWorkerSignals

    def __init__(
        self,
        model_name: str,
        data: Any,
        num_warmup: int = 1000,
        num_samples: int = 2000,
        num_chains: int = 4,
        warm_start: Mapping[str, float] | None = None,
        priors: Mapping[str, Any] | None = None,
        seed: int = 42,
        cancel_token: Any = None,
        fitted_model_state: Mapping[str, Any] | None = None,
        dataset_id: str = "",
        target_accept: float = 0.8,
        max_tree_depth: int | None = None,
        *,
        runner: Runner | None = None,
        as_dict: bool = False,
    ) -> None:
        super().__init__(cancel_token, runner, as_dict)
        self.signals = BayesianWorkerSignals()
        self.what = f"Bayesian inference failed for {model_name}"
        self._given: dict[str, Any] = {
            "model_name": model_name,
            "num_warmup": num_warmup,
            "num_samples": num_samples,
            "num_chains": num_chains,
            "warm_start": warm_start,
            "priors": priors or {},
            "seed": seed,
            "dataset_id": dataset_id,
            "target_accept": target_accept,
            "max_tree_depth": max_tree_depth,
        }
        self._data = data
        self._reached: list[str] = []
        self._divergences = 0

    def report(self, message: dict[str, Any]) -> None:
        """Emit progress, a new stage, and new divergences."""
        if message["stage"] in STAGES:
            self._reach(message["stage"])
        super().report(message)
        if message["divergences"] > self._divergences:
            self._divergences = message["divergences"]
            self.signals.divergence_detected.emit(self._divergences)

    def _work(self, runner: Runner, cancelled: _Flag) -> dict[str, Any]:
        call = SampleCall(**self._given, **hooks.data_of(self._data), objective=runner.objective)
        result = runner.sample(call, self.report, cancelled)
        if not result["is_partial"]:
            self._reach("sampling")
            self.signals.progress.emit(100, 100, "Sampling complete")
        return result

    def _made(self, result: dict[str, Any]) -> Any:
        return hooks.bayesian_result(result)

    def _reach(self, stage: str) -> None:
        """Emit the stages up to this one: a short warm-up ends between two reports."""
        for each in STAGES[: STAGES.index(stage) + 1]:
            if each not in self._reached:
                self._reached.append(each)
                self.signals.stage_changed.emit(each)


@functools.cache
def shared_runner() -> Runner:
    """Return the runner of workers that are given none; its processes end with the program."""
    runner = Runner()
    atexit.register(runner.close)
    return runner
