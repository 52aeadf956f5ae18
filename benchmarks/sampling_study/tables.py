"""What was found, as tables with notes: printed by a terminal, or written as Markdown.

Reads the records that are kept as JSON, so that a table can be made again from the file.
"""

from __future__ import annotations

import math
import statistics
from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import partial
from typing import Any

import numpy as np
from side_by_side.table import Table

from sampling_study.jobs import OURS, SYSTEMS, THEIRS
from sampling_study.starts import STARTS

__all__ = ["Table", "bare_table", "cancel_table", "job_table", "start_table"]

NONE = "–"

type Row = Mapping[str, Any]


def _good(rows: Iterable[Row]) -> list[Row]:
    return [row for row in rows if "error" not in row]


def _median(values: Sequence[float]) -> float:
    known = [value for value in values if math.isfinite(value)]
    return statistics.median(known) if known else math.nan


def _column(rows: Iterable[Row], name: str) -> float:
    return _median([float(row[name]) for row in _good(rows) if row.get(name) is not None])


def _rate(rows: Iterable[Row]) -> float:
    known = [row for row in _good(rows) if row["min_ess"] is not None]
    return _median([row["min_ess"] / row["seconds"] for row in known])


def _seconds(value: float) -> str:
    if not math.isfinite(value):
        return NONE
    return f"{value:.3f}" if value < 1 else f"{value:.2f}" if value < 10 else f"{value:.1f}"


def _spread(rows: Sequence[Row], name: str = "seconds") -> str:
    values = [float(row[name]) for row in _good(rows)]
    if not values:
        return "failed" if rows else NONE
    middle = _seconds(_median(values))
    if len(values) == 1:
        return middle
    return f"{middle} ({_seconds(min(values))}–{_seconds(max(values))})"


def _ratio(numerator: float, denominator: float, digits: int = 1) -> str:
    if not (math.isfinite(numerator) and denominator > 0):
        return NONE
    ratio = numerator / denominator
    return f"{ratio:.{digits}f}×" if ratio < 10 else f"{ratio:.0f}×"


def _count(value: float) -> str:
    return f"{value:.0f}" if math.isfinite(value) else NONE


def _number(value: float, digits: int) -> str:
    return f"{value:.{digits}f}" if math.isfinite(value) else NONE


def job_table(found: Row) -> Table:
    """Tell of whole jobs of one model, the second job of its kind as the measure."""
    systems, extra = found["systems"], found["extra"]
    table = Table(
        found["title"],
        (
            "job, on new data of another length",
            "time / s (range)",
            "times ours",
            "least bulk ESS",
            "ESS per second",
            "largest R-hat",
            "divergences",
            "means apart / sd",
        ),
    )
    ours = _column(systems[OURS], "seconds")
    for key, label in SYSTEMS.items():
        rows = systems[key]
        table.add(
            label,
            _spread(rows),
            _ratio(_column(rows, "seconds"), ours),
            _count(_column(rows, "min_ess")),
            _count(_rate(rows)),
            _number(_column(rows, "max_r_hat"), 3),
            _count(_column(rows, "divergences")),
            _number(_column(rows, "means_apart_in_sd"), 2),
        )
    theirs = _column(systems[THEIRS], "seconds")
    empty, new = _column([extra["theirs_empty"]], "seconds"), systems["new_filled"]
    from_start = _column(new, "from_interpreter_start")
    again = _column([extra["theirs_again"]], "seconds")
    bucket, first = extra["other_bucket"], extra["first_in_warm_pool"]
    table.notes = [
        f"RheoJAX's job takes {_ratio(theirs, ours)} our second job, "
        f"{_ratio(theirs, _column(new, 'seconds'))} our first of a new process with a filled "
        f"cache, and {_ratio(empty, _column(systems['new_empty'], 'seconds'))} with empty caches "
        f"on both sides ({_seconds(empty)} s).",
        f"RheoJAX's job on data that it has seen, so that its cache holds the program: "
        f"{_seconds(again)} s.",
        f"Ours, else: first job in a warm pool with nothing compiled {_spread([first])} s; first "
        f"job on a length in another bucket ({bucket['points']} points), which compiles, "
        f"{_spread([bucket])} s; from the start of the application's interpreter, cache filled, "
        f"{_seconds(from_start)} s.",
    ]
    table.notes += [
        f"{SYSTEMS[key]}: failed: {row['error']}"
        for key, rows in systems.items()
        for row in rows
        if "error" in row
    ]
    return table


def bare_table(parts: Mapping[str, Row]) -> Table:
    """Tell of the second job against its kernels alone, a row for each model."""
    table = Table(
        "Second jobs against the bare compiled kernel loop (same chains, threads and steps) / s",
        (
            "model",
            "job in the pool",
            "bare loop",
            "ratio",
            "before the chains",
            "chains",
            "after the chains",
            "to and from the worker",
            "chains against bare loop",
        ),
    )
    for found in parts.values():
        pool, process = found["pool"], found["process"]
        job, bare = _column(pool, "seconds"), _column(process, "bare")
        inside = _column(process, "job")
        table.add(
            found["title"],
            _spread(pool),
            _spread(process, "bare"),
            _ratio(job, bare, 2),
            *(_seconds(_column(process, name)) for name in ("before", "chains", "after")),
            _seconds(job - inside),
            _ratio(_column(process, "chains"), bare, 2),
        )
        same = all(row["leapfrogs"] == row["bare_leapfrogs"] for row in process)
        row = process[-1]
        inside_kernel = _column(process, "in_kernel") / row["threads"]
        table.notes.append(
            f"{found['title']}: {row['leapfrogs']} leapfrogs for the draws, in the bare loop "
            f"{'as many' if same else row['bare_leapfrogs']}; {row['calls']} chunks on "
            f"{row['threads']} threads, each {_seconds(inside_kernel)} s inside the kernel. Log "
            f"density against NumPyro's, at the draws: equal but for a constant to "
            f"{found['log_density_differs_by']:.0e} of {found['log_density_size']:.0f}."
        )
    table.notes.append(
        "“Before”, “chains” and “after” are of the same job in a process of its own, without an "
        "engine; what the job in the pool takes more is “to and from the worker”."
    )
    return table


def start_table(parts: Mapping[str, Row]) -> Table:
    """Tell of effective draws per second from each start."""
    table = Table(
        "Warm start against cold start, all compiled before",
        (
            "model and start",
            "time / s (range)",
            "least bulk ESS",
            "ESS per second",
            "largest R-hat",
            "warm against this",
        ),
    )
    for model, found in parts.items():
        for key, label in STARTS.items():
            rows = found["starts"][key]
            best = found["starts"]["numpyro_warm" if key.startswith("numpyro") else "warm"]
            table.add(
                f"{model}: {label}",
                _spread(rows),
                _count(_column(rows, "min_ess")),
                _count(_rate(rows)),
                _number(_column(rows, "max_r_hat"), 3),
                _ratio(_rate(best), _rate(rows), 2),
            )
    table.notes = [
        "The time of the fit that a warm start needs is not counted.",
        "Where R-hat is far above 1.01 the chains have not met, and the ESS says little.",
    ]
    return table


def _is_in(stage: str, row: Row) -> bool:
    return bool(row["stage"] == stage)


def cancel_table(found: Row) -> Table:
    """Tell how long cancels took: all of them, by kind of job, and by what it was doing."""
    rows = found["rows"]
    table = Table(
        f"{len(rows)} cancels at random moments, from job.cancel() to the terminal event / ms",
        (
            "job",
            "cancels",
            "median",
            "95th percentile",
            "max",
            "worker killed",
            "worker goes on",
            "ended anyhow",
        ),
    )
    groups: list[tuple[str, Callable[[Row], bool]]] = [
        ("all", lambda row: True),
        ("compiled before", lambda row: row["kind"] == "compiled"),
        ("of a new kind: compiles", lambda row: row["kind"] == "new"),
    ]
    stages = ("waiting", "prepare", "compile", "warmup", "sampling", "summary")
    seen = {row["stage"] for row in rows}
    for stage in [*stages, *sorted(seen - set(stages))]:
        groups.append((f"told last: {stage}", partial(_is_in, stage)))
    for label, belongs in groups:
        members = [row for row in rows if belongs(row)]
        if not members:
            continue
        times = np.array([1000 * row["latency"] for row in members])
        table.add(
            label,
            str(len(members)),
            f"{np.median(times):.0f}",
            f"{np.percentile(times, 95):.0f}",
            f"{times.max():.0f}",
            str(sum(row["killed"] for row in members)),
            str(sum(row["went_on"] for row in members)),
            str(sum(row["state"] != "CANCELLED" for row in members)),
        )
    within = sum(row["latency"] <= 0.25 for row in rows)
    calls = max((row["call"] for row in rows), default=math.nan)
    lengths = ", ".join(f"{model} {count}" for model, count in found["draws"].items())
    table.notes = [
        f"Jobs of 4 chains with 500 steps of warm-up; draws of each chain: {lengths}.",
        f"Within 250 ms: {within} of {len(rows)}.",
        "“Worker goes on”: the job has ended for its owner while its process finishes, for nobody, "
        "what it cannot break off, such as a compilation.",
        f"The call job.cancel() itself returned after at most {1000 * calls:.1f} ms.",
    ]
    return table
