"""Intervals of fits: by the standard error and Student's t, and by profile likelihood."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from scipy import stats
from side_by_side.table import Table

from interval_coverage_study.cases import CASES
from interval_coverage_study.counts import LEVEL, Counts, table_of
from rheojobs import fit

__all__ = ["measure", "tables"]

KINDS = ("estimate ± t × standard error", "profile likelihood")


def measure(
    settings: Mapping[str, Any], folder: Path, say: Callable[[str], None]
) -> dict[str, Any]:
    """Fit all datasets; return how often the intervals hold the truth."""
    found = {}
    for case in CASES.values():
        counts = Counts(KINDS, case.truth)
        for seed in range(settings["datasets"]):
            data = case.dataset(seed)
            result = fit(data, case.model, weights="relative", intervals="profile")
            values = len(data) * (2 if case.test_mode == "oscillation" else 1)
            factor = float(stats.t.ppf(0.5 + 0.5 * LEVEL, values - len(case.truth)))
            for name, truth in case.truth.items():
                middle, half = result.parameters[name], factor * result.uncertainties[name]
                counts.add(KINDS[0], name, truth, middle - half, middle + half)
                counts.add(KINDS[1], name, truth, *result.intervals[name])
        found[case.model] = counts.as_dict()
        say(f"{case.model}: {found[case.model]['held']}")
    return found


def tables(found: Mapping[str, Any]) -> list[Table]:
    """Return the shares."""
    return [table_of("Share of the intervals of 95 % that hold the truth", found)]
