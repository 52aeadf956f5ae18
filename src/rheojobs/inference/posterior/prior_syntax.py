"""Check and parse priors as a user writes them.

This needs no JAX, so that a window or a terminal rejects a malformed prior at once.
"""

from __future__ import annotations

import math
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from rheojobs.errors import InputError, nearest

__all__ = [
    "PRIOR_TYPES",
    "PriorType",
    "check_prior",
    "parse_prior",
    "prior_arguments",
]


@dataclass(frozen=True, slots=True)
class PriorType:
    """The arguments of a type of prior in order, and which must be positive."""

    numpyro_name: str
    arguments: tuple[str, ...]
    positive: frozenset[str]
    defaults: Mapping[str, float]


def _type(numpyro_name: str, *arguments: str, positive: str = "", **defaults: float) -> PriorType:
    return PriorType(numpyro_name, arguments, frozenset(positive.split()), defaults)


PRIOR_TYPES: dict[str, PriorType] = {
    "normal": _type("Normal", "loc", "scale", positive="scale"),
    "uniform": _type("Uniform", "low", "high"),
    "lognormal": _type("LogNormal", "loc", "scale", positive="scale"),
    "loguniform": _type("LogUniform", "low", "high", "offset", positive="high", offset=0.0),
    "halfnormal": _type("HalfNormal", "scale", positive="scale"),
    "truncatednormal": _type(
        "TruncatedNormal",
        "loc",
        "scale",
        "low",
        "high",
        positive="scale",
        low=-math.inf,
        high=math.inf,
    ),
    "exponential": _type("Exponential", "rate", positive="rate"),
    "gamma": _type("Gamma", "concentration", "rate", positive="concentration rate"),
    "beta": _type(
        "Beta",
        "concentration1",
        "concentration0",
        "low",
        "high",
        positive="concentration1 concentration0",
        low=0.0,
        high=1.0,
    ),
}


def check_prior(parameter: str, prior: Any) -> None:
    """Raise an `InputError` if a prior is malformed.

    Parameters
    ----------
    parameter : str
        What the prior is for.
    prior : mapping or NumPyro distribution
        Such as ``{"type": "normal", "loc": 1e5, "scale": 2e4}``.
    """
    if isinstance(prior, Mapping):
        prior_arguments(parameter, prior)
    elif not (hasattr(prior, "log_prob") and hasattr(prior, "support")):
        raise InputError(
            f"the prior of {parameter!r} must be a mapping such as "
            '{"type": "normal", "loc": 1.0, "scale": 0.5} or a NumPyro distribution, '
            f"got {type(prior).__name__}"
        )
    elif tuple(getattr(prior, "batch_shape", ())) + tuple(getattr(prior, "event_shape", ())):
        raise InputError(f"the prior of {parameter!r} must be of a single number")
    elif getattr(prior.support, "is_discrete", False):
        raise InputError(
            f"the prior of {parameter!r} is of whole numbers ({type(prior).__name__}): it must be "
            "continuous"
        )


def prior_arguments(parameter: str, prior: Mapping[str, Any]) -> tuple[str, dict[str, float]]:
    """Return the type and all arguments of a prior; raises as `check_prior` does."""
    where = f"the prior of {parameter!r}"
    name = _type_name(where, str(prior.get("type", "")))
    kind = PRIOR_TYPES[name]
    for key in prior:
        if key != "type" and key not in kind.arguments:
            hint = nearest(str(key), kind.arguments)
            raise InputError(f"{where} ({name}) has no argument {key!r}; {hint}")
    values: dict[str, float] = {}
    for key in kind.arguments:
        if key not in prior and key not in kind.defaults:
            needed = ", ".join(kind.arguments)
            raise InputError(f"{where} ({name}) lacks {key!r}; it takes {needed}")
        raw = prior.get(key, kind.defaults.get(key))
        try:
            value = float(raw)
        except (TypeError, ValueError):
            message = f"{where} ({name}): {key} must be a number, got {raw!r}"
            raise InputError(message) from None
        unbounded = key in kind.defaults and math.isinf(value)
        if not math.isfinite(value) and not unbounded:
            raise InputError(f"{where} ({name}): {key} must be finite, got {value}")
        if key in kind.positive and value <= 0:
            raise InputError(f"{where} ({name}): {key} must be positive, got {value:g}")
        values[key] = value
    if "low" in values and values["low"] >= values["high"]:
        low, high = values["low"], values["high"]
        raise InputError(f"{where} ({name}): low ({low:g}) must be below high ({high:g})")
    if (offset := values.get("offset", 0.0)) < 0:
        raise InputError(f"{where} ({name}): offset must not be negative, got {offset:g}")
    if name == "loguniform" and values["low"] + offset <= 0:
        raise InputError(
            f"{where} ({name}): low must be positive, got {values['low']:g}; with an offset that "
            "is added before the logarithm is taken, it may be 0"
        )
    return name, values


def _type_name(where: str, given: str) -> str:
    """Return the key of `PRIOR_TYPES`, whatever the case and spelling of the given type."""
    name = given.casefold().replace("_", "").replace("-", "")
    if not name:
        raise InputError(f"{where} has no 'type'; {nearest('', PRIOR_TYPES)}")
    if name not in PRIOR_TYPES:
        raise InputError(f"{where} has the unknown type {name!r}; {nearest(name, PRIOR_TYPES)}")
    return name


_CALL = re.compile(r"\s*([A-Za-z_-]+)\s*\(\s*(.*?)\s*\)\s*")


def parse_prior(parameter: str, text: str) -> dict[str, Any]:
    """Parse a prior of the command line: ``normal(1e5, 2e4)`` or ``normal(loc=1e5, ...)``."""
    match = _CALL.fullmatch(text)
    if match is None:
        raise InputError(
            f"the prior of {parameter!r} must be written as normal(1e5, 2e4), got {text!r}"
        )
    name = _type_name(f"the prior of {parameter!r}", match[1])
    kind = PRIOR_TYPES[name]
    prior: dict[str, Any] = {"type": name}
    parts = [part for part in match[2].split(",") if part.strip()]
    if len(parts) > len(kind.arguments):
        raise InputError(
            f"the prior of {parameter!r} ({name}) takes {', '.join(kind.arguments)}; "
            f"got {len(parts)} arguments"
        )
    for argument, part in zip(kind.arguments, parts, strict=False):
        key, equals, value = part.partition("=")
        prior[key.strip() if equals else argument] = (value if equals else key).strip()
    check_prior(parameter, prior)
    return prior
