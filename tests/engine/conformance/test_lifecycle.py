"""Subscribing to an engine, and shutting it down, on every executor."""

from __future__ import annotations

import asyncio
import concurrent.futures
import logging
import threading
from collections.abc import Callable
from pathlib import Path

import pytest
from tests.engine import chores, helpers
from tests.engine.helpers import ABOVE_EXECUTORS, TIMEOUT, Recorder

from rheojobs.engine import EngineClosedError, JobEngine, JobEvent, JobState, StateChanged

S = JobState


@ABOVE_EXECUTORS
class TestSubscribers:
    def test_one_job_only_and_its_present_state_first(
        self, engine: JobEngine, recorder: Recorder, tmp_path: Path
    ) -> None:
        gate = tmp_path / "gate"
        job = engine.run(chores.hold, gate)
        recorder.wait_for(job, S.RUNNING)
        seen: list[JobEvent] = []
        unsubscribe = engine.subscribe(seen.append, job=job)
        engine.run(chores.add, 1.0).result(TIMEOUT)
        gate.touch()
        helpers.wait_until(lambda: seen and getattr(seen[-1], "state", None) is S.SUCCEEDED)
        unsubscribe()
        assert {event.job_id for event in seen} == {job.id}
        states = [(e.previous, e.state) for e in seen if isinstance(e, StateChanged)]
        assert states == [(None, S.RUNNING), (S.RUNNING, S.SUCCEEDED)]

    def test_unsubscribe(self, engine: JobEngine, recorder: Recorder) -> None:
        first: list[JobEvent] = []
        second: list[JobEvent] = []
        stop_first = engine.subscribe(first.append)
        stop_second = engine.subscribe(second.append)
        engine.submit(chores.nothing).result(TIMEOUT)
        helpers.wait_until(lambda: first and getattr(first[-1], "state", None) is S.SUCCEEDED)
        stop_first()
        stop_first()
        before = len(first)
        job = engine.submit(chores.nothing)
        job.result(TIMEOUT)
        helpers.wait_until(lambda: len(second) == before + 3 and second[-1].job_id == job.id)
        stop_second()
        assert len(first) == before > 0
        assert [e.state for e in second if e.job_id == job.id and isinstance(e, StateChanged)] == [
            S.QUEUED,
            S.RUNNING,
            S.SUCCEEDED,
        ]

    def test_unsubscribed_while_news_are_on_their_way(
        self, engine: JobEngine, recorder: Recorder
    ) -> None:
        """A subscriber that leaves takes nobody else's news along."""
        leavers: list[Callable[[], None]] = []

        def leave(event: JobEvent) -> None:
            if leavers:
                leavers.pop()()

        leavers.extend(engine.subscribe(leave) for _ in range(10))
        seen: list[JobEvent] = []
        stop = engine.subscribe(seen.append)
        jobs = [engine.run(chores.count_slowly, 3) for _ in range(10)]
        for job in jobs:
            job.result(TIMEOUT)
        for job in jobs:
            recorder.wait_for_end(job)
        helpers.wait_until(lambda: len(seen) == len(recorder.events))
        stop()
        for job in jobs:
            assert [e for e in seen if e.job_id == job.id] == recorder.of(job)
        helpers.wait_until(lambda: not leavers)

    def test_no_call_begins_after_unsubscribing(
        self, engine: JobEngine, recorder: Recorder
    ) -> None:
        go, entered = threading.Event(), threading.Event()
        seen: list[JobEvent] = []
        callers: list[threading.Thread] = []

        def slow(event: JobEvent) -> None:
            seen.append(event)
            callers.append(threading.current_thread())
            entered.set()
            go.wait(TIMEOUT)

        stop = engine.subscribe(slow)
        jobs = [engine.submit(chores.nothing) for _ in range(3)]
        assert entered.wait(TIMEOUT)
        helpers.wait_until(lambda: all(job.state is S.SUCCEEDED for job in jobs))
        mailbox = engine._bus._subscribers[None][-1].mailbox
        stopper = threading.Thread(target=stop)  # it waits for the call that is under way
        stopper.start()  # with the rest of the news on their way
        helpers.wait_until(lambda: mailbox.closed)
        go.set()
        stopper.join(TIMEOUT)
        callers[0].join(TIMEOUT)
        assert len(seen) == 1

    @pytest.mark.promise("crash-harms-one")
    @pytest.mark.parametrize("error", [ValueError, SystemExit])
    def test_one_that_raises(
        self,
        engine: JobEngine,
        recorder: Recorder,
        error: type[BaseException],
        caplog: pytest.LogCaptureFixture,
    ) -> None:
        def complain(event: JobEvent) -> None:
            raise error("I do not like it")

        stop = engine.subscribe(complain)
        seen: list[JobEvent] = []
        stop_other = engine.subscribe(seen.append)
        with caplog.at_level(logging.ERROR):
            job = engine.submit(chores.nothing)
            recorder.wait_for_end(job)
            helpers.wait_until(lambda: len(seen) == len(recorder.events))
            helpers.wait_until(lambda: caplog.text.count("a subscriber failed") == len(seen))
        stop()
        stop_other()
        assert [e for e in seen if e.job_id == job.id] == recorder.of(job)
        assert "I do not like it" in caplog.text

    @pytest.mark.promise("ui-never-held")
    def test_a_slow_one_holds_up_nobody_who_submits(self, engine: JobEngine) -> None:
        go = threading.Event()
        stop = engine.subscribe(lambda event: go.wait(TIMEOUT))
        job = engine.run(chores.add, 1.0)
        helpers.wait_until(lambda: job.state is S.SUCCEEDED)
        go.set()
        assert job.result(TIMEOUT) == 2.0
        stop()


class TestShutdown:
    def test_twice(self, new_engine: Callable[..., JobEngine]) -> None:
        engine = new_engine()
        engine.run(chores.add, 1.0).result(TIMEOUT)
        assert engine.shutdown(timeout=TIMEOUT)
        assert engine.shutdown(timeout=TIMEOUT)

    def test_without_a_single_job(self, new_engine: Callable[..., JobEngine]) -> None:
        assert new_engine().shutdown(timeout=TIMEOUT)

    def test_takes_no_more_jobs(self, new_engine: Callable[..., JobEngine]) -> None:
        engine = new_engine()
        engine.shutdown()
        with pytest.raises(EngineClosedError, match="shut down"):
            engine.submit(chores.nothing)
        with pytest.raises(RuntimeError):
            engine.as_executor().submit(chores.nothing)
        assert engine.active_count() == 0

    def test_cancels_what_runs_and_what_waits(self, new_engine: Callable[..., JobEngine]) -> None:
        engine = new_engine(2)
        recorder = Recorder(engine)
        running = [engine.submit(chores.hold) for _ in range(2)]
        for job in running:
            recorder.wait_for(job, S.RUNNING)
        running[1].pause()
        recorder.wait_for(running[1], S.PAUSED)
        waiting = engine.submit(chores.nothing)
        blocked = engine.submit(chores.nothing, after=[running[0]])
        assert engine.shutdown(timeout=TIMEOUT)
        for job in [*running, waiting, blocked]:
            assert recorder.states(job)[-1] is S.CANCELLED  # told before shutdown returns
            assert job.cancelled()
        assert S.RUNNING not in recorder.states(waiting)
        assert S.RUNNING not in recorder.states(blocked)

    def test_right_after_submitting(self, new_engine: Callable[..., JobEngine]) -> None:
        engine = new_engine(2)
        jobs = [engine.submit(chores.hold) for _ in range(5)]
        assert engine.shutdown(timeout=TIMEOUT)
        assert all(job.cancelled() for job in jobs)

    def test_in_the_background(self, new_engine: Callable[..., JobEngine]) -> None:
        engine = new_engine()
        job = engine.submit(chores.hold)
        helpers.wait_until(lambda: job.state is S.RUNNING)
        go = threading.Event()
        shutdown = engine.executor.shutdown

        def take_long(timeout: float) -> bool:
            go.wait(TIMEOUT)
            return shutdown(timeout)

        engine.executor.shutdown = take_long  # type: ignore[method-assign]
        assert not engine.shutdown(wait=False)
        assert engine.wait(TIMEOUT)
        assert not engine.shutdown(timeout=0.05)  # the jobs have ended, the executor has not
        go.set()
        assert engine.shutdown(timeout=TIMEOUT)
        assert job.cancelled()
        assert not engine._dispatcher.is_alive()
        assert not engine._bus._thread.is_alive()

    def test_from_a_subscriber(self, new_engine: Callable[..., JobEngine]) -> None:
        engine = new_engine()
        answers: list[bool] = []
        holding = engine.submit(chores.hold)

        def close(event: JobEvent) -> None:
            if isinstance(event, StateChanged) and event.state is S.SUCCEEDED:
                answers.append(engine.shutdown(timeout=TIMEOUT))

        engine.subscribe(close)
        engine.submit(chores.nothing)
        helpers.wait_until(lambda: answers)
        assert answers == [True]
        with pytest.raises(concurrent.futures.CancelledError):
            holding.result(TIMEOUT)

    @pytest.mark.promise("nothing-left-behind")
    def test_leaves_no_thread(self, executor_name: str) -> None:
        before = set(threading.enumerate())
        engine = JobEngine(helpers.EXECUTORS[executor_name](2))
        job = engine.run(chores.count_slowly, 50)
        job.result(TIMEOUT)
        holding = engine.submit(chores.hold)
        helpers.wait_until(lambda: holding.state is S.RUNNING)
        assert {t for t in threading.enumerate() if t not in before}
        assert engine.shutdown(timeout=TIMEOUT)
        helpers.wait_until(lambda: not set(threading.enumerate()) - before, timeout=5.0)

    def test_events_after_it(self, new_engine: Callable[..., JobEngine]) -> None:
        engine = new_engine()
        job = engine.run(chores.add, 1.0)
        job.result(TIMEOUT)
        engine.shutdown(timeout=TIMEOUT)

        async def main() -> list[object]:
            return [event async for event in job.events()]

        (event,) = asyncio.run(asyncio.wait_for(main(), 5.0))
        assert isinstance(event, StateChanged)
        assert event.state is S.SUCCEEDED

    def test_context_manager(self, executor_name: str) -> None:
        with JobEngine(helpers.EXECUTORS[executor_name](1)) as engine:
            job = engine.run(chores.add, 1.0)
            assert job.result(TIMEOUT) == 2.0
        with pytest.raises(EngineClosedError):
            engine.submit(chores.nothing)
