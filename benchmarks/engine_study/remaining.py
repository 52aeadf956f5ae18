"""How well the time remaining is told: real samplings, from a third of each stage on.

A fit counts towards its greatest number of iterations and mostly ends long before, so that its
progress says nothing of its end: there the history of its kind is all there is.
"""

from __future__ import annotations

import statistics
from collections import defaultdict
from collections.abc import Callable
from typing import Any

__all__ = ["measure_remaining"]

MODELS = ("maxwell", "fractional_maxwell_liquid")
LEAST_REPORTS = 30
"""Stages with fewer are over in a second: nobody asks how long they take."""


def measure_remaining(draws: int, say: Callable[[str], None]) -> dict[str, Any]:
    """Sample, and compare what was told with what came.

    Returns
    -------
    dict
        By model and stage: reports, the median of the relative error, and the share of them in
        whose range the truth was; of the first job of a model, which compiles, and of the rest.
    """
    from side_by_side.cases import oscillation_data, relaxation_data

    from rheojobs import PRELOAD, JobEngine, SampleTask

    data = dict(zip(MODELS, (relaxation_data().thin(12), oscillation_data()), strict=True))
    found: dict[str, Any] = {}
    with JobEngine("processes", max_workers=1, preload=PRELOAD) as engine:
        for model in MODELS:
            for turn in range(2):
                task = SampleTask(
                    model, data[model], num_warmup=draws // 2, num_samples=draws, seed=turn
                )
                for stage, row in _follow(engine, task).items():
                    name = f"{model}, {stage}, {'first' if turn == 0 else 'later'}"
                    found.setdefault(name, []).append(row)
                say(f"remaining: {model}, job {turn + 1} of 2")
    return {name: _together(rows) for name, rows in found.items()}


def _follow(engine: Any, task: Any) -> dict[str, dict[str, Any]]:
    from rheojobs import ProgressMade, StateChanged
    from rheojobs.engine.remaining import Remaining, TimeRemaining

    estimate = TimeRemaining()
    told: dict[str, list[tuple[float, float, Remaining]]] = defaultdict(list)
    ends: dict[str, float] = {}

    def take(event: object) -> None:
        if isinstance(event, StateChanged):
            for stage in told:
                ends.setdefault(stage, event.time)
            return
        if not isinstance(event, ProgressMade) or event.progress.total <= 0:
            return
        progress = event.progress
        for stage in told:
            if stage != progress.stage:
                ends.setdefault(stage, event.time)
        estimate.update(progress, event.time)
        if (left := estimate.left(event.time)) is not None:
            told[progress.stage].append((event.time, progress.current / progress.total, left))
        if progress.current >= progress.total:
            ends.setdefault(progress.stage, event.time)

    job = engine.submit(task)
    stop = engine.subscribe(take, job=job)
    job.result(600)
    stop()
    return {
        stage: _judge(reports, ends[stage])
        for stage, reports in told.items()
        if stage in ends and len(reports) >= LEAST_REPORTS
    }


def _judge(reports: list[tuple[float, float, Any]], end: float) -> dict[str, Any]:
    later = [(end - now, left) for now, share, left in reports if 1 / 3 <= share < 1 and end > now]
    return {
        "seconds": end - reports[0][0],
        "errors": [abs(left.seconds - truth) / truth for truth, left in later],
        "within": [left.low <= truth <= left.high for truth, left in later],
    }


def _together(rows: list[dict[str, Any]]) -> dict[str, Any]:
    errors = [error for row in rows for error in row["errors"]]
    within = [hit for row in rows for hit in row["within"]]
    return {
        "seconds": statistics.median(row["seconds"] for row in rows),
        "reports": len(errors),
        "median_error": statistics.median(errors) if errors else None,
        "within_range": statistics.mean(within) if within else None,
    }
