"""The options of a fit, checked before anything runs. Knows no JAX."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from typing import Any, Self

from rheojobs.errors import InputError, nearest

__all__ = ["FitOptions"]

WEIGHTS = ("uniform", "relative")


@dataclass(frozen=True)
class FitOptions:
    """How to fit.

    Attributes
    ----------
    max_iter : int
        Evaluations of the residuals at most.
    ftol, xtol, gtol : float
        Relative tolerances of the sum of squares, the parameters and the gradient.
    multi_start : int
        How many starting points are refined; the best result is kept.
    weights : str or None
        ``"uniform"`` or ``"relative"``; None chooses by the data, and the result says which.
    test_mode : str or None
        Read from the data where not given.
    protocol : mapping
        Constants of the test: gamma_dot / s⁻¹, sigma_applied / Pa, gamma_0, omega / rad s⁻¹.
    model_config : mapping
        The model's own settings, such as ``{"n_modes": 6}``.
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

    @classmethod
    def of(cls, options: Mapping[str, Any] | None) -> Self:
        """Take options as a user gives them; raises `InputError` in one line."""
        given = dict(options or {})
        known = {item.name for item in fields(cls)}
        for name in given:
            if name not in known:
                raise InputError(f"unknown option {name!r} of a fit; {nearest(str(name), known)}")
        for name in ("protocol", "model_config"):
            if given.get(name, {}) is None:
                given[name] = {}
            elif not isinstance(given.get(name, {}), Mapping):
                raise InputError(f"option {name!r} must be a mapping, got {given[name]!r}")
        made = cls(**given)
        made._check()
        return made

    def _check(self) -> None:
        for name in ("max_iter", "multi_start"):
            value = getattr(self, name)
            if isinstance(value, bool) or not isinstance(value, int) or value < 1:
                raise InputError(f"option {name!r} must be a whole number from 1 up, got {value!r}")
        if self.multi_start > 128:
            raise InputError(f"option 'multi_start' may be at most 128, got {self.multi_start}")
        for name in ("ftol", "xtol", "gtol"):
            value = getattr(self, name)
            good = isinstance(value, int | float) and not isinstance(value, bool)
            if not good or not math.isfinite(value) or not 0 < value < 1:
                raise InputError(f"option {name!r} must be between 0 and 1, got {value!r}")
        if self.weights is not None and self.weights not in WEIGHTS:
            hint = nearest(str(self.weights), WEIGHTS)
            raise InputError(f"option 'weights' cannot be {self.weights!r}; {hint}")
