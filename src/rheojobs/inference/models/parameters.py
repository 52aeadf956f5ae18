"""Parameters of models: their bounds, and the alternatives of a model's usual second form."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from rheojobs.errors import InputError, nearest
from rheojobs.inference.data.number import as_number
from rheojobs.inference.data.units import shown_unit

__all__ = [
    "MANY_DECADES",
    "Alternative",
    "Parameter",
    "check_parameters",
    "from_limits",
    "log_offset",
    "resolve",
    "spans_decades",
    "unknown",
]

MANY_DECADES = 1e3
"""The ratio of positive bounds from which on a parameter is searched by its logarithm."""


def spans_decades(lower: float, upper: float) -> bool:
    """Whether bounds are positive and further apart than `MANY_DECADES`."""
    return lower > 0 and upper / lower > MANY_DECADES


ZERO_SHARE = 1e-6
"""A parameter that may be zero is searched by its logarithm down to this part of its default."""


def log_offset(lower: float, upper: float, default: float | None) -> float:
    """Return what is added to a parameter before its logarithm is taken; NaN if none is taken.

    The one rule for what spans decades: fits search a parameter by this logarithm, and its
    default prior is uniform in it.
    """
    if spans_decades(lower, upper):
        return 0.0
    middle = default or 0.0
    return ZERO_SHARE * middle if lower == 0 and upper > MANY_DECADES * middle > 0 else math.nan


@dataclass(frozen=True)
class Parameter:
    """A parameter of a model.

    Attributes
    ----------
    name : str
        Its name in the model.
    default : float or None
        The initial value without better knowledge; None if there is none.
    bounds : tuple of float
        Lower and upper limit, both allowed; infinite if there is none.
    unit : str
        Of the default and the bounds, such as ``"Pa·s"``.
    description : str
        A few words for users.
    prior : mapping or None
        The model's own prior, as `rheojobs.sample` takes it.
    prior_is_centred : bool
        Whether the model has a prior of its own that is centred on the start of a sampling.
    is_assumed : bool
        Whether the bounds are an assumption of ours, as in a formula.
    """

    name: str
    default: float | None
    bounds: tuple[float, float]
    unit: str = ""
    description: str = ""
    prior: Mapping[str, Any] | None = field(default=None, hash=False)
    prior_is_centred: bool = False
    is_assumed: bool = False

    @property
    def widest(self) -> tuple[float, float]:
        """The furthest bounds that a user may give.

        A modulus, a viscosity or a time may be any positive one, whatever range the model expects;
        an order, a share, and a value that the test fixes keep to the model's bounds.
        """
        if self.is_assumed:
            return (-math.inf, math.inf)
        lower, upper = self.bounds
        is_size = shown_unit(self.unit) and 0 <= lower < upper
        return (0.0, math.inf) if is_size else self.bounds

    def check_bounds(self, model: str, bounds: tuple[float, float]) -> None:
        """Raise `InputError` if bounds reach beyond the parameter's in the model of that name."""
        (low, high), (lower, upper) = bounds, self.bounds
        if low < lower or high > upper:
            raise InputError(
                f"{model}: the bounds of {self.name}, {low:g} to {high:g}, reach beyond the "
                f"model's, {lower:g} to {upper:g}"
            )

    def within(self, bounds: tuple[float, float]) -> Parameter:
        """Return the parameter with other bounds; its default is moved into them."""
        default = None if self.default is None else min(max(self.default, bounds[0]), bounds[1])
        return replace(self, bounds=(bounds[0], bounds[1]), default=default)

    @classmethod
    def of_json(cls, fields: Mapping[str, Any]) -> Parameter:
        """Restore a parameter from its fields in JSON, with the bounds as a list."""
        lower, upper = fields["bounds"]
        return cls(**{**fields, "bounds": (float(lower), float(upper))})


@dataclass(frozen=True)
class Alternative:
    """A parameter of a model's usual second form, such as ``tau = eta / G0`` of Maxwell.

    Attributes
    ----------
    name, unit, description : str
        Of the alternative.
    replaces : str
        The parameter of the model that it replaces.
    to_parameter : callable
        ``(value, others) -> parameter``; works on floats and on traced values.
    from_parameters : callable
        ``parameters -> value``.
    others : tuple of str
        The parameters that `to_parameter` needs besides the value.
    """

    name: str
    replaces: str
    unit: str
    description: str
    to_parameter: Callable[[Any, Mapping[str, Any]], Any]
    from_parameters: Callable[[Mapping[str, Any]], Any]
    others: tuple[str, ...] = ()


def from_limits(name: str, limits: tuple[float, ...]) -> Parameter:
    """Make a parameter from ``(lower, upper)`` or ``(lower, upper, default)``."""
    try:
        lower, upper, *default = (float(limit) for limit in limits)
    except (TypeError, ValueError):
        raise InputError(
            f"parameter {name!r}: give (lower, upper) or (lower, upper, default), not {limits!r}"
        ) from None
    return Parameter(name, default[0] if default else None, (lower, upper))


def unknown(
    model: str, name: str, parameters: Sequence[Parameter], alternatives: Sequence[Alternative]
) -> InputError:
    """Make the error for a name that is neither a parameter nor an alternative."""
    known = [*(p.name for p in parameters), *(other.name for other in alternatives)]
    return InputError(f"{model} has no parameter {name!r}; {nearest(str(name), known)}")


def resolve(
    model: str,
    parameters: Sequence[Parameter],
    alternatives: Sequence[Alternative],
    values: Mapping[str, float],
    base: Mapping[str, float] | None = None,
) -> dict[str, float]:
    """Implement `Model.resolve_values` for the model of that name."""
    by_name = {parameter.name: parameter for parameter in parameters}
    others = {other.name: other for other in alternatives}
    for name in values:
        if name not in by_name and name not in others:
            raise unknown(model, name, parameters, alternatives)
    own = {name: float(value) for name, value in (base or {}).items() if name in by_name}
    for name in by_name.keys() & values.keys():
        own[name] = _checked(model, by_name[name], as_number(f"{model}: {name}", values[name]))
    known = {p.name: p.default for p in parameters if p.default is not None} | own
    for name in others.keys() & values.keys():
        other = others[name]
        rivals = {item.name for item in alternatives if item.replaces == other.replaces} - {name}
        for rival in sorted({other.replaces, *rivals} & values.keys()):
            raise InputError(f"{model}: give {name!r} or {rival!r}, not both")
        missing = [needed for needed in other.others if needed not in known]
        if missing:
            raise InputError(f"{model}: {name!r} needs a value of {missing[0]!r} as well")
        number = as_number(f"{model}: {name}", values[name])
        try:
            converted = float(other.to_parameter(number, known))
        except (ArithmeticError, TypeError, ValueError):
            # TypeError: a fractional power of a negative number is complex.
            converted = math.nan
        source = f" (from {name} = {number:g} {other.unit})"
        own[other.replaces] = _checked(model, by_name[other.replaces], converted, source)
    return {p.name: own[p.name] for p in parameters if p.name in own}


def _checked(model: str, parameter: Parameter, number: float, source: str = "") -> float:
    lower, upper = parameter.bounds
    if lower <= number <= upper:
        return number
    unit = f" {parameter.unit}" if shown_unit(parameter.unit) else ""
    raise InputError(
        f"{model}: {parameter.name} = {number:g}{unit}{source} is outside its bounds, "
        f"{lower:g} to {upper:g}{unit}"
    )


def check_parameters(
    model: str, parameters: Sequence[Parameter], alternatives: Sequence[Alternative] = ()
) -> None:
    """Raise `InputError` for empty bounds, a default outside them, or a name that comes twice."""
    if not parameters:
        raise InputError(f"{model} has no parameters")
    for parameter in parameters:
        lower, upper = parameter.bounds
        if not lower <= upper:
            raise InputError(f"{model}: bounds of {parameter.name} are empty: {lower} to {upper}")
        if parameter.default is not None and not lower <= parameter.default <= upper:
            raise InputError(
                f"{model}: default of {parameter.name}, {parameter.default:g}, is outside its "
                f"bounds, {lower:g} to {upper:g}"
            )
    names = [*(p.name for p in parameters), *(other.name for other in alternatives)]
    for name in names:
        if names.count(name) > 1:
            raise InputError(f"{model} has two parameters of the name {name!r}")
