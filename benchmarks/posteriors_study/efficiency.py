"""Effective draws for each second of the processor, side by side, with many seeds."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import numpy as np
from side_by_side.measure import cpu_of_tree
from side_by_side.table import NONE, Table, median, number

from posteriors_study import published, rheological
from posteriors_study.names import MAXIMUM, OURS
from posteriors_study.sides import Draws, Prepared, Run, sides_of
from rheojobs.inference.results.diagnostics import summarize

__all__ = ["CASES", "measure", "tables"]

CASES = [*rheological.CASES, *published.CASES]

LOST = 10.0
"""A mean that is so many standard deviations off is written as a word."""

type Moments = Mapping[str, tuple[float, float]]
"""Mean and standard deviation by site."""


def measure(
    settings: Mapping[str, Any], folder: Path, say: Callable[[str], None]
) -> dict[str, Any]:
    """Sample each case with many seeds, new data each time, by all sides in turn."""
    found: dict[str, Any] = {}
    for case in CASES:
        if case.name not in settings["posteriors"]:
            continue
        sides = sides_of(Prepared(case, 0), tuple(settings["sides"]))
        rows: dict[str, Any] = {
            side: run if isinstance(run, str) else [] for side, run in sides.items()
        }
        for seed in range(-1, settings["seeds"]):  # the first compiles
            prepared, reference = Prepared(case, max(seed, 0)), dict(case.moments)
            for side, run in sides.items():
                if isinstance(run, str):
                    continue
                say(f"{case.name}, {side}, {seed + 1} of {settings['seeds']}")
                try:
                    row, moments = _row(prepared, run, reference)
                except Exception as error:  # of another library: the others are measured
                    if side == OURS:
                        raise
                    say(f"{type(error).__name__}: {error}")
                    sides[side] = rows[side] = "failed"
                    continue
                reference = reference or moments
                rows[side] += [row] if seed >= 0 else []
        found[case.name] = rows
    return found


def _row(
    prepared: Prepared, run: Run, reference: Moments
) -> tuple[dict[str, float], dict[str, tuple[float, float]]]:
    """Sample once; return what is told of it, and its means and standard deviations."""
    prepared.ready()
    began = cpu_of_tree()
    draws, divergences = run(prepared)
    used = cpu_of_tree() - began
    told = summarize(draws, lambda: None).values()
    ess = min(min(row["ess_bulk"], row["ess_tail"]) for row in told)
    off, wide = _off(draws, reference)
    row = {
        "ess": ess if math.isfinite(ess) else 0.0,
        "cpu": used,
        "r_hat": max(row["r_hat"] for row in told),
        "divergences": divergences,
        "off": off,
        "wide": wide,
    }
    return row, {name: (float(np.mean(v)), float(np.std(v))) for name, v in draws.items()}


def _off(draws: Draws, reference: Moments) -> tuple[float, float]:
    """Return how far means and standard deviations are from the reference, at most.

    Means in standard deviations, standard deviations in per cent.
    """
    off, wide = [0.0], [0.0]
    for name, (mean, deviation) in reference.items():
        off.append(abs(float(np.mean(draws[name])) - mean) / deviation)
        wide.append(100.0 * abs(float(np.std(draws[name])) / deviation - 1.0))
    return max(off), max(wide)


def tables(found: Mapping[str, Any]) -> list[Table]:
    """Return tables of efficiencies, of the worst seeds, and of means beside the reference."""
    sides = list(next(iter(found.values())))
    quick = Table(
        "Least ESS for each second of the processor, median (least)",
        ["posterior", *sides],
        notes=[
            "The time of a whole sampling in a hot process, threads included; what the others are "
            "given ready, the compiled log density with its data and priors, is not in theirs."
        ],
    )
    worst = Table(
        "Worst of all seeds: least ESS, largest R-hat, divergences in the median and at most",
        ["posterior", *sides],
    )
    means = Table(
        "Largest distance of a mean from the reference / sd, of a standard deviation / %, medians",
        ["posterior", *sides],
        notes=[
            "The reference is published, or the first column's draws of the same data; lost: more "
            f"than {LOST:g} off.",
        ],
    )
    for name, rows in found.items():
        quick.add(name, *(_cell(rows[side], _rates) for side in sides))
        worst.add(name, *(_cell(rows[side], _worst) for side in sides))
        means.add(name, *(_cell(rows[side], _means) for side in sides))
    if {OURS, MAXIMUM} <= set(sides):
        quick.notes.append(_cost_of_a_start(found))
    return [quick, worst, means]


type Rows = list[dict[str, float]]


def _cell(rows: Rows | str, write: Callable[[Rows], str]) -> str:
    if isinstance(rows, str):
        return NONE if rows == "not expressed" else rows
    return write(rows) if rows else NONE


def _rates(rows: Rows) -> str:
    rates = [row["ess"] / row["cpu"] for row in rows]
    return f"{np.median(rates):,.0f} ({min(rates):,.0f})"


def _worst(rows: Rows) -> str:
    divergences = [row["divergences"] for row in rows]
    r_hat = np.max(np.array([row["r_hat"] for row in rows], dtype=float))  # stored, NaN is null
    return (
        f"{min(row['ess'] for row in rows):.0f}, {r_hat:.3f}, "
        f"{np.median(divergences):g} / {max(divergences):g}"
    )


def _means(rows: Rows) -> str:
    off, wide = (median(row[key] for row in rows) for key in ("off", "wide"))
    return "lost" if off > LOST else f"{number(off, 2)}, {number(wide)} %"


def _cost_of_a_start(found: Mapping[str, Any]) -> str:
    """Return in words how long samplings take without a start beside those from the maximum."""
    gains = {}
    for name, rows in found.items():
        with_start, without = (median(row["cpu"] for row in rows[s]) for s in (MAXIMUM, OURS))
        gains[name] = without / with_start
    ends = [end(gains, key=lambda name: gains[name]) for end in (min, max)]
    least, most = (f"{gains[name]:.2f} ({name})" for name in ends)
    return (
        f"Without a start a sampling of ours takes {median(gains.values()):.2f} times the time of "
        f"one from the maximum in the median, from {least} to {most}."
    )
