"""The options of a fit, checked before anything runs. Knows no JAX."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from typing import Any, Self

from rheojobs.errors import InputError, nearest

__all__ = ["FitOptions"]

WEIGHTS = ("uniform", "relative", "sigma")
LOSSES = ("linear", "soft_l1", "huber", "cauchy")
INTERVALS = ("profile",)
MOST_STARTS = 128


@dataclass(frozen=True)
class FitOptions:
    """How to fit.

    Attributes
    ----------
    max_iter : int
        Iterations of each start at most: each evaluates the residuals and their slopes once.
    ftol, xtol, gtol : float
        Relative tolerances of the sum of squares, the parameters and the gradient.
    multi_start : int
        How many starting points are refined; the best result is kept. From two on, a fit of four
        parameters or more looks beyond them where they disagree or leave a trend.
    weights : str or None
        ``"uniform"``: all residuals alike. ``"relative"``: for data over decades; residuals are
        ln(curve / data) where all data are positive, else they are divided by the data.
        ``"sigma"``: each divided by its standard deviation, `Dataset.sigma`, which is taken as
        true: the covariance is not scaled by the scatter. None chooses sigma where there is
        one, relative for moduli and for data over more than two decades, else uniform; the
        result says which and why.
    test_mode : str or None
        Read from the data where not given.
    protocol : mapping
        Constants of the test: gamma_dot / s⁻¹, sigma_applied / Pa, gamma_0, omega / rad s⁻¹.
    model_config : mapping
        The model's own settings, such as ``{"n_modes": 6}``.
    loss : str
        ``"linear"`` is least squares; ``"soft_l1"``, ``"huber"`` and ``"cauchy"`` count large
        residuals for less and less. What is large is told from the residuals' own median.
    fixed : mapping of str to float
        Parameters that keep a value: ``{"eta": 1e3}``.
    tied : mapping of str to str
        Parameters that are computed from others: ``{"G2": "0.5 * G1"}``; numbers, names,
        ``+ - * / **`` and parentheses.
    intervals : str or None
        ``"profile"``: confidence intervals of 95 % by profile likelihood.
    bounds : mapping of str to (float, float)
        Between which a parameter is looked for, where not between the model's own bounds: these
        may be made narrower, not wider.
    """

    max_iter: int = 1000
    ftol: float = 1e-10
    xtol: float = 1e-10
    gtol: float = 1e-10
    multi_start: int = 1
    weights: str | None = None
    test_mode: str | None = None
    protocol: Mapping[str, float] = field(default_factory=dict)
    model_config: Mapping[str, Any] = field(default_factory=dict)
    loss: str = "linear"
    fixed: Mapping[str, float] = field(default_factory=dict)
    tied: Mapping[str, str] = field(default_factory=dict)
    intervals: str | None = None
    bounds: Mapping[str, tuple[float, float]] = field(default_factory=dict)

    @classmethod
    def of(cls, options: Mapping[str, Any] | None) -> Self:
        """Take options as a user gives them; raises `InputError` in one line."""
        given = dict(options or {})
        known = {item.name for item in fields(cls)}
        for name in given:
            if name not in known:
                raise InputError(f"unknown option {name!r} of a fit; {nearest(str(name), known)}")
        for name in ("protocol", "model_config", "fixed", "tied", "bounds"):
            if given.get(name, {}) is None:
                given[name] = {}
            elif not isinstance(given.get(name, {}), Mapping):
                raise InputError(f"option {name!r} must be a mapping, got {given[name]!r}")
        if "bounds" in given:
            given["bounds"] = {name: _pair(name, ends) for name, ends in given["bounds"].items()}
        made = cls(**given)
        made._check()
        return made

    def _check(self) -> None:
        for name in ("max_iter", "multi_start"):
            value = getattr(self, name)
            if isinstance(value, bool) or not isinstance(value, int) or value < 1:
                raise InputError(f"option {name!r} must be a whole number from 1 up, got {value!r}")
        if self.multi_start > MOST_STARTS:
            raise InputError(
                f"option 'multi_start' may be at most {MOST_STARTS}, got {self.multi_start}"
            )
        for name in ("ftol", "xtol", "gtol"):
            value = getattr(self, name)
            good = isinstance(value, int | float) and not isinstance(value, bool)
            if not good or not math.isfinite(value) or not 0 < value < 1:
                raise InputError(f"option {name!r} must be between 0 and 1, got {value!r}")
        for name, known in (("weights", WEIGHTS), ("loss", LOSSES), ("intervals", INTERVALS)):
            value = getattr(self, name)
            if value not in known and (value is not None or name == "loss"):
                hint = nearest(str(value), known)
                raise InputError(f"option {name!r} cannot be {value!r}; {hint}")


def _pair(name: object, ends: Any) -> tuple[float, float]:
    """Take two limits as a user gives them."""
    try:
        lower, upper = (float(end) for end in ends)
    except (TypeError, ValueError):
        raise InputError(f"bounds of {name!r} must be two numbers, got {ends!r}") from None
    if not lower < upper:  # NaN included
        raise InputError(f"bounds of {name!r} are empty: {lower:g} to {upper:g}")
    return lower, upper
