"""How well the time remaining is estimated: real samplings and fits, from a third of each stage on.

The fits are from many starts and with profiled intervals: others are over in an instant. A fit
from one start counts towards its greatest number of iterations and mostly ends long before, so
that its progress says nothing of its end: there the history of its kind is all there is.
"""

from __future__ import annotations

import statistics
import threading
from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping
from functools import partial
from pathlib import Path
from typing import Any

from side_by_side.table import NONE, Table

__all__ = ["measure", "tables"]

MODELS = ("maxwell", "fractional_maxwell_liquid")
SLOW = {"fractional_maxwell_liquid": {}, "generalized_maxwell": {"n_modes": 6}}
"""Models that are fitted, with their settings."""

LEAST_REPORTS = 30
"""Stages with fewer are over in a second: nobody asks how long they take."""


def measure(
    settings: Mapping[str, Any], folder: Path | str, say: Callable[[str], None]
) -> dict[str, Any]:
    """Sample and fit, and compare each estimate with what came.

    By model and stage: reports, the median of the relative error, and the share of them in whose
    range the truth was; of the first job of a model, which compiles, and of the second.
    """
    from rheojobs import PRELOAD, JobEngine

    found: dict[str, Any] = {}
    tasks = (*_samplings(settings["draws"]), *_fits(settings["starts"]))
    with JobEngine("processes", max_workers=1, preload=PRELOAD) as engine:
        for name, make_task in tasks:
            for turn in range(2):
                for stage, row in _follow(engine, make_task(turn)).items():
                    found[f"{name}, {stage}, {('first', 'second')[turn]}"] = row
                say(f"{name}, job {turn + 1} of 2")
    return found


def _samplings(draws: int) -> Iterator[tuple[str, Callable[[int], Any]]]:
    from side_by_side.cases import oscillation_data, relaxation_data

    from rheojobs import SampleTask

    for model, data in zip(MODELS, (relaxation_data().thin(12), oscillation_data()), strict=True):
        make = partial(SampleTask, model, data, num_warmup=draws // 2, num_samples=draws)
        yield model, lambda turn, make=make: make(seed=turn)


def _fits(starts: int) -> Iterator[tuple[str, Callable[[int], Any]]]:
    """Give fits; the second job of each has fewer points, so that it is no repetition."""
    from side_by_side.cases import oscillation_data, without_last

    from rheojobs import FitTask

    data = oscillation_data()
    for model, config in SLOW.items():
        options = {
            "multi_start": starts,
            "weights": "relative",
            "model_config": config,
            "intervals": "profile",
        }

        def make(turn: int, model: str = model, options: dict[str, Any] = options) -> Any:
            return FitTask(model, without_last(data, 1 + 5 * turn), None, options)

        yield f"{model}, fit from {starts} starts", make


def _follow(engine: Any, task: Any) -> dict[str, dict[str, Any]]:
    from rheojobs import ProgressMade, StateChanged
    from rheojobs.engine.policy.eta import Remaining, TimeRemaining

    estimate = TimeRemaining()
    given: dict[str, list[tuple[float, Remaining]]] = defaultdict(list)
    begins: dict[str, float] = {}
    ends: dict[str, float] = {}
    is_over = threading.Event()

    def end_all_but(stage: str, now: float) -> None:
        for each in given:
            if each != stage:
                ends.setdefault(each, now)

    def take(event: object) -> None:
        if isinstance(event, StateChanged):
            end_all_but("", event.time)
            if event.state.is_terminal:
                is_over.set()
        elif isinstance(event, ProgressMade):
            progress = event.progress
            begins.setdefault(progress.stage, event.time)
            end_all_but(progress.stage, event.time)
            if progress.total <= 0:
                return
            estimate.update(progress, event.time)
            if (left := estimate.left(event.time)) is not None:
                given[progress.stage].append((event.time, left))
            if progress.current >= progress.total:
                ends.setdefault(progress.stage, event.time)

    job = engine.submit(task)
    stop = engine.subscribe(take, job=job)
    job.result(600)
    is_over.wait(60)
    stop()
    return {
        stage: _judge(reports, begins[stage], ends[stage])
        for stage, reports in given.items()
        if len(reports) >= LEAST_REPORTS
    }


def _judge(reports: list[tuple[float, Any]], begin: float, end: float) -> dict[str, Any]:
    third = begin + (end - begin) / 3
    later = [(end - now, left) for now, left in reports if third <= now < end]
    errors = [abs(left.seconds - truth) / truth for truth, left in later]
    within = [left.low <= truth <= left.high for truth, left in later]
    return {
        "seconds": end - begin,
        "reports": len(later),
        "median_error": statistics.median(errors) if later else None,
        "within_range": statistics.mean(within) if later else None,
    }


def tables(found: Mapping[str, Any]) -> list[Table]:
    """Return how good the estimates were."""
    table = Table(
        "Time remaining of real samplings and fits, from a third of each stage on",
        ["", "seconds", "reports", "median error", "truth in the range"],
    )
    for name, row in found.items():
        shares = ("median_error", "within_range")
        cells = [NONE if row[key] is None else f"{100 * row[key]:.0f} %" for key in shares]
        table.add(name, f"{row['seconds']:.1f}", str(row["reports"]), *cells)
    return [table]
