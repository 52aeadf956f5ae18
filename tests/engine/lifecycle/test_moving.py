"""Jobs that are sent to another executor, with none of them lost or run twice."""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.engine import chores
from tests.engine.helpers import TIMEOUT, wait_until

from rheojobs.engine import JobEngine, JobState
from rheojobs.engine.errors import EngineClosedError
from rheojobs.engine.executors import Executor, ProcessExecutor, ThreadExecutor
from rheojobs.engine.store import JobStore
from rheojobs.engine.task import TaskContext
from rheojobs.errors import InputError


@pytest.fixture
def engine() -> Iterator[JobEngine]:
    engine = JobEngine("threads", max_workers=1)
    yield engine
    assert engine.shutdown(timeout=TIMEOUT)


@pytest.fixture
def spare() -> Iterator[Executor]:
    """Three threads, to move to."""
    executor = ThreadExecutor(3)
    yield executor
    assert executor.shutdown(TIMEOUT)


def prepare(context: TaskContext) -> None:
    while True:
        context.check()
        time.sleep(0.005)


def test_jobs_that_wait_and_jobs_to_come_run_there(engine: JobEngine) -> None:
    assert engine.run(os.getpid).result(TIMEOUT) == os.getpid()
    engine.pause_queue()
    waiting = engine.run(os.getpid)
    engine.move_to(ProcessExecutor(1))
    assert waiting.state is JobState.QUEUED, "the queue is paused as before"
    engine.resume_queue()
    found = waiting.result(TIMEOUT)
    assert found != os.getpid()
    assert engine.run(os.getpid).result(TIMEOUT) == found


def test_there_run_as_many_at_a_time_as_there_is_room_for(
    engine: JobEngine, spare: Executor
) -> None:
    engine.move_to(spare)
    together = threading.Barrier(3)
    jobs = [engine.run(together.wait, TIMEOUT) for _ in range(3)]
    assert sorted(job.result(TIMEOUT) for job in jobs) == [0, 1, 2]
    engine.move_to(ThreadExecutor(1))
    counts = [engine.run(chores.add, 1.0) for _ in range(4)]
    assert [job.result(TIMEOUT) for job in counts] == [2.0] * 4


def test_a_job_that_runs_is_not_disturbed(engine: JobEngine, spare: Executor) -> None:
    go = threading.Event()
    job = engine.run(go.wait)
    wait_until(job.running)
    before = engine.executor
    with pytest.raises(InputError, match="1 job runs still: wait until all have ended"):
        engine.move_to(spare)
    assert engine.executor is before
    go.set()
    assert job.result(TIMEOUT)
    assert engine.run(chores.add, 1.0).result(TIMEOUT) == 2.0
    assert engine.wait(TIMEOUT)
    engine.move_to(spare)
    assert engine.executor is spare


def test_what_only_prepares_gives_way(engine: JobEngine, spare: Executor) -> None:
    preparing = engine.prewarm(prepare)
    wait_until(preparing.running)
    engine.move_to(spare)
    assert preparing.state is JobState.CANCELLED
    assert engine.run(chores.add, 1.0).result(TIMEOUT) == 2.0


def test_a_job_that_would_never_start_there_is_named(spare: Executor) -> None:
    with JobEngine("threads", max_workers=4) as engine:
        engine.pause_queue()
        engine.submit(chores.add, resources={"worker": 4}, name="wide")
        with pytest.raises(InputError, match="'wide' needs 4 workers, there are 3 there"):
            engine.move_to(spare)
        engine.cancel_all()


def test_an_engine_that_is_shut_down_moves_nowhere(spare: Executor) -> None:
    engine = JobEngine("threads", max_workers=1)
    engine.shutdown()
    with pytest.raises(EngineClosedError):
        engine.move_to(spare)


class Far(ThreadExecutor):
    """Threads that pass for a cluster, on which runs go on when the application is gone."""

    cluster_address = "tcp://127.0.0.1:9"


def test_the_store_knows_where_a_moved_job_may_go_on(tmp_path: Path) -> None:
    path = tmp_path / "jobs.sqlite3"
    with JobEngine("threads", store=path) as engine:
        engine.pause_queue()
        waiting = engine.run(os.getpid)
        engine.move_to(Far(1))
        later = engine.run(os.getpid)
        engine.resume_queue()
        for job in (waiting, later):
            job.result(TIMEOUT)
    with JobStore(path) as store:
        addresses = store._db.rows("SELECT cluster_address FROM jobs")  # of ended ones, none counts
    assert addresses == [(Far.cluster_address,), (Far.cluster_address,)]


def test_workers_that_join_after_a_move_are_reckoned_with(
    engine: JobEngine, spare: Executor
) -> None:
    engine.move_to(spare)
    together = threading.Barrier(4)
    spare.on_growth({"worker": 1.0})
    jobs = [engine.run(together.wait, TIMEOUT) for _ in range(4)]
    assert sorted(job.result(TIMEOUT) for job in jobs) == [0, 1, 2, 3]
