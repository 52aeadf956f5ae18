"""The compiled programs of a posterior: log density, mode search, chains and predictions.

Data, priors and geometry are arguments of these programs, never constants in them.
"""

from __future__ import annotations

import functools
import itertools
from collections.abc import Callable
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from rheojobs.inference.posterior.posterior import Posterior
from rheojobs.inference.programs.exported_program import StoredProgram
from rheojobs.inference.programs.kernel_cache import KernelCache
from rheojobs.inference.programs.pace import Pace
from rheojobs.inference.sampling import mode_search, nuts

__all__ = ["NOT_FINITE_PENALTY", "Kernels", "programs_of"]

NOT_FINITE_PENALTY = -1e18
"""Added to the log density for each point at which a model has no finite value."""

FIRST_LEAPFROGS = 8
"""Leapfrogs of the first call of a program."""

PRIOR_CURVATURE = 0.1
NARROW_PRIOR = 10.0
"""A prior is included in the whitening if it is so much narrower than an unconstrained unit."""

_kept = KernelCache()


def programs_of(posterior: Posterior) -> Kernels:
    """Return the compiled programs of this posterior's kind."""
    kind = posterior.kind
    key, identity = (*posterior.problem.key, *kind), posterior.problem.identity(*kind)
    return _kept.get(key, lambda: Kernels(posterior, identity))


def _constrained(coordinate: Any, prior: Any) -> tuple[Any, Any]:
    """Return a site's value at an unconstrained coordinate, and the log density there."""
    from numpyro.distributions import biject_to

    distribution = prior.distribution()
    transform = biject_to(distribution.support)
    value = transform(coordinate)
    density = distribution.log_prob(value) + transform.log_abs_det_jacobian(coordinate, value)
    return value, density


class Kernels:
    """The compiled programs of all posteriors of one kind, for any data and priors.

    Parameters
    ----------
    posterior : Posterior
        One of the kind.
    identity : str
        Identifies the kind in every process; empty if only this process has the model.
    """

    def __init__(self, posterior: Posterior, identity: str = "") -> None:
        problem = posterior.problem
        self._components: Callable[[Any, Any], Any] = problem.components
        self._names = problem.model.names
        self._sites = posterior.sites
        self._fixed = posterior.fixed
        self._substituted = posterior.substituted
        self._scatter = posterior.likelihood
        self._first_noise = posterior.first_noise
        self.is_forward = problem.model.forward_mode
        state = nuts.ChainState.at(np.zeros(len(self._sites)))

        program = functools.partial(
            StoredProgram, identity=identity, needs=("numpyro.distributions",)
        )
        predict = jax.vmap(self._predict, in_axes=(0, None, None))
        constrain = jax.vmap(self._constrain_scaled, in_axes=(0, None, None))

        self.advance = program(self._advance, (state, 0), name="advance")
        climb = mode_search.setting_out(np.zeros(len(self._sites)))
        self.climb = program(self._climb, climb, name="climb")
        self.predict = program(predict, (0, 0), name="predict")
        self.constrain = program(constrain, 0, name="constrain")
        self.explore = program(self._explore, (0, 0, 0), name="explore")
        self.log_density = jax.jit(self._log_density)
        self._paces: dict[Any, Pace] = {}

    def pace(self, priors: Any, observed: Any) -> Pace:
        """Return the pace of `advance`, as compiled for such priors and so many data, (c, b)."""
        return self._paces.setdefault(
            (jax.tree.structure(priors), observed.shape), Pace(FIRST_LEAPFROGS)
        )

    # Sites are sampled; parameters are the model's arguments.

    def _constrain(self, z: Any, priors: Any) -> tuple[Any, Any]:
        """Map unconstrained coordinates to site values; return the log density of the prior too."""
        values, log_prior, first = [], jnp.zeros(()), 0
        # Neighbours of one type together: what is compiled is shorter, and quicker.
        for _, group in itertools.groupby(priors, jax.tree.structure):
            alike = list(group)
            given = jax.tree.map(lambda *numbers: jnp.stack(numbers), *alike)
            last = first + len(alike)
            constrained, density = jax.vmap(_constrained)(z[first:last], given)
            values.append(constrained)
            log_prior += jnp.sum(density)
            first = last
        return jnp.concatenate(values), log_prior

    def _parameters(self, site_values: Any) -> Any:
        if self._names == self._sites[: self._first_noise]:
            return site_values[: self._first_noise]
        named = dict(zip(self._sites, site_values, strict=True)) | self._fixed
        for name, other in self._substituted.items():
            named[other.replaces] = other.to_parameter(named[name], named)
        return jnp.stack([jnp.asarray(named[name], dtype=jnp.float64) for name in self._names])

    def _predict(self, site_values: Any, x: Any, mask: Any) -> tuple[Any, Any]:
        """Return the prediction, (c, b), and the penalty for values that are not finite."""
        prediction = self._components(x, self._parameters(site_values))
        finite = jnp.isfinite(prediction).all(axis=0)
        penalty = jnp.sum(jnp.where(finite, 0.0, NOT_FINITE_PENALTY) * mask)
        return jnp.where(finite, prediction, 0.0), penalty

    def _likelihood(
        self, site_values: Any, x: Any, y: Any, mask: Any, told: Any
    ) -> tuple[Any, Any, Any, Any]:
        """Return the log likelihood, the prediction and its noise, each (c, b), and the penalty."""
        prediction, penalty = self._predict(site_values, x, mask)
        noise = site_values[self._first_noise :]
        spread = self._scatter.spread(prediction, noise, told)
        pointwise = self._scatter.log_prob(y, prediction, spread) * mask
        return pointwise, prediction, spread, penalty

    def _log_density(self, z: Any, priors: Any, *observed: Any) -> Any:
        site_values, log_prior = self._constrain(z, priors)
        pointwise, _, _, penalty = self._likelihood(site_values, *observed)
        return log_prior + jnp.sum(pointwise) + penalty

    def _advance(
        self, state: Any, steps: Any, leapfrogs: Any, settings: Any, geometry: Any, *data: Any
    ) -> tuple[Any, Any]:
        def potential(w: Any) -> Any:
            return -self._log_density(geometry.unconstrained(w), *data)

        def with_gradient(w: Any) -> tuple[Any, Any]:
            if not self.is_forward:
                return jax.value_and_grad(potential)(w)
            gradient, value = jax.jacfwd(lambda w: (potential(w),) * 2, has_aux=True)(w)
            return value, gradient

        return nuts.advance(with_gradient, state, steps, leapfrogs, settings)

    def _climb(self, climb: Any, points: Any, *data: Any) -> mode_search.Climb:
        return mode_search.go_on(lambda z: self._look(z, *data), climb, points)

    def _look(self, z: Any, priors: Any, x: Any, y: Any, mask: Any, told: Any) -> mode_search.View:
        """Return the log density near z: its value, gradient and curvature."""

        def describe(z: Any) -> tuple[Any, Any]:
            site_values, log_prior = self._constrain(z, priors)
            pointwise, prediction, spread, penalty = self._likelihood(site_values, x, y, mask, told)
            density = log_prior + jnp.sum(pointwise) + penalty
            noise = site_values[self._first_noise :]
            return (prediction, noise, density), (spread, noise, density)

        derivatives, (spread, noise, density) = jax.jacfwd(describe, has_aux=True)(z)
        jacobian, slopes, gradient = derivatives
        weighted = (jacobian * (mask / spread)[:, :, None]).reshape(-1, z.size)
        weighted = jnp.where(jnp.isfinite(weighted), weighted, 0.0)
        # Each prior is of one coordinate: only diagonal second derivatives are nonzero.
        bend = jax.grad(lambda z: self._constrain(z, priors)[1])
        prior = -jax.jvp(bend, (z,), (jnp.ones_like(z),))[1]
        own = jnp.where(prior > NARROW_PRIOR, prior, PRIOR_CURVATURE)
        relative_slopes = jnp.diag(slopes[:, self._first_noise :]) / noise
        own = own.at[self._first_noise :].add(2 * jnp.sum(mask) * relative_slopes**2)
        return mode_search.View(density, gradient, weighted.T @ weighted + jnp.diag(own))

    def _explore(
        self, rows: Any, geometry: Any, priors: Any, *observed: Any
    ) -> tuple[Any, Any, Any]:
        """Return unconstrained coordinates, (n, d), site values and log density at rows, (n, d)."""

        def at(w: Any) -> tuple[Any, Any, Any]:
            z = geometry.unconstrained(w)
            values = self._constrain(z, priors)[0]
            return z, values, self._log_density(z, priors, *observed)

        # Solved together, all equations would take as many steps as the slowest.
        return jax.lax.map(at, rows) if self.is_forward else jax.vmap(at)(rows)

    def _constrain_scaled(self, w: Any, geometry: Any, priors: Any) -> Any:
        return self._constrain(geometry.unconstrained(w), priors)[0]
