"""The objective that a fit minimizes, and its compiled programs.

Data, weights, bounds and the loss are arguments: a second fit of the same kind compiles nothing.
"""

from __future__ import annotations

import functools
from collections.abc import Callable, Mapping
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from numpy.typing import NDArray

from rheojobs.inference.data.arrays import evenly
from rheojobs.inference.fits.coordinates import Coordinates, Limits
from rheojobs.inference.fits.least_squares import levenberg_marquardt
from rheojobs.inference.fits.least_squares.levenberg_marquardt import (
    CHUNK,
    Data,
    Seen,
    State,
    Tolerances,
)
from rheojobs.inference.fits.options import LOSSES
from rheojobs.inference.fits.start_points import candidates
from rheojobs.inference.models.ties import Tie
from rheojobs.inference.problem.observations import PADDED_MODES
from rheojobs.inference.problem.problem import Problem
from rheojobs.inference.problem.weights import Weights, weights_of
from rheojobs.inference.programs.exported_program import StoredProgram
from rheojobs.inference.programs.kernel_cache import KernelCache
from rheojobs.inference.programs.pace import Pace

__all__ = ["Objective"]

SCREENED = 256
PORTION = 32
"""Points evaluated at once, so that screening a slow model reports progress and can be stopped."""

SCREENED_POINTS = 64
"""The number of data used in a screening: enough to recognize a promising start."""

_objectives = KernelCache()

Tell = Callable[[int, int], None]


def _thinned(data: Data) -> Data:
    """Return data thinned to what a screening needs, spread evenly."""
    n = int(np.sum(data.mask))
    index = evenly(n, SCREENED_POINTS)
    mask = (np.arange(SCREENED_POINTS) < len(index)).astype(np.float64)
    index = np.pad(index, (0, SCREENED_POINTS - len(index)), mode="edge")
    return data._replace(x=data.x[index], y=data.y[:, index], sigma=data.sigma[:, index], mask=mask)


class Objective:
    """The compiled programs of all fits of one kind, for any data.

    Parameters
    ----------
    problem : Problem
        A problem of that kind.
    ties : tuple of Tie
        Parameters that are computed from others.
    orders : tuple of tuple of str
        Pairs of parameters of which the first is searched as a share of the second.
    """

    def __init__(
        self,
        problem: Problem,
        ties: tuple[Tie, ...] = (),
        orders: tuple[tuple[str, str], ...] = (),
    ) -> None:
        self.coordinates = Coordinates(problem.model.parameters, ties, orders)
        self.modes = problem.model.modes
        self._components = problem.components
        self._is_pointwise = problem.test_mode in PADDED_MODES
        identity = problem.identity(tuple((tie.name, tie.text) for tie in ties), orders)
        program = functools.partial(StoredProgram, identity=identity)
        d = len(self.coordinates.own)
        moved = (levenberg_marquardt.begin(np.zeros(d)), np.zeros(CHUNK), 0, Seen(*range(4)))
        self.predict = program(lambda params, x: self._components(x, params), 0, name="predict")
        self._iterate = program(self._iterations, moved, name="fit")
        each = self._one_by_one if problem.model.forward_mode else self._together
        self._screen = program(each, 0, name="screen")
        self._paces: dict[tuple[int, ...], Pace] = {}
        self._kept: dict[str, Any] = {}

    @staticmethod
    def of(
        problem: Problem,
        ties: tuple[Tie, ...] = (),
        orders: tuple[tuple[str, str], ...] = (),
    ) -> Objective:
        """Return the objective of this kind of problem, compiled programs included."""
        key = (*problem.key, tuple((tie.name, tie.text) for tie in ties), orders)
        return _objectives.get(key, lambda: Objective(problem, ties, orders))

    def data(
        self, problem: Problem, weights: Weights, limits: Limits, loss: str = "linear"
    ) -> Data:
        """Return the programs' arguments for a fit."""
        seen = problem.coarse_observations
        return Data(
            seen.x,
            seen.y,
            weights.sigma,
            seen.mask,
            np.float64(weights.logarithmic),
            np.int32(tuple(LOSSES).index(loss)),
            np.float64(1.0),
            limits.lower,
            limits.upper,
            self.coordinates.longest,
        )

    def iterate(
        self, state: State, data: Data, tolerances: Tolerances, steps: int
    ) -> tuple[State, NDArray[np.float64], Seen]:
        """Run `levenberg_marquardt.iterate` compiled; return the objective after each iteration."""
        moved = self._iterate(state, data, tolerances, np.int64(steps))
        state, costs, count, seen = jax.tree.map(np.asarray, moved)
        return state, costs[:count], seen

    def kept(self, name: str, make: Callable[[], Any]) -> Any:
        """Return what is kept as long as these programs are, made at first."""
        if name not in self._kept:
            self._kept[name] = make()
        return self._kept[name]

    def pace(self, data: Data) -> Pace:
        """Return the pace of `iterate` for so many data."""
        return self._paces.setdefault(data.y.shape, Pace())

    def _iterations(
        self, state: State, data: Data, tolerances: Tolerances, steps: Any
    ) -> tuple[State, Any, Any, Seen]:
        return levenberg_marquardt.iterate(self.curve, state, data, tolerances, steps)

    def curve(self, x: Any, u: Any) -> tuple[Any, Any]:
        """Return the prediction, (c, b), at coordinates, and if these are valid; traceable."""
        params, allowed = self.coordinates.checked_params(u)
        return self._components(x, params), allowed

    def _cost(self, u: Any, data: Data) -> Any:
        curve, allowed = self.curve(data.x, u)
        cost, _ = levenberg_marquardt.objective(levenberg_marquardt.residuals_of(curve, data), data)
        return jnp.where(allowed & jnp.isfinite(cost), cost, jnp.inf)

    def _together(self, points: Any, data: Data) -> Any:
        return jax.vmap(self._cost, in_axes=(0, None))(points, data)

    def _one_by_one(self, points: Any, data: Data) -> Any:
        """Return the costs of points one after another, for models with differential equations.

        Evaluated together, all would wait at each step for the stiffest: 32 s instead of 4 s.
        """
        return jax.lax.map(lambda u: self._cost(u, data), points)

    def screen(
        self, points: NDArray[np.float64], data: Data, tell: Tell | None = None
    ) -> NDArray[np.float64]:
        """Return the approximate objective at each of the points.

        Parameters
        ----------
        points : ndarray, shape (k, d)
            Coordinates.
        data : Data
            What is fitted.
        tell : callable, optional
            Called with the number done and the total after each `PORTION`; an exception that it
            raises ends the screening.
        """
        seen, done = _thinned(data) if self._is_pointwise else data, []
        for first in range(0, len(points), PORTION):
            part = points[first : first + PORTION]
            # The last portion is filled up, so that only one shape is compiled.
            filled = np.pad(part, ((0, PORTION - len(part)), (0, 0)), mode="edge")
            done.append(np.asarray(self._screen(filled, seen))[: len(part)])
            if tell is not None:
                tell(first + len(part), len(points))
        return np.concatenate(done)

    def starts(
        self,
        problem: Problem,
        given: Mapping[str, float],
        data: Data,
        count: int,
        tell: Tell | None = None,
    ) -> NDArray[np.float64]:
        """Return the most promising of many plausible starting points.

        Parameters
        ----------
        problem : Problem
            The model and the data.
        given : mapping
            Parameters with known values.
        data : Data
            What is fitted.
        count : int
            The number of points, at most `SCREENED`.
        tell : callable, optional
            As `screen` calls it.

        Returns
        -------
        ndarray, shape (count, d)
            Coordinates, best first; only the given values if these are a full set.
        """
        own = self.coordinates.own
        if all(item.name in given for item in own):
            return self.coordinates.to_u(np.array([[given[item.name] for item in own]]))
        points = self.points(problem, given, data)
        return points[np.argsort(self.screen(points, data, tell), kind="stable")[:count]]

    def points(
        self, problem: Problem, given: Mapping[str, float], data: Data
    ) -> NDArray[np.float64]:
        """Return `SCREENED` plausible points, shape (k, d) of coordinates, within the bounds."""
        values = candidates(problem, self.coordinates.own, given, SCREENED)
        return np.clip(self.coordinates.to_u(values), data.lower, data.upper)

    def estimate(self, problem: Problem, given: Mapping[str, float]) -> dict[str, float]:
        """Estimate the parameters that are not given, without fitting them."""
        data = self.data(problem, weights_of(problem), self.coordinates.widest)
        return self.coordinates.named(self.starts(problem, given, data, 1)[0])
