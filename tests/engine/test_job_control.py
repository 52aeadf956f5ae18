"""`JobControl`: the same verbs for a job of the engine, of another process, and of nobody."""

from __future__ import annotations

import os
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from tests.engine import chores, helpers

from rheojobs.engine import FunctionTask, JobEngine, JobState, JobStore, TaskContext
from rheojobs.engine.job_control import JobControl, OrphanedJobs
from rheojobs.engine.serialization import record_of
from rheojobs.errors import InputError

S = JobState
NOBODY_S = "0000cafe-0000-4000-8000-000000000000"


def wait_at(context: TaskContext, gate: threading.Event) -> str:
    """Wait for a gate, and hear meanwhile of pauses and of the end."""
    while not gate.wait(0.002):
        context.check()
    return "through"


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "jobs.sqlite3"


@pytest.fixture
def engine(path: Path) -> Iterator[JobEngine]:
    with JobEngine("threads", max_workers=1, store=path) as made:
        yield made


@pytest.fixture
def control(engine: JobEngine) -> Iterator[JobControl]:
    """Of the process that has the jobs."""
    made = JobControl(engine)
    yield made
    made.close()


@pytest.fixture
def stranger(path: Path, engine: JobEngine) -> Iterator[JobControl]:
    """Of a process without an engine, on the same store."""
    made = JobControl(store=JobStore(path))
    yield made
    made.close()


def leave(path: Path, task: Any = None, **fields: Any) -> str:
    """Put a job into the store that nobody has; gives its id."""
    record = record_of(task or FunctionTask(chores.add, (1.0,)))
    with JobStore(path) as store:
        store.join()
        store.add(NOBODY_S, "left", record, **fields)
        store.leave()
    return NOBODY_S


def in_state(store: JobStore, job_id: str, state: JobState) -> None:
    helpers.wait_until(lambda: store.find(job_id).state is state)


def test_own_jobs_hear_at_once(engine: JobEngine, control: JobControl) -> None:
    gate = threading.Event()
    job, queued = engine.run(wait_at, gate), engine.run(chores.add, 1.0)
    helpers.wait_until(lambda: job.state is S.RUNNING)
    assert control.pause(job.id)
    helpers.wait_until(lambda: job.state is S.PAUSED)
    assert control.resume(job.id)
    helpers.wait_until(lambda: job.state is S.RUNNING)
    assert control.set_priority(5, queued.id)
    assert control.move(-2, queued.id)
    assert queued.priority == 3
    assert control.cancel(queued.id)
    assert queued.state is S.CANCELLED
    gate.set()
    assert job.result(helpers.TIMEOUT) == "through"


def test_another_process_is_asked(engine: JobEngine, stranger: JobControl) -> None:
    gate = threading.Event()
    job, queued = engine.run(wait_at, gate), engine.run(chores.add, 1.0)
    helpers.wait_until(lambda: job.state is S.RUNNING)
    store = engine.store
    assert store is not None
    in_state(store, job.id, S.RUNNING)
    assert not stranger.pause(job.id)
    helpers.wait_until(lambda: job.state is S.PAUSED)
    in_state(store, job.id, S.PAUSED)
    assert not stranger.resume(job.id)
    helpers.wait_until(lambda: job.state is S.RUNNING)
    assert not stranger.move(2, queued.id)
    assert not stranger.move(2, queued.id), "from what was asked for, heard of or not"
    helpers.wait_until(lambda: queued.priority == 4)
    assert not stranger.cancel(queued.id)
    helpers.wait_until(lambda: queued.state is S.CANCELLED)
    gate.set()
    assert job.result(helpers.TIMEOUT) == "through"


def test_nobody_s_jobs_are_steered_in_the_store(path: Path, stranger: JobControl) -> None:
    job_id = leave(path)
    assert stranger.move(3, job_id)
    assert stranger.find(job_id[:8]).priority == 3
    with pytest.raises(InputError, match="cannot pause it"):
        stranger.pause(job_id)
    with pytest.raises(InputError, match="there is no engine here"):
        stranger.resume(job_id)
    assert stranger.cancel(job_id)
    assert stranger.find(job_id).state is S.CANCELLED
    stranger.remove(job_id)
    with pytest.raises(InputError, match="no job's id begins with"):
        stranger.find(job_id)


def test_an_engine_takes_up_what_waits(path: Path, engine: JobEngine, control: JobControl) -> None:
    job_id = leave(path)
    assert control.waiting() == OrphanedJobs(queued=(job_id,))
    assert control.resume(job_id)
    assert engine.job(job_id).result(helpers.TIMEOUT) == 2.0


def test_what_is_left_is_taken_up_or_passed_over(
    path: Path, engine: JobEngine, control: JobControl
) -> None:
    job_id = leave(path)
    waiting = control.waiting()
    assert control.take_up(waiting) == []
    (refusal,) = control.take_up(waiting)
    assert job_id[:8] in refusal
    assert engine.job(job_id).result(helpers.TIMEOUT) == 2.0


def test_what_is_of_no_use_is_removed(path: Path, control: JobControl) -> None:
    job_id = leave(path)
    assert not control.waiting(passing_over=["left"])
    with pytest.raises(InputError):
        control.find(job_id)


def test_a_job_is_run_again(
    tmp_path: Path, engine: JobEngine, control: JobControl, stranger: JobControl
) -> None:
    file = tmp_path / "file"
    job = engine.run(os.path.getsize, str(file))
    assert job.exception(helpers.TIMEOUT) is not None
    engine.wait(helpers.TIMEOUT)
    file.write_text("12")
    with pytest.raises(InputError, match="there is no engine here"):
        stranger.retry(job.id)
    again = control.retry(job.id)
    assert again.id != job.id
    assert again.name == job.name
    assert again.result(helpers.TIMEOUT) == 2
    with pytest.raises(InputError, match="is succeeded: only one that failed or was cancelled"):
        control.retry(again.id)


def test_a_job_that_cannot_be_kept_is_not_run_again(engine: JobEngine, control: JobControl) -> None:
    job = engine.submit(lambda: 1 / 0)
    assert job.exception(helpers.TIMEOUT) is not None
    engine.wait(helpers.TIMEOUT)
    with pytest.raises(InputError, match="cannot be run again: "):
        control.retry(job.id)
    assert control.retry(job.id, job.task, "once more").name == "once more"


def test_results_and_partial_results_are_read(engine: JobEngine, control: JobControl) -> None:
    job = engine.run(chores.add, 1.0)
    assert job.result(helpers.TIMEOUT) == 2.0
    engine.wait(helpers.TIMEOUT)
    kept = control.kept(job.id)
    assert (kept.job_id, kept.name, kept.result) == (job.id, "add", 2.0)
    bad = engine.run(chores.fail)
    assert bad.exception(helpers.TIMEOUT) is not None
    engine.wait(helpers.TIMEOUT)
    with pytest.raises(InputError, match=r"fail \(failed\) has no result"):
        control.kept(bad.id)


def test_removing_drops_it_here_too(engine: JobEngine, control: JobControl) -> None:
    job = engine.run(chores.add, 1.0)
    assert job.result(helpers.TIMEOUT) == 2.0
    engine.wait(helpers.TIMEOUT)
    control.remove(job.id)
    assert job not in engine.jobs()
    with pytest.raises(InputError):
        control.find(job.id)


def test_without_a_store_there_are_own_jobs_alone() -> None:
    with JobEngine("threads", max_workers=1) as engine:
        control = JobControl(engine)
        job = engine.run(chores.add, 1.0)
        assert job.result(helpers.TIMEOUT) == 2.0
        with pytest.raises(InputError, match="are not kept on disk"):
            control.cancel(NOBODY_S)
        control.remove(job.id)
        control.close()
