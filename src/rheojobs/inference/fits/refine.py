"""Refine the starts of a fit to their minima, with progress and checks for cancellation."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from rheojobs.engine.cancellation import CancellationError
from rheojobs.engine.task import TaskContext
from rheojobs.inference.fits.least_squares import levenberg_marquardt
from rheojobs.inference.fits.least_squares.levenberg_marquardt import (
    CHUNK,
    FAILED,
    FTOL,
    GTOL,
    RUNNING,
    XTOL,
    Seen,
    State,
)
from rheojobs.inference.fits.least_squares.losses import loss_weight
from rheojobs.inference.fits.objective import Objective
from rheojobs.inference.fits.options import LOSSES
from rheojobs.inference.fits.sorted_modes import with_sorted_modes
from rheojobs.inference.programs.pace import Pace

__all__ = ["Outcome", "Refiner", "lowest", "refiner_of", "told_apart"]

CHUNK_SECONDS = 0.08
"""Seconds between two checks for cancellation."""

VALLEY_ITERATIONS = 50
VALLEY_FALL = 0.01
"""A fit ends if it falls by less than this part of the residuals' variance in so many iterations.

If modes merge or vanish, the sum of squares falls for ever, but by less than the data resolve.
"""

STEADY = 0.3, 0.5
"""In a valley the second half of these iterations has between these parts of the fall.

If it has less, the minimum is about to be reached; if it has more, the valley opens.
"""

TOLD = 0.1
"""A fall by less than this part of the variance moves no parameter by a third of its error.

If no step helps any more, the point is a minimum if the linearized residuals predict no larger
fall: a solution of differential equations, or a series, is never quite smooth.
"""

RESOLVED = 1e-4
"""A direction that moves the residuals by less than this part of the largest is noise."""

Report = Callable[[NDArray[np.float64], NDArray[np.float64], NDArray[np.float64] | None], None]


@dataclass(frozen=True, eq=False)
class Outcome:
    """Where a start ended.

    Attributes
    ----------
    u : ndarray, shape (d,)
        The coordinates.
    cost : float
        The objective.
    residuals : ndarray, shape (c, b)
        Weighted; those of padding are zero.
    jacobian : ndarray, shape (c, b, d)
        Their derivatives.
    curve : ndarray, shape (c, b)
        The prediction.
    converged : bool
        Whether it is a minimum.
    message : str
        Why it ended.
    """

    u: NDArray[np.float64]
    cost: float
    residuals: NDArray[np.float64]
    jacobian: NDArray[np.float64]
    curve: NDArray[np.float64]
    converged: bool
    message: str

    @property
    def is_usable(self) -> bool:
        """Whether the start could be evaluated."""
        return bool(np.isfinite(self.cost))


class Refiner:
    """Runs the compiled iterations of one objective in small pieces.

    Parameters
    ----------
    objective : Objective
        What is minimized.
    tolerances : Tolerances
        When to stop.
    max_iter : int
        Iterations of one start at most.
    context : TaskContext
        Checks for pause and cancellation.
    """

    def __init__(
        self,
        objective: Objective,
        tolerances: levenberg_marquardt.Tolerances,
        max_iter: int,
        context: TaskContext,
    ) -> None:
        self._objective = objective
        self._tolerances = tolerances
        self._max_iter = max_iter
        self._context = context
        self.stopped_at: Outcome | None = None
        """The state of a cancelled refinement."""

    def refine(
        self,
        start: NDArray[np.float64],
        data: levenberg_marquardt.Data,
        report: Report | None = None,
        max_iter: int | None = None,
    ) -> Outcome:
        """Go from a start to its minimum.

        Parameters
        ----------
        start : ndarray, shape (d,)
            Coordinates.
        data : Data
            What is fitted.
        report : callable, optional
            Called after some iterations with the objective after each of them, and with the
            coordinates, (d,), and the curve, (c, b), after the last, if it is known.
        max_iter : int, optional
            Fewer iterations than usual.

        Raises
        ------
        CancellationError
            If the task is cancelled; `stopped_at` holds the state.
        """
        state = levenberg_marquardt.begin(np.clip(start, data.lower, data.upper))
        seen: Seen | None = None
        in_valley, pace = _Valley(data), self._objective.pace(data)
        most = min(self._max_iter, max_iter or self._max_iter)
        done = 0
        try:
            while int(state.status) == RUNNING and done < most and not in_valley.found:
                left = min(most - done, VALLEY_ITERATIONS - done % VALLEY_ITERATIONS)
                state, costs, seen = self._advance(state, data, left, pace)
                done += len(costs)
                in_valley.watch(done, costs)
                if report is not None and len(costs):
                    report(costs, state.u, seen.curve if seen.is_best else None)
                self._context.check()
        except CancellationError:
            self.stopped_at = self._outcome(state, seen, data)
            raise
        return self._outcome(state, seen, data, in_valley.found)

    def _advance(
        self, state: State, data: levenberg_marquardt.Data, left: int, pace: Pace
    ) -> tuple[State, NDArray[np.float64], Seen]:
        iterate, is_new = self._objective.iterate, not np.isfinite(state.cost)
        if not pace.is_known and is_new:
            with self._context.unstoppable():  # it may have to be compiled
                return iterate(state, data, self._tolerances, 1)
        steps = min(left, CHUNK, pace.steps(CHUNK_SECONDS))
        began = time.perf_counter()
        state, costs, seen = iterate(state, data, self._tolerances, steps)
        pace.measured(time.perf_counter() - began, len(costs))
        return state, costs, seen

    def _looked(self, u: NDArray[np.float64], data: levenberg_marquardt.Data) -> tuple[State, Seen]:
        """Evaluate the model at coordinates, shape (d,), and go nowhere."""
        start = levenberg_marquardt.begin(u)
        state, _, seen = self._objective.iterate(start, data, self._tolerances, 1)
        return state, seen

    def _outcome(
        self,
        state: State,
        seen: Seen | None,
        data: levenberg_marquardt.Data,
        in_valley: bool = False,
    ) -> Outcome:
        status = int(state.status)
        if seen is None or not (seen.is_best or status == FAILED):  # the last step was refused
            _, seen = self._looked(state.u, data)
        jacobian = np.moveaxis(seen.jacobian, 0, -1)
        converged = status in (FTOL, XTOL, GTOL)
        if status == levenberg_marquardt.STALLED:
            converged = _promise(state, seen, data) <= told_apart(float(state.cost), data)
        message = levenberg_marquardt.REASONS.get(status, "")
        if status == RUNNING and in_valley:
            converged, message = True, "the sum of squares falls by less than the data can resolve"
        elif status == RUNNING:
            message = f"stopped after {self._max_iter} iterations (max_iter)"
        outcome = Outcome(
            state.u,
            float("inf") if status == FAILED else float(state.cost),
            seen.residuals,
            jacobian,
            seen.curve,
            converged,
            message,
        )
        return with_sorted_modes(outcome, self._objective, data)


def refiner_of(method: str) -> type[Refiner]:
    """Return the class that refines by a method, one of `options.METHODS`."""
    if method != "nlsq":
        return Refiner
    from rheojobs.inference.fits.nlsq_method import NlsqRefiner  # which is a subclass

    return NlsqRefiner


class _Valley:
    """Detects that further iterations gain nothing.

    It checks at fixed iterations, so that the end does not depend on the machine's speed.
    """

    def __init__(self, data: levenberg_marquardt.Data) -> None:
        self._data = data
        self._before = self._half = float("inf")
        self.found = False

    def watch(self, done: int, costs: NDArray[np.float64]) -> None:
        """Note the objective after some more iterations."""
        if len(costs) == 0:
            return
        half = done - done % VALLEY_ITERATIONS + VALLEY_ITERATIONS // 2
        if done - len(costs) < half <= done:
            self._half = float(costs[half - 1 - done])
        if done % VALLEY_ITERATIONS:
            return
        cost = float(costs[-1])
        fall, later = self._before - cost, self._half - cost
        is_steady = fall <= 0 or STEADY[0] * fall <= later <= STEADY[1] * fall
        self.found = is_steady and fall < VALLEY_FALL * _variance(cost, self._data)
        self._before = cost


def lowest(outcomes: Sequence[Outcome], data: levenberg_marquardt.Data) -> Outcome:
    """Return the lowest; of two that the data cannot distinguish, the one that is a minimum."""
    best = min(outcomes, key=lambda outcome: outcome.cost)
    level = best.cost + told_apart(best.cost, data)
    minima = [outcome for outcome in outcomes if outcome.converged and outcome.cost <= level]
    return min(minima or [best], key=lambda outcome: outcome.cost)


def told_apart(cost: float, data: levenberg_marquardt.Data) -> float:
    """Return by how much objectives must differ for the data to distinguish them."""
    return TOLD * _variance(cost, data)


def _variance(cost: float, data: levenberg_marquardt.Data) -> float:
    values = float(np.sum(data.mask)) * data.y.shape[0]
    return float(cost / max(values - float(np.sum(data.lower < data.upper)), 1.0))


def _promise(state: State, seen: Seen, data: levenberg_marquardt.Data) -> float:
    """Return the fall of the objective within the bounds if the residuals were linear."""
    loss = tuple(LOSSES)[int(data.loss)]
    root = np.sqrt(loss_weight((seen.residuals / float(data.scale)) ** 2, loss))
    residuals = (root * seen.residuals).reshape(-1)
    jacobian = (root * seen.jacobian).reshape(len(state.u), -1).T
    u, lower, upper, gradient = (
        np.asarray(part) for part in (state.u, data.lower, data.upper, jacobian.T @ residuals)
    )
    lengths = np.linalg.norm(jacobian, axis=0)
    outwards = ((u <= lower) & (gradient > 0)) | ((u >= upper) & (gradient < 0))
    free = (lower < upper) & ~outwards & (lengths > 0)
    left, sizes, _ = np.linalg.svd(jacobian[:, free] / lengths[free], full_matrices=False)
    told = left[:, sizes > RESOLVED * sizes.max(initial=0.0)]
    return float(np.sum((told.T @ residuals) ** 2))
