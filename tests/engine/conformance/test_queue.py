"""The whole queue held and let go, on every executor."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from tests.engine import chores
from tests.engine.helpers import TIMEOUT, Recorder

from rheojobs.engine import JobEngine, JobState

S = JobState


def test_nothing_new_starts(new_engine: Callable[..., JobEngine], tmp_path: Path) -> None:
    engine = new_engine(2)
    recorder = Recorder(engine)
    gate = tmp_path / "gate"
    running = engine.run(chores.hold, gate)
    recorder.wait_for(running, S.RUNNING)
    engine.pause_queue()
    waiting = engine.submit(chores.nothing)
    blocked = engine.submit(chores.nothing, after=[running])
    gate.touch()
    assert running.result(TIMEOUT) == "through"  # those that run go on
    recorder.wait_for(blocked, S.QUEUED)  # and those that hang on them get in line
    assert waiting.state is S.QUEUED
    cancelled = engine.submit(chores.nothing)
    assert cancelled.cancel()
    assert recorder.wait_for_end(cancelled) == [S.QUEUED, S.CANCELLED]
    engine.resume_queue()
    assert waiting.result(TIMEOUT) is None
    assert blocked.result(TIMEOUT) is None


def test_those_that_run_too(new_engine: Callable[..., JobEngine]) -> None:
    engine = new_engine(3)
    recorder = Recorder(engine)
    jobs = [engine.submit(chores.hold) for _ in range(2)]
    for job in jobs:
        recorder.wait_for(job, S.RUNNING)
    jobs[0].pause()
    recorder.wait_for(jobs[0], S.PAUSED)
    engine.pause_queue(running=True)
    recorder.wait_for(jobs[1], S.PAUSED)
    engine.resume_queue()
    recorder.wait(lambda: recorder.states(jobs[1])[-1] is S.RUNNING)
    assert engine.submit(chores.nothing).result(TIMEOUT) is None
    assert jobs[0].state is S.PAUSED  # its owner has paused it, and alone lets it go on
    engine.cancel_all()


def test_one_of_them_let_go_on_by_hand(new_engine: Callable[..., JobEngine]) -> None:
    engine = new_engine(1)
    recorder = Recorder(engine)
    job = engine.submit(chores.hold)
    recorder.wait_for(job, S.RUNNING)
    engine.pause_queue(running=True)
    recorder.wait_for(job, S.PAUSED)
    assert job.resume()
    recorder.wait(lambda: recorder.states(job)[-1] is S.RUNNING)
    assert job.pause()
    recorder.wait(lambda: recorder.states(job).count(S.PAUSED) == 2)
    engine.resume_queue()
    assert job.state is S.PAUSED
    job.cancel()
    assert recorder.wait_for_end(job)[-1] is S.CANCELLED


def test_no_prewarming_either(new_engine: Callable[..., JobEngine]) -> None:
    engine = new_engine(1)
    engine.pause_queue()
    job = engine.prewarm(chores.nothing)
    marker = engine.submit(chores.nothing)
    marker.cancel()
    assert job.state is S.QUEUED
    engine.resume_queue()
    assert job.result(TIMEOUT) is None


def test_a_shutdown_does_not_wait_for_it(new_engine: Callable[..., JobEngine]) -> None:
    engine = new_engine(1)
    engine.pause_queue()
    job = engine.submit(chores.nothing)
    assert engine.shutdown(timeout=TIMEOUT)
    assert job.cancelled()
