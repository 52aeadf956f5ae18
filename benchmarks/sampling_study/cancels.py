"""How long a cancel takes: from `job.cancel()` to the terminal event, at random moments.

Half of the jobs are of a kind that was never run before, so that they compile; each such kind is
used once. The moment is drawn evenly from the time that a job of its kind takes.
"""

from __future__ import annotations

import contextlib
import itertools
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import psutil
from side_by_side.cases import without_last
from side_by_side.machine import wait_until_quiet

from rheojobs import Dataset, JobEngine, SampleTask
from rheojobs.inference.readiness.warm_up import PRELOAD
from sampling_study.cases import SamplingCase
from sampling_study.study import Study

__all__ = ["cancel_at_random"]

LONG_JOB = 3.0
"""Seconds that a compiled job is made to last, so that most moments fall into its chains."""

MAX_DRAWS = 5000
"""Of each chain, at most, to make it last so long: what a person would ask for."""

GIVE_UP = 30.0
SETTLING = 0.3
"""Seconds after the end in which it shows what became of the worker."""

SEED = 20240301
LIKELIHOODS = ("constant", "relative", "student_t", "relative_student_t")


@dataclass
class _Watch:
    """Notes what an engine tells of one job."""

    stage: str = "waiting"
    state: str = ""
    ended_at: float = 0.0
    started: threading.Event = field(default_factory=threading.Event)
    ended: threading.Event = field(default_factory=threading.Event)

    def __call__(self, event: Any) -> None:
        now = time.perf_counter()
        progress, state = getattr(event, "progress", None), getattr(event, "state", None)
        if progress is not None:
            self.stage = progress.stage or self.stage
        elif state is not None:
            if state.name == "RUNNING":
                self.started.set()
            if state.is_terminal:
                self.state, self.ended_at = state.name, now
                self.ended.set()


def _seconds_by_worker() -> dict[int, float]:
    """Give the processor time that each child process has used."""
    used = {}
    for child in psutil.Process().children(recursive=True):
        with contextlib.suppress(psutil.Error):
            times = child.cpu_times()
            used[child.pid] = times.user + times.system
    return used


def _task(
    case: SamplingCase, data: Dataset, likelihood: str, draws: int, seed: int, start: Any
) -> SampleTask:
    return SampleTask(
        case.case.model,
        data,
        500,
        draws,
        4,
        warm_start=start,
        priors=dict(case.case.priors) if likelihood == "constant" else None,
        seed=seed,
        model_config=dict(case.case.config),
        likelihood=likelihood,
    )


def _new_kinds(study: Study) -> Iterator[tuple[SamplingCase, Dataset, str]]:
    """Give jobs that compile: models, likelihoods and lengths that no other job has."""
    lengths = (0.05, 0.2, 0.35, 0.55, 0.75, 0.9)
    kinds = list(itertools.product(study.models, LIKELIHOODS, lengths))
    for index in np.random.default_rng(SEED).permutation(len(kinds)):
        model, likelihood, share = kinds[int(index)]
        case = study.case(model)
        data = case.case.data
        yield case, without_last(data, max(1, int(share * len(data)))), likelihood


class _Canceller:
    """Submits jobs, cancels them, and takes the time."""

    def __init__(self, study: Study, engine: JobEngine) -> None:
        self._study, self._engine = study, engine
        self._random = np.random.default_rng(SEED)

    def run(self, task: SampleTask) -> tuple[float, str]:
        """Let a job end by itself; gives seconds and the state."""
        wait_until_quiet()
        began = time.perf_counter()
        job = self._engine.submit(task)
        watch = _Watch()
        self._engine.subscribe(watch, job=job)
        watch.ended.wait(120.0)
        job.forget()
        return watch.ended_at - began, watch.state

    def cancel(self, task: SampleTask, span: float) -> dict[str, Any] | None:
        """Cancel a job at a random moment of its life; None where it ended before."""
        wait_until_quiet()
        before = _seconds_by_worker()
        moment = float(self._random.uniform(0.0, span))
        began = time.perf_counter()
        job = self._engine.submit(task)
        watch = _Watch()
        unsubscribe = self._engine.subscribe(watch, job=job)
        if watch.ended.wait(max(0.0, began + moment - time.perf_counter())):
            unsubscribe()
            job.forget()
            return None
        stage = watch.stage
        asked = time.perf_counter()
        job.cancel()
        returned = time.perf_counter()
        ended = watch.ended.wait(GIVE_UP)
        latency = (watch.ended_at if ended else time.perf_counter()) - asked
        unsubscribe()
        job.forget()
        at_end = _seconds_by_worker()
        time.sleep(SETTLING)  # the process of a worker that was killed is gone by then
        later = _seconds_by_worker()
        return {
            "moment": moment,
            "stage": stage,
            "latency": latency,
            "call": returned - asked,
            "state": watch.state if ended else "no end",
            "killed": bool(before.keys() - later.keys()),
            "went_on": any(
                later[pid] - at_end[pid] > SETTLING / 3
                for pid in before.keys() & at_end.keys() & later.keys()
            ),
        }


def cancel_at_random(study: Study) -> dict[str, Any]:
    """Cancel jobs at random moments, those of known and those of new kinds in turn."""
    cases = [study.case(model) for model in study.models]
    rows: list[dict[str, Any]] = []
    with JobEngine("processes", preload=PRELOAD) as engine:
        canceller = _Canceller(study, engine)
        long = {case.case.model: _long(canceller, case) for case in cases}
        draws = {model: count for model, (count, _) in long.items()}
        kinds = _new_kinds(study)
        spans = {case.case.model: _compiling(canceller, case) for case in cases}
        number = tries = 0
        while len(rows) < study.cancels and tries < 3 * study.cancels:
            tries += 1
            if tries % 2:
                case = cases[number % len(cases)]
                number += 1
                model = case.case.model
                task = _task(case, case.case.data, "constant", draws[model], tries, case.start)
                row, kind = canceller.cancel(task, long[model][1]), "compiled"
            else:
                try:
                    case, data, likelihood = next(kinds)
                except StopIteration:
                    continue
                model = case.case.model
                task = _task(case, data, likelihood, draws[model], tries, case.start)
                row, kind = canceller.cancel(task, spans[model]), "new"
            if row is not None:
                rows.append({"model": model, "kind": kind, **row})
                study.say(
                    f"  cancel {len(rows)}: {model}, {kind}, in {row['stage']}: "
                    f"{1000 * row['latency']:.0f} ms{', killed' if row['killed'] else ''}"
                )
    return {"rows": rows, "draws": draws, "spans": spans}


def _long(canceller: _Canceller, case: SamplingCase) -> tuple[int, float]:
    """Find how many draws make a compiled job last about `LONG_JOB`, and how long; compiles it."""
    data, start = case.case.data, case.start
    canceller.run(_task(case, data, "constant", 500, 0, start))
    seconds, _ = canceller.run(_task(case, data, "constant", 2000, 1, start))
    each = seconds / 2500
    draws = int(np.clip(LONG_JOB / each, 1000, MAX_DRAWS))
    return draws, each * (500 + draws)


def _compiling(canceller: _Canceller, case: SamplingCase) -> float:
    """Find how long a job takes that compiles: the end of its random moments."""
    data = without_last(case.case.data, max(1, int(0.45 * len(case.case.data))))
    seconds, _ = canceller.run(_task(case, data, "relative_student_t", 500, 0, case.start))
    return seconds + LONG_JOB / 2
