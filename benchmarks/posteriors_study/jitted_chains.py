"""Samplers of other libraries over JAX in their best form.

Compiled once, with the data as arguments and chains on threads. They sample the same log density
as ours, from random points of the unconstrained space.
"""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from rheojobs.inference.posterior.posterior import Posterior
from rheojobs.inference.sampling.programs import Kernels, programs_of
from rheojobs.machine import processors

__all__ = ["Chain", "JittedChains", "blackjax_chain", "numpyro_chain"]

type Density = Callable[[Any], Any]

type Chain = Callable[[Density, bool, int, int, Any, Any], tuple[Any, Any]]
"""A chain of a log density, traceable.

Called with the density, whether it has derivatives forward only, the numbers of warm-up steps and
of draws, a random key and a start (d,); it returns the draws (n, d), and for each whether it is
divergent.
"""


class JittedChains:
    """Samples posteriors by chains that are compiled once for each kind.

    Parameters
    ----------
    chain : callable
        As `Chain`.
    """

    def __init__(self, chain: Chain) -> None:
        self._chain = chain
        self._compiled: dict[Any, Callable[..., Any]] = {}

    def sample(
        self, posterior: Posterior, seed: int, num_warmup: int, num_samples: int, num_chains: int
    ) -> tuple[dict[str, Any], int]:
        """Return the draws of each site, (chains, samples), and the number of divergences."""
        kernels = programs_of(posterior)
        key = (id(kernels), num_warmup, num_samples)
        if key not in self._compiled:
            self._compiled[key] = jax.jit(self._program(kernels, num_warmup, num_samples))
        run = self._compiled[key]
        random = np.random.default_rng(seed)
        starts = random.uniform(-2.0, 2.0, (num_chains, len(posterior.sites)))
        keys = jax.random.split(jax.random.PRNGKey(seed), num_chains)

        def one(chain: int) -> Any:
            return jax.block_until_ready(run(keys[chain], starts[chain], posterior.data))

        with ThreadPoolExecutor(processors()) as pool:
            found = list(pool.map(one, range(num_chains)))
        draws = np.stack([np.asarray(values) for values, _ in found])
        named = {name: draws[..., k] for k, name in enumerate(posterior.sites)}
        return named, int(sum(int(divergent) for _, divergent in found))

    def _program(
        self, kernels: Kernels, num_warmup: int, num_samples: int
    ) -> Callable[[Any, Any, Any], tuple[Any, Any]]:
        def run(key: Any, z: Any, data: Any) -> tuple[Any, Any]:
            def density(z: Any) -> Any:
                return kernels._log_density(z, *data)

            drawn, divergent = self._chain(
                density, kernels.is_forward, num_warmup, num_samples, key, z
            )
            values = jax.vmap(lambda z: kernels._constrain(z, data[0])[0])(drawn)
            return values, jnp.sum(divergent)

        return run


def numpyro_chain(dense: bool = False, target_accept: float = 0.8) -> Chain:
    """Return NumPyro's NUTS, with its adaptation of step size and mass matrix."""
    from numpyro.infer.hmc import hmc

    def chain(
        density: Density, is_forward: bool, num_warmup: int, num_samples: int, key: Any, z: Any
    ) -> tuple[Any, Any]:
        init, step = hmc(potential_fn=lambda z: -density(z), algo="NUTS")
        state = init(
            z,
            num_warmup,
            rng_key=key,
            dense_mass=dense,
            target_accept_prob=target_accept,
            forward_mode_differentiation=is_forward,
        )

        def draw(state: Any, _: Any) -> Any:
            state = step(state)
            return state, (state.z, state.diverging)

        state = jax.lax.fori_loop(0, num_warmup, lambda _, state: step(state), state)
        return jax.lax.scan(draw, state, None, num_samples)[1]

    return chain


def blackjax_chain() -> Chain:
    """Return blackjax's NUTS after its window adaptation, with their default settings."""
    import blackjax
    from blackjax.adaptation.base import get_filter_adapt_info_fn

    def chain(
        density: Density, is_forward: bool, num_warmup: int, num_samples: int, key: Any, z: Any
    ) -> tuple[Any, Any]:
        density = _differentiated_forward(density) if is_forward else density
        of_warmup, of_draws = jax.random.split(key)
        warmup = blackjax.window_adaptation(
            blackjax.nuts, density, adaptation_info_fn=get_filter_adapt_info_fn()
        )
        (state, tuned), _ = warmup.run(of_warmup, z, num_warmup)
        kernel = blackjax.nuts(density, **tuned)

        def draw(state: Any, key: Any) -> Any:
            state, info = kernel.step(key, state)
            return state, (state.position, info.is_divergent)

        return jax.lax.scan(draw, state, jax.random.split(of_draws, num_samples))[1]

    return chain


def _differentiated_forward(density: Density) -> Density:
    """Return the density with a gradient that is computed forward: blackjax knows only reverse."""

    @jax.custom_vjp
    def value(z: Any) -> Any:
        return density(z)

    def forward(z: Any) -> Any:
        gradient, found = jax.jacfwd(lambda z: (density(z),) * 2, has_aux=True)(z)
        return found, gradient

    value.defvjp(forward, lambda gradient, scale: (scale * gradient,))
    return value
