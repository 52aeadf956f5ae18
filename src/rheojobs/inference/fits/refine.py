"""Refine the starts of a fit to their minima, with progress and checks for cancellation."""

from __future__ import annotations

import time
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from rheojobs.engine.cancellation import CancellationError
from rheojobs.engine.task import TaskContext
from rheojobs.inference.fits.least_squares import levenberg_marquardt
from rheojobs.inference.fits.least_squares.large_data import Pieces
from rheojobs.inference.fits.least_squares.levenberg_marquardt import (
    CHUNK,
    FAILED,
    FTOL,
    GTOL,
    RUNNING,
    XTOL,
    Proposal,
    State,
    Tolerances,
)
from rheojobs.inference.fits.least_squares.residuals import Data, Seen
from rheojobs.inference.fits.objective import Objective
from rheojobs.inference.fits.outcome import Outcome, grown, told_apart, variance
from rheojobs.inference.fits.sorted_modes import with_sorted_modes
from rheojobs.inference.programs.pace import Pace

__all__ = ["VALLEY_ITERATIONS", "Refiner", "Report", "outcome_of", "refiner_of"]

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

NEAR_DAMPING = 1e-8
"""The damping of the first step from a minimum of some of the data to that of all."""

RESOLVED = 1e-4
"""A direction that moves the residuals by less than this part of the largest is noise."""

PASS_SECONDS = 0.5
"""Seconds between two reports within an iteration over many data."""


class Report(Protocol):
    """Receives the progress of a refinement."""

    def __call__(
        self,
        losses: NDArray[np.float64],
        u: NDArray[np.float64],
        curve: NDArray[np.float64] | None = None,
        part: float = 1.0,
    ) -> None:
        """Take the objective after each of the newest iterations, and what there is after the last.

        Parameters
        ----------
        losses : ndarray, shape (k,)
            None if an iteration over many data is under way.
        u : ndarray, shape (d,)
            Coordinates.
        curve : ndarray, shape (c, b), optional
            The curve, if it is known.
        part : float
            The share of the data that such an iteration has been over.
        """


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
        tolerances: Tolerances,
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
        data: Data,
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
            Called after some iterations.
        max_iter : int, optional
            Fewer iterations than usual.

        Raises
        ------
        CancellationError
            If the task is cancelled; `stopped_at` holds the state.
        """
        if self._objective.is_large(data):
            return self._refine_large(start, data, report, max_iter)
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
                    report(costs, state.u, None if seen is None else seen.curve)
                self._context.check()
        except CancellationError:
            self.stopped_at = self._outcome(state, seen, data)
            raise
        return self._outcome(state, seen, data, in_valley.found)

    def _refine_large(
        self,
        start: NDArray[np.float64],
        data: Data,
        report: Report | None,
        max_iter: int | None,
    ) -> Outcome:
        """Go from a start to the minimum of the data that are shown, and from there to that of all.

        A minimum of the former is so near to one of the latter that few steps lead there.
        """
        shown = self._objective.shown(data)
        share = len(data.x) / len(shown.x)

        def told(
            losses: NDArray[np.float64],
            u: NDArray[np.float64],
            curve: NDArray[np.float64] | None = None,
            part: float = 1.0,
        ) -> None:
            if report is not None:
                report(share * losses, u, curve, part)

        try:
            found = self.refine(start, shown, told, max_iter)
        except CancellationError:
            if self.stopped_at is not None:
                self.stopped_at = grown(self.stopped_at, share)
            raise
        if max_iter is not None or not found.is_usable:
            return grown(found, share)
        state = levenberg_marquardt.begin(found.u, NEAR_DAMPING)
        in_valley, done = _Valley(data), 0
        proposal, pieces = Proposal.at(found.u), Pieces(data)
        try:
            while int(state.status) == RUNNING and done < self._max_iter and not in_valley.found:
                sums = self._objective.sums(
                    proposal.u, pieces, _Pass(pieces, state.u, report, self._context).go_on
                )
                state, proposal = self._objective.advance(
                    state, proposal, sums, data, self._tolerances
                )
                if self._is_last(state, proposal):
                    state = state._replace(u=proposal.u, status=np.int64(FTOL))
                done, costs = done + 1, np.array([state.cost])
                in_valley.watch(done, costs)
                if report is not None:
                    report(costs, state.u)
        except CancellationError:
            self.stopped_at = grown(found, share)
            if np.isfinite(state.cost):
                self.stopped_at = self._outcome(state, None, data)
            raise
        return self._outcome(state, None, data, in_valley.found)

    def _is_last(self, state: State, proposal: Proposal) -> bool:
        """Whether a step leads so near to the minimum that it is not worth to look there."""
        most = float(self._tolerances.ftol * state.cost)
        is_free = int(state.status) == RUNNING and float(state.damping) <= 1.0
        return is_free and 0.0 <= float(proposal.predicted) <= most

    def _advance(
        self, state: State, data: Data, left: int, pace: Pace
    ) -> tuple[State, NDArray[np.float64], Seen | None]:
        iterate, is_new = self._objective.iterate, not np.isfinite(state.cost)
        if not pace.is_known and is_new:
            with self._context.unstoppable():  # it may have to be compiled
                return iterate(state, data, self._tolerances, 1)
        steps = min(left, CHUNK, pace.steps(CHUNK_SECONDS))
        began = time.perf_counter()
        state, costs, seen = iterate(state, data, self._tolerances, steps)
        pace.measured(time.perf_counter() - began, len(costs))
        return state, costs, seen

    def _cost(self, u: NDArray[np.float64], data: Data) -> float:
        """Return the objective at coordinates, shape (d,); infinite where it cannot be fitted."""
        if self._objective.is_large(data):
            sums = self._objective.sums(u, Pieces(data), self._context.check)
            return float(sums.cost) if sums.allowed and np.isfinite(sums.hessian).all() else np.inf
        return float(self._looked(u, data)[0].cost)

    def _seen(self, u: NDArray[np.float64], data: Data) -> Seen:
        """Return what the model gives at coordinates, shape (d,).

        Of large data, those that are shown are seen, with a Jacobian about as large as that of all.
        """
        if self._objective.is_large(data):
            shown = self._objective.shown(data)
            seen = self._seen(u, shown)
            return seen._replace(jacobian=np.sqrt(len(data.x) / len(shown.x)) * seen.jacobian)
        none = np.full(data.y.shape, np.nan)
        return self._looked(u, data)[1] or Seen(none, np.full((len(u), *none.shape), np.nan), none)

    def _looked(self, u: NDArray[np.float64], data: Data) -> tuple[State, Seen | None]:
        state, _, seen = self._objective.iterate(
            levenberg_marquardt.begin(u), data, self._tolerances, 1
        )
        return state, seen

    def _outcome(
        self, state: State, seen: Seen | None, data: Data, in_valley: bool = False
    ) -> Outcome:
        if seen is None:
            seen = self._seen(state.u, data)
        return outcome_of(self._objective, state, seen, data, self._max_iter, in_valley)


def outcome_of(
    objective: Objective,
    state: State,
    seen: Seen,
    data: Data,
    max_iter: int,
    in_valley: bool = False,
) -> Outcome:
    """Return the outcome of a refinement.

    Parameters
    ----------
    objective : Objective
        What was minimized.
    state : State
        Where it ended.
    seen : Seen
        What the model gives there.
    data : Data
        What was fitted.
    max_iter : int
        How many iterations were allowed.
    in_valley : bool
        Whether it ended because it gained nothing any more.
    """
    status = int(state.status)
    converged = status in (FTOL, XTOL, GTOL)
    if status == levenberg_marquardt.STALLED:
        converged = _promise(state, data) <= told_apart(float(state.cost), data)
    message = levenberg_marquardt.REASONS.get(status, "")
    if status == RUNNING and in_valley:
        converged, message = True, "the sum of squares falls by less than the data can resolve"
    elif status == RUNNING:
        message = f"stopped after {max_iter} iterations (max_iter)"
    outcome = Outcome(
        state.u,
        float("inf") if status == FAILED else float(state.cost),
        seen.residuals,
        np.moveaxis(seen.jacobian, 0, -1),
        seen.curve,
        converged,
        message,
    )
    return with_sorted_modes(outcome, objective, data)


def refiner_of(method: str) -> type[Refiner]:
    """Return the class that refines by a method, one of `options.METHODS`."""
    if method != "nlsq":
        return Refiner
    from rheojobs.inference.fits.nlsq_method import NlsqRefiner  # which is a subclass

    return NlsqRefiner


class _Pass:
    """Checks and reports within one iteration over many data."""

    def __init__(
        self,
        pieces: Pieces,
        u: NDArray[np.float64],
        report: Report | None,
        context: TaskContext,
    ) -> None:
        self._total, self._u, self._report, self._context = len(pieces), u, report, context
        self._done = 0
        self._due = time.monotonic() + PASS_SECONDS

    def go_on(self) -> None:
        """Check for cancellation before the next piece, and report if it is time."""
        self._context.check()
        if self._report is not None and (now := time.monotonic()) >= self._due:
            self._due = now + PASS_SECONDS
            self._report(np.empty(0), self._u, part=self._done / self._total)
        self._done += 1


class _Valley:
    """Detects that further iterations gain nothing.

    It checks at fixed iterations, so that the end does not depend on the machine's speed.
    """

    def __init__(self, data: Data) -> None:
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
        self.found = is_steady and fall < VALLEY_FALL * variance(cost, self._data)
        self._before = cost


def _promise(state: State, data: Data) -> float:
    """Return the fall of the objective within the bounds if the residuals were linear."""
    u, lower, upper, gradient = state.u, data.lower, data.upper, state.gradient
    lengths = np.sqrt(np.diag(state.hessian))
    outwards = ((u <= lower) & (gradient > 0)) | ((u >= upper) & (gradient < 0))
    free = (lower < upper) & ~outwards & (lengths > 0)
    size = lengths[free]
    sizes, directions = np.linalg.eigh(state.hessian[np.ix_(free, free)] / np.outer(size, size))
    told = sizes > RESOLVED**2 * sizes.max(initial=0.0)
    along = directions[:, told].T @ (gradient[free] / size)
    return float(np.sum(along**2 / sizes[told]))
