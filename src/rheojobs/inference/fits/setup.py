"""`FitSetup`: a problem and its options, checked and ready to be fitted."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

from rheojobs.errors import InputError
from rheojobs.inference.fits.collect import FitCollector
from rheojobs.inference.fits.coordinates import Limits, free_orders
from rheojobs.inference.fits.least_squares.levenberg_marquardt import Tolerances
from rheojobs.inference.fits.least_squares.residuals import Data
from rheojobs.inference.fits.objective import Objective
from rheojobs.inference.fits.options import FitOptions
from rheojobs.inference.models.ties import parse_ties
from rheojobs.inference.problem.problem import Problem
from rheojobs.inference.problem.weights import Weights, weights_of

__all__ = ["RACE", "SPARE_STARTS", "FitSetup"]

SPARE_STARTS = 8
"""How many starts are available if some cannot be evaluated."""

RACED_FROM = 4
RACE = 16
"""With `RACED_FROM` parameters or more, starts are refined by `RACE` iterations before a choice.

Screening alone often picks a start that leads to an inferior minimum.
"""


@dataclass(frozen=True, eq=False)
class FitSetup:
    """What a fit consists of.

    Attributes
    ----------
    problem : Problem
        The model and the data.
    options : FitOptions
        How to fit.
    fixed, given : dict of str to float
        The parameters with a fixed value, and all with a known one to start from.
    objective : Objective
        What is minimized.
    limits : Limits
        Of the coordinates.
    weights : Weights
        Of the residuals.
    """

    problem: Problem
    options: FitOptions
    fixed: dict[str, float]
    given: dict[str, float]
    objective: Objective
    limits: Limits
    weights: Weights

    @classmethod
    def of(cls, problem: Problem, options: FitOptions, initial: Mapping[str, float]) -> FitSetup:
        """Check a fit; raises `InputError` in one line.

        Parameters
        ----------
        problem : Problem
            The model and the data.
        options : FitOptions
            How to fit.
        initial : mapping
            The given initial values.
        """
        model = problem.model
        fixed = problem.fixed_values(options.fixed)
        ties = parse_ties(options.tied, model.names, model.name, list(fixed))
        for name in initial:
            if name in fixed or name in options.tied:
                how = "fixed" if name in fixed else "tied"
                raise InputError(f"{model.name}: {name!r} is {how}: it takes no initial value")
        given = model.resolve_values(initial, fixed)
        # A profile holds a parameter, not its share of another.
        held = {*fixed, *options.bounds, *options.tied}
        orders = () if options.intervals else free_orders(model.orders, held)
        objective = Objective.of(problem, ties, orders)
        limits = objective.coordinates.limits(fixed, model.name, options.bounds)
        weights = weights_of(problem, options.weights)
        setup = cls(problem, options, fixed, given, objective, limits, weights)
        setup._check_start()
        setup._check_count()
        return setup

    def of_like(self, problem: Problem) -> FitSetup:
        """Return the setup of a problem that differs in its data alone, from the same start."""
        weights = weights_of(problem, self.options.weights)
        setup = replace(self, problem=problem, weights=weights)
        setup._check_count()
        return setup

    @property
    def collector(self) -> FitCollector:
        """Makes the result."""
        return FitCollector(
            self.problem, self.options, self.objective, self.limits, self.weights, self.fixed
        )

    @property
    def tolerances(self) -> Tolerances:
        """When to stop."""
        return Tolerances(self.options.ftol, self.options.xtol, self.options.gtol)

    @property
    def is_given(self) -> bool:
        """Whether all parameters have a known value to start from."""
        return all(item.name in self.given for item in self.objective.coordinates.own)

    @property
    def has_many(self) -> bool:
        """Whether there are so many free parameters that starts are raced."""
        return int(self.limits.free.sum()) >= RACED_FROM

    def data(self, loss: str = "linear") -> Data:
        """Return what the programs take."""
        return self.objective.data(self.problem, self.weights, self.limits, loss)

    def _check_start(self) -> None:
        """Raise `InputError` if an initial value lies outside narrower bounds."""
        model = self.problem.model.name
        for name, (lower, upper) in self.options.bounds.items():
            value = self.given.get(name)
            if value is not None and not lower <= value <= upper:
                raise InputError(
                    f"{model}: {name} = {value:g} is outside the bounds that are given, "
                    f"{lower:g} to {upper:g}"
                )

    def _check_count(self) -> None:
        """Raise `InputError` if there are fewer values than free parameters."""
        free, values = int(self.limits.free.sum()), self.problem.values
        if values < free:
            raise InputError(
                f"{self.problem.model.name} has {free} free parameters, the data have {values} "
                "values: more data, parameters kept by {fixed}, or a simpler model are needed",
                options=("fixed",),
            )
