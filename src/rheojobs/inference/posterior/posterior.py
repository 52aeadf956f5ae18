"""The statistical model: priors and likelihood, and its unconstrained coordinates.

By default a parameter that a fit searches by its logarithm has a prior uniform in that logarithm.
RheoJAX's statistical model can be chosen by name: priors uniform on the bounds, and constant noise.
Its fractional orders have a Beta(2, 2) in both.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from rheojobs.errors import InputError, nearest
from rheojobs.inference.models.mode_order import mode_columns, ordered_rows
from rheojobs.inference.models.parameters import Alternative
from rheojobs.inference.posterior.bounds import narrowed, truncated
from rheojobs.inference.posterior.default_priors import default_prior
from rheojobs.inference.posterior.likelihood import Likelihood
from rheojobs.inference.posterior.likelihood_names import likelihood_of
from rheojobs.inference.posterior.priors import Prior, prior_of
from rheojobs.inference.problem.problem import Problem
from rheojobs.inference.programs.devices import on_device
from rheojobs.inference.results.predictions import Predictions

__all__ = ["Posterior"]

FIXED_TOLERANCE = 1e-10
PRIOR_DRAWS = 100
PRIOR_REACH = 3.0
"""How far a start may lie outside draws of a prior, in units of the range of these draws."""

NOISE = ("sigma", "sigma_real", "sigma_imag")


@dataclass(frozen=True, eq=False)
class Posterior:
    """A problem with its priors: what is sampled, and from which distribution.

    Attributes
    ----------
    problem : Problem
        The model and the data.
    sites : tuple of str
        Names of the sampled quantities: parameters or their alternatives, then noise scales.
    priors : tuple of Prior
        One for each site.
    fixed : dict of str to float
        Parameters with a fixed value: it was given, or their bounds coincide.
    substituted : dict of str to Alternative
        Alternatives that are sampled in place of a parameter, because their prior was given.
    likelihood : Likelihood
        The noise model.
    bounds : dict of str to tuple of float
        Of all parameters, for these data.
    given : frozenset of str
        The sites whose prior was given.
    """

    problem: Problem
    sites: tuple[str, ...]
    priors: tuple[Prior, ...]
    fixed: dict[str, float]
    substituted: dict[str, Alternative]
    likelihood: Likelihood
    bounds: dict[str, tuple[float, float]]
    given: frozenset[str]

    @classmethod
    def of(
        cls,
        problem: Problem,
        priors: Mapping[str, Any],
        values: Mapping[str, float],
        likelihood: str | None = None,
        default_priors: str = "logarithmic",
        fixed: Mapping[str, float] | None = None,
        bounds: Mapping[str, tuple[float, float]] | None = None,
    ) -> Posterior:
        """Set up the statistical model.

        Parameters
        ----------
        problem : Problem
            The model and the data.
        priors : mapping
            The user's priors by name of a parameter, an alternative, or a noise scale.
        values : mapping
            Parameter values on which a model's data-centred priors are centred.
        likelihood : str, optional
            A key of `LIKELIHOODS`; chosen from the data by default.
        default_priors : str
            A key of `DEFAULT_PRIORS`: the prior of a parameter for which none is given.
        fixed : mapping, optional
            Parameters with a fixed value.
        bounds : mapping, optional
            Narrower ones than the model's, at which priors end.
        """
        model = problem.model
        scatter = Likelihood.named(likelihood_of(problem.dataset, likelihood))
        noise = scatter.noise_names(problem)
        settled = problem.fixed_values(fixed or {})
        substituted = {}
        for name in priors:
            other = model.alternative(name)
            if other is not None:
                if other.replaces in priors:
                    raise InputError(
                        f"{model.name}: give a prior of {name!r} or of {other.replaces!r}, not both"
                    )
                substituted[name] = other
            elif name not in model.names and name not in noise:
                if scatter.is_known and name in NOISE:
                    raise InputError(
                        f"the noise is known (likelihood 'sigma'): there is no {name!r} that "
                        "could have a prior"
                    )
                known = [*model.names, *(alt.name for alt in model.alternatives), *noise]
                raise InputError(f"{model.name} has no parameter {name!r}; {nearest(name, known)}")
        replaced = {other.replaces: name for name, other in substituted.items()}
        wide = {parameter.name: parameter.bounds for parameter in model.parameters}
        if model.bounds_override is not None:
            data = problem.dataset
            wide = model.bounds_override(dict(wide), data.x, data.y, problem.test_mode)
        given = model.check_bounds(bounds or {})
        bounds = narrowed(model.name, wide, given)
        sites, distributions, kept = [], [], {}
        for parameter in model.parameters:
            name, (lower, upper) = parameter.name, bounds[parameter.name]
            chosen = replaced.get(name, name)
            by_bounds = upper - lower <= FIXED_TOLERANCE * max(abs(lower), abs(upper))
            if by_bounds or name in settled:
                kept[name] = settled.get(name, float(lower))
                if chosen in priors:
                    how = " by its bounds" if name not in settled else ""
                    raise InputError(
                        f"{model.name}: {name} is fixed at {kept[name]:g}{how}, so there can be "
                        f"no prior of {chosen!r}"
                    )
            elif name in replaced:
                if name in given:
                    raise InputError(
                        f"{model.name}: give bounds of {name!r} or a prior of {chosen!r}, not both"
                    )
                sites.append(chosen)
                distributions.append(prior_of(chosen, priors[chosen]))
            elif name in priors:
                sites.append(name)
                distributions.append(prior_of(name, priors[name]))
                _check_overlap(model.name, name, distributions[-1], lower, upper)
            else:
                sites.append(name)
                ends = (lower, upper)
                prior = _default_prior(problem, name, ends, values, default_priors, wide[name])
                distributions.append(prior)
            if name in given and name in sites:
                distributions[-1] = truncated(name, distributions[-1], lower, upper)
        for name, prior in zip(noise, scatter.scale_priors(problem), strict=True):
            sites.append(name)
            distributions.append(prior_of(name, priors[name]) if name in priors else prior)
            _check_overlap(model.name, name, distributions[-1], 0.0, np.inf)
        if not sites:
            raise InputError(
                f"{model.name}: all parameters are fixed and the noise is known: there is nothing "
                "to sample"
            )
        made = cls(
            problem,
            tuple(sites),
            tuple(distributions),
            kept,
            substituted,
            scatter,
            dict(bounds),
            frozenset(priors),
        )
        made._check_alternatives()
        made._check_proper()
        return made

    def _check_proper(self) -> None:
        """Raise `InputError` if there are fewer values than parameters and an improper prior."""
        if self.problem.values >= len(self.sites):
            return
        for name, prior in zip(self.sites, self.priors, strict=True):
            try:
                prior.draw(np.random.default_rng(0), 1)
            except NotImplementedError:
                raise InputError(
                    f"{self.problem.model.name}: {self.problem.values} values are too few for "
                    f"{len(self.sites)} parameters while the prior of {name!r} is improper: give "
                    "a proper one, or more data"
                ) from None

    def _check_alternatives(self) -> None:
        """Raise `InputError` if the prior of an alternative has no mass within the bounds."""
        if not self.substituted:
            return
        drawn = self.draw(PRIOR_DRAWS, np.random.default_rng(0))
        for name, other in self.substituted.items():
            values, (lower, upper) = drawn[other.replaces], self.bounds[other.replaces]
            if not ((lower <= values) & (values <= upper)).any():
                raise InputError(
                    f"{self.problem.model.name}: the prior of {name} makes {other.replaces} about "
                    f"{np.median(values):.3g}, which misses the bounds {lower:g} to {upper:g}"
                )

    def predictions(
        self,
        draws: NDArray[np.int64],
        predicted: NDArray[np.float64],
        sites: NDArray[np.float64],
        seed: int,
    ) -> Predictions:
        """Return the model's predictions at some draws, with the noise there.

        Parameters
        ----------
        draws : ndarray of int, shape (k,)
            Indices of the draws within each chain.
        predicted : ndarray, shape (chains, k, c, n)
            The model's curve at each.
        sites : ndarray, shape (chains, k, d)
            The sites' values.
        seed : int
            For new observations.
        """
        seen = self.problem.observations
        noise = self.likelihood.noise(self.problem, sites[..., self.first_noise :])
        return Predictions(draws, predicted, seen.y[:, : seen.n], noise, seed)

    def draw(self, count: int, generator: np.random.Generator) -> dict[str, NDArray[np.float64]]:
        """Draw from the priors: every site and every parameter that is not fixed, (count,) each."""
        drawn = {}
        for name, prior in zip(self.sites, self.priors, strict=True):
            try:
                drawn[name] = prior.draw(generator, count)
            except NotImplementedError:
                kind = prior.words.partition("(")[0]
                raise InputError(f"the prior of {name!r} ({kind}) cannot be drawn from") from None
        self.add_replaced(drawn)
        return drawn

    def add_replaced(self, sites: dict[str, NDArray[np.float64]]) -> None:
        """Add to draws of the sites those of the parameters that alternatives replace."""
        for name, other in self.substituted.items():
            sites[other.replaces] = np.asarray(
                other.to_parameter(sites[name], {**self.fixed, **sites})
            )

    def within_priors(self, values: Mapping[str, float]) -> dict[str, float]:
        """Move values that a given prior all but excludes to where that prior has its mass.

        Parameters
        ----------
        values : mapping
            A full set of parameters, or the noise scales.
        """
        moved = dict(values)
        for name in self.given & values.keys():
            moved[name] = self._likely(name, values[name])
        for name, other in self.substituted.items():
            if other.replaces in values:
                value = float(other.from_parameters(moved))
                likely = self._likely(name, value)
                if likely != value:
                    moved[other.replaces] = float(other.to_parameter(likely, moved))
        return moved

    def _likely(self, name: str, value: float) -> float:
        prior = self.priors[self.sites.index(name)]
        try:
            draws = prior.draw(np.random.default_rng(0), PRIOR_DRAWS)
        except NotImplementedError:  # such as an improper one
            return value
        low, high = float(draws.min()), float(draws.max())
        if not low < high:
            raise InputError(
                f"{self.problem.model.name}: the prior of {name!r} has no width at {low:g}: fix "
                "the parameter by its bounds instead"
            )
        reach = PRIOR_REACH * (high - low)
        return value if low - reach <= value <= high + reach else min(max(value, low), high)

    @property
    def first_noise(self) -> int:
        """The index of the first noise scale among the sites."""
        return len(self.sites) - len(self.likelihood.noise_names(self.problem))

    def with_sorted_modes(self, rows: NDArray[np.float64]) -> NDArray[np.float64]:
        """Return rows of the sites, (n, d), with the model's equal terms in order.

        They are left as they are if a prior or a fixed value tells these terms apart. Rows are of
        values or of unconstrained coordinates, which have the same order.
        """
        columns = self.ordered_terms
        return rows if columns is None else ordered_rows(rows, columns)

    @property
    def ordered_terms(self) -> NDArray[np.intp] | None:
        """The sites of each of equal terms, shape (terms, k); None if they are not put in order."""
        columns = mode_columns(self.problem.model.modes, self.sites)
        families = [] if columns is None else columns.T.tolist()
        for first, *others in families:
            if any(self.priors[other] != self.priors[first] for other in others):
                return None
        return columns

    @property
    def kind(self) -> tuple[Any, ...]:
        """What compiled programs depend on, besides the problem's `key`."""
        return (
            self.sites,
            tuple(self.fixed.items()),
            tuple(sorted(self.substituted)),
            self.likelihood,
        )

    @cached_property
    def data(self) -> tuple[Any, ...]:
        """The arguments of a compiled program, on its device: the priors, and `observed`."""
        moved: tuple[Any, ...] = on_device((self.priors, *self.observed))
        return moved

    @property
    def observed(self) -> tuple[Any, ...]:
        """The data as arguments of a compiled program: x, y, mask, and the likelihood's `told`."""
        seen = self.problem.observations
        return seen.x, seen.y, seen.mask, self.likelihood.told(self.problem)

    def site_values(
        self, parameters: Mapping[str, float], noise: Mapping[str, float]
    ) -> list[float]:
        """Return the sites' values for a full set of parameters."""
        values = {**parameters, **noise}
        for name, other in self.substituted.items():
            values[name] = float(other.from_parameters(parameters))
        return [values[name] for name in self.sites]

    def unconstrain(self, values: list[float]) -> NDArray[np.float64]:
        """Map the sites' values to unconstrained coordinates, kept off the edges of the support."""
        out = []
        for name, prior, value in zip(self.sites, self.priors, values, strict=True):
            low, high = prior.limits
            # A start on the edge would have infinite coordinates: move it inside.
            inside = min(max(value, low), high)
            if inside == low:
                span = high - low if np.isfinite(high) else 1.0
                inside += min(1e-6 * abs(low) or 1e-13 * span, 0.01 * span)
            elif inside == high:
                span = high - low if np.isfinite(low) else 1.0
                inside -= min(1e-6 * abs(high) or 1e-13 * span, 0.01 * span)
            z = prior.unconstrain(inside)
            if not np.isfinite(z):
                raise InputError(
                    f"{self.problem.model.name}: the start {name} = {value:g} has no chance under "
                    f"its prior, which covers {low:g} to {high:g}"
                )
            out.append(z)
        return np.array(out)


def _default_prior(
    problem: Problem,
    name: str,
    bounds: tuple[float, float],
    values: Mapping[str, float],
    scheme: str,
    wide: tuple[float, float],
) -> Prior:
    """Return the prior of a parameter within its bounds; `wide` are those before narrowing."""
    model = problem.model
    lower, upper = bounds
    if model.prior_factory is not None:
        own = model.prior_factory(name, lower, upper, values)
        if own is not None:
            return prior_of(name, own)
    # The factory has no prior of its own for this one, or for these values.
    plain = replace(model.parameter(name), prior_is_centred=False)
    found = default_prior(plain, bounds, scheme, wide)
    if found is None:
        raise InputError(
            f"{model.name}: {name} has no finite bounds, so it needs a prior: {{priors}}",
            options=("priors",),
        )
    return prior_of(name, found)


def _check_overlap(model: str, name: str, prior: Prior, lower: float, upper: float) -> None:
    low, high = prior.limits
    if low >= upper or high <= lower:
        raise InputError(
            f"{model}: the prior of {name} covers {low:g} to {high:g}, which misses the bounds "
            f"{lower:g} to {upper:g}"
        )
