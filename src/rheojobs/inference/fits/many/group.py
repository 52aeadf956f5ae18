"""Fit a group of datasets of one model, padded to one length, side by side.

Each fit is that which its dataset has by itself: the same start, the same steps.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import jax
import numpy as np
from numpy.typing import NDArray

from rheojobs.inference.fits.least_squares.levenberg_marquardt import (
    FAILED,
    RUNNING,
    State,
    Tolerances,
    begin,
)
from rheojobs.inference.fits.least_squares.residuals import Data, Seen
from rheojobs.inference.fits.least_squares.side_by_side import (
    costs_each,
    iterate_each,
    seen_each,
)
from rheojobs.inference.fits.objective import SCREENED_POINTS, Objective, screened
from rheojobs.inference.fits.outcome import Outcome
from rheojobs.inference.fits.refine import VALLEY_ITERATIONS, outcome_of
from rheojobs.inference.fits.setup import RACE, SPARE_STARTS, FitSetup

__all__ = ["End", "fit_group"]

SLOTS = 64
"""How many fits one call advances. One that has ended makes room for the next."""

STEPS = 8
"""Iterations of one call at most, so that few wait for the slowest."""

AT_A_TIME = 16
"""How many datasets one call screens the starts of."""

type Floats = NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class End:
    """Where one fit of a group ended, and after how many iterations."""

    outcome: Outcome
    iterations: int


class _Programs:
    """The programs of an objective for groups."""

    def __init__(self, objective: Objective) -> None:
        d, program = len(objective.coordinates.own), objective.program
        moved = (begin(np.zeros(d)), 0)
        curve, cost = objective.curve, objective.cost
        self.iterate = program(
            lambda states, data, goals, steps: iterate_each(curve, states, data, goals, steps),
            moved,
            name="fit each",
        )
        self.seen = program(
            lambda points, data: seen_each(curve, points, data), Seen(*range(3)), name="see each"
        )
        self.screen = program(
            lambda points, data: costs_each(cost, points, data), 0, name="screen each"
        )


def fit_group(setups: Sequence[FitSetup], check: Callable[[], None]) -> list[End | None]:
    """Fit each; None for one that has to be fitted by itself.

    Parameters
    ----------
    setups : sequence of FitSetup
        Of one objective, the same options, and data of the same padded length.
    check : callable
        Called between the calls of programs; may raise.
    """
    return _Group(setups, check).fit()


class _Group:
    def __init__(self, setups: Sequence[FitSetup], check: Callable[[], None]) -> None:
        self._setups, self._check = setups, check
        first = setups[0]
        self._objective = first.objective
        self._programs: _Programs = first.objective.kept(
            "group", lambda: _Programs(first.objective)
        )
        self._tolerances: Tolerances = first.tolerances
        self._each = [setup.data() for setup in setups]
        self._data = _stacked(self._each)

    def fit(self) -> list[End | None]:
        owner = np.arange(len(self._setups))
        states, counts = self._refined(self._starts(), owner, VALLEY_ITERATIONS)
        ends: list[End | None] = []
        seen = self._seen(states.u)
        max_iter = self._setups[0].options.max_iter
        for row, data in enumerate(self._each):
            state = _row(states, row)
            if int(state.status) in (RUNNING, FAILED):
                ends.append(None)
                continue
            outcome = outcome_of(self._objective, state, _row(seen, row), data, max_iter)
            ends.append(End(outcome, int(counts[row])))
        return ends

    def _starts(self) -> Floats:
        """Return where each fit begins, shape (s, d)."""
        coordinates, first = self._objective.coordinates, self._setups[0]
        if all(setup.is_given for setup in self._setups):
            own = [item.name for item in coordinates.own]
            values = np.array([[setup.given[name] for name in own] for setup in self._setups])
            return np.clip(coordinates.to_u(values), first.limits.lower, first.limits.upper)
        points = np.stack(
            [
                self._objective.points(setup.problem, setup.given, data)
                for setup, data in zip(self._setups, self._each, strict=True)
            ]
        )
        order = np.argsort(self._screened(points), axis=1, kind="stable")
        best: Floats = np.take_along_axis(
            points, order[:, : SPARE_STARTS if first.has_many else 1, None], axis=1
        )
        return self._raced(best) if first.has_many else best[:, 0]

    def _screened(self, points: Floats) -> Floats:
        """Return the approximate objective at points, shape (s, k, d)."""
        data = self._data
        if data.x.shape[-1] != SCREENED_POINTS:
            data = _stacked([screened(each) for each in self._each])
        found = []
        for first in range(0, len(points), AT_A_TIME):
            self._check()
            rows = _filled(np.arange(first, min(first + AT_A_TIME, len(points))), AT_A_TIME)
            costs = np.asarray(self._programs.screen(points[rows], _taken(data, rows)))
            found.append(costs[: len(points) - first])
        return np.concatenate(found)

    def _raced(self, starts: Floats) -> Floats:
        """Refine the starts of each, shape (s, k, d), a little; return the best, (s, d)."""
        s, k, d = starts.shape
        states, _ = self._refined(starts.reshape(-1, d), np.repeat(np.arange(s), k), RACE)
        costs = np.where(states.status == FAILED, np.inf, states.cost).reshape(s, k)
        best: Floats = states.u.reshape(s, k, d)[np.arange(s), np.argmin(costs, axis=1)]
        return best

    def _refined(self, starts: Floats, owner: NDArray[Any], most: int) -> tuple[State, Any]:
        """Refine starts, shape (r, d), each with the data of its owner, by so many steps at most.

        Return the states, with a leading axis, and the numbers of steps, shape (r,).
        """
        most = min(most, self._setups[0].options.max_iter)
        first = begin(starts[0])
        ends = State(*(np.repeat(np.asarray(part)[None], len(starts), axis=0) for part in first))
        ends.u[:] = starts
        counts = np.zeros(len(starts), dtype=np.int64)
        active, waiting = np.zeros(0, dtype=np.int64), 0
        while waiting < len(starts) or active.size:
            self._check()
            room = min(SLOTS - active.size, len(starts) - waiting)
            active = np.concatenate([active, np.arange(waiting, waiting + room)])
            waiting += room
            rows = _filled(active, SLOTS)
            states = State(*(part[rows] for part in ends))
            steps = np.minimum(most - counts[rows], STEPS)
            steps[active.size :] = 0
            data = _taken(self._data, owner[rows])
            moved, made = self._programs.iterate(states, data, self._tolerances, steps)
            for part, new in zip(ends, moved, strict=True):
                part[active] = np.asarray(new)[: active.size]
            counts[active] += np.asarray(made)[: active.size]
            active = active[(ends.status[active] == RUNNING) & (counts[active] < most)]
        return ends, counts

    def _seen(self, points: Floats) -> Seen:
        """Return what the model gives at coordinates, shape (s, d), of each."""
        found = []
        for first in range(0, len(points), SLOTS):
            self._check()
            rows = _filled(np.arange(first, min(first + SLOTS, len(points))), SLOTS)
            seen = self._programs.seen(points[rows], _taken(self._data, rows))
            found.append([np.asarray(part)[: len(points) - first] for part in seen])
        return Seen(*map(np.concatenate, zip(*found, strict=True)))


def _stacked(each: Sequence[Data]) -> Data:
    """Return data of several fits with a leading axis where they differ."""
    parts = [np.stack([np.asarray(data[k]) for data in each]) for k in range(5)]
    return each[0]._replace(**dict(zip(Data._fields[:5], parts, strict=True)))


def _taken(data: Data, rows: NDArray[Any]) -> Data:
    parts = [data[k][rows] for k in range(5)]
    return data._replace(**dict(zip(Data._fields[:5], parts, strict=True)))


def _filled(rows: NDArray[Any], length: int) -> NDArray[Any]:
    """Return rows, the last of them repeated up to a length."""
    return np.pad(rows, (0, length - len(rows)), mode="edge")


def _row(stacked: Any, row: int) -> Any:
    return jax.tree.map(lambda part: part[row], stacked)
