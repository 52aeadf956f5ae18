"""Intervals of posteriors with default priors and noise: those of highest density."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from side_by_side.table import Table

from interval_coverage_study.cases import CASES
from interval_coverage_study.counts import Counts, table_of
from rheojobs import fit, sample

__all__ = ["measure", "tables"]

KINDS = ("posterior, from a fit", "posterior, from an estimate")
DRAWS = {"num_warmup": 300, "num_samples": 500, "num_chains": 2, "checkpoint": ""}


def measure(
    settings: Mapping[str, Any], folder: Path, say: Callable[[str], None]
) -> dict[str, Any]:
    """Sample all datasets, by turns from a fit and not; return how often the truth is held."""
    found = {}
    for case in CASES.values():
        counts = Counts(KINDS, case.truth)
        for seed in range(settings["datasets"]):
            data, kind = case.dataset(seed), KINDS[seed % 2]
            start = fit(data, case.model) if seed % 2 == 0 else None
            result = sample(data, case.model, fit=start, seed=seed, **DRAWS)
            assert result.credible_intervals is not None
            for name, truth in case.truth.items():
                counts.add(kind, name, truth, *result.credible_intervals[name])
        found[case.model] = counts.as_dict()
        say(f"{case.model}: {found[case.model]['held']}")
    return found


def tables(found: Mapping[str, Any]) -> list[Table]:
    """Return the shares."""
    title = "Share of the posterior's intervals of 95 % that hold the truth"
    return [table_of(title, found)]
