"""Assume bounds of parameters of which only the name and the dimension are known.

Most parameters of rheology are positive and of unknown magnitude: so the bounds span the decades
that materials have, and parameters are searched by their logarithm. They are an assumption: the
user's bounds may reach beyond, and a fit that ends at one says so.
"""

from __future__ import annotations

import math
import re
from collections.abc import Sequence

from rheojobs.errors import InputError
from rheojobs.inference.expressions.dimensions import Dimension
from rheojobs.inference.models.parameters import Parameter

__all__ = ["assumed_parameter", "parameter_like"]

_BY_DIMENSION = {
    (1.0, 0.0): (1e-3, 1e12),  # a modulus or a stress, from a weak gel to a glass
    (-1.0, 0.0): (1e-12, 1e3),
    (0.0, 1.0): (1e-9, 1e9),
    (0.0, -1.0): (1e-9, 1e9),
    (1.0, 1.0): (1e-6, 1e12),
}
_ANY = (1e-12, 1e12)
_NUMBER = (1e-6, 1e6)
_EXPONENT = (1e-2, 10.0)
_ORDERS = ("alpha", "beta")
"""Orders of fractional elements and of stretched exponentials, from 0 to 1 in RheoJAX too."""

_EXPONENTS = {"n": (0.01, 2.0), "m": (0.01, 5.0), "a": (0.01, 5.0)}
_REACH = 1e6
"""How far a parameter may lie from a start that is given, as a factor."""


def assumed_parameter(name: str, dimension: Dimension | None) -> Parameter:
    """Return a parameter with bounds for its dimension; None if that is not known."""
    if dimension is None:
        return Parameter(name, None, _ANY, is_assumed=True)
    bounds, default = _ANY, None
    if dimension.is_number:
        stem = re.sub(r"_?\d*$", "", name)
        if stem in _ORDERS:
            bounds, default = (0.0, 1.0), 0.5
        elif dimension.is_exponent:
            bounds, default = _EXPONENTS.get(stem, _EXPONENT), 0.5
        else:
            bounds = _NUMBER
    else:
        # Of K in Pa·s^n, as of a viscosity: n is mostly between 0 and 1.
        seconds = dimension.seconds + sum(power for _, _, power in dimension.by_exponent)
        pascals = dimension.pascals + sum(power for _, power, _ in dimension.by_exponent)
        bounds = _BY_DIMENSION.get((pascals, seconds), _ANY)
    return Parameter(name, default, bounds, dimension.unit, is_assumed=True)


def parameter_like(name: str, default: object, limits: object, where: str) -> Parameter:
    """Return a parameter of a function's signature.

    Parameters
    ----------
    name : str
        Its name.
    default : float or None
        The value to start from, if there is one.
    limits : tuple of float or None
        The bounds, if there are any.
    where : str
        The function, for errors.

    Raises
    ------
    InputError
        If the default or the bounds are no numbers, or contradict each other.
    """
    start = None if default is None else _number(default, f"{where}: the default of {name}")
    if limits is None:
        if start is None:
            return Parameter(name, None, _ANY, is_assumed=True)
        bounds = (-math.inf, math.inf) if start <= 0 else (start / _REACH, start * _REACH)
        return Parameter(name, start, bounds, is_assumed=True)
    if not isinstance(limits, Sequence) or len(limits) != 2:
        raise InputError(f"{where}: the bounds of {name} are two numbers, not {limits!r}")
    lower, upper = (_number(end, f"{where}: a bound of {name}") for end in limits)
    return Parameter(name, start, (lower, upper))


def _number(value: object, what: str) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float) or math.isnan(value):
        raise InputError(f"{what} must be a number, not {value!r}")
    return float(value)
