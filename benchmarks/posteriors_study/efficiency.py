"""Effective draws for each second of the processor, side by side, with many seeds."""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import numpy as np
from side_by_side.table import Table

from posteriors_study import published, rheological
from posteriors_study.case import Case
from posteriors_study.numpyro_side import NumpyroKernel
from rheojobs import Dataset, sample
from rheojobs.inference.posterior.posterior import Posterior
from rheojobs.inference.problem.problem import Problem
from rheojobs.inference.results.diagnostics import summarize
from rheojobs.inference.sampling.starts import start_values
from rheojobs.inference.sampling.task import SampleTask

__all__ = ["measure", "tables"]

CASES = [*rheological.CASES, *published.CASES]
COUNTS = {"num_warmup": 500, "num_samples": 1000, "num_chains": 4}

Draws = dict[str, Any]


Run = Callable[[Case, Dataset, int], tuple[Draws, int]]
"""Samples a case with data and a seed: the draws, (chains, samples) each, and the divergences."""


def _ours(case: Case, data: Dataset, seed: int) -> tuple[Draws, int]:
    result = sample(data, case.model, **case.settings, seed=seed, checkpoint="", **COUNTS)
    chains = COUNTS["num_chains"]
    draws = {name: np.reshape(v, (chains, -1)) for name, v in result.posterior_samples.items()}
    return draws, int(result.diagnostics["divergences"])


def _numpyro(kernel: NumpyroKernel) -> Run:
    def run(case: Case, data: Dataset, seed: int) -> tuple[Draws, int]:
        return kernel.sample(_posterior(case, data), seed, **COUNTS)

    return run


def _posterior(case: Case, data: Dataset) -> Posterior:
    """Return the posterior as a sampling sets it up."""
    task = SampleTask(case.model, data, checkpoint="", **case.settings)
    task.validate()
    problem = Problem.of(case.model, data, case.settings.get("model_config"))
    values = start_values(problem, {}, {})
    priors = case.settings.get("priors", {})
    default_priors = case.settings.get("default_priors", "logarithmic")
    return Posterior.of(problem, priors, values, task.likelihood, default_priors)


def _sides() -> dict[str, Run]:
    return {
        "ours": _ours,
        "NumPyro, jitted": _numpyro(NumpyroKernel()),
        "NumPyro, jitted, dense, 0.95": _numpyro(NumpyroKernel(True, 0.95)),
    }


def measure(
    settings: Mapping[str, Any], folder: Path, say: Callable[[str], None]
) -> dict[str, Any]:
    """Sample each case with many seeds, new data each time, by all sides in turn."""
    found: dict[str, Any] = {}
    for case in CASES:
        sides = _sides()
        rows: dict[str, list[dict[str, float]]] = {side: [] for side in sides}
        for seed in range(-1, settings["seeds"]):  # the first compiles
            for side, run in sides.items():
                say(f"{case.name}, {side}, {seed + 1} of {settings['seeds']}")
                row = _row(case, run, max(seed, 0))
                rows[side] += [row] if seed >= 0 else []
        found[case.name] = rows
    return found


def _row(case: Case, run: Run, seed: int) -> dict[str, float]:
    data = case.dataset(seed)
    began = time.process_time()
    draws, divergences = run(case, data, seed)
    used = time.process_time() - began
    told = summarize(draws, lambda: None).values()
    ess = min(min(row["ess_bulk"], row["ess_tail"]) for row in told)
    return {
        "ess": ess if math.isfinite(ess) else 0.0,
        "cpu": used,
        "r_hat": max(row["r_hat"] for row in told),
        "divergences": divergences,
        "off": _off(draws, case.moments),
    }


def _off(draws: Draws, reference: Mapping[str, tuple[float, float]]) -> float:
    """Return how far the means are from the reference, in Monte Carlo standard errors, at most."""
    off = [0.0]
    summary = summarize({name: draws[name] for name in reference}, lambda: None)
    for name, (mean, deviation) in reference.items():
        error = deviation / math.sqrt(max(summary[name]["ess_bulk"], 1.0))
        off.append(abs(float(np.mean(draws[name])) - mean) / error)
    return max(off)


def tables(found: Mapping[str, Any]) -> list[Table]:
    """Return a table of efficiencies, and one of the worst seeds."""
    sides = list(next(iter(found.values())))
    quick = Table(
        "Least ESS for each second of the processor, median (least)", ["posterior", *sides]
    )
    worst = Table(
        "Worst of all seeds: least ESS, largest R-hat, divergences in the median and at most",
        ["posterior", *sides],
    )
    for name, rows in found.items():
        rates = {side: [row["ess"] / row["cpu"] for row in rows[side]] for side in sides}
        quick.add(name, *(f"{np.median(v):,.0f} ({min(v):,.0f})" for v in rates.values()))
        worst.add(name, *(_worst(rows[side]) for side in sides))
    return [quick, worst]


def _worst(rows: list[dict[str, float]]) -> str:
    divergences = [row["divergences"] for row in rows]
    r_hat = np.max(np.array([row["r_hat"] for row in rows], dtype=float))  # stored, NaN is null
    return (
        f"{min(row['ess'] for row in rows):.0f}, {r_hat:.3f}, "
        f"{np.median(divergences):g} / {max(divergences):g}"
        + (f", {max(row['off'] for row in rows):.1f} errors" if any(r["off"] for r in rows) else "")
    )
