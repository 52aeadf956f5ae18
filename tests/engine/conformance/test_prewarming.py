"""A prewarming is nobody's job: unseen, last in line, and gone as soon as a job is there."""

from __future__ import annotations

import os
import time
from dataclasses import dataclass
from pathlib import Path

import pytest
from tests.engine.helpers import TIMEOUT, Recorder, wait_until

from rheojobs.engine import EngineClosedError, JobEngine, JobState, TaskContext
from rheojobs.engine.executors.processes import pool as processes


@dataclass
class Preparing:
    """Prepares until it is asked to stop, which it hears after `deaf` seconds at the earliest."""

    started: Path
    affinity: str = ""
    deaf: float = 0.0

    def run(self, context: TaskContext) -> None:
        self.started.write_text(str(os.getpid()))
        time.sleep(self.deaf)
        deadline = time.monotonic() + TIMEOUT
        while time.monotonic() < deadline:
            context.check()
            time.sleep(0.01)


@dataclass
class Working:
    """Tells in which process it runs."""

    affinity: str = ""

    def run(self, context: TaskContext) -> int:
        return os.getpid()


def test_it_runs_where_there_is_nothing_else_to_do(engine: JobEngine, recorder: Recorder):
    job = engine.prewarm(lambda: 6 * 7)
    assert job.result(TIMEOUT) == 42
    recorder.flush()
    assert recorder.of(job) == []


def test_nobody_sees_it(engine: JobEngine, recorder: Recorder, tmp_path: Path):
    started = tmp_path / "started"
    job = engine.prewarm(Preparing(started))
    wait_until(started.exists)
    assert engine.active_count() == 0
    assert engine.wait(0)
    assert engine.jobs() == []
    with pytest.raises(KeyError):
        engine.job(job.id)
    states: list[JobState] = []
    engine.subscribe(lambda event: states.append(event.state), job=job)
    assert job.cancel()
    wait_until(job.done)
    wait_until(lambda: states[-1:] == [JobState.CANCELLED])
    recorder.flush()
    assert recorder.of(job) == []


def test_a_job_of_its_kind_gets_its_worker(new_engine, tmp_path: Path):
    engine, started = new_engine(2), tmp_path / "started"
    job = engine.prewarm(Preparing(started, "maxwell"))
    wait_until(started.exists)
    assert engine.submit(Working("maxwell")).result(TIMEOUT) == int(started.read_text())
    assert job.cancelled()


def test_it_is_given_time_to_stop_since_its_worker_is_wanted(
    new_engine, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(processes, "CANCEL_GRACE", 0.2)
    engine, started = new_engine(1), tmp_path / "started"
    engine.prewarm(Preparing(started, "maxwell", deaf=1.0))
    wait_until(started.exists)
    assert engine.submit(Working("maxwell")).result(TIMEOUT) == int(started.read_text())


def test_the_only_worker_is_given_to_a_job_of_another_kind(new_engine, tmp_path: Path):
    engine, started = new_engine(1), tmp_path / "started"
    job = engine.prewarm(Preparing(started, "maxwell"))
    wait_until(started.exists)
    assert engine.submit(Working("burgers")).result(TIMEOUT) > 0
    assert job.cancelled()


def test_a_job_that_waits_goes_first(new_engine, tmp_path: Path):
    engine, started, second = new_engine(1), tmp_path / "started", tmp_path / "second"
    running = engine.submit(Preparing(started))
    wait_until(started.exists)
    job = engine.prewarm(Preparing(second))
    waiting = engine.submit(Working())
    running.cancel()
    assert waiting.result(TIMEOUT) > 0
    wait_until(job.done)
    assert job.cancelled()
    assert not second.exists()


def test_a_new_one_takes_its_place(engine: JobEngine, tmp_path: Path):
    started = tmp_path / "started"
    first = engine.prewarm(Preparing(started, "maxwell"))
    wait_until(started.exists)
    assert engine.prewarm(lambda: 1).result(TIMEOUT) == 1
    wait_until(first.done)
    assert first.cancelled()


def test_what_it_fails_with_is_its_own_affair(engine: JobEngine, recorder: Recorder):
    job = engine.prewarm(lambda: 1 / 0)
    assert isinstance(job.exception(TIMEOUT), ZeroDivisionError)
    recorder.flush()
    assert recorder.of(job) == []


def test_a_shutdown_ends_it(new_engine, tmp_path: Path):
    engine, started = new_engine(1), tmp_path / "started"
    job = engine.prewarm(Preparing(started))
    wait_until(started.exists)
    assert engine.shutdown(timeout=TIMEOUT)
    assert job.cancelled()
    with pytest.raises(EngineClosedError):
        engine.prewarm(lambda: None)
