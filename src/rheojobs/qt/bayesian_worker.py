"""`BayesianWorker`: NUTS as a Qt worker, which runs a `SampleTask`."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from rheojobs.engine.cancellation import CancellationToken
from rheojobs.engine.events import Progress
from rheojobs.inference.models.model import Model
from rheojobs.inference.sampling.task import SampleTask
from rheojobs.qt.binding import QObject, Signal
from rheojobs.qt.task_worker import TaskWorker

__all__ = ["BayesianWorker", "BayesianWorkerSignals"]


class BayesianWorkerSignals(QObject):
    """Signals of a `BayesianWorker`.

    Attributes
    ----------
    progress : Signal(int, int, int)
        Chain (from 0), steps that it has taken, steps that it will take, warm-up included.
    stage_changed : Signal(str)
        ``"warmup"`` or ``"sampling"``.
    completed : Signal(object)
        The `BayesianResult`.
    failed : Signal(str)
        The error message, one line.
    cancelled : Signal()
    divergence_detected : Signal(int)
        How many divergences there were so far, after the warm-up.
    reported : Signal(object)
        The whole `Progress` of warm-up and sampling: its metrics have R-hat and ESS, step sizes
        and acceptance, and about once a second the thinned draws as `traces`.
    """

    progress = Signal(int, int, int)
    stage_changed = Signal(str)
    completed = Signal(object)
    failed = Signal(str)
    cancelled = Signal()
    divergence_detected = Signal(int)
    reported = Signal(object)


class BayesianWorker(TaskWorker):
    """Samples the posterior of a model.

    Parameters
    ----------
    model_name : str or Model
        A name of the catalogue, or a plain JAX function with its parameters.
    data : object
        RheoJAX's `RheoData`, a `Dataset`, a pair ``(x, y)``, or a mapping with x and y.
    num_warmup, num_samples, num_chains : int
        Steps of warm-up and draws of each chain, and how many chains.
    warm_start : mapping, optional
        Parameters to start from: those of a `FitResult`.
    priors : mapping, optional
        By parameter: ``{"type": "normal", "loc": ..., "scale": ...}`` and the like, or a NumPyro
        distribution.
    seed : int
        Of the random numbers.
    cancel_token : CancellationToken, optional
        Stops the sampling.
    test_mode, protocol, model_config
        As the options of a fit.
    likelihood, default_priors, until_ess, max_samples, checkpoint, fixed
        As `SampleTask` has them.
    """

    signals: BayesianWorkerSignals

    def __init__(
        self,
        model_name: str | Model,
        data: object,
        num_warmup: int = 1000,
        num_samples: int = 2000,
        num_chains: int = 4,
        warm_start: Mapping[str, float] | None = None,
        priors: Mapping[str, Any] | None = None,
        seed: int = 42,
        cancel_token: CancellationToken | None = None,
        *,
        test_mode: str | None = None,
        protocol: Mapping[str, float] | None = None,
        model_config: Mapping[str, Any] | None = None,
        likelihood: str | None = None,
        default_priors: str = "logarithmic",
        until_ess: float | None = None,
        max_samples: int | None = None,
        checkpoint: str | Path | None = None,
        fixed: Mapping[str, float] | None = None,
    ) -> None:
        task = SampleTask(
            model_name,
            data,
            num_warmup,
            num_samples,
            num_chains,
            warm_start,
            priors,
            seed,
            test_mode,
            protocol,
            model_config,
            likelihood=likelihood,
            default_priors=default_priors,
            until_ess=until_ess,
            max_samples=max_samples,
            checkpoint=checkpoint,
            fixed=fixed,
        )
        super().__init__(task, BayesianWorkerSignals(), cancel_token)
        self._told: dict[int, int] = {}
        self._stage = ""
        self._divergences = 0

    def relay_progress(self, progress: Progress) -> None:
        """Emit the stage when it changes, each chain that came further, and new divergences."""
        if progress.stage not in ("warmup", "sampling"):
            return
        if progress.stage != self._stage:
            self._stage = progress.stage
            self.signals.stage_changed.emit(progress.stage)
        metrics = progress.metrics
        total = metrics["num_warmup"] + metrics["num_samples"]
        for chain, done in enumerate(metrics["chains"]):
            if done != self._told.get(chain, 0):
                self._told[chain] = done
                self.signals.progress.emit(chain, done, total)
        if metrics["divergences"] > self._divergences:
            self._divergences = metrics["divergences"]
            self.signals.divergence_detected.emit(self._divergences)
        self.signals.reported.emit(progress)
