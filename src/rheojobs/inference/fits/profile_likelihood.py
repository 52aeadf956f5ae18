"""Compute confidence intervals by profile likelihood.

At each value of a parameter all others are refitted, with the program compiled for the fit.
Sources: Venzon & Moolgavkar, Appl. Stat. 37 (1988) 87; Raue et al., Bioinformatics 25 (2009)
1923; for noise of unknown size Bates & Watts, Nonlinear Regression Analysis (1988), ch. 6; for
robust losses Huber, Robust Statistics (1981), section 7.6.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from rheojobs.engine.task import TaskContext
from rheojobs.inference.fits.least_squares.losses import RobustScatter, robust_scatter
from rheojobs.inference.fits.least_squares.residuals import Data
from rheojobs.inference.fits.objective import Objective
from rheojobs.inference.fits.outcome import Outcome
from rheojobs.inference.fits.refine import Refiner
from rheojobs.inference.fits.statistics import covariance_of

__all__ = ["LEVEL", "Profiled", "Profiler"]

LEVEL = 0.95

CLOSE = 0.003
"""Tolerance of an end, as a fraction of the distance from the minimum to the threshold."""

MOST_STEPS = 40
MOST_RESTARTS = 3
LOWER = 1e-6
"""A profile that falls below the minimum by this fraction has found a better one."""


@dataclass(frozen=True, eq=False)
class Profiled:
    """Intervals by parameter, notes on them, and the best minimum that was found."""

    best: Outcome
    intervals: dict[str, tuple[float, float]] = field(default_factory=dict)
    notes: dict[str, str] = field(default_factory=dict)


class _BetterMinimumError(Exception):
    """A profile went below the minimum."""

    def __init__(self, outcome: Outcome) -> None:
        super().__init__("a profile found a lower minimum")
        self.outcome = outcome


class Profiler:
    """Profiles the parameters of one fit.

    Parameters
    ----------
    objective : Objective
        What was minimized.
    refiner : Refiner
        Runs each refit, with the program that the fit used.
    context : TaskContext
        Receives progress.
    is_absolute : bool
        Whether residuals are in units of their known standard deviation.
    loss : str
        One of `options.LOSSES`.
    """

    def __init__(
        self,
        objective: Objective,
        refiner: Refiner,
        context: TaskContext,
        is_absolute: bool,
        loss: str = "linear",
    ) -> None:
        self._objective, self._refiner, self._context = objective, refiner, context
        self._loss = loss
        # With a robust loss the residuals give the scatter, whether σ is known or not.
        self._is_absolute = is_absolute and loss == "linear"

    def run(self, best: Outcome, data: Data, values: int) -> Profiled:
        """Return the intervals around a minimum.

        Parameters
        ----------
        best : Outcome
            The minimum.
        data : Data
            What was fitted.
        values : int
            The number of residuals.
        """
        free = np.flatnonzero(data.lower < data.upper)
        names = [self._objective.coordinates.own[k].name for k in free]
        freedom = values - len(free)
        if freedom <= 0 and not self._is_absolute:
            note = "no interval: there are as many parameters as data"
            return Profiled(best, {}, dict.fromkeys(names, note))
        for _ in range(MOST_RESTARTS):
            try:
                return self._around(best, data, free, freedom)
            except _BetterMinimumError as found:
                best = self._refiner.refine(found.outcome.u, data)
        note = "no interval: the profiles repeatedly found lower minima; use more starts"
        return Profiled(best, {}, dict.fromkeys(names, note))

    def _around(self, best: Outcome, data: Data, free: NDArray[np.intp], freedom: int) -> Profiled:
        from scipy import stats  # takes longer to import than most fits

        if self._is_absolute:
            rise, variance = float(stats.chi2.ppf(LEVEL, 1)), 1.0
        else:
            scatter = self._scatter(best, data, freedom)
            variance = scatter.variance
            rise = scatter.rise * float(stats.f.ppf(LEVEL, 1, freedom))
        if not math.isfinite(rise):
            note = "no interval: the robust loss leaves too few residuals to estimate the scatter"
            names = [self._objective.coordinates.own[k].name for k in free]
            return Profiled(best, {}, dict.fromkeys(names, note))
        jacobian = best.jacobian.reshape(-1, best.jacobian.shape[-1])[:, free]
        errors = np.sqrt(np.diag(covariance_of(jacobian, variance)))
        profiled = Profiled(best)
        for index, k in enumerate(free):
            name = self._objective.coordinates.own[k].name
            ends, notes = [], []
            for side, words in ((-1, "lower"), (1, "upper")):
                done = 2 * index + (side > 0)
                message = f"profile of {name}, {words} end"
                self._context.progress(done, 2 * len(free), message, stage="intervals")
                walk = _Walk(self._refiner, best, data, int(k), side, rise)
                end, note = walk.end(float(errors[index]))
                ends.append(end)
                notes += [f"the {words} end of its interval {note}"] if note else []
            profiled.intervals[name] = (
                self._value(best, k, ends[0]),
                self._value(best, k, ends[1]),
            )
            if notes:
                profiled.notes[name] = "; ".join(notes)
        return profiled

    def _scatter(self, best: Outcome, data: Data, freedom: int) -> RobustScatter:
        if self._loss == "linear":
            return RobustScatter(best.cost / freedom, 1.0)
        if self._objective.is_large(data):
            residuals = self._objective.values(best.u, data).residuals.reshape(-1)
        else:
            residuals = best.residuals[:, np.asarray(data.mask) > 0].reshape(-1)
        free = residuals.size - freedom
        return robust_scatter(residuals, float(data.scale), self._loss, free)

    def _value(self, best: Outcome, k: int, at: float) -> float:
        if math.isinf(at):
            return at
        u = best.u.copy()
        u[k] = at
        return float(self._objective.coordinates.from_u(u)[k])


class _Walk:
    """Follows one coordinate from a minimum to where the objective has risen by `rise`."""

    def __init__(
        self, refiner: Refiner, best: Outcome, data: Data, k: int, side: int, rise: float
    ) -> None:
        self._refiner, self._best, self._data = refiner, best, data
        self._k, self._side, self._rise = k, side, max(rise, 1e-290)
        self._limit = float((data.lower if side < 0 else data.upper)[k])

    def end(self, error: float) -> tuple[float, str]:
        """Return the coordinate of the end, and a note if the data do not determine it."""
        start = float(self._best.u[self._k])
        if start == self._limit:
            return start, "is its bound, at which the estimate lies"
        step = 2.0 * error if 0 < error < math.inf else 0.05 * max(1.0, abs(start))
        inside, height, near = start, 0.0, self._best
        for _ in range(MOST_STEPS):
            outside = inside + self._side * step
            if (self._limit - outside) * self._side <= 0:
                outside = self._limit
            there = self._at(outside, near)
            reached = self._height(there)
            if reached >= 1.0:
                return self._between((inside, height), (outside, reached), near), ""
            if outside == self._limit:
                return outside, "is its bound: the data do not limit it"
            inside, height, near = outside, reached, there
            step *= 2.0
        return self._side * math.inf, "is open: the data do not limit it"

    def _at(self, value: float, near: Outcome) -> Outcome:
        """Fit all other coordinates at one value of this one."""
        u, lower, upper = near.u.copy(), self._data.lower.copy(), self._data.upper.copy()
        u[self._k] = lower[self._k] = upper[self._k] = value
        found = self._refiner.refine(u, self._data._replace(lower=lower, upper=upper))
        if found.cost < self._best.cost * (1.0 - LOWER) - LOWER * self._rise:
            raise _BetterMinimumError(found)
        return found

    def _height(self, outcome: Outcome) -> float:
        """Return the height as the square root of the rise, which is nearly linear."""
        return math.sqrt(max(outcome.cost - self._best.cost, 0.0) / self._rise)

    def _between(
        self, inside: tuple[float, float], outside: tuple[float, float], near: Outcome
    ) -> float:
        """Find where the height is one, by the secant method kept within a bracket."""
        (a, low), (b, high) = inside, outside
        for trial in range(MOST_STEPS):
            share = (1.0 - low) / (high - low) if math.isfinite(high) else 0.5
            if trial % 3 == 2:  # an end that never moves would make convergence slow
                share = 0.5
            at = a + (b - a) * min(max(share, 0.02), 0.98)
            found = self._at(at, near)
            height = self._height(found)
            if abs(height - 1.0) <= CLOSE or abs(b - a) <= 1e-10 * max(1.0, abs(a)):
                return at
            if height < 1.0:
                a, low, near = at, height, found
            else:
                b, high = at, height
        return 0.5 * (a + b)
