"""The statistical model: priors, likelihood, and the compiled programs that evaluate them.

RheoJAX's is selectable by name: priors uniform on the bounds, a Beta(2, 2) for fractional
orders, constant noise. By default a positive parameter whose bounds span decades has a prior
uniform in its logarithm; `rheojobs.inference.likelihood` has other noise. Data, priors and
geometry are arguments of the compiled programs, never constants in them. Knows no jobs.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import numpyro.distributions as dist
from numpy.typing import NDArray
from numpyro.distributions import biject_to, constraints
from numpyro.distributions.transforms import AffineTransform

from rheojobs.errors import InputError, nearest
from rheojobs.inference import nuts
from rheojobs.inference.compilation import KernelCache
from rheojobs.inference.likelihood import Likelihood, noise_names
from rheojobs.inference.models import Alternative
from rheojobs.inference.priors import as_distribution
from rheojobs.inference.problem import Problem
from rheojobs.inference.stable_priors import plain, stable

__all__ = ["Geometry", "Kernels", "Posterior"]

NOT_FINITE_PENALTY = -1e18
FIXED_TOLERANCE = 1e-10
PRIOR_CURVATURE = 0.1
MANY_DECADES = 1e3

_kernels = KernelCache()


@dataclass(frozen=True, eq=False)
class Geometry:
    """An affine map from the sampler's coordinates w to the unconstrained ones: center + scale w.

    With the fit's covariance in `scale` the posterior is close to a unit Gaussian in w.
    """

    center: NDArray[np.float64]
    scale: NDArray[np.float64]

    @property
    def arrays(self) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """What a compiled program takes."""
        return self.center, self.scale


@dataclass(frozen=True, eq=False)
class Posterior:
    """A problem with its priors: what is sampled, and from which distribution.

    Attributes
    ----------
    problem : Problem
        The model and the data.
    sites : tuple of str
        The names of what is sampled: parameters, or alternatives of them, then noise scales.
    priors : tuple of Distribution
        One for each site.
    fixed : dict of str to float
        Parameters whose bounds coincide.
    substituted : dict of str to Alternative
        Alternatives that are sampled in place of a parameter, because their prior was given.
    likelihood : Likelihood
        How the data scatter.
    """

    problem: Problem
    sites: tuple[str, ...]
    priors: tuple[Any, ...]
    fixed: dict[str, float]
    substituted: dict[str, Alternative]
    likelihood: Likelihood

    @classmethod
    def of(
        cls,
        problem: Problem,
        priors: Mapping[str, Any],
        values: Mapping[str, float],
        likelihood: str = "constant",
        default_priors: str = "logarithmic",
    ) -> Posterior:
        """Set up the statistical model.

        Parameters
        ----------
        problem : Problem
            The model and the data.
        priors : mapping
            The user's priors by name of a parameter, an alternative, or a noise scale.
        values : mapping
            Parameters that data-centred priors of a model are centred on.
        likelihood : str
            A key of `LIKELIHOODS`.
        default_priors : str
            A key of `DEFAULT_PRIORS`: what a parameter gets whose prior is not given.
        """
        model = problem.model
        scatter = Likelihood.named(likelihood)
        noise = noise_names(problem)
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
                known = [*model.names, *(alt.name for alt in model.alternatives), *noise]
                raise InputError(f"{model.name} has no parameter {name!r}; {nearest(name, known)}")
        replaced = {other.replaces: name for name, other in substituted.items()}
        bounds = {parameter.name: parameter.bounds for parameter in model.parameters}
        if model.bounds_override is not None:
            data = problem.dataset
            bounds = model.bounds_override(dict(bounds), data.x, data.y, problem.test_mode)
        sites, distributions, fixed = [], [], {}
        for parameter in model.parameters:
            name, (lower, upper) = parameter.name, bounds[parameter.name]
            if name in replaced:
                sites.append(replaced[name])
                distributions.append(as_distribution(replaced[name], priors[replaced[name]]))
            elif name in priors:
                sites.append(name)
                distributions.append(as_distribution(name, priors[name]))
                _check_overlap(model.name, name, distributions[-1], lower, upper)
            elif abs(upper - lower) < FIXED_TOLERANCE * max(abs(lower), 1.0):
                fixed[name] = float(lower)
            else:
                sites.append(name)
                distributions.append(
                    _default_prior(problem, name, (lower, upper), values, default_priors)
                )
        for name, prior in zip(noise, scatter.scale_priors(problem), strict=True):
            sites.append(name)
            distributions.append(as_distribution(name, priors[name]) if name in priors else prior)
        return cls(problem, tuple(sites), tuple(distributions), fixed, substituted, scatter)

    @property
    def kernels(self) -> Kernels:
        """The compiled programs of this posterior's kind."""
        key = (
            *self.problem.key,
            self.sites,
            tuple(self.fixed.items()),
            tuple(sorted(self.substituted)),
            self.likelihood,
        )
        return _kernels.get(key, lambda: Kernels(self))

    @property
    def data(self) -> tuple[Any, ...]:
        """What a compiled program takes of this posterior: the priors, and `observed`."""
        return stable(self.priors), *self.observed

    @property
    def observed(self) -> tuple[Any, ...]:
        """What a compiled program takes of the data: x, y, mask, and the least prediction."""
        seen = self.problem.observations
        return seen.x, seen.y, seen.mask, self.likelihood.floor(self.problem)

    def site_values(
        self, parameters: Mapping[str, float], noise: Mapping[str, float]
    ) -> list[float]:
        """Give the sites' values for a full set of parameters."""
        values = {**parameters, **noise}
        for name, other in self.substituted.items():
            values[name] = float(other.from_parameters(parameters))
        return [values[name] for name in self.sites]

    def unconstrain(self, values: list[float]) -> NDArray[np.float64]:
        """Map the sites' values to unconstrained coordinates, kept off the edges of the support."""
        out = []
        for name, prior, value in zip(self.sites, self.priors, values, strict=True):
            support = prior.support
            low = float(getattr(support, "lower_bound", -np.inf))
            high = float(getattr(support, "upper_bound", np.inf))
            inside = min(max(value, low), high)
            # A start on the edge lies infinitely far out; a step inside, however wide the support.
            if inside == low:
                inside += 1e-6 * abs(low) or 1e-13 * (high - low if np.isfinite(high) else 1.0)
            elif inside == high:
                inside -= 1e-6 * abs(high) or 1e-13 * (high - low if np.isfinite(low) else 1.0)
            z = float(biject_to(support).inv(inside))
            if not np.isfinite(z):
                raise InputError(
                    f"{self.problem.model.name}: the start {name} = {value:g} has no chance under "
                    f"its prior, which covers {low:g} to {high:g}"
                )
            out.append(z)
        return np.array(out)

    def geometry(self, center: NDArray[np.float64]) -> Geometry:
        """Whiten around a point by the Gauss-Newton curvature of the posterior there.

        Parameters
        ----------
        center : ndarray, shape (d,)
            Unconstrained coordinates.
        """
        jacobian, spread, noise, noise_slope = (
            np.asarray(part) for part in self.kernels.curvature(center, *self.data)
        )
        mask = self.problem.observations.mask
        weighted = jacobian * (mask / spread)[:, :, None]
        weighted = weighted.reshape(-1, center.size)
        weighted = np.where(np.isfinite(weighted), weighted, 0.0)
        hessian = weighted.T @ weighted + PRIOR_CURVATURE * np.eye(center.size)
        count = self.problem.observations.n
        for row, slope in enumerate(noise_slope):
            site = center.size - noise.size + row
            hessian[site, site] += 2 * count * (slope / noise[row]) ** 2
        factor = np.linalg.cholesky(hessian)
        return Geometry(center, np.linalg.inv(factor).T)


def _default_prior(
    problem: Problem,
    name: str,
    bounds: tuple[float, float],
    values: Mapping[str, float],
    scheme: str,
) -> Any:
    model = problem.model
    lower, upper = bounds
    if model.prior_factory is not None:
        own = model.prior_factory(name, lower, upper, values)
        if own is not None:
            return own
    parameter = model.parameter(name)
    if parameter.prior is not None:
        return as_distribution(name, parameter.prior)
    if name.lower().endswith("alpha") and 0.0 <= lower < upper <= 1.0:
        beta = dist.Beta(2.0, 2.0)
        if lower == 0.0 and upper == 1.0:
            return beta
        shift = AffineTransform(lower, upper - lower, domain=constraints.unit_interval)
        return dist.TransformedDistribution(beta, shift)
    if not (np.isfinite(lower) and np.isfinite(upper)):
        raise InputError(
            f"{model.name}: {name} has no finite bounds, so it needs a prior (priors=, --prior)"
        )
    if scheme == "logarithmic" and lower > 0 and upper / lower > MANY_DECADES:
        return dist.LogUniform(float(lower), float(upper))
    return dist.Uniform(float(lower), float(upper))


def _check_overlap(model: str, name: str, prior: Any, lower: float, upper: float) -> None:
    low = float(getattr(prior.support, "lower_bound", -np.inf))
    high = float(getattr(prior.support, "upper_bound", np.inf))
    if low >= upper or high <= lower:
        raise InputError(
            f"{model}: the prior of {name} covers {low:g} to {high:g}, which misses the bounds "
            f"{lower:g} to {upper:g}"
        )


class Kernels:
    """The compiled programs of all posteriors of one kind, whatever their data and priors."""

    def __init__(self, posterior: Posterior) -> None:
        problem = posterior.problem
        self._components: Callable[[Any, Any], Any] = problem.components
        self._names = problem.model.names
        self._sites = posterior.sites
        self._fixed = posterior.fixed
        self._substituted = posterior.substituted
        self._scatter = posterior.likelihood
        self._noise_count = 2 if problem.is_complex else 1
        self._forward = problem.model.forward_mode
        self.begin = jax.jit(self._begin)
        self.advance = jax.jit(self._advance)
        self.curvature = jax.jit(self._curvature)
        self._constrain_rows = jax.jit(jax.vmap(self._constrain_scaled, in_axes=(0, None, None)))
        self.evaluate = jax.jit(jax.vmap(self._likelihood, in_axes=(0, None, None, None, None)))
        self.log_density = jax.jit(self._log_density)

    def constrain(self, w: Any, geometry: Any, priors: Any) -> Any:
        """Map the sampler's coordinates, shape (k, d), to site values."""
        return self._constrain_rows(w, geometry, stable(priors))

    # Sites are what is sampled; parameters are what the model takes.

    def _constrain(self, z: Any, priors: Any) -> tuple[Any, Any]:
        """Map unconstrained coordinates to site values; gives the log density of the prior too."""
        values, log_prior = [], 0.0
        for coordinate, prior in zip(z, plain(priors), strict=True):
            transform = biject_to(prior.support)
            value = transform(coordinate)
            log_prior += prior.log_prob(value) + transform.log_abs_det_jacobian(coordinate, value)
            values.append(value)
        return jnp.stack(values), log_prior

    def _parameters(self, site_values: Any) -> Any:
        named = dict(zip(self._sites, site_values, strict=True)) | self._fixed
        for name, other in self._substituted.items():
            named[other.replaces] = other.to_parameter(named[name], named)
        return jnp.stack([jnp.asarray(named[name], dtype=jnp.float64) for name in self._names])

    def _likelihood(
        self, site_values: Any, x: Any, y: Any, mask: Any, floor: Any
    ) -> tuple[Any, Any, Any, Any]:
        """Give the log likelihood, the prediction and its noise, each (c, b), and the penalty."""
        prediction = self._components(x, self._parameters(site_values))
        finite = jnp.isfinite(prediction).all(axis=0)
        penalty = jnp.sum(jnp.where(finite, 0.0, NOT_FINITE_PENALTY) * mask)
        prediction = jnp.where(finite, prediction, 0.0)
        noise = site_values[-self._noise_count :]
        spread = self._scatter.spread(prediction, noise, floor)
        pointwise = self._scatter.log_prob(y, prediction, spread) * mask
        return pointwise, prediction, spread, penalty

    def _log_density(self, z: Any, priors: Any, *observed: Any) -> Any:
        site_values, log_prior = self._constrain(z, priors)
        pointwise, _, _, penalty = self._likelihood(site_values, *observed)
        return log_prior + jnp.sum(pointwise) + penalty

    def _potential(self, geometry: Any, data: tuple[Any, ...]) -> nuts.Potential:
        center, scale = geometry
        return lambda w: -self._log_density(center + scale @ w, *data)

    def _begin(self, proposals: Any, key: Any, geometry: Any, *data: Any) -> tuple[Any, Any]:
        """Start a chain at the first of several points that has a finite density and gradient."""
        potential = self._potential(geometry, data)
        values = jax.vmap(potential)(proposals)
        good = jnp.isfinite(values) & (values < -NOT_FINITE_PENALTY / 2)
        chosen = jnp.argmax(good)
        state = nuts.initial_state(potential, proposals[chosen], key, self._forward)
        return state, good.any()

    def _advance(
        self, state: Any, steps: Any, settings: Any, geometry: Any, *data: Any
    ) -> tuple[Any, Any]:
        return nuts.advance(self._potential(geometry, data), state, steps, settings, self._forward)

    def _curvature(
        self, z: Any, priors: Any, x: Any, y: Any, mask: Any, floor: Any
    ) -> tuple[Any, Any, Any, Any]:
        """Give what the curvature at z is made of.

        The prediction's Jacobian (c, b, d), its noise (c, b), the noise scales (c,), and the
        slope (c,) of each in its coordinate.
        """

        def predict(z: Any) -> tuple[Any, Any]:
            prediction = self._components(x, self._parameters(self._constrain(z, priors)[0]))
            return prediction, prediction

        def noise(z: Any) -> Any:
            return self._constrain(z, priors)[0][-self._noise_count :]

        jacobian, prediction = jax.jacfwd(predict, has_aux=True)(z)
        slope = jax.jacfwd(noise)(z)[:, -self._noise_count :]
        spread = self._scatter.spread(prediction, noise(z), floor)
        return jacobian, spread, noise(z), jnp.diag(slope)

    def _constrain_scaled(self, w: Any, geometry: Any, priors: Any) -> Any:
        center, scale = geometry
        return self._constrain(center + scale @ w, priors)[0]
