"""Least-squares fits with NLSQ: the task, and the plain function. Runs inside a worker.

Between iterations progress is told, with the loss and the present parameters, and a wish to
pause or stop is heard; a fit that is stopped keeps the best parameters so far.
"""

from __future__ import annotations

import contextlib
import logging
import math
import time
import warnings
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

from rheojobs.engine.cancellation import CancellationError
from rheojobs.engine.events import Progress
from rheojobs.engine.task import TaskContext
from rheojobs.errors import RheojobsError
from rheojobs.inference.data import Dataset
from rheojobs.inference.durable import pack, unpack
from rheojobs.inference.jax_setup import configure_jax
from rheojobs.inference.local import local_context
from rheojobs.inference.models import Model
from rheojobs.inference.options import FitOptions
from rheojobs.inference.problem import Problem, prepare_data
from rheojobs.inference.results import FitResult

__all__ = ["FitTask", "fit"]

logger = logging.getLogger(__name__)


@dataclass
class FitTask:
    """A fit, as data.

    Parameters
    ----------
    model : str or Model
        A name of the catalogue, or a plain JAX function with its parameters.
    data : object
        As `Dataset.of` takes them.
    initial_params : mapping, optional
        Where to start; what is missing is estimated from the data.
    options : mapping, optional
        As `FitOptions` has them.
    """

    model: str | Model
    data: object
    initial_params: Mapping[str, float] | None = None
    options: Mapping[str, Any] | None = None
    _dataset: Dataset | None = field(default=None, repr=False)

    @property
    def model_name(self) -> str:
        """The model's name."""
        return self.model.name if isinstance(self.model, Model) else str(self.model)

    @property
    def name(self) -> str:
        """What a person sees."""
        return f"fit {self.model_name}"

    @property
    def affinity(self) -> str:
        """Tasks of one affinity share compiled programs."""
        return f"{self.model_name} {(self.options or {}).get('model_config')}"

    def validate(self) -> None:
        """Check all that can be known without JAX; raises `InputError` in one line."""
        options = FitOptions.of(self.options)
        if self._dataset is None:
            dataset = prepare_data(self.model, self.data, options.test_mode, options.protocol)
            self._dataset, self.data = dataset, None  # sent once, as checked

    def checked_data(self) -> Dataset:
        """Give the data as `validate` has checked them."""
        self.validate()
        assert self._dataset is not None
        return self._dataset

    def record(self) -> tuple[Any, Mapping[str, bytes]]:
        """Give the task as JSON and arrays, to be kept on disk."""
        settings = {"initial_params": self.initial_params, "options": self.options}
        return pack({"model": self.model, "data": self.checked_data()} | settings)

    @classmethod
    def of_record(cls, content: Any, blobs: Mapping[str, bytes]) -> Self:
        """Give the task again."""
        return cls(**unpack(content, blobs))

    def run(self, context: TaskContext) -> FitResult:
        """Fit."""
        self.validate()
        assert self._dataset is not None
        configure_jax()
        options = FitOptions.of(self.options)
        context.progress(0, 0, "preparing", stage="prepare")
        with context.unstoppable():
            problem = Problem.of(self.model, self._dataset, options.model_config)
            fit = _Fit(problem, options, self.initial_params or {}, context)
        return fit.run()


class _Fit:
    """Carries a fit from its starts to its result."""

    def __init__(
        self,
        problem: Problem,
        options: FitOptions,
        initial: Mapping[str, float],
        context: TaskContext,
    ) -> None:
        from rheojobs.inference.objective import Objective, default_weights, sigma_of

        self._started = time.perf_counter()
        self._problem = problem
        self._options = options
        self._context = context
        self._initial = problem.model.resolve_values(initial)
        self._weights = options.weights or default_weights(problem)
        self._sigma = sigma_of(problem, self._weights)
        self._objective = Objective.of(problem)
        self._iterations = 0
        self._best: tuple[float, NDArray[np.float64]] | None = None
        self._stopped: CancellationError | None = None

    def run(self) -> FitResult:
        context, objective = self._context, self._objective
        context.check()
        context.progress(0, 0, "looking for a start", stage="start")
        with context.unstoppable():
            starts = objective.starts(
                self._problem, self._initial, self._sigma, self._options.multi_start
            )
        outcomes = []
        for number, start in enumerate(starts):
            try:
                outcomes.append(self._refine(start, number, len(starts)))
            except CancellationError:
                if self._best is not None:
                    context.partial(self._result(self._best[1], None, False, "cancelled"))
                raise
            except (ValueError, FloatingPointError, np.linalg.LinAlgError) as error:
                # nlsq refuses a start at which the model or its slope is not finite.
                logger.debug("start %d of %d failed: %s", number + 1, len(starts), error)
        if not outcomes:
            raise RheojobsError(
                f"{self._problem.model.name}: no start gives finite residuals and slopes; "
                "give other initial values"
            )
        best = min(outcomes, key=lambda outcome: float(outcome.cost))
        u = np.asarray(best.x, dtype=float)
        converged = bool(best.success)
        message = " ".join(str(best.message).split())
        if len(starts) > 1:
            message += f" (best of {len(starts)} starts)"
        return self._result(u, np.asarray(best.jac), converged, message)

    def _refine(self, start: NDArray[np.float64], number: int, count: int) -> Any:
        seen = self._problem.coarse_observations
        coordinates = self._objective.coordinates
        components = seen.y.shape[0]
        # nlsq wants to begin strictly inside the bounds.
        width = np.where(
            np.isfinite(coordinates.upper - coordinates.lower),
            coordinates.upper - coordinates.lower,
            1.0,
        )
        inside = np.clip(start, coordinates.lower + 1e-9 * width, coordinates.upper - 1e-9 * width)
        label = f"start {number + 1} of {count}, " if count > 1 else ""

        compiling = contextlib.ExitStack()

        def callback(
            *, iteration: int, cost: float, params: NDArray[np.float64], info: Mapping[str, Any]
        ) -> None:
            compiling.close()
            self._on_iteration(cost, params, label)

        with compiling, self._objective.solver() as solver, warnings.catch_warnings():
            # Until the first iteration nlsq compiles, and hears nothing.
            compiling.enter_context(self._context.unstoppable())
            warnings.simplefilter("ignore")  # nlsq warns of a singular covariance; we report it
            outcome = solver.curve_fit(
                self._objective.curve,
                np.tile(seen.x, components),
                seen.y.reshape(-1),
                p0=inside,
                sigma=self._sigma.reshape(-1),
                absolute_sigma=True,
                bounds=(coordinates.lower, coordinates.upper),
                data_mask=np.tile(seen.mask.astype(bool), components),
                method="trf",
                x_scale="jac",
                ftol=self._options.ftol,
                xtol=self._options.xtol,
                gtol=self._options.gtol,
                max_nfev=self._options.max_iter,
                callback=callback,
            )
        if self._stopped is not None:
            raise self._stopped
        return outcome

    def _on_iteration(self, cost: float, u: NDArray[np.float64], label: str) -> None:
        from nlsq.callbacks import StopOptimization

        self._iterations += 1
        loss = 2.0 * cost  # nlsq's cost is half the sum of squares
        if self._best is None or loss < self._best[0]:
            self._best = (loss, np.array(u))
        self._context.progress(
            self._iterations,
            self._options.max_iter,
            f"{label}iteration {self._iterations}, loss {loss:.4g}",
            stage="fit",
            loss=loss,
            parameters=self._objective.coordinates.named(np.asarray(u)),
        )
        try:
            self._context.check()
        except CancellationError as error:
            # nlsq swallows every other exception, and then goes on.
            self._stopped = error
            raise StopOptimization from None

    def _result(
        self,
        u: NDArray[np.float64],
        jacobian: NDArray[np.float64] | None,
        success: bool,
        message: str,
    ) -> FitResult:
        problem, objective = self._problem, self._objective
        seen, model = problem.coarse_observations, problem.model
        parameters = objective.coordinates.named(u)
        params = np.array([parameters[name] for name in model.names])
        fitted = np.asarray(objective.predict(params, seen.x))[:, : seen.n]
        y, sigma = seen.y[:, : seen.n], self._sigma[:, : seen.n]
        residuals = y - fitted
        chi_squared = float(np.sum((residuals / sigma) ** 2))
        free = len(objective.coordinates.free)
        freedom = y.size - free
        reduced = chi_squared / freedom if freedom > 0 else math.nan
        covariance = self._covariance(u, jacobian, reduced)
        errors = np.sqrt(np.diag(covariance))
        # Of Gaussian residuals whose common size is estimated too.
        fit_quality = y.size * math.log(max(chi_squared, 1e-300) / y.size)
        counted = free + 1
        aic, left = fit_quality + 2 * counted, y.size - counted - 1
        return FitResult(
            model_name=model.name,
            parameters=parameters,
            r_squared=_r_squared(y, fitted, self._weights),
            mpe=float(np.mean(np.abs(residuals) / np.maximum(np.abs(y), 1e-300)) * 100),
            chi_squared=chi_squared,
            fit_time=time.perf_counter() - self._started,
            timestamp=datetime.now(UTC),
            n_iterations=self._iterations,
            success=success,
            uncertainties=dict(zip(model.names, errors.tolist(), strict=True)),
            covariance=covariance,
            reduced_chi_squared=reduced,
            aic=aic,
            bic=fit_quality + math.log(y.size) * counted,
            aicc=aic + 2 * counted * (counted + 1) / left if left > 0 else math.inf,
            residuals=residuals[0] + 1j * residuals[1] if problem.is_complex else residuals[0],
            fitted=fitted[0] + 1j * fitted[1] if problem.is_complex else fitted[0],
            test_mode=problem.test_mode,
            message=message,
            weights=self._weights,
            units={parameter.name: parameter.unit for parameter in model.parameters},
        )

    def _covariance(
        self, u: NDArray[np.float64], jacobian: NDArray[np.float64] | None, reduced: float
    ) -> NDArray[np.float64]:
        """Give the covariance of all parameters; infinite where the data say nothing of one."""
        names = self._problem.model.names
        coordinates = self._objective.coordinates
        full = np.zeros((len(names), len(names)))
        free = [names.index(item.name) for item in coordinates.free]
        if jacobian is None or not math.isfinite(reduced):
            full[free, free] = math.inf
            return full
        # By singular values: what the data leave undetermined must not spoil the rest.
        _, singular, directions = np.linalg.svd(jacobian, full_matrices=False)
        known = singular > 1e-10 * singular.max(initial=0.0)
        scaled = directions[known] / singular[known, None]
        slopes = coordinates.slopes(u)
        block = reduced * (scaled.T @ scaled) * np.outer(slopes, slopes)
        lost = np.any(np.abs(directions[~known]) > 1e-3, axis=0)
        block[lost, :] = block[:, lost] = 0.0
        block[lost, lost] = math.inf
        full[np.ix_(free, free)] = block
        return full


def _r_squared(y: NDArray[np.float64], fitted: NDArray[np.float64], weights: str) -> float:
    if weights == "relative" and (y > 0).all() and (fitted > 0).all():
        y, fitted = np.log(y), np.log(fitted)
    total = float(np.sum((y - y.mean(axis=1, keepdims=True)) ** 2))
    return 1.0 - float(np.sum((y - fitted) ** 2)) / total if total > 0 else math.nan


def fit(
    data: object,
    model: str | Model,
    *,
    initial_params: Mapping[str, float] | None = None,
    callback: Callable[[Progress], object] | None = None,
    **options: Any,
) -> FitResult:
    """Fit a model to data, in this process.

    Parameters
    ----------
    data : object
        A `Dataset`, RheoJAX's `RheoData`, a pair ``(x, y)``, or a mapping with x and y.
    model : str or Model
        A name of the catalogue, or a plain JAX function with its parameters.
    initial_params : mapping, optional
        Where to start; what is missing is estimated from the data.
    callback : callable, optional
        Called with each `Progress`; what it raises ends the fit.
    **options
        As `FitOptions` has them.

    Returns
    -------
    FitResult

    Raises
    ------
    InputError
        In one line, what is wrong with the input.
    """
    with local_context(callback) as context:
        return FitTask(model, data, initial_params, options).run(context)
