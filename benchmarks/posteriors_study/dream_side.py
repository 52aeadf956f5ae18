"""DREAM of bumps, a sampler by differential evolution without gradients, in its best form.

The whole population is evaluated by one call of a compiled function, with the data as arguments.

References
----------
J. A. Vrugt et al., Int. J. Nonlin. Sci. Numer. Simul. 10 (2009) 273-290.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import jax
import numpy as np
from bumps.dream import util
from bumps.dream.core import Dream
from numpy.typing import NDArray

from rheojobs.inference.posterior.posterior import Posterior
from rheojobs.inference.sampling.programs import Kernels, programs_of
from rheojobs.inference.sampling.warmup.whitening import Geometry

__all__ = ["DreamSampler"]

POPULATION = 10
"""Chains for each dimension, the default of bumps."""

LENGTH = 10
"""DREAM's draws for each of the others': it has no gradients, and many more chains."""


class DreamSampler:
    """Samples the same log density as our sampler, from the normal distribution at its maximum.

    So bumps starts after a fit (``init="cov"``); from draws of the priors it gets lost. Its own
    tests trim what precedes equilibrium and leave out chains that got lost.
    """

    def __init__(self) -> None:
        self._compiled: dict[int, tuple[Callable[..., Any], Callable[..., Any]]] = {}

    def sample(
        self,
        posterior: Posterior,
        start: Geometry,
        seed: int,
        num_warmup: int,
        num_samples: int,
        num_chains: int,
    ) -> tuple[dict[str, Any], int]:
        """Return the draws of each site, (chains, samples), and no divergence."""
        kernels = programs_of(posterior)
        if id(kernels) not in self._compiled:
            self._compiled[id(kernels)] = _programs(kernels)
        density, constrain = self._compiled[id(kernels)]
        util.rng.seed(seed)
        chains = POPULATION * len(posterior.sites)
        spread = np.random.default_rng(seed).standard_normal((chains, len(posterior.sites)))
        population = np.array(jax.vmap(start.unconstrained)(spread))
        model = _Target(posterior.sites, lambda z: np.array(density(z, posterior.data)))
        sampler = Dream(
            model=model,
            population=population[None],
            draws=LENGTH * num_samples * num_chains,
            burn=chains * num_warmup,
            alpha=0.0,
            outlier_test="iqr",
            monitor=lambda *_: True,
        )
        state = sampler.sample()
        state.portion = state.trim_portion()
        state.mark_outliers()
        _, traces = state.traces()
        values = np.asarray(constrain(np.swapaxes(traces, 0, 1), posterior.data[0]))
        return {name: values[..., k] for k, name in enumerate(posterior.sites)}, 0


class _Target:
    """A density over the unconstrained space, as bumps wants it."""

    def __init__(self, sites: Sequence[str], density: Callable[[Any], NDArray[np.float64]]) -> None:
        self.labels = list(sites)
        self.bounds = np.array([[-np.inf], [np.inf]]) * np.ones(len(self.labels))
        self.map = density


def _programs(kernels: Kernels) -> tuple[Callable[..., Any], Callable[..., Any]]:
    """Return the density of many points, and the sites' values at draws (chains, samples, d)."""

    def density(points: Any, data: Any) -> Any:
        def each(z: Any) -> Any:
            return kernels._log_density(z, *data)

        # Equations solved together would all wait for the stiffest.
        return jax.lax.map(each, points) if kernels.is_forward else jax.vmap(each)(points)

    def constrain(draws: Any, priors: Any) -> Any:
        return jax.vmap(jax.vmap(lambda z: kernels._constrain(z, priors)[0]))(draws)

    return jax.jit(density), jax.jit(constrain)
