"""Run one fit from its starts to its result, inside a worker."""

from __future__ import annotations

import math
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from rheojobs.engine.cancellation import CancellationError
from rheojobs.engine.task import TaskContext
from rheojobs.errors import RheojobsError
from rheojobs.inference.fits.global_search import search
from rheojobs.inference.fits.least_squares.losses import TUNING, large_from
from rheojobs.inference.fits.least_squares.residuals import Data
from rheojobs.inference.fits.live_curve import PresentCurve
from rheojobs.inference.fits.minima import distinct_minima, minima_warnings
from rheojobs.inference.fits.options import FitOptions
from rheojobs.inference.fits.outcome import Outcome, lowest
from rheojobs.inference.fits.profile_likelihood import Profiler
from rheojobs.inference.fits.refine import refiner_of
from rheojobs.inference.fits.setup import RACE, SPARE_STARTS, FitSetup
from rheojobs.inference.models.model import Model
from rheojobs.inference.problem.problem import Problem
from rheojobs.inference.results.fit_result import FitResult

__all__ = ["FitRun"]

SCALE_ROUNDS = 10
SCALE_TOLERANCE = 0.01


@dataclass(frozen=True, eq=False)
class _End:
    """The end of a fit as a whole."""

    best: Outcome
    data: Data
    message: str
    minima: list[dict[str, Any]]


def _without_start(model: Model) -> str:
    """Return in one line what to do if no start could be evaluated."""
    what = f"{model.name}: no start gives finite residuals and slopes; "
    if not model.forward_mode:
        return what + "give other initial values"
    return what + (
        "if times of the model are far below those of the data, its equations are too stiff "
        "for RheoJAX's explicit method, which is given up after 16,384 steps: give initial values "
        "or bounds whose times are nearer to the data's"
    )


class FitRun:
    """Runs a fit from its starts to its result.

    Parameters
    ----------
    problem : Problem
        The model and the data.
    options : FitOptions
        How to fit.
    initial : mapping
        The given initial values.
    context : TaskContext
        Receives progress, and checks for pause and cancellation.
    """

    def __init__(
        self,
        problem: Problem,
        options: FitOptions,
        initial: Mapping[str, float],
        context: TaskContext,
    ) -> None:
        self._started = time.perf_counter()
        self._problem, self._options, self._context = problem, options, context
        self._setup = setup = FitSetup.of(problem, options, initial)
        self._objective, self._limits, self._weights = setup.objective, setup.limits, setup.weights
        make = refiner_of(options.method)
        self._refiner = make(self._objective, setup.tolerances, options.max_iter, context)
        self._iterations = self._iterations_of_ends = 0
        seen = problem.coarse_observations
        self._curve = PresentCurve(seen.x[seen.shown])
        self._label: dict[str, Any] = {}
        self._stage, self._loss = "fit", math.nan
        self._ends: list[Outcome] = []
        self._went_beyond = False
        self._collector = setup.collector

    def run(self) -> FitResult:
        """Fit; if cancelled, hand over the best so far."""
        context = self._context
        context.check()
        context.progress(0, 0, "looking for a start", stage="start")
        data = self._setup.data()
        try:
            end = self._end(data)
            self._tell_end(end.best)
        except CancellationError:
            self._keep(data)
            raise
        result = self._result(end.best, end.data, end.best.converged, end.message)
        result.minima = end.minima
        result.warnings += self._minima_warnings(end, result)
        if self._options.intervals is not None:
            return self._with_intervals(end, result)
        return result

    def _minima_warnings(self, end: _End, result: FitResult) -> list[str]:
        """Return warnings about minima of other starts that contradict the best one."""
        freedom = result.values - result.free
        variance = end.best.cost / freedom if freedom > 0 else float("nan")
        if self._weights.is_absolute:
            variance = 1.0
        first = self._ends[0].cost
        is_given = self._setup.is_given
        return minima_warnings(end.minima, result.uncertainties, variance, is_given, first)

    def _end(self, data: Data) -> _End:
        loss, count = self._options.loss, self._options.multi_start
        if loss != "linear":
            data = self._with_loss(data)
        for start in self._starts(data):
            self._begin_start({"start": len(self._ends) + 1, "starts": count})
            outcome = self._refiner.refine(start, data, self._report)
            if outcome.is_usable:
                self._ends.append(outcome)
                self._iterations_of_ends = self._iterations
            if len(self._ends) == count:
                break
        if not self._ends:
            raise RheojobsError(_without_start(self._problem.model))
        best = self._best(data)
        if loss != "linear" and not self._weights.is_absolute:
            best, data = self._settle_scale(best, data)
        message = best.message
        if count > 1:
            message += f" (best of {count} starts)"
        return _End(best, data, message, self._minima())

    def _starts(self, data: Data) -> Iterator[NDArray[np.float64]]:
        """Return the starts: a full set of given values first, then the most promising."""
        count, first = self._options.multi_start, int(self._setup.is_given)
        wanted = max(count, SPARE_STARTS)
        # If all of them are needed, there is nothing to choose.
        if not self._setup.has_many or count == first or count >= wanted:
            yield from self._unraced(data, wanted)
            return
        starts = np.stack(list(self._unraced(data, wanted)))
        yield from starts[:first]
        yield from self._race(starts[first:], data)

    def _unraced(self, data: Data, count: int) -> Iterator[NDArray[np.float64]]:
        """Return so many starts of the screening.

        The screening runs only when a start besides the given values is needed: if these
        suffice, a slow model is not evaluated at hundreds of points for nothing.
        """
        given = self._setup.given
        if self._setup.is_given:
            yield from self._objective.starts(self._problem, given, data, 1)
            given, count = {}, count - 1
        with self._context.unstoppable():
            starts = self._objective.starts(self._problem, given, data, count, self._tell_search)
        yield from starts

    def _tell_search(self, done: int, total: int) -> None:
        """Report the progress of a screening; raises if the task is cancelled."""
        self._context.check()
        self._context.progress(done, total, "looking for a start", stage="start")

    def _best(self, data: Data) -> Outcome:
        """Return the best end; with several starts, also search beyond them for a lower one."""
        if self._options.multi_start == 1 or not self._setup.has_many:
            return lowest(self._ends, data)
        seen = self._problem.coarse_observations
        given = {} if self._setup.is_given else self._setup.given
        with self._context.unstoppable():
            points = self._objective.points(self._problem, given, data)

        def improve(starts: NDArray[np.float64]) -> Outcome:
            return self._refiner.refine(self._race(starts, data)[0], data, self._report)

        found = search(self._objective, self._ends, points, data, seen.x[seen.shown], improve)
        if not any(found is end for end in self._ends):
            self._ends.append(found)
            self._went_beyond = True
        return found

    def _race(self, starts: NDArray[np.float64], data: Data) -> NDArray[np.float64]:
        """Refine starts a little, and put the best of them first."""
        if len(starts) < 2:
            return starts
        ahead, label = [], self._label
        # If several are refined, they are numbered consecutively.
        self._stage = "fit" if self._options.multi_start == 1 else "race"
        for number, start in enumerate(starts):
            self._begin_start({"start": number + 1, "starts": len(starts)})
            ahead.append(self._refiner.refine(start, data, self._report, RACE))
        self._stage = "fit"
        self._begin_start(label)
        order = np.argsort([outcome.cost for outcome in ahead], kind="stable")
        return np.stack([ahead[index].u for index in order])

    def _begin_start(self, label: dict[str, Any]) -> None:
        """Report what follows as the iterations of a start, whose losses do not join the last."""
        self._label = label
        self._curve.begin_start()

    def _report(
        self,
        losses: NDArray[np.float64],
        u: NDArray[np.float64],
        curve: NDArray[np.float64] | None = None,
        part: float = 1.0,
    ) -> None:
        first = self._iterations + 1
        self._iterations += len(losses)
        if self._context.is_heard:
            self._curve.add_losses(first, losses.tolist())
            if curve is not None:
                self._curve.update(curve)
            self._loss = float(losses[-1]) if len(losses) else self._loss
            self._tell(self._loss, u, "" if part == 1.0 else f", {part:.0%} of the next")

    def _tell_end(self, best: Outcome) -> None:
        """Report the end of the fit once more, with everything held back to save time."""
        if self._context.is_heard:
            self._curve.update(best.curve, at_once=True)
            self._tell(best.cost, best.u)

    def _tell(self, loss: float, u: NDArray[np.float64], more: str = "") -> None:
        count = self._label["starts"]
        label = f"start {self._label['start']} of {count}, " if count > 1 else ""
        self._context.progress(
            self._iterations,
            self._expected_iterations(),
            f"{label}iteration {self._iterations}, loss {loss:.4g}{more}",
            stage=self._stage,
            loss=loss,
            parameters=self._named(u),
            **self._curve.metrics(),
            **self._label,
        )

    def _expected_iterations(self) -> int:
        """Estimate the iterations of all starts from those that have ended, else the maximum."""
        count, ended = self._options.multi_start, len(self._ends)
        if count == 1 or not ended:
            return self._options.max_iter * count
        each = self._iterations_of_ends / ended
        to_come = each * max(0, count - ended - 1)
        return round(max(each * count, self._iterations + 1 + to_come))

    def _with_loss(self, data: Data) -> Data:
        """Return the data with a robust loss, its scale taken from a first fit without one."""
        loss = self._options.loss
        robust = self._setup.data(loss)
        if self._weights.is_absolute:
            return robust._replace(scale=np.float64(TUNING[loss]))
        self._begin_start({"start": 1, "starts": 1})
        for start in self._unraced(data, SPARE_STARTS):
            first = self._refiner.refine(start, data)
            if first.is_usable:
                return robust._replace(scale=self._scale(first, robust))
        return robust

    def _scale(self, outcome: Outcome, data: Data) -> np.float64:
        """Set from the residuals' median which of them are large."""
        seen, typical = self._problem.coarse_observations, 1.0
        if not self._weights.logarithmic:
            typical = float(np.abs(seen.y / self._weights.sigma).max()) or 1.0
        residuals = self._collector.at_data(outcome, data).residuals
        return np.float64(large_from(residuals, self._options.loss, typical))

    def _settle_scale(self, best: Outcome, data: Data) -> tuple[Outcome, Data]:
        """Iterate until the scale of a robust loss and its minimum agree."""
        for _ in range(SCALE_ROUNDS):
            scale = self._scale(best, data)
            if abs(scale - data.scale) <= SCALE_TOLERANCE * data.scale:
                break
            data = data._replace(scale=scale)
            best = self._refiner.refine(best.u, data, self._report)
        if len(self._ends) > 1:  # so that their objectives are of one kind
            self._ends = [self._refiner.refine(end.u, data) for end in self._ends]
            best = min([best, *self._ends], key=lambda outcome: outcome.cost)
        else:
            self._ends = [best]
        return best, data

    def _minima(self) -> list[dict[str, Any]]:
        return distinct_minima(self._ends, self._went_beyond, self._named)

    def _named(self, u: NDArray[np.float64]) -> dict[str, float]:
        return self._objective.coordinates.named(u, self._setup.fixed)

    def _keep(self, data: Data) -> None:
        """Hand over the best result so far of a cancelled fit."""
        stopped = self._refiner.stopped_at
        ends = [end for end in (*self._ends, stopped) if end is not None and end.is_usable]
        if ends:
            best = min(ends, key=lambda outcome: outcome.cost)
            self._context.partial(self._result(best, data, False, "cancelled"))

    def _with_intervals(self, end: _End, result: FitResult) -> FitResult:
        profiler = Profiler(
            self._objective,
            self._refiner,
            self._context,
            self._weights.is_absolute,
            self._options.loss,
        )
        try:
            profiled = profiler.run(end.best, end.data, self._problem.values)
        except CancellationError:
            self._context.partial(result)
            raise
        if profiled.best is not end.best:
            best = profiled.best
            minima = result.minima
            message = f"{best.message} (a lower minimum was found by the profiles)"
            result = self._result(best, end.data, best.converged, message)
            found = {"objective": best.cost, "parameters": self._named(best.u), "starts": 0}
            result.minima = [found, *minima]
            result.warnings.append(
                "the profiles found a lower minimum than the fit: there may be others; use more "
                "starts (multi_start)"
            )
        result.intervals, result.interval_notes = profiled.intervals, profiled.notes
        result.warnings += [f"{name}: {note}" for name, note in profiled.notes.items()]
        result.fit_time = time.perf_counter() - self._started
        return result

    def _result(self, end: Outcome, data: Data, success: bool, message: str) -> FitResult:
        seconds = time.perf_counter() - self._started
        return self._collector.result(
            end, data, success, message, iterations=self._iterations, seconds=seconds
        )
