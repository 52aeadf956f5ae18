"""The options of a fit, checked before anything runs."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Self

from rheojobs.inference.models.ties import parse_tie
from rheojobs.inference.options.kinds import (
    Choice,
    Count,
    Expressions,
    Number,
    Numbers,
)
from rheojobs.inference.options.option import Group, checked, option
from rheojobs.inference.problem.options import ProblemOptions

__all__ = ["FitOptions", "StartOptions"]

WEIGHTS = {
    "uniform": "all residuals count the same",
    "relative": "residuals are ln(model/data), so being 10 % high or low counts the same",
    "divided": "residuals are (model - data)/|data|, as in RheoJAX's fits",
    "sigma": "each residual is divided by its standard deviation",
}
LOSSES = {
    "linear": "least squares",
    "soft_l1": "large residuals count less",
    "huber": "large residuals count linearly",
    "cauchy": "large residuals hardly count",
}
METHODS = {
    "lm": "Levenberg and Marquardt's, ours",
    "nlsq": "the trust-region method of the library NLSQ, as RheoJAX's fits use it",
}
INTERVALS = {"profile": "by profile likelihood"}
MOST_STARTS = 128


def _tie(name: str, expression: Any) -> str:
    parse_tie(name, expression)
    return str(expression)


@dataclass(frozen=True)
class StartOptions:
    """Where a fit starts."""

    initial_params: Mapping[str, float] = option(
        {},
        Numbers(),
        "Initial value of a parameter. Estimated from the data by default.",
        group=Group.MODEL,
        word="init",
    )


@dataclass(kw_only=True)
class FitOptions(ProblemOptions):
    """How to fit.

    Attributes
    ----------
    weights : str or None
        ``"relative"`` divides by the data if any of them is not positive; ``"sigma"`` takes
        `Dataset.sigma` as true: the covariance is not scaled by the scatter. None chooses sigma
        if there is one, relative for moduli and for data over more than two decades, else
        uniform; the result says which and why.
    multi_start : int
        From two on, a fit of four parameters or more searches beyond the starts if they disagree
        or leave a trend.
    loss : str
        Which residuals are large follows from the residuals' own median.
    tied : mapping of str to str
        ``{"G2": "0.5 * G1"}``; numbers, names, ``+ - * / **`` and parentheses.
    max_iter : int
        Each iteration evaluates the residuals and their derivatives once.
    """

    max_iter: int = option(
        1000,
        Count(),
        "Iterations of each start at most.",
        group=Group.TOLERANCES,
        label="Max. iterations",
    )
    ftol: float = option(
        1e-18,
        Number(0.0, 1.0),
        "Stop when a step would lower the sum of squares by less than this part of it.",
        group=Group.TOLERANCES,
    )
    xtol: float = option(
        1e-10,
        Number(0.0, 1.0),
        "Stop when the parameters change by less than this part of them.",
        group=Group.TOLERANCES,
    )
    gtol: float = option(
        1e-12,
        Number(0.0, 1.0),
        "Stop when the residuals are orthogonal to their slopes to this part.",
        group=Group.TOLERANCES,
    )
    multi_start: int = option(
        1,
        Count(1, MOST_STARTS),
        "Refine so many starts and keep the best.",
        group=Group.MODEL,
    )
    weights: str | None = option(
        None,
        Choice(WEIGHTS),
        "Weights of the residuals. Chosen from the data by default.",
        group=Group.MODEL,
    )
    loss: str = option(
        "linear",
        Choice(LOSSES),
        "Loss function: linear, or a robust one for data with outliers.",
        group=Group.MODEL,
    )
    method: str = option(
        "lm",
        Choice(METHODS),
        "Which optimizer minimizes the sum of squares.",
        group=Group.TOLERANCES,
    )
    tied: Mapping[str, str] = option(
        {},
        Expressions(_tie),
        "Compute a parameter from others, such as 'G_2=0.5*G_1'.",
        group=Group.MODEL,
        word="tie",
    )
    intervals: str | None = option(
        None,
        Choice(INTERVALS),
        "Confidence intervals of 95 % besides the standard errors: profile.",
        group=Group.MODEL,
    )

    @classmethod
    def of(cls, options: Mapping[str, Any] | None) -> Self:
        """Return the options that a user gives; raise `InputError` in one line."""
        return cls(**checked(cls, options or {}, "a fit"))
