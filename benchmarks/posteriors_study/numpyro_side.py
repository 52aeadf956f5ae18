"""NumPyro's kernel in its best form: compiled once, data as arguments, chains on threads."""

from __future__ import annotations

import functools
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from numpyro.infer.hmc import hmc

from rheojobs.inference.posterior.posterior import Posterior
from rheojobs.inference.sampling.programs import programs_of
from rheojobs.machine import processors

__all__ = ["NumpyroKernel"]


class NumpyroKernel:
    """Samples the same log density as our sampler, from random points of the unconstrained space.

    Parameters
    ----------
    dense : bool
        Whether the mass matrix is dense.
    target_accept : float
        Of the step size.
    """

    def __init__(self, dense: bool = False, target_accept: float = 0.8) -> None:
        self._dense, self._target = dense, target_accept
        self._compiled: dict[Any, Callable[..., Any]] = {}

    def sample(
        self, posterior: Posterior, seed: int, num_warmup: int, num_samples: int, num_chains: int
    ) -> tuple[dict[str, Any], int]:
        """Return the draws of each site, (chains, samples), and the number of divergences."""
        kernels, dimension = programs_of(posterior), len(posterior.sites)
        key = (id(kernels), num_warmup, num_samples)
        if key not in self._compiled:
            run = functools.partial(self._run, kernels, num_warmup, num_samples)
            self._compiled[key] = jax.jit(run)
        run = self._compiled[key]
        random = np.random.default_rng(seed)
        starts = random.uniform(-2.0, 2.0, (num_chains, dimension))
        keys = jax.random.split(jax.random.PRNGKey(seed), num_chains)

        def one(chain: int) -> Any:
            return jax.block_until_ready(run(keys[chain], starts[chain], posterior.data))

        with ThreadPoolExecutor(processors()) as pool:
            found = list(pool.map(one, range(num_chains)))
        draws = np.stack([np.asarray(values) for values, _ in found])
        named = {name: draws[..., k] for k, name in enumerate(posterior.sites)}
        return named, int(sum(int(divergent) for _, divergent in found))

    def _run(
        self, kernels: Any, num_warmup: int, num_samples: int, key: Any, z: Any, data: Any
    ) -> Any:
        def potential_of(*data: Any) -> Callable[[Any], Any]:
            return lambda z: -kernels._log_density(z, *data)

        init, step = hmc(potential_fn_gen=potential_of, algo="NUTS")
        state = init(
            z,
            num_warmup,
            model_args=data,
            rng_key=key,
            dense_mass=self._dense,
            target_accept_prob=self._target,
            forward_mode_differentiation=kernels.is_forward,
        )

        def warm(_: Any, state: Any) -> Any:
            return step(state, model_args=data)

        def draw(state: Any, _: Any) -> Any:
            state = step(state, model_args=data)
            return state, (state.z, state.diverging)

        state = jax.lax.fori_loop(0, num_warmup, warm, state)
        _, (drawn, divergent) = jax.lax.scan(draw, state, None, num_samples)
        values = jax.vmap(lambda z: kernels._constrain(z, data[0])[0])(drawn)
        return values, jnp.sum(divergent)
