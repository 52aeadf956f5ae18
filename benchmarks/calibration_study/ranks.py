"""Simulation-based calibration with default priors and noise (Talts et al., arXiv:1804.06788).

Each simulation draws parameters and noise from the default priors, makes data with the formula
written out here, and samples their posterior. If priors, likelihood, transforms, starts and sampler
are all right, the rank of what was drawn among the posterior's draws is uniform.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import jax.numpy as jnp
import numpy as np
from scipy import stats
from side_by_side.table import Table

from rheojobs import Dataset, Model, sample
from rheojobs.inference.posterior.posterior import Posterior
from rheojobs.inference.problem.problem import Problem

__all__ = ["CASES", "measure", "tables"]

THINNED, EVERY, BINS = 31, 10, 8
COUNTS = {"num_warmup": 300, "num_samples": EVERY * (THINNED + 1) // 2, "num_chains": 2}
STARTS = ("from the truth", "from an estimate")


@dataclass(frozen=True)
class Case:
    """A model by its bounds, and its formula for JAX and NumPy alike.

    Attributes
    ----------
    bounds : mapping
        Of each parameter, which make its default prior.
    x : ndarray, shape (n,)
    test_mode : str
    formula : callable
        ``(x, values, xp) -> y`` with xp one of jax.numpy and numpy.
    """

    bounds: Mapping[str, tuple[float, float, float]]
    x: np.ndarray
    test_mode: str
    formula: Callable[[Any, Any, Any], Any]

    def model(self, name: str) -> Model:
        """Return the model."""
        names = list(self.bounds)

        def function(x: Any, params: Any) -> Any:
            return self.formula(x, dict(zip(names, params, strict=True)), jnp)

        return Model.from_function(function, self.bounds, self.test_mode, name=f"sbc_{name}")

    def dataset(self, truth: Mapping[str, float], generator: np.random.Generator) -> Dataset:
        """Return data of a truth with relative noise."""
        exact = self.formula(self.x, truth, np)
        if np.iscomplexobj(exact):
            scales = truth["sigma_real"], truth["sigma_imag"]
            noise = (1.0 + each * generator.standard_normal(exact.size) for each in scales)
            real, imag = exact.real * next(noise), exact.imag * next(noise)
            return Dataset(self.x, real + 1j * imag, self.test_mode)
        factor = 1.0 + truth["sigma"] * generator.standard_normal(exact.size)
        return Dataset(self.x, exact * factor, self.test_mode)


def maxwell(x: Any, p: Any, xp: Any) -> Any:
    z = 1j * x * p["tau"]
    return p["G0"] * z / (1 + z)


def zener(x: Any, p: Any, xp: Any) -> Any:
    z = 1j * x * p["tau"]
    return p["Ge"] + p["Gm"] * z / (1 + z)


def springpot(x: Any, p: Any, xp: Any) -> Any:
    return p["c"] * xp.exp(p["order"] * xp.log(1j * x))


CASES = {
    "power law": Case(
        {"K": (1e-2, 1e4, 1.0), "n": (0.1, 1.5, 0.5)},
        np.geomspace(0.01, 100.0, 15),
        "flow_curve",
        lambda x, p, xp: p["K"] * x ** p["n"],
    ),
    "exponential": Case(
        {"G0": (1.0, 1e5, 1e2), "tau": (0.3, 3.0, 1.0)},
        np.linspace(0.05, 4.0, 20),
        "relaxation",
        lambda x, p, xp: p["G0"] * xp.exp(-x / p["tau"]),
    ),
    "maxwell": Case(
        {"G0": (1.0, 1e6, 1e3), "tau": (1e-2, 1e2, 1.0)},
        np.geomspace(1e-2, 1e2, 12),
        "oscillation",
        maxwell,
    ),
    "zener": Case(
        {"Ge": (1.0, 1e4, 1e2), "Gm": (1.0, 1e4, 1e2), "tau": (1e-2, 1e2, 1.0)},
        np.geomspace(1e-2, 1e2, 15),
        "oscillation",
        zener,
    ),
    "spring-pot": Case(
        {"c": (1.0, 1e5, 1e2), "order": (0.0, 1.0, 0.5)},
        np.geomspace(1e-2, 1e2, 12),
        "oscillation",
        springpot,
    ),
    "Herschel-Bulkley": Case(
        {"tau_y": (0.1, 1e3, 10.0), "K": (1e-2, 1e3, 1.0), "n": (0.2, 1.2, 0.5)},
        np.geomspace(1e-2, 1e3, 20),
        "flow_curve",
        lambda x, p, xp: p["tau_y"] + p["K"] * x ** p["n"],
    ),
}


def measure(
    settings: Mapping[str, Any], folder: Path, say: Callable[[str], None]
) -> dict[str, Any]:
    """Return the ranks of each parameter, by model and start."""
    found: dict[str, Any] = {}
    for name, case in CASES.items():
        found[name] = {}
        for start in STARTS:
            found[name][start] = ranks(case, name, start, settings["simulations"])
            say(f"{name}, {start}: p = {chances(found[name][start])}")
    return found


def ranks(case: Case, name: str, start: str, count: int) -> dict[str, list[int]]:
    """Return the rank of each site's truth among `THINNED` + 1 places."""
    generator, model = np.random.default_rng(20), case.model(name)
    anything = {key: limits[2] for key, limits in case.bounds.items()}
    noise = dict.fromkeys(("sigma", "sigma_real", "sigma_imag"), 0.1)
    data = case.dataset(anything | noise, generator)
    posterior = Posterior.of(Problem.of(model, data, None), {}, anything, "relative")
    drawn = posterior.draw(count, np.random.default_rng(7))
    found: dict[str, list[int]] = {site: [] for site in posterior.sites}
    for k in range(count):
        truth = {site: float(drawn[site][k]) for site in posterior.sites}
        warm = {key: truth[key] for key in case.bounds} if start == STARTS[0] else None
        result = sample(
            case.dataset(truth, generator),
            model,
            likelihood="relative",  # the default of moduli and of data over decades
            warm_start=warm,
            seed=k,
            checkpoint="",
            **COUNTS,
        )
        for site, places in found.items():
            kept = result.posterior_samples[site][EVERY - 1 :: EVERY][:THINNED]
            places.append(int(np.sum(kept < truth[site])))
    return found


def chances(found: Mapping[str, list[int]]) -> dict[str, float]:
    """Return the p-value of a chi-square test of each site's ranks against uniform ones."""
    out = {}
    for site, places in found.items():
        counts = np.bincount(np.array(places) * BINS // (THINNED + 1), minlength=BINS)
        out[site] = round(float(stats.chisquare(counts).pvalue), 4)
    return out


def tables(found: Mapping[str, Any]) -> list[Table]:
    """Return the p-values."""
    table = Table("Are the ranks uniform? p-values of chi-square", ("model, parameter", *STARTS))
    every = []
    for name, starts in found.items():
        columns = [chances(starts[start]) for start in STARTS]
        for site in columns[0]:
            values = [column[site] for column in columns]
            every += values
            table.add(f"{name}, {site}", *(f"{value:.3f}" for value in values))
    table.notes.append(
        f"Of {len(every)} p-values the least is {min(every):.4f}; the least of as many uniform "
        f"ones is below {1 - 0.95 ** (1 / len(every)):.4f} in one case of twenty."
    )
    return [table]
