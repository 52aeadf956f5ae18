"""A process that samples with plain NumPyro, on request; see `side_by_side.child`.

As NumPyro's documentation has it: chains in parallel, on as many host devices. That compiles
for every run, kept sampler or not, and still beats its other ways by far (maxwell, second run of
a kept sampler with `jit_model_args`: 2.0 s; vectorized 2.6 s; sequential 5 s).
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from typing import Any

os.environ["JAX_PLATFORMS"] = "cpu"

import jax
import numpy as np
import numpyro
from numpyro.infer import MCMC, NUTS, init_to_uniform, init_to_value
from side_by_side.child import Mouth, save_draws, serve

from sampling_study.formulas import numpyro_model, observations, start_values


def _sample(job: Mapping[str, Any], mouth: Mouth) -> None:
    start = job["start"]
    strategy = init_to_value(values=start_values(job)) if start else init_to_uniform()
    sampler = MCMC(
        NUTS(numpyro_model(job), init_strategy=strategy, **job.get("nuts", {})),
        num_warmup=job["num_warmup"],
        num_samples=job["num_samples"],
        num_chains=job["num_chains"],
        chain_method="parallel",
        progress_bar=False,
    )
    sampler.run(
        jax.random.PRNGKey(job["seed"]), *observations(job), extra_fields=("diverging", "num_steps")
    )
    draws = jax.device_get(sampler.get_samples(group_by_chain=True))
    extra = jax.device_get(sampler.get_extra_fields())
    mouth.say("done")
    save_draws(job["out"], draws)
    mouth.say(
        "result",
        divergences=int(np.sum(extra["diverging"])),
        leapfrogs=int(np.sum(extra["num_steps"])),
    )


def _check(job: Mapping[str, Any], mouth: Mouth) -> None:
    """Say how far another's log density, at its draws, is from this one but for a constant."""
    from numpyro.infer.util import log_density, unconstrain_fn

    model, args = numpyro_model(job), observations(job)
    with np.load(job["draws"]) as stored:
        given = {name: stored[name].reshape(-1) for name in stored.files}
    theirs = given.pop("lp")

    def ours(values: dict[str, Any]) -> Any:
        free = unconstrain_fn(model, args, {}, values)
        density, trace = log_density(model, args, {}, values)
        for name in values:
            prior = trace[name]["fn"]
            transform = numpyro.distributions.biject_to(prior.support)
            density += transform.log_abs_det_jacobian(free[name], values[name])
        return density

    difference = np.asarray(jax.vmap(ours)(given)) - theirs
    mouth.say("result", spread=float(np.ptp(difference)), size=float(np.abs(theirs).max()))


def _handle(request: Mapping[str, Any], mouth: Mouth) -> None:
    {"sample": _sample, "check": _check}[request["do"]](request, mouth)


if __name__ == "__main__":
    numpyro.set_host_device_count(4)
    numpyro.enable_x64()
    serve(_handle)
