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
from rheojobs.inference.fits.least_squares import large_data, levenberg_marquardt
from rheojobs.inference.fits.least_squares.large_data import PIECE, Pieces
from rheojobs.inference.fits.least_squares.levenberg_marquardt import (
    CHUNK,
    Proposal,
    State,
    Tolerances,
)
from rheojobs.inference.fits.least_squares.residuals import (
    Data,
    Seen,
    Sums,
    objective,
    residuals_of,
)
from rheojobs.inference.fits.options import LOSSES
from rheojobs.inference.fits.start_points import candidates
from rheojobs.inference.models.ties import Tie
from rheojobs.inference.problem.observations import PADDED_MODES, is_in_pieces, shown_indices
from rheojobs.inference.problem.problem import Problem
from rheojobs.inference.problem.weights import Weights, weights_of
from rheojobs.inference.programs.exported_program import StoredProgram
from rheojobs.inference.programs.kernel_cache import KernelCache
from rheojobs.inference.programs.pace import Pace

__all__ = ["SCREENED_POINTS", "Objective", "screened"]

SCREENED = 256
PORTION = 32
"""Points evaluated at once, so that screening a slow model reports progress and can be stopped."""

SCREENED_POINTS = 64
"""The number of data used in a screening: enough to recognize a promising start."""

_objectives = KernelCache()

Tell = Callable[[int, int], None]


def screened(data: Data) -> Data:
    """Return data thinned to what a screening needs, spread evenly."""
    index = evenly(int(np.sum(data.mask)), SCREENED_POINTS)
    mask = (np.arange(SCREENED_POINTS) < len(index)).astype(np.float64)
    index = np.pad(index, (0, SCREENED_POINTS - len(index)), mode="edge")
    return large_data.thinned(data, index)._replace(mask=mask)


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
        self._test_mode = problem.test_mode
        identity = problem.identity(tuple((tie.name, tie.text) for tie in ties), orders)
        self.program = program = functools.partial(StoredProgram, identity=identity)
        """Makes another program of this objective, which is known by its name."""
        d = len(self.coordinates.own)
        state = levenberg_marquardt.begin(np.zeros(d))
        moved = (state, np.zeros(CHUNK), 0, Seen(*range(3)), 0)
        self._predict = program(lambda params, x: self._components(x, params), 0, name="predict")
        self._iterate = program(self._iterations, moved, name="fit")
        self._sums = program(self._block_sums, Sums(*range(4)), name="sums")
        self._values = program(self._block_values, Seen(*range(3)), name="values")
        after = (state, Proposal(*range(4)), 0)
        self._advance = program(levenberg_marquardt.advanced, after, name="advance")
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
    ) -> tuple[State, NDArray[np.float64], Seen | None]:
        """Run `levenberg_marquardt.iterate` compiled; return the objective after each iteration.

        None in place of what is seen at the new state if no step was accepted.
        """
        moved = self._iterate(state, data, tolerances, np.int64(steps))
        state, costs, count, seen, is_seen = jax.tree.map(np.asarray, moved)
        return state, costs[:count], seen if is_seen else None

    def is_large(self, data: Data) -> bool:
        """Whether the data are too many for one call, and none depends on the others."""
        return is_in_pieces(len(data.x), self._test_mode)

    def shown(self, data: Data) -> Data:
        """Return the data that stand for all of too many."""
        return large_data.thinned(data, shown_indices(len(data.x)))

    def sums(self, u: NDArray[np.float64], pieces: Pieces, check: Callable[[], None]) -> Sums:
        """Return the sums over all data at coordinates, shape (d,); `check` may raise."""
        d = len(u)
        cost, gradient, hessian, allowed = 0.0, np.zeros(d), np.zeros((d, d)), True
        for found in pieces.mapped(lambda piece: self._sums(u, piece), check):
            cost, allowed = cost + float(found.cost), allowed and bool(found.allowed)
            gradient, hessian = gradient + found.gradient, hessian + found.hessian
        return Sums(np.float64(cost), gradient, hessian, np.bool_(allowed))

    def advance(
        self, state: State, proposal: Proposal, sums: Sums, data: Data, tolerances: Tolerances
    ) -> tuple[State, Proposal]:
        """Return the state after a step was tried, and the next step."""
        none = np.zeros(0)
        bounds = data._replace(x=none, y=none, sigma=none, mask=none)
        moved = self._advance(state, proposal, sums, bounds, tolerances)
        state, proposal, _ = jax.tree.map(np.asarray, moved)
        return state, proposal

    def values(self, u: NDArray[np.float64], data: Data) -> Seen:
        """Return residuals and curve of large data at coordinates, shape (d,).

        In place of the Jacobian, (c, n, d), is a factor of it, (1, d, d), of its singular values.
        """
        residuals, curve = np.empty(data.y.shape), np.empty(data.y.shape)
        factors, done = [], 0
        for part in Pieces(data).mapped(lambda piece: self._values(u, piece)):
            span = slice(done, done + PIECE)
            count = residuals[:, span].shape[1]
            residuals[:, span], curve[:, span] = part.residuals[:, :count], part.curve[:, :count]
            factors.append(part.jacobian)
            done += count
        factor = np.linalg.qr(np.concatenate(factors), mode="r")
        return Seen(residuals, factor[None], curve)

    def predict(self, params: NDArray[np.float64], x: NDArray[np.float64]) -> NDArray[np.float64]:
        """Return the components at x, shape (c, b), for parameters of shape (p,)."""
        if not is_in_pieces(len(x), self._test_mode):
            return np.asarray(self._predict(params, x))
        parts = []
        for first in range(0, len(x), PIECE):
            part = x[first : first + PIECE]
            filled = np.pad(part, (0, PIECE - len(part)), mode="edge")
            parts.append(np.asarray(self._predict(params, filled))[:, : len(part)])
        return np.concatenate(parts, axis=1)

    def kept(self, name: str, make: Callable[[], Any]) -> Any:
        """Return what is kept as long as these programs are, made at first."""
        kept = self._kept.get(name)
        # Of two threads that make it at a time, both get the same.
        return self._kept.setdefault(name, make()) if kept is None else kept

    def pace(self, data: Data) -> Pace:
        """Return the pace of `iterate` for so many data."""
        return self._paces.setdefault(data.y.shape, Pace())

    def _iterations(
        self, state: State, data: Data, tolerances: Tolerances, steps: Any
    ) -> tuple[State, Any, Any, Seen, Any]:
        return levenberg_marquardt.iterate(self.curve, state, data, tolerances, steps)

    def _block_sums(self, u: Any, piece: Data) -> Sums:
        return large_data.block_sums(self.curve, u, piece)

    def _block_values(self, u: Any, piece: Data) -> Seen:
        return large_data.block_values(self.curve, u, piece)

    def curve(self, x: Any, u: Any) -> tuple[Any, Any]:
        """Return the prediction, (c, b), at coordinates, and if these are valid; traceable."""
        params, allowed = self.coordinates.checked_params(u)
        return self._components(x, params), allowed

    def cost(self, u: Any, data: Data) -> Any:
        """Return the objective at coordinates; infinite where they are not valid; traceable."""
        curve, allowed = self.curve(data.x, u)
        cost, _ = objective(residuals_of(curve, data), data)
        return jnp.where(allowed & jnp.isfinite(cost), cost, jnp.inf)

    def _together(self, points: Any, data: Data) -> Any:
        return jax.vmap(self.cost, in_axes=(0, None))(points, data)

    def _one_by_one(self, points: Any, data: Data) -> Any:
        """Return the costs of points one after another, for models with differential equations.

        Evaluated together, all would wait at each step for the stiffest: 32 s instead of 4 s.
        """
        return jax.lax.map(lambda u: self.cost(u, data), points)

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
        seen, done = screened(data) if self._test_mode in PADDED_MODES else data, []
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
