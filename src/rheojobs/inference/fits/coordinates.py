"""Map a model's parameters to the optimizer's coordinates: logarithms, fixed values, ties, bounds.

Positive parameters whose bounds span decades are searched by their logarithm. A parameter that
must not exceed another is searched by its share of it.
"""

from __future__ import annotations

import math
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import jax.numpy as jnp
import numpy as np
from numpy.typing import NDArray

from rheojobs.errors import InputError, nearest
from rheojobs.inference.models.parameters import Parameter, log_offset, spans_decades
from rheojobs.inference.models.ties import Tie

__all__ = ["Coordinates", "Limits", "free_orders", "is_logarithmic"]

LONGEST_STEP = 10.0
"""The longest step of a logarithmic coordinate: a factor of 20,000 at once is enough."""

GRID = 400
"""How many values of a parameter are tried to find those for which a tie keeps its bounds."""


def is_logarithmic(parameter: Parameter) -> bool:
    """Whether a parameter is searched by its logarithm: positive, over three decades or more."""
    return spans_decades(*parameter.bounds)


def free_orders(
    orders: Sequence[tuple[str, str]], held: Collection[str]
) -> tuple[tuple[str, str], ...]:
    """Return the orders whose first parameter may be searched as a share of the second.

    A parameter with a value, bounds or a tie of the user's is searched as it is.
    """
    return tuple(order for order in orders if order[0] not in held)


@dataclass(frozen=True)
class Limits:
    """Bounds of the coordinates in one fit, each of shape (d,); a coordinate is fixed if equal."""

    lower: NDArray[np.float64]
    upper: NDArray[np.float64]

    @property
    def free(self) -> NDArray[np.bool_]:
        """Which coordinates are free."""
        return self.lower < self.upper


class Coordinates:
    """The parameters of a model that are not tied, as the optimizer sees them.

    Parameters
    ----------
    parameters : sequence of Parameter
        Of the model, (p,).
    ties : sequence of Tie
        In the order in which they can be computed.
    orders : sequence of tuple of str
        Pairs of parameters of which the first must not exceed the second.
    """

    def __init__(
        self,
        parameters: Sequence[Parameter],
        ties: Sequence[Tie] = (),
        orders: Sequence[tuple[str, str]] = (),
    ) -> None:
        self._parameters = tuple(parameters)
        self._limits_of = {item.name: item.bounds for item in parameters}
        self.ties = tuple(ties)
        tied = {tie.name for tie in ties}
        self.own = tuple(item for item in parameters if item.name not in tied)
        """The parameters that have a coordinate each, (d,)."""
        offsets = np.array(
            [log_offset(*item.bounds, item.default) for item in self.own], dtype=float
        )
        self._logarithmic = np.isfinite(offsets)
        self._offsets = np.where(self._logarithmic, offsets, 0.0)
        self._shares = self._shares_of(orders)
        self.dependent = (
            *(tie.name for tie in ties),
            *(self.own[k].name for k, _ in self._shares),
        )
        """The parameters that depend on more than a coordinate of their own."""
        self._bounds = np.array([item.bounds for item in self.own], dtype=float).reshape(-1, 2)
        self._ends = self._ends_of(self._bounds)
        self.widest = Limits(self._scaled(self._ends[:, 0]), self._scaled(self._ends[:, 1]))
        self.longest = np.where(self._logarithmic, LONGEST_STEP, np.inf)

    @property
    def offsets(self) -> NDArray[np.float64]:
        """What is added to each of `own` before the logarithm is taken; -1 if none is, (d,)."""
        return np.where(self._logarithmic, self._offsets, -1.0)

    def _shares_of(self, orders: Sequence[tuple[str, str]]) -> tuple[tuple[int, int], ...]:
        """Return the places of parameters that are searched as a share, and of the whole."""
        place = {item.name: k for k, item in enumerate(self.own)}
        pairs = [
            (place[smaller], place[larger])
            for smaller, larger in orders
            if smaller in place and larger in place
        ]
        return tuple((k, j) for k, j in pairs if self._logarithmic[k] == self._logarithmic[j])

    def _ends_of(self, bounds: NDArray[np.float64]) -> NDArray[np.float64]:
        """Return bounds, shape (d, 2), with those of shares in place of their parameter's."""
        ends = bounds.copy()
        for k, j in self._shares:
            ends[k] = bounds[k, 0] / bounds[j, 1], 1.0
        return ends

    def _scaled(self, values: NDArray[np.float64]) -> NDArray[np.float64]:
        with np.errstate(divide="ignore", invalid="ignore"):
            logarithms = np.log(values + self._offsets)
        return np.where(self._logarithmic, logarithms, values)

    def to_u(self, values: NDArray[np.float64]) -> NDArray[np.float64]:
        """Map values of `own`, shape (..., d), to coordinates."""
        shared = np.array(values, dtype=float)
        for k, j in self._shares:
            whole = shared[..., j]
            shared[..., k] = np.where(whole > 0, shared[..., k] / np.where(whole > 0, whole, 1), 0)
        return self._scaled(shared)

    def from_u(self, u: NDArray[np.float64], clip: bool = True) -> NDArray[np.float64]:
        """Map coordinates, shape (..., d), to values of `own`, optionally clipped to bounds."""
        exponentials = np.exp(np.where(self._logarithmic, u, 0.0)) - self._offsets
        values = np.where(self._logarithmic, exponentials, u)
        if clip:
            lower, upper = self._ends[:, 0], self._ends[:, 1]
            # exp(log(bound)) may miss the bound by a rounding error.
            values = np.where(
                u <= self.widest.lower, lower, np.where(u >= self.widest.upper, upper, values)
            )
            values = np.clip(values, lower, upper)
        for k, j in self._shares:
            values[..., k] *= values[..., j]
        return np.clip(values, self._bounds[:, 0], self._bounds[:, 1]) if clip else values

    def slopes(self, u: NDArray[np.float64]) -> NDArray[np.float64]:
        """Return the derivative of each value with respect to its coordinate, shape (d,)."""
        values = self.from_u(u)
        slopes = np.where(self._logarithmic, values + self._offsets, 1.0)
        for k, j in self._shares:
            slopes[k] = slopes[k] if self._logarithmic[k] else values[j]
        return slopes

    def to_params(self, u: Any) -> Any:
        """Map coordinates, shape (d,), to the model's parameters, shape (p,); traceable."""
        return self.checked_params(u)[0]

    def checked_params(self, u: Any) -> tuple[Any, Any]:
        """Return the model's parameters, shape (p,), and whether all are within their bounds."""
        own = jnp.exp(jnp.where(self._logarithmic, u, 0.0)) - self._offsets
        own = jnp.where(self._logarithmic, own, u)
        allowed = jnp.asarray(True)
        if not self._shares and not self.ties:
            return own, allowed
        values = {item.name: own[k] for k, item in enumerate(self.own)}
        for k, j in self._shares:
            value = values[self.own[k].name] * values[self.own[j].name]
            allowed = allowed & (self._bounds[k, 0] <= value) & (value <= self._bounds[k, 1])
            values[self.own[k].name] = value
        for tie in self.ties:
            value = jnp.asarray(tie.evaluate(values), dtype=jnp.float64)
            lower, upper = self._limits_of[tie.name]
            allowed = allowed & (lower <= value) & (value <= upper)
            values[tie.name] = value
        ordered = [jnp.asarray(values[item.name], dtype=jnp.float64) for item in self._parameters]
        return jnp.stack(ordered), allowed

    def named(
        self,
        u: NDArray[np.float64],
        fixed: Mapping[str, float] | None = None,
        clip: bool = True,
    ) -> dict[str, float]:
        """Return all parameters by name; fixed ones exactly as they were given."""
        values = self.from_u(u, clip).tolist()
        own = dict(zip((item.name for item in self.own), values, strict=True))
        return self._complete(own | dict(fixed or {}))

    def _complete(self, own: Mapping[str, float]) -> dict[str, float]:
        """Add the tied parameters to the values of `own`; NaN if a tie gives no number."""
        values = dict(own)
        for tie in self.ties:
            value = _as_float(tie, values)
            lower, upper = self._limits_of[tie.name]
            near = 1e-12 * max(abs(value), 1e-300)
            # Like exp(log(bound)): a rounding error is no violation of a bound.
            if lower - near <= value <= upper + near:
                value = min(max(value, lower), upper)
            values[tie.name] = value
        return {item.name: values[item.name] for item in self._parameters}

    def limits(
        self,
        fixed: Mapping[str, float],
        model: str,
        bounds: Mapping[str, tuple[float, float]] | None = None,
    ) -> Limits:
        """Return the bounds of the coordinates.

        Parameters
        ----------
        fixed : mapping
            Values of parameters that are not fitted.
        model : str
            Its name, for messages.
        bounds : mapping, optional
            Narrower ones than the model's.

        Raises
        ------
        InputError
            If nothing is left to fit, bounds are for unknown parameters or too wide, or a tie
            allows no value at all.
        """
        lower, upper = self._within(bounds or {}, model)
        for k, item in enumerate(self.own):
            if item.name in fixed:
                value = fixed[item.name]
                at = math.log(value + self._offsets[k]) if self._logarithmic[k] else value
                lower[k] = upper[k] = at
        limits = Limits(lower, upper)
        if not limits.free.any():
            raise InputError(f"{model}: every parameter is fixed or tied: nothing is left to fit")
        for tie in self.ties:
            self._narrow(tie, limits, fixed, model)
        return limits

    def _within(
        self, bounds: Mapping[str, tuple[float, float]], model: str
    ) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """Return the ends of the coordinates within the given bounds."""
        names = [item.name for item in self.own]
        ends = self._bounds.copy()
        for name, given in bounds.items():
            if name not in names:
                tied = any(tie.name == name for tie in self.ties)
                hint = "it is tied" if tied else nearest(str(name), names)
                raise InputError(f"{model}: there can be no bounds of {name!r}; {hint}")
            k = names.index(name)
            self.own[k].check_bounds(model, given)
            ends[k] = given
        ends = self._ends_of(ends)
        return self._scaled(ends[:, 0]), self._scaled(ends[:, 1])

    def _narrow(self, tie: Tie, limits: Limits, fixed: Mapping[str, float], model: str) -> None:
        """Keep a tie of one free parameter within its bounds by narrowing that parameter's bounds.

        Ties of several parameters are left to the optimizer, which refuses invalid steps.
        """
        free = [k for k in np.flatnonzero(limits.free).tolist() if self._reaches(k, tie)]
        lower, upper = self._limits_of[tie.name]

        def value_at(k: int | None, at: float) -> float:
            u = limits.lower.copy()
            if k is not None:
                u[k] = at
            return self.named(u, fixed)[tie.name]

        if len(free) > 1:
            return
        if not free:
            value = value_at(None, 0.0)
            if not lower <= value <= upper:
                raise InputError(
                    f"{model}: the tie {tie.name} = {tie.text} gives {value:g}, outside its "
                    f"bounds, {lower:g} to {upper:g}"
                )
            return
        (k,) = free
        grid = _grid(float(limits.lower[k]), float(limits.upper[k]))
        good = np.array([lower <= value_at(k, at) <= upper for at in grid])
        if not good.any():
            raise InputError(
                f"{model}: the tie {tie.name} = {tie.text} lies outside the bounds of "
                f"{tie.name}, {lower:g} to {upper:g}, whatever {self.own[k].name} is"
            )
        first, last = np.flatnonzero(good)[[0, -1]]
        if not good[first : last + 1].all():  # several pieces: left to the optimizer
            return
        if first > 0:
            limits.lower[k] = _edge(grid[first], grid[first - 1], value_at, k, (lower, upper))
        if last < len(grid) - 1:
            limits.upper[k] = _edge(grid[last], grid[last + 1], value_at, k, (lower, upper))

    def _reaches(self, k: int, tie: Tie) -> bool:
        """Whether a tie depends on a coordinate, directly or through other ties."""
        by_name = {other.name: other for other in self.ties}
        pending, seen = list(tie.sources), set()
        while pending:
            name = pending.pop()
            if name == self.own[k].name:
                return True
            if name in by_name and name not in seen:
                seen.add(name)
                pending += by_name[name].sources
        return False


def _as_float(tie: Tie, values: Mapping[str, float]) -> float:
    try:
        value = tie.evaluate(values)
        # A fractional power of a negative number is complex.
        return math.nan if isinstance(value, complex) else float(value)
    except (ArithmeticError, TypeError, ValueError):
        return math.nan


def _grid(low: float, high: float) -> NDArray[np.float64]:
    if not math.isfinite(low) or not math.isfinite(high):
        reach = np.concatenate([-np.geomspace(1e12, 1e-3, GRID // 2), [0.0]])
        grid = np.concatenate([reach, -reach[::-1]])
        return np.unique(np.clip(grid, low, high))
    return np.linspace(low, high, GRID)


def _edge(
    inside: float, outside: float, value_at: Any, k: int, bounds: tuple[float, float]
) -> float:
    """Return the last coordinate between two at which the bounds hold, up to rounding errors."""
    good = inside
    for _ in range(60):
        middle = 0.5 * (inside + outside)
        if bounds[0] <= value_at(k, middle) <= bounds[1]:
            inside = middle
        else:
            outside = middle
    return inside + 1e-9 * (good - inside)
