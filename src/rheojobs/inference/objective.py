"""The sum of squares that a fit minimizes, in coordinates that suit it, and its compiled programs.

Positive parameters whose bounds span decades are searched by their logarithm. Data and
weights are arguments: a second dataset of the same kind compiles nothing.
"""

from __future__ import annotations

import contextlib
import logging
import os
import threading
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from numpy.typing import NDArray

from rheojobs.inference.compilation import KernelCache
from rheojobs.inference.models import Parameter
from rheojobs.inference.problem import Problem
from rheojobs.inference.starts import candidates, is_logarithmic
from rheojobs.inference.stored_programs import StoredProgram

__all__ = ["Coordinates", "Objective", "default_weights", "sigma_of"]

SCREENED = 128
RELATIVE_SPAN = 100.0

_objectives = KernelCache()


def default_weights(problem: Problem) -> str:
    """Choose how residuals are weighted: relative for moduli, and for data over two decades."""
    y = problem.dataset.y
    if problem.is_complex:
        return "relative" if np.all(y.real != 0) and np.all(y.imag != 0) else "uniform"
    spans = y.min() > 0 and y.max() / y.min() > RELATIVE_SPAN
    return "relative" if spans else "uniform"


def sigma_of(problem: Problem, weights: str) -> NDArray[np.float64]:
    """Give what each residual is divided by, shape (c, b)."""
    y = problem.coarse_observations.y
    if weights == "uniform":
        return np.ones_like(y)
    # A value of zero has no relative error: it is weighted as the smallest of its kind.
    size = np.abs(y)
    smallest = np.array([row[row > 0].min(initial=np.inf) for row in size])
    return np.maximum(size, np.where(np.isfinite(smallest), smallest, 1.0)[:, None])


class Coordinates:
    """The free parameters of a model as the optimizer sees them.

    Parameters
    ----------
    parameters : sequence of Parameter
        Of the model, (p,). Those whose bounds coincide are not free.
    """

    def __init__(self, parameters: Sequence[Parameter]) -> None:
        self._parameters = tuple(parameters)
        self.free = tuple(item for item in parameters if item.bounds[0] < item.bounds[1])
        self._logarithmic = np.array([is_logarithmic(item) for item in self.free])
        limits = np.array([item.bounds for item in self.free], dtype=float).reshape(-1, 2)
        self.lower = self.to_u(limits[:, 0])
        self.upper = self.to_u(limits[:, 1])

    def to_u(self, values: NDArray[np.float64]) -> NDArray[np.float64]:
        """Map values of the free parameters, shape (..., d), to coordinates."""
        with np.errstate(divide="ignore", invalid="ignore"):
            logarithms = np.log(values)
        return np.where(self._logarithmic, logarithms, values)

    def to_params(self, u: Any) -> Any:
        """Map coordinates, shape (d,), to the model's parameters, shape (p,); traceable."""
        free = iter(range(len(self.free)))
        out = []
        for item in self._parameters:
            if item.bounds[0] < item.bounds[1]:
                k = next(free)
                out.append(jnp.exp(u[k]) if self._logarithmic[k] else u[k])
            else:
                out.append(jnp.asarray(float(item.bounds[0])))
        return jnp.stack([jnp.asarray(value, dtype=jnp.float64) for value in out])

    def slopes(self, u: NDArray[np.float64]) -> NDArray[np.float64]:
        """Give the derivative of each free parameter by its coordinate, shape (d,)."""
        return np.where(self._logarithmic, np.exp(np.where(self._logarithmic, u, 0.0)), 1.0)

    def named(self, u: NDArray[np.float64]) -> dict[str, float]:
        """Give all parameters by name."""
        free = dict(
            zip(
                (item.name for item in self.free),
                np.where(self._logarithmic, np.exp(np.where(self._logarithmic, u, 0.0)), u),
                strict=True,
            )
        )
        named: dict[str, float] = {}
        for item in self._parameters:
            value = float(free.get(item.name, item.bounds[0]))
            # exp(log(bound)) may miss the bound by a rounding error.
            named[item.name] = float(min(max(value, item.bounds[0]), item.bounds[1]))
        return named


def _quiet_solver() -> Any:
    from nlsq import CurveFit
    from nlsq.utils.logging import set_global_level

    solver = CurveFit()
    if not {"NLSQ_DEBUG", "NLSQ_VERBOSE"} & os.environ.keys():
        set_global_level(logging.WARNING)  # else every fit is reported on the user's terminal
    return solver


class Objective:
    """The compiled programs of all fits of one kind, whatever their data."""

    def __init__(self, problem: Problem) -> None:
        self.coordinates = Coordinates(problem.model.parameters)
        self._components = problem.components
        self._count = 2 if problem.is_complex else 1
        self._solvers: list[Any] = []
        self._lock = threading.Lock()
        identity = problem.identity()

        def program(name: str, function: Any) -> StoredProgram:
            return StoredProgram(function, 0, f"{name} {identity}" if identity else "")

        self.predict = program("predict", lambda params, x: self._components(x, params))
        self._screen = program("screen", jax.vmap(self._cost, in_axes=(0, None, None, None, None)))

    @staticmethod
    def of(problem: Problem) -> Objective:
        """Give the objective of this kind of problem, compiled programs included."""
        return _objectives.get(problem.key, lambda: Objective(problem))

    def curve(self, stacked_x: Any, *u: Any) -> Any:
        """Predict as nlsq wants it: components one after another, shape (c * b,).

        Parameters
        ----------
        stacked_x : array, shape (c * b,)
            The independent variable, once for each component.
        *u : scalars
            The coordinates.
        """
        length = stacked_x.shape[0] // self._count
        params = self.coordinates.to_params(u)
        return self._components(stacked_x[:length], params).reshape(-1)

    def _cost(self, u: Any, x: Any, y: Any, sigma: Any, mask: Any) -> Any:
        predicted = self._components(x, self.coordinates.to_params(u))
        cost = jnp.sum(mask * ((predicted - y) / sigma) ** 2)
        return jnp.where(jnp.isfinite(cost), cost, jnp.inf)

    def screen(
        self, problem: Problem, points: NDArray[np.float64], sigma: NDArray[np.float64]
    ) -> NDArray[np.float64]:
        """Give the sum of squares at each of the points, shape (k, d) of coordinates."""
        seen = problem.coarse_observations
        return np.asarray(self._screen(points, seen.x, seen.y, sigma, seen.mask))

    def starts(
        self,
        problem: Problem,
        given: Mapping[str, float],
        sigma: NDArray[np.float64],
        count: int,
    ) -> NDArray[np.float64]:
        """Give the most promising of many plausible starting points.

        Parameters
        ----------
        problem : Problem
            The model and the data.
        given : mapping
            Parameters whose values are known.
        sigma : ndarray, shape (c, b)
            What residuals are divided by.
        count : int
            How many points are wanted, at most `SCREENED`.

        Returns
        -------
        ndarray, shape (count, d)
            Coordinates, best first.
        """
        free = self.coordinates.free
        if count == 1 and all(item.name in given for item in free):
            return self.coordinates.to_u(np.array([[given[item.name] for item in free]]))
        spread = {} if all(item.name in given for item in free) else given
        values = candidates(problem, free, spread, SCREENED)
        if spread is not given:  # several starts around a full set of values: that set is the first
            values[0] = [given[item.name] for item in free]
        points = self.coordinates.to_u(values)
        costs = self.screen(problem, points, sigma)
        order = np.argsort(costs, kind="stable")[:count]
        if spread is not given and 0 not in order:
            order[-1] = 0
        return points[order]

    def estimate(self, problem: Problem, given: Mapping[str, float]) -> dict[str, float]:
        """Estimate the parameters that are not given, without fitting them."""
        sigma = sigma_of(problem, default_weights(problem))
        return self.coordinates.named(self.starts(problem, given, sigma, 1)[0])

    @contextlib.contextmanager
    def solver(self) -> Iterator[Any]:
        """Lend an nlsq `CurveFit` that has compiled this objective, where one is free."""
        with self._lock:
            solver = self._solvers.pop() if self._solvers else None
        if solver is None:
            solver = _quiet_solver()
        try:
            yield solver
        finally:
            with self._lock:
                self._solvers.append(solver)
