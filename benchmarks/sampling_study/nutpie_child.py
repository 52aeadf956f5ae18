"""A process that samples the same log density with nutpie, through JAX; see `side_by_side.child`.

The data are nutpie's shared data, arguments of the compiled function; an expansion that does
nothing spares it a call to JAX for every draw, and the draws are taken to the parameters all
at once.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from typing import Any

os.environ["JAX_PLATFORMS"] = "cpu"

import jax
import jax.flatten_util
import numpy as np
import nutpie
from numpyro.infer.util import constrain_fn, potential_energy, unconstrain_fn
from nutpie.compiled_pyfunc import from_pyfunc
from side_by_side.child import Mouth, processors, save_draws, serve

from sampling_study.formulas import numpyro_model, observations, start_values

type Functions = tuple[Callable[..., Any], Callable[..., Any], Callable[..., Any]]

_functions: dict[str, Functions] = {}
"""By model: density and gradient, to parameters, from parameters. Compiled again by length."""


def _build(job: Mapping[str, Any]) -> Functions:
    model, args = numpyro_model(job), observations(job)
    example = unconstrain_fn(model, args, {}, start_values(job))
    _, unravel = jax.flatten_util.ravel_pytree(example)

    def density(z: Any, *data: Any) -> Any:
        return -potential_energy(model, data, {}, unravel(z))

    def to_parameters(z: Any, *data: Any) -> Any:
        return jax.vmap(jax.vmap(lambda row: constrain_fn(model, data, {}, unravel(row))))(z)

    def from_parameters(values: Mapping[str, Any], *data: Any) -> Any:
        return jax.flatten_util.ravel_pytree(unconstrain_fn(model, data, {}, values))[0]

    return jax.jit(jax.value_and_grad(density)), jax.jit(to_parameters), from_parameters


def _sample(job: Mapping[str, Any], mouth: Mouth) -> None:
    if job["model"] not in _functions:
        _functions[job["model"]] = _build(job)
    density, to_parameters, from_parameters = _functions[job["model"]]
    data = observations(job)
    start = np.array(from_parameters(start_values(job), *data))

    def make_density() -> Callable[..., tuple[float, Any]]:
        def call(z: Any, x: Any, y: Any, scales: Any) -> tuple[float, Any]:
            value, gradient = density(z, x, y, scales)
            return float(value), np.asarray(gradient, dtype=np.float64, order="C")

        return call

    def make_expand(*_seeds: int) -> Callable[..., dict[str, Any]]:
        return lambda z, **_data: {"z": np.array(z)}

    compiled = from_pyfunc(
        start.size,
        make_density,
        make_expand,
        [np.dtype("float64")],
        [(start.size,)],
        ["z"],
        shared_data=dict(zip(("x", "y", "scales"), data, strict=True)),
        make_initial_point_fn=lambda seed: start,
    )
    trace = nutpie.sample(
        compiled,
        draws=job["num_samples"],
        tune=job["num_warmup"],
        chains=job["num_chains"],
        cores=min(job["num_chains"], processors()),
        seed=job["seed"],
        save_warmup=False,
        progress_bar=False,
    )
    draws = jax.device_get(to_parameters(trace["posterior"]["z"].values, *data))
    mouth.say("done")
    stats = trace["sample_stats"]
    save_draws(job["out"], draws)
    mouth.say(
        "result",
        divergences=int(stats["diverging"].sum()),
        leapfrogs=int(stats["n_steps"].sum()),
    )


if __name__ == "__main__":
    jax.config.update("jax_enable_x64", True)
    serve(lambda request, mouth: _sample(request, mouth))
