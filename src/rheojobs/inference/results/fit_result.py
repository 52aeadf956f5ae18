"""`FitResult`: the result of a fit, and how it is stored."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from datetime import datetime
from pathlib import Path
from typing import Any, ClassVar, Self

import numpy as np
from numpy.typing import NDArray

from rheojobs.inference.results.json_format import array, limits, read_result, to_json

__all__ = ["FitResult", "bound_reached", "generous", "misfit"]

POOR_R_SQUARED = 0.9

UNLIKELY = 3.1
"""A χ² further from its expectation, in standard deviations: one in a thousand."""

NOTABLE = 1.1
"""Residuals that are larger or smaller than their σ by less than this factor raise no warning."""


def misfit(r_squared: float, reduced: float, freedom: int, is_absolute: bool) -> str:
    """Return how a curve misses its data, in a few words; empty if it does not.

    Where the standard deviations of the data are known, χ² decides, with the approximation of
    Wilson & Hilferty, Proc. Natl. Acad. Sci. 17 (1931) 684; else the coefficient of determination.
    """
    if not is_absolute:
        poor = r_squared < POOR_R_SQUARED
        return f"the curve misses the data (R² = {r_squared:.3g})" if poor else ""
    if freedom < 1 or not reduced > NOTABLE**2:
        return ""
    width = 2.0 / (9.0 * freedom)
    if (math.cbrt(reduced) - (1.0 - width)) / math.sqrt(width) < UNLIKELY:
        return ""
    return (
        f"the curve misses the data: their residuals are {math.sqrt(reduced):.3g} σ (reduced χ² = "
        f"{reduced:.3g}); the model is wrong, or σ is too small, and so are the uncertainties"
    )


def generous(reduced: float, freedom: int) -> str:
    """Return in a few words that known standard deviations are too large; empty if they are not."""
    if freedom < 1 or not 0 <= reduced < NOTABLE**-2:
        return ""
    width = 2.0 / (9.0 * freedom)
    if (math.cbrt(reduced) - (1.0 - width)) / math.sqrt(width) > -UNLIKELY:
        return ""
    return (
        f"the residuals are only {math.sqrt(reduced):.3g} σ (reduced χ² = {reduced:.3g}): σ is too "
        "large, and so are the uncertainties"
    )


def bound_reached(value: float, bounds: tuple[float, float]) -> str:
    """Return which bound an estimate lies at, ``"lower"`` or ``"upper"``; empty if at none."""
    lower, upper = bounds
    for limit, words in ((lower, "lower"), (upper, "upper")):
        near = 1e-6 * abs(limit) or 1e-9
        if lower < upper and math.isfinite(limit) and abs(value - limit) <= near:
            return words
    return ""


@dataclass(eq=False)
class FitResult:
    """The result of a fit.

    Attributes
    ----------
    model_name : str
        The model.
    parameters : dict of str to float
        The estimates, in the units of `units`.
    r_squared : float
        Coefficient of determination: of the logarithms if `weights` is ``"relative"``
        and all values are positive, else of the values, each with its weight.
    mpe : float
        Mean of the absolute relative deviation, in percent.
    chi_squared : float
        Sum of the squared weighted residuals; relative ones are ln(curve / data) if all data
        are positive.
    fit_time : float
        Seconds, from the data in the worker to the result.
    timestamp : datetime
        When it was done, with its time zone.
    n_iterations : int or None
        Of the optimizer.
    success : bool
        Whether it converged.
    uncertainties : dict of str to float
        Standard errors; infinite if the data do not determine the parameter.
    covariance : ndarray, shape (p, p)
        Of the estimates, in the order of `parameters`.
    reduced_chi_squared : float
        `chi_squared` over the degrees of freedom.
    aic, bic : float
        Akaike's and Bayesian information criterion, for Gaussian residuals of unknown size, or
        of the size given by sigma. Both up to a constant that depends on data and weights only.
        NaN, like `aicc`, for a robust loss, which is no likelihood.
    residuals, fitted : ndarray, shape (n,)
        Data minus curve, and the curve; complex for an oscillation.
    test_mode : str
        Of the data.
    message : str
        Why the optimizer stopped, with further remarks.
    weights : str
        ``"relative"``, ``"divided"``, ``"uniform"`` or ``"sigma"``.
    units : dict of str to str
        Of the parameters.
    aicc : float
        `aic` corrected for few data (Hurvich & Tsai 1989); infinite if there are too few. With
        known standard deviations it equals `aic`.
    weights_reason : str
        Why these weights, if they were not given.
    loss : str
        How residuals count: ``"linear"`` for least squares, else a robust one.
    loss_scale : float
        The weighted residual beyond which a robust loss counts it for less; NaN for linear.
    objective : float
        What was minimized: `chi_squared` for a linear loss.
    correlation : ndarray, shape (p, p)
        Of the estimates; NaN for a parameter that was not free or is not determined.
    bounds : dict of str to (float, float)
        Between which each parameter was searched.
    given_bounds : dict of str to (float, float)
        Those of `bounds` that were given; the others are the model's.
    fixed : dict of str to float
        Parameters that were not fitted.
    tied : dict of str to str
        Parameters that were computed from others, with the expression.
    intervals : dict of str to (float, float)
        Confidence intervals of 95 % by profile likelihood, if requested; an end that does
        not close is the bound, or infinite.
    interval_notes : dict of str to str
        Notes on intervals that do not close.
    minima : list of dict
        The distinct minima that the starts ended in, best first: ``objective``, ``parameters``,
        and how many ``starts`` ended there.
    warnings : list of str
        What should not be trusted, in plain words.
    residual_correlation : float
        Of neighbouring weighted residuals, in the order of x; NaN if it is unknown.
    """

    is_result: ClassVar[bool] = True

    model_name: str
    parameters: dict[str, float]
    r_squared: float
    mpe: float
    chi_squared: float
    fit_time: float
    timestamp: datetime
    n_iterations: int | None
    success: bool
    uncertainties: dict[str, float] = field(default_factory=dict)
    covariance: NDArray[np.float64] | None = None
    reduced_chi_squared: float = math.nan
    aic: float = math.nan
    bic: float = math.nan
    residuals: NDArray[Any] | None = None
    fitted: NDArray[Any] | None = None
    test_mode: str = ""
    message: str = ""
    weights: str = "uniform"
    units: dict[str, str] = field(default_factory=dict)
    aicc: float = math.nan
    weights_reason: str = ""
    loss: str = "linear"
    loss_scale: float = math.nan
    objective: float = math.nan
    correlation: NDArray[np.float64] | None = None
    bounds: dict[str, tuple[float, float]] = field(default_factory=dict)
    fixed: dict[str, float] = field(default_factory=dict)
    tied: dict[str, str] = field(default_factory=dict)
    intervals: dict[str, tuple[float, float]] = field(default_factory=dict)
    interval_notes: dict[str, str] = field(default_factory=dict)
    minima: list[dict[str, Any]] = field(default_factory=list)
    warnings: list[str] = field(default_factory=list)
    residual_correlation: float = math.nan
    given_bounds: dict[str, tuple[float, float]] = field(default_factory=dict)

    def as_dict(self) -> dict[str, Any]:
        """Return all fields by name."""
        return {item.name: getattr(self, item.name) for item in fields(self)}

    def bound_reached(self, name: str) -> str:
        """Return which bound a parameter lies at, as the function of this name does."""
        bounds = self.bounds.get(name, (-math.inf, math.inf))
        return bound_reached(self.parameters[name], bounds)

    @property
    def free(self) -> int:
        """The number of parameters that were estimated."""
        settled = self.fixed.keys() | self.tied.keys()
        return sum(low < high and name not in settled for name, (low, high) in self.bounds.items())

    @property
    def values(self) -> int:
        """The number of fitted values: G' and G'' are two; 0 if the residuals are unknown."""
        if self.residuals is None:
            return 0
        return self.residuals.size * (2 if np.iscomplexobj(self.residuals) else 1)

    @property
    def independent_values(self) -> float:
        """About how many independent values there are, given the residuals' correlation ρ.

        ``values * (1 - ρ) / (1 + ρ)``; NaN if the correlation is unknown.
        """
        rho = min(max(self.residual_correlation, 0.0), 1.0)
        return self.values * (1.0 - rho) / (1.0 + rho)

    @property
    def is_relative(self) -> bool:
        """Whether residuals are in proportion to the data: relative or divided weights."""
        return self.weights in ("relative", "divided")

    @property
    def misfit(self) -> str:
        """How the curve misses the data, in a few words; empty if it does not."""
        is_absolute = self.weights == "sigma" and self.loss == "linear"
        return misfit(
            self.r_squared, self.reduced_chi_squared, self.values - self.free, is_absolute
        )

    @property
    def doubt(self) -> str:
        """Why the fit should not be used as it is, in a few words; empty if it may be."""
        return self.misfit if self.success else "the fit did not converge"

    @property
    def concerns(self) -> list[str]:
        """All that speaks against using the fit, what makes it doubtful first; empty if nothing."""
        doubt = self.doubt
        if not doubt:
            return list(self.warnings)
        named = [text for text in self.warnings if text.startswith(doubt)]
        reason = f": {self.message}" if self.message and not self.success else ""
        others = [text for text in self.warnings if text not in named]
        return [*(named or [f"{doubt}{reason}"]), *others]

    def to_markdown(self, title: str = "") -> str:
        """Return the full report as Markdown, such as ``Path("fit.md").write_text`` takes it."""
        from rheojobs.inference.results.fit_report import markdown

        return markdown(self, title)

    def _repr_html_(self) -> str:
        """Return a table for notebooks."""
        from rheojobs.inference.results.html_view import fit_html

        return fit_html(self)

    def to_record(self) -> tuple[Any, Mapping[str, bytes]]:
        """Return the result as JSON and arrays, for the store of jobs."""
        from rheojobs.inference.results.records import pack

        return pack(self.as_dict())

    @classmethod
    def from_record(cls, content: Any, blobs: Mapping[str, bytes]) -> Self:
        """Return what `record` was called on."""
        from rheojobs.inference.results.records import unpack

        return cls(**unpack(content, blobs))

    def save(self, path: str | Path) -> None:
        """Write the result as JSON."""
        Path(path).write_text(to_json(self) + "\n", encoding="utf-8")

    @classmethod
    def load(cls, path: str | Path) -> Self:
        """Read a result that `save` wrote; raises `InputError` if it is none."""
        return read_result(path, cls, cls._of_json)

    @classmethod
    def _of_json(cls, content: dict[str, Any]) -> Self:
        for name in ("covariance", "correlation", "residuals", "fitted"):
            if content.get(name) is not None:
                content[name] = array(content[name])
        if content.get("covariance") is not None:  # parameters that the data do not determine
            content["covariance"][np.isnan(content["covariance"])] = math.inf
        for name in {"parameters", "uncertainties"} & content.keys():
            content[name] = {k: math.inf if v is None else v for k, v in content[name].items()}
        for name in {"bounds", "given_bounds", "intervals"} & content.keys():
            content[name] = {key: limits(*ends) for key, ends in content[name].items()}
        for item in fields(cls):
            if isinstance(item.default, float) and content.get(item.name, 0.0) is None:
                few = item.name == "aicc" and content.get("loss", "linear") == "linear"
                content[item.name] = math.inf if few else math.nan
        return cls(**content)
