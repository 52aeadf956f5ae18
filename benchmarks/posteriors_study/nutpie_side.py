"""nutpie in its best form: a PyMC model compiled by Numba once, with the data as shared ones."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from typing import Any

import numpy as np
import nutpie
import pymc
import pytensor.tensor as pt

from posteriors_study.curves import CURVES
from rheojobs.inference.posterior.likelihood_names import DEGREES_OF_FREEDOM
from rheojobs.inference.posterior.posterior import Posterior
from rheojobs.inference.posterior.priors import DistributionPrior, Prior
from rheojobs.machine import processors

__all__ = ["NutpieSampler", "pymc_model"]

logging.getLogger("nutpie").setLevel(logging.ERROR)


class NutpieSampler:
    """Samples the posteriors of one case: their model is compiled for the first."""

    def __init__(self) -> None:
        self._compiled: Any = None

    def sample(
        self, posterior: Posterior, seed: int, num_warmup: int, num_samples: int, num_chains: int
    ) -> tuple[dict[str, Any], int]:
        """Return the draws of each site, (chains, samples), and the number of divergences."""
        if self._compiled is None:
            self._compiled = nutpie.compile_pymc_model(
                pymc_model(posterior), backend="numba", var_names=list(posterior.sites)
            )
        used = {variable.name for variable in self._compiled.shared_var_keys}
        data = {name: values for name, values in _data(posterior).items() if name in used}
        trace = nutpie.sample(
            self._compiled.with_data(**data),
            draws=num_samples,
            tune=num_warmup,
            chains=num_chains,
            cores=processors(),
            seed=seed,
            save_warmup=False,
            progress_bar=False,
        )
        draws = {name: trace["posterior"][name].to_numpy() for name in posterior.sites}
        return draws, int(trace["sample_stats"]["diverging"].sum())


def pymc_model(posterior: Posterior) -> Any:
    """Return a posterior as a PyMC model; its data and the numbers of its priors are shared."""
    curve, first_noise = CURVES[posterior.problem.model.name], posterior.first_noise
    with pymc.Model() as model:
        data = {name: pymc.Data(name, values) for name, values in _data(posterior).items()}
        values = {
            name: _site(name, prior, data[f"prior of {name}"])
            for name, prior in zip(posterior.sites, posterior.priors, strict=True)
        }
        noise = [values.pop(name) for name in posterior.sites[first_noise:]]
        for row, predicted in enumerate(curve(pt, data["x"], values)):
            told = data["told"][row]
            if posterior.likelihood.is_known:
                spread = told
            elif posterior.likelihood.relative:
                spread = noise[row] * pt.maximum(pt.abs(predicted), told)
            else:
                spread = noise[row]
            seen = {"mu": predicted, "sigma": spread, "observed": data["y"][row]}
            if posterior.likelihood.heavy_tailed:
                pymc.StudentT(f"observed {row}", nu=DEGREES_OF_FREEDOM, **seen)
            else:
                pymc.Normal(f"observed {row}", **seen)
    return model


def _data(posterior: Posterior) -> dict[str, Any]:
    """Return the data without padding, and the numbers of the priors."""
    seen, told = posterior.problem.observations, posterior.likelihood.told(posterior.problem)
    told = np.broadcast_to(told, seen.y.shape)
    priors = {
        f"prior of {name}": np.array(list(_arguments(prior)[1].values()))
        for name, prior in zip(posterior.sites, posterior.priors, strict=True)
    }
    data = {"x": seen.x[: seen.n], "y": seen.y[:, : seen.n], "told": told[:, : seen.n]}
    return data | priors


def _arguments(prior: Prior) -> tuple[str, Mapping[str, float]]:
    """Return the type of a prior and its numbers, for one uniform in a logarithm those of it."""
    if isinstance(prior, DistributionPrior):  # the half Cauchy of the eight schools
        return type(prior.given).__name__.lower(), {"scale": float(prior.given.scale)}
    if prior.type != "loguniform":
        return prior.type, prior.arguments
    low, high, offset = (float(prior.arguments.get(k, 0.0)) for k in ("low", "high", "offset"))
    ends = {"low": np.log(low + offset), "high": np.log(high + offset), "offset": offset}
    return prior.type, ends


def _site(name: str, prior: Prior, given: Any) -> Any:
    """Return a random variable with a prior, whose numbers are given."""
    kind, arguments = _arguments(prior)
    told = {key: given[k] for k, key in enumerate(arguments)}
    if kind == "loguniform":
        logarithm = pymc.Uniform(f"log {name}", told["low"], told["high"])
        return pymc.Deterministic(name, pt.exp(logarithm) - told["offset"])
    if kind == "uniform":
        return pymc.Uniform(name, told["low"], told["high"])
    if kind == "normal":
        return pymc.Normal(name, told["loc"], told["scale"])
    if kind == "halfcauchy":
        return pymc.HalfCauchy(name, told["scale"])
    if kind == "exponential":
        return pymc.Exponential(name, told["rate"])
    if kind == "beta":
        return pymc.Beta(name, told["concentration1"], told["concentration0"])
    raise ValueError(f"PyMC has no prior {kind!r} here")
