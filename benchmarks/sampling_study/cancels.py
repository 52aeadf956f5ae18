"""How long a cancel takes: from `job.cancel()` to the terminal event, at random moments.

Half of the jobs are of a kind that was never run before, so that they compile; each such kind is
used once. The moment is drawn evenly from the time that a job of its kind takes.
"""

from __future__ import annotations

import itertools
import math
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

import numpy as np
from side_by_side.cases import Case, without_last
from side_by_side.cases import case as case_of
from side_by_side.measure import children, cpu_seconds, wait_until_quiet
from side_by_side.table import Table

from rheojobs import PRELOAD, Dataset, JobEngine, SampleTask

__all__ = ["measure", "tables"]

LONG_JOB = 3.0
"""Seconds that a compiled job is made to last, so that most moments fall into its chains."""

MAX_DRAWS = 5000
"""Of each chain, at most, to make it last so long: what a person would ask for."""

GIVE_UP = 30.0
SETTLING = 0.3
"""Seconds after the end in which it shows what became of the worker."""

SEED = 20240301
LIKELIHOODS = ("constant", "relative", "student_t", "relative_student_t")
LENGTHS = (0.05, 0.2, 0.35, 0.55, 0.75, 0.9)
STAGES = ("waiting", "prepare", "compile", "warmup", "sampling", "summary")


class _Watch:
    """Notes the stage and the end of one job, which it submits."""

    def __init__(self, engine: JobEngine, task: SampleTask) -> None:
        self.stage, self.state, self.ended_at = "waiting", "", 0.0
        self.ended = threading.Event()
        self.began = time.perf_counter()
        self.job = engine.submit(task)
        engine.subscribe(self._take, job=self.job)

    def _take(self, event: Any) -> None:
        now = time.perf_counter()
        progress, state = getattr(event, "progress", None), getattr(event, "state", None)
        if progress is not None:
            self.stage = progress.stage or self.stage
        elif state is not None and state.is_terminal:
            self.state, self.ended_at = state.name, now
            self.ended.set()


def _task(case: Case, data: Dataset, likelihood: str, draws: int, seed: int) -> SampleTask:
    return SampleTask(
        case.model,
        data,
        num_warmup=500,
        num_samples=draws,
        num_chains=4,
        warm_start=case.start,
        priors=dict(case.priors) if likelihood == "constant" else None,
        seed=seed,
        model_config=dict(case.config),
        likelihood=likelihood,
    )


def _shortened(case: Case, share: float) -> Dataset:
    return without_last(case.data, max(1, int(share * len(case.data))))


def _new_kinds(cases: list[Case]) -> Iterator[tuple[Case, Dataset, str]]:
    """Give jobs that compile: models, likelihoods and lengths that no other job has."""
    kinds = list(itertools.product(cases, LIKELIHOODS, LENGTHS))
    for index in np.random.default_rng(SEED).permutation(len(kinds)):
        case, likelihood, share = kinds[int(index)]
        yield case, _shortened(case, share), likelihood


def _run(engine: JobEngine, task: SampleTask) -> float:
    """Let a job end by itself; return the seconds."""
    wait_until_quiet()
    watch = _Watch(engine, task)
    watch.ended.wait(120.0)
    watch.job.forget()
    return watch.ended_at - watch.began


def _cancel(engine: JobEngine, task: SampleTask, moment: float) -> dict[str, Any] | None:
    """Cancel a job so long after its submission; None if it has ended before."""
    wait_until_quiet()
    before = set(children())
    watch = _Watch(engine, task)
    if watch.ended.wait(max(0.0, watch.began + moment - time.perf_counter())):
        watch.job.forget()
        return None
    stage, asked = watch.stage, time.perf_counter()
    watch.job.cancel()
    returned = time.perf_counter()
    ended = watch.ended.wait(GIVE_UP)
    latency = (watch.ended_at if ended else time.perf_counter()) - asked
    watch.job.forget()
    used = {process: cpu_seconds([process]) for process in before}
    time.sleep(SETTLING)  # the process of a worker that was killed is gone by then
    left = before & set(children())
    return {
        "stage": stage,
        "latency": latency,
        "call": returned - asked,
        "state": watch.state if ended else "no end",
        "killed": len(left) < len(before),
        "went_on": any(cpu_seconds([each]) - used[each] > SETTLING / 3 for each in left),
    }


def measure(
    settings: Mapping[str, Any], folder: Path, say: Callable[[str], None]
) -> dict[str, Any]:
    """Cancel jobs at random moments, those of known and those of new kinds in turn."""
    cases = [case_of(model) for model in settings["models"]]
    wanted, random = settings["cancels"], np.random.default_rng(SEED)
    rows: list[dict[str, Any]] = []
    with JobEngine("processes", preload=PRELOAD) as engine:
        draws, spans = {}, {}
        for case in cases:
            _run(engine, _task(case, case.data, "constant", 500, 0))  # compiles
            each = _run(engine, _task(case, case.data, "constant", 2000, 1)) / 2500
            draws[case.model] = int(np.clip(LONG_JOB / each, 1000, MAX_DRAWS))
            new = _task(case, _shortened(case, 0.45), "relative_student_t", 500, 0)
            spans[case.model] = {
                "compiled": each * (500 + draws[case.model]),
                "new": _run(engine, new) + LONG_JOB / 2,
            }
        known = ((case, case.data, "constant") for case in itertools.cycle(cases))
        kinds = itertools.cycle([("compiled", known), ("new", _new_kinds(cases))])
        for seed in range(3 * wanted):
            kind, jobs = next(kinds)
            if len(rows) == wanted or (job := next(jobs, None)) is None:
                continue
            case, data, likelihood = job
            task = _task(case, data, likelihood, draws[case.model], seed)
            row = _cancel(engine, task, random.uniform(0.0, spans[case.model][kind]))
            if row is not None:
                rows.append({"model": case.model, "kind": kind, **row})
                end = ", killed" if row["killed"] else ""
                milliseconds = 1000 * row["latency"]
                say(f"{case.model}, {kind}, in {row['stage']}: {milliseconds:.0f} ms{end}")
    return {"rows": rows, "draws": draws}


def tables(found: Mapping[str, Any]) -> list[Table]:
    """Show how long cancels took: all of them, by kind of job, and by stage."""
    rows = found["rows"]
    columns = ["job", "cancels", "median", "95th percentile", "max"]
    columns += ["worker killed", "worker continues", "ended anyway"]
    title = f"{len(rows)} cancels at random moments, from job.cancel() to the terminal event / ms"
    table = Table(title, columns)
    stages = sorted({row["stage"] for row in rows} - set(STAGES))
    groups = {
        "all": rows,
        "compiled before": [row for row in rows if row["kind"] == "compiled"],
        "of a new kind: compiles": [row for row in rows if row["kind"] == "new"],
    } | {f"last stage: {s}": [row for row in rows if row["stage"] == s] for s in (*STAGES, *stages)}
    for label, members in groups.items():
        if members:
            times = np.array([1000 * row["latency"] for row in members])
            counts = [
                sum(row["killed"] for row in members),
                sum(row["went_on"] for row in members),
                sum(row["state"] != "CANCELLED" for row in members),
            ]
            shown = (np.median(times), np.percentile(times, 95), times.max(), *counts)
            table.add(label, str(len(members)), *(f"{value:.0f}" for value in shown))
    within = sum(row["latency"] <= 0.25 for row in rows)
    calls = max((row["call"] for row in rows), default=math.nan)
    lengths = ", ".join(f"{model} {count}" for model, count in found["draws"].items())
    table.notes = [
        f"Jobs of 4 chains with 500 steps of warm-up; draws of each chain: {lengths}.",
        f"Within 250 ms: {within} of {len(rows)}.",
        "“Worker continues”: the job has ended for its owner while its process finishes what it "
        "cannot break off, such as a compilation.",
        f"The call job.cancel() itself returned after at most {1000 * calls:.1f} ms.",
    ]
    return [table]
