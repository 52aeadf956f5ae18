"""Ways to be told, and what a slow subscriber loses, on every executor."""

from __future__ import annotations

import asyncio
import queue
import threading
from collections.abc import Callable
from pathlib import Path

import pytest
from tests.engine import chores, helpers
from tests.engine.helpers import ABOVE_EXECUTORS, TIMEOUT, Recorder

from rheojobs.engine import (
    JobEngine,
    JobEvent,
    JobState,
    PartialResult,
    Progress,
    ProgressMade,
    StateChanged,
    TaskContext,
)

S = JobState


def many_partials(context: TaskContext, count: int) -> str:
    """Give partial results one after another."""
    for number in range(count):
        context.partial(number)
    return "whole"


def many_stages(context: TaskContext, count: int) -> str:
    """Report twice from each of many stages: a change of the stage is passed on at once."""
    for number in range(count):
        context.progress(1, 2, stage=f"{number % 2}")
        context.progress(2, 2, stage=f"{number % 2}")
    return "whole"


def states_of(events: list[JobEvent], job_id: str) -> list[JobState]:
    return [e.state for e in events if isinstance(e, StateChanged) and e.job_id == job_id]


@ABOVE_EXECUTORS
class TestPresentState:
    def test_of_all_jobs_first(self, new_engine: Callable[..., JobEngine], tmp_path: Path) -> None:
        engine = new_engine(1)
        recorder = Recorder(engine)
        gate = tmp_path / "gate"
        ended = engine.run(chores.count_slowly, 3)
        ended.result(TIMEOUT)
        running = engine.run(chores.hold, gate)
        waiting = engine.submit(chores.nothing)
        recorder.wait_for(running, S.RUNNING)
        seen: list[JobEvent] = []
        stop = engine.subscribe(seen.append, present=True)
        gate.touch()
        helpers.wait_until(lambda: states_of(seen, waiting.id)[-1:] == [S.SUCCEEDED])
        stop()
        first = seen[:4]
        assert [(e.job_id, e.state) for e in first if isinstance(e, StateChanged)] == [
            (ended.id, S.SUCCEEDED),
            (running.id, S.RUNNING),
            (waiting.id, S.QUEUED),
        ]
        told = [e.progress for e in first if isinstance(e, ProgressMade)]
        assert told == [Progress(3, 3, "step 3", metrics={"loss": 1 / 3})]
        assert states_of(seen, ended.id) == [S.SUCCEEDED]  # and nothing from before again
        assert states_of(seen, waiting.id) == [S.QUEUED, S.RUNNING, S.SUCCEEDED]

    def test_after_the_shutdown(self, new_engine: Callable[..., JobEngine]) -> None:
        engine = new_engine(1)
        job = engine.submit(chores.nothing)
        job.result(TIMEOUT)
        engine.shutdown(timeout=TIMEOUT)
        seen: list[JobEvent] = []
        engine.subscribe(seen.append, present=True)
        helpers.wait_until(lambda: states_of(seen, job.id) == [S.SUCCEEDED])


@ABOVE_EXECUTORS
class TestNames:
    def test_are_told_though_the_job_is_forgotten(self, engine: JobEngine) -> None:
        go, seen = threading.Event(), []

        def slow(event: JobEvent) -> None:
            go.wait(TIMEOUT)
            seen.append(event)

        stop = engine.subscribe(slow)
        job = engine.submit(chores.nothing, name="short")
        job.result(TIMEOUT)
        job.forget()
        go.set()
        helpers.wait_until(lambda: states_of(seen, job.id)[-1:] == [S.SUCCEEDED])
        stop()
        assert seen[0].name == "short"


@ABOVE_EXECUTORS
class TestQueues:
    @pytest.mark.parametrize("make", [queue.Queue, queue.SimpleQueue])
    def test_events_are_put_into_it(
        self, engine: JobEngine, make: Callable[[], queue.Queue[JobEvent]]
    ) -> None:
        events = make()
        stop = engine.subscribe(events)
        job = engine.run(chores.add, 1.0)
        seen: list[JobEvent] = []
        while states_of(seen, job.id)[-1:] != [S.SUCCEEDED]:
            seen.append(events.get(timeout=TIMEOUT))
        stop()
        assert states_of(seen, job.id) == [S.QUEUED, S.RUNNING, S.SUCCEEDED]
        assert job.result(0) == 2.0  # who is told of the end may ask


@ABOVE_EXECUTORS
class TestAsyncFor:
    def test_all_jobs_until_the_engine_is_shut_down(
        self, new_engine: Callable[..., JobEngine]
    ) -> None:
        engine = new_engine(1)
        early = engine.submit(chores.nothing)
        early.result(TIMEOUT)

        async def main() -> list[JobEvent]:
            seen = []
            late = None
            async for event in engine.events():
                seen.append(event)
                if late is None:
                    late = engine.run(chores.add, 1.0)
                elif states_of(seen, late.id)[-1:] == [S.SUCCEEDED]:
                    assert late.result(0) == 2.0
                    threading.Thread(target=engine.shutdown).start()
            return seen

        seen = asyncio.run(asyncio.wait_for(main(), TIMEOUT))
        assert states_of(seen, early.id) == [S.SUCCEEDED]
        assert len([e for e in seen if e.job_id != early.id]) == 3


@ABOVE_EXECUTORS
class TestSlowSubscribers:
    def test_hold_up_nobody_else(self, engine: JobEngine) -> None:
        go = threading.Event()
        stop_slow = engine.subscribe(lambda event: go.wait(TIMEOUT))
        recorder = Recorder(engine)
        job = engine.run(chores.add, 1.0)
        assert recorder.wait_for_end(job) == [S.QUEUED, S.RUNNING, S.SUCCEEDED]
        assert job.result(TIMEOUT) == 2.0
        assert engine.wait(TIMEOUT)
        go.set()
        stop_slow()
        recorder.unsubscribe()

    def test_lose_reports_but_neither_states_nor_the_newest(self, engine: JobEngine) -> None:
        go = threading.Event()
        seen: list[JobEvent] = []

        def slow(event: JobEvent) -> None:
            go.wait(TIMEOUT)
            seen.append(event)

        stop = engine.subscribe(slow)
        jobs = [
            engine.run(many_partials, 300),
            engine.run(many_stages, 100),
            engine.run(chores.nothing),
        ]
        for job in jobs:
            job.result(TIMEOUT)
        go.set()
        for job in jobs:
            helpers.wait_until(lambda job=job: states_of(seen, job.id)[-1:] == [S.SUCCEEDED])
            assert states_of(seen, job.id) == [S.QUEUED, S.RUNNING, S.SUCCEEDED]
        stop()
        values = [e.value for e in seen if isinstance(e, PartialResult)]
        assert values[-1] == 299
        assert len(values) < 30
        assert values == sorted(values)
        reports = [e.progress for e in seen if isinstance(e, ProgressMade)]
        assert {p.stage: p.current for p in reports} == {"0": 2, "1": 2}
        assert len(reports) < 60
        last = {e.job_id: e for e in seen}
        assert all(isinstance(last[job.id], StateChanged) for job in jobs)

    def test_are_called_with_the_end_before_shutdown_returns(
        self, new_engine: Callable[..., JobEngine]
    ) -> None:
        engine = new_engine(1)
        seen: list[JobEvent] = []

        def slow(event: JobEvent) -> None:
            threading.Event().wait(0.02)
            seen.append(event)

        engine.subscribe(slow)
        jobs = [engine.submit(chores.nothing) for _ in range(5)]
        for job in jobs:
            job.result(TIMEOUT)
        assert engine.shutdown(timeout=TIMEOUT)
        assert [states_of(seen, job.id)[-1] for job in jobs] == [S.SUCCEEDED] * 5
