"""Make the `FitResult` of a finished fit: parameters, uncertainties, quality, warnings."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime

import numpy as np
from numpy.typing import NDArray

from rheojobs.inference.fits import statistics as statistics
from rheojobs.inference.fits.coordinates import Limits
from rheojobs.inference.fits.least_squares.losses import loss_weight, robust_scatter
from rheojobs.inference.fits.least_squares.residuals import Data, Seen
from rheojobs.inference.fits.objective import Objective
from rheojobs.inference.fits.options import FitOptions
from rheojobs.inference.fits.outcome import Outcome
from rheojobs.inference.fits.residual_correlation import LagOne, lag_one
from rheojobs.inference.problem.problem import Problem
from rheojobs.inference.problem.weights import Weights
from rheojobs.inference.results.fit_result import FitResult, bound_reached, generous, misfit

AT_LIMIT = 1e-4
"""A parameter is at its limit if it is nearer than this part of it."""

__all__ = ["FitCollector"]


@dataclass(frozen=True, eq=False)
class FitCollector:
    """Makes the results of one fit.

    Attributes
    ----------
    problem : Problem
        The model and the data.
    options : FitOptions
        The options of the fit.
    objective : Objective
        What is minimized.
    limits : Limits
        Of the coordinates.
    weights : Weights
        Of the residuals.
    fixed : mapping
        Parameters with a fixed value.
    """

    problem: Problem
    options: FitOptions
    objective: Objective
    limits: Limits
    weights: Weights
    fixed: Mapping[str, float]

    def result(
        self,
        end: Outcome,
        data: Data,
        success: bool,
        message: str,
        *,
        iterations: int,
        seconds: float,
    ) -> FitResult:
        """Make the result of a fit from where it ended.

        Parameters
        ----------
        end : Outcome
            Where it ended.
        data : Data
            What was fitted, with the final scale of the loss.
        success : bool
            Whether it converged.
        message : str
            Why it ended.
        iterations : int
            Of all starts together.
        seconds : float
            The time it took.
        """
        problem, model, weights = self.problem, self.problem.model, self.weights
        seen, loss = problem.coarse_observations, self.options.loss
        found = self.at_data(end, data)
        y, fitted = seen.y[:, : seen.n], found.curve
        chi_squared = float(np.vdot(found.residuals, found.residuals))
        # That of a fit of many data that was cancelled is estimated from some of them.
        objective = chi_squared if loss == "linear" else end.cost
        free = int(self.limits.free.sum())
        freedom = y.size - free
        reduced = chi_squared / freedom if freedom > 0 else math.nan
        jacobian = found.jacobian[..., self.limits.free]
        covariance = self._covariance(end.u, found, data, reduced)
        correlation = statistics.correlation_of(covariance)
        parameters = self.objective.coordinates.named(end.u, self.fixed)
        errors = np.sqrt(np.diag(covariance))
        uncertainties = dict(zip(model.names, errors.tolist(), strict=True))
        bounds = {item.name: item.bounds for item in model.parameters} | dict(self.options.bounds)
        sigma = weights.sigma[:, : seen.n]
        fit_quality = statistics.r_squared(y, fitted, weights.name == "relative", sigma)
        known = statistics.Criteria(math.nan, math.nan, math.nan)  # a robust loss: no likelihood
        if loss == "linear":
            known = statistics.criteria(objective, y.size, free, weights.is_absolute)
        neighbours = self._neighbours(found.residuals, data, jacobian)
        del found, jacobian  # of many data, residuals in units of the noise are not kept beside
        residuals = y - fitted
        concerns = model.concerns(problem.test_mode)
        concerns += [] if success else [f"the fit did not converge: {message}"]
        concerns += self._words_on_residuals(fit_quality, reduced, freedom)
        if neighbours.is_notable:
            concerns.append(neighbours.words(y.size))
        concerns += statistics.warnings_of(
            parameters, uncertainties, bounds, list(self.fixed), correlation
        )
        concerns += self._words_on_assumed(parameters, bounds)
        concerns += [
            f"{smaller} is at its limit, which is {larger}: beyond, moduli are negative"
            for smaller, larger in model.orders
            if parameters[smaller] >= (1.0 - AT_LIMIT) * parameters[larger]
        ]
        return FitResult(
            model_name=model.name,
            parameters=parameters,
            r_squared=fit_quality,
            mpe=statistics.mean_deviation(y, fitted),
            chi_squared=chi_squared,
            fit_time=seconds,
            timestamp=datetime.now(UTC),
            n_iterations=iterations,
            success=success,
            uncertainties=uncertainties,
            covariance=covariance,
            reduced_chi_squared=reduced,
            aic=known.aic,
            bic=known.bic,
            aicc=known.aicc,
            residuals=residuals[0] + 1j * residuals[1] if problem.is_complex else residuals[0],
            fitted=fitted[0] + 1j * fitted[1] if problem.is_complex else fitted[0],
            test_mode=problem.test_mode,
            message=message,
            weights=weights.name,
            units={parameter.name: parameter.unit for parameter in model.parameters},
            weights_reason=weights.reason,
            loss=loss,
            loss_scale=math.nan if loss == "linear" else float(data.scale),
            objective=objective,
            correlation=correlation,
            bounds=bounds,
            fixed=dict(self.fixed),
            tied=dict(self.options.tied),
            warnings=concerns,
            residual_correlation=neighbours.correlation,
            given_bounds=dict(self.options.bounds),
        )

    def _words_on_assumed(
        self, parameters: dict[str, float], bounds: dict[str, tuple[float, float]]
    ) -> list[str]:
        """Return in words which parameters lie at a bound that was only assumed."""
        settled = {*self.fixed, *self.options.bounds}
        return [
            f"the bounds of {item.name}, {item.bounds[0]:g} to {item.bounds[1]:g}, are assumed, "
            f"since the model gives none: give bounds of {item.name} that suit your material"
            for item in self.problem.model.parameters
            if item.is_assumed and item.name not in settled
            if bound_reached(parameters[item.name], bounds[item.name])
        ]

    def _words_on_residuals(self, r_squared: float, reduced: float, freedom: int) -> list[str]:
        """Return in words whether the residuals are larger or smaller than they should be."""
        is_absolute = self.weights.is_absolute and self.options.loss == "linear"
        found = [misfit(r_squared, reduced, freedom, is_absolute)]
        found += [generous(reduced, freedom)] if is_absolute else []
        return [words for words in found if words]

    def at_data(self, end: Outcome, data: Data) -> Seen:
        """Return what the model gives at all data; the Jacobian, (c, n, d), or a factor of it."""
        if self.objective.is_large(data):
            return self.objective.values(end.u, data)
        n = self.problem.coarse_observations.n
        return Seen(end.residuals[:, :n], end.jacobian[:, :n], end.curve[:, :n])

    def _neighbours(
        self, residuals: NDArray[np.float64], data: Data, jacobian: NDArray[np.float64]
    ) -> LagOne:
        """Return the correlation of neighbouring residuals, large ones counted as in the loss."""
        seen, sigma = self.problem.coarse_observations, self.weights.sigma
        if seen.is_in_pieces:  # then the few parameters take next to nothing from the residuals
            jacobian = np.zeros((*residuals.shape, 0))
        if self.options.loss != "linear":
            z = (residuals / float(data.scale)) ** 2
            residuals = residuals * loss_weight(z, self.options.loss)
        size = 1.0
        if not self.weights.logarithmic:
            shown = seen.shown
            size = math.sqrt(float(np.mean((seen.y[:, shown] / sigma[:, shown]) ** 2)))
        return lag_one(residuals, jacobian, seen.x[: seen.n], size)

    def _covariance(
        self, u: NDArray[np.float64], found: Seen, data: Data, reduced: float
    ) -> NDArray[np.float64]:
        """Return the covariance of all parameters; infinite for those the data do not determine."""
        free = self.limits.free
        variance = 1.0 if self.weights.is_absolute else reduced
        if self.options.loss != "linear":
            residuals, count = found.residuals.reshape(-1), int(free.sum())
            scale = float(data.scale)
            variance = robust_scatter(residuals, scale, self.options.loss, count).variance
        jacobian = found.jacobian.reshape(-1, len(u))[:, free]
        block = statistics.covariance_of(jacobian, variance)
        return statistics.spread_of(block, self._slopes(u)[:, free])

    def _slopes(self, u: NDArray[np.float64]) -> NDArray[np.float64]:
        """Return the derivative of each parameter by each coordinate, shape (p, d)."""
        coordinates, names = self.objective.coordinates, self.problem.model.names
        out = np.zeros((len(names), len(u)))
        slopes = coordinates.slopes(u)
        for k, item in enumerate(coordinates.own):
            out[names.index(item.name), k] = slopes[k]
        if coordinates.dependent:
            tied = [names.index(name) for name in coordinates.dependent]
            for k in range(len(u)):
                width = 1e-6 * max(1.0, abs(u[k])) * (np.arange(len(u)) == k)
                ends = [coordinates.named(u + sign * width, clip=False) for sign in (1, -1)]
                for row in tied:
                    rise = ends[0][names[row]] - ends[1][names[row]]
                    out[row, k] = rise / (2.0 * width[k])
        return out
