"""The samplers side by side: ours with and without a start, and others in their best form."""

from __future__ import annotations

import functools
from collections.abc import Callable, Mapping
from typing import Any

import numpy as np

from posteriors_study.case import Case
from posteriors_study.curves import CURVES
from posteriors_study.jitted_chains import JittedChains, blackjax_chain, numpyro_chain
from posteriors_study.names import SIDES
from rheojobs import Dataset, sample
from rheojobs.inference.posterior.posterior import Posterior
from rheojobs.inference.problem.problem import Problem
from rheojobs.inference.programs.jax_setup import configure_jax
from rheojobs.inference.sampling.programs import programs_of
from rheojobs.inference.sampling.starts import find_starts, start_values
from rheojobs.inference.sampling.task import SampleTask
from rheojobs.inference.sampling.warmup.whitening import Geometry

__all__ = ["COUNTS", "Draws", "Prepared", "Run", "sides_of"]

COUNTS = {"num_warmup": 500, "num_samples": 1000, "num_chains": 4}
"""DREAM takes more draws, of more chains."""

type Draws = dict[str, Any]


class Prepared:
    """A case with data, and what sides are given that is not in their time.

    Parameters
    ----------
    case : Case
        The posterior.
    seed : int
        Of the data.
    """

    def __init__(self, case: Case, seed: int) -> None:
        self.case, self.seed = case, seed
        self.data: Dataset = case.dataset(seed)

    def ready(self) -> None:
        """Compute what sides are given, outside the measured time."""
        _ = self.maximum  # of the geometry, and that of the posterior

    @functools.cached_property
    def posterior(self) -> Posterior:
        """The posterior, as a sampling of ours sets it up."""
        configure_jax()
        settings, case = self.case.settings, self.case
        task = SampleTask(case.model, self.data, checkpoint="", **settings)
        task.validate()
        problem = Problem.of(case.model, self.data, settings.get("model_config"))
        values = start_values(problem, {}, {})
        schemes = settings.get("default_priors", "logarithmic")
        return Posterior.of(problem, settings.get("priors", {}), values, task.likelihood, schemes)

    @functools.cached_property
    def geometry(self) -> Geometry:
        """The coordinates about the posterior's maximum."""
        values = start_values(self.posterior.problem, {}, {})
        return find_starts(self.posterior, values, (), 1, 0, lambda: None).geometries[0]

    @functools.cached_property
    def maximum(self) -> dict[str, float]:
        """The parameters at the posterior's maximum."""
        posterior, origin = self.posterior, np.zeros((1, len(self.posterior.sites)))
        constrain = programs_of(posterior).constrain
        sites = np.asarray(constrain(origin, self.geometry, posterior.data[0]))
        named = dict(zip(posterior.sites, sites[0].tolist(), strict=True)) | posterior.fixed
        return {name: named[name] for name in posterior.problem.model.names}


type Run = Callable[[Prepared], tuple[Draws, int]]
"""Samples: the draws of each site, (chains, samples), and the number of divergences."""


def _ours(prepared: Prepared, with_start: bool) -> tuple[Draws, int]:
    given: Mapping[str, Any] = {"warm_start": prepared.maximum} if with_start else {}
    result = sample(
        prepared.data,
        prepared.case.model,
        **prepared.case.settings,
        **given,
        seed=prepared.seed,
        checkpoint="",
        **COUNTS,
    )
    chains = COUNTS["num_chains"]
    draws = {name: np.reshape(v, (chains, -1)) for name, v in result.posterior_samples.items()}
    return draws, int(result.diagnostics["divergences"])


def _others(sampler: Any) -> Run:
    return lambda prepared: sampler.sample(prepared.posterior, prepared.seed, **COUNTS)


def _blackjax() -> Run:
    return _others(JittedChains(blackjax_chain()))


def _nutpie() -> Run:
    from posteriors_study.nutpie_side import NutpieSampler

    return _others(NutpieSampler())


def _dream() -> Run:
    from posteriors_study.dream_side import DreamSampler

    sampler = DreamSampler()
    return lambda prepared: sampler.sample(
        prepared.posterior, prepared.geometry, prepared.seed, **COUNTS
    )


_MAKERS: tuple[Callable[[], Run], ...] = (
    lambda: functools.partial(_ours, with_start=False),
    lambda: functools.partial(_ours, with_start=True),
    lambda: _others(JittedChains(numpyro_chain())),
    lambda: _others(JittedChains(numpyro_chain(dense=True, target_accept=0.95))),
    _blackjax,
    _nutpie,
    _dream,
)


def sides_of(prepared: Prepared, names: tuple[str, ...] = SIDES) -> dict[str, Run | str]:
    """Return the samplers of a case by name, or in a word why there is none."""
    found: dict[str, Run | str] = {}
    for name, make in zip(SIDES, _MAKERS, strict=True):
        if name not in names:
            continue
        if make is _nutpie and prepared.posterior.problem.model.name not in CURVES:
            found[name] = "not expressed"
            continue
        try:
            found[name] = make()
        except ImportError as error:
            found[name] = f"no {error.name}"
    return found
