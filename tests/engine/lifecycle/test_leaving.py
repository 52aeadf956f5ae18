"""An engine that is shut down may leave its jobs in the store for the next one."""

from __future__ import annotations

from pathlib import Path

import pytest
from tests.engine import application, chores
from tests.engine.helpers import TIMEOUT, Recorder, wait_until

from rheojobs.engine import JobEngine, JobState, JobStore
from rheojobs.errors import InputError

S = JobState


@pytest.mark.promise("on-disk-when-submitted")
@pytest.mark.parametrize("executor", ["threads", "processes"])
def test_what_is_left_is_found_and_goes_on(executor: str, tmp_path: Path) -> None:
    path, trace, gate = tmp_path / "jobs.sqlite3", tmp_path / "trace", tmp_path / "gate"
    engine = JobEngine(executor, max_workers=1, store=path)
    recorder = Recorder(engine)
    running = engine.run(application.count_on, 6, str(trace), str(gate), 3)
    wait_until(lambda: trace.exists() and trace.read_text().split() == ["1", "2", "3"])
    waiting = engine.run(chores.add, 1.0)
    depending = engine.submit(chores.nothing, after=[running])
    closure = engine.submit(lambda: 1, name="cannot be kept")
    unwanted = engine.run(chores.add, 2.0)
    unwanted.cancel()
    assert engine.shutdown(timeout=TIMEOUT, leave=True)
    # Here each has ended, once.
    for job in (running, waiting, depending, closure, unwanted):
        assert recorder.states(job)[-1] is S.CANCELLED
        assert recorder.states(job).count(S.CANCELLED) == 1
    gate.touch()
    with JobEngine(executor, max_workers=1, store=path) as engine:
        found = {stored.id: stored.state for stored in engine.recover()}
        assert found == {
            running.id: S.INTERRUPTED,
            waiting.id: S.QUEUED,
            depending.id: S.BLOCKED,
        }
        assert engine.store is not None
        assert engine.store.find(closure.id).state is S.CANCELLED
        assert engine.store.find(unwanted.id).state is S.CANCELLED
        assert engine.resume_job(running.id).result(TIMEOUT) == [3, 6]
        assert {job.id for job in engine.take_queued()} == {waiting.id, depending.id}
        assert engine.wait(TIMEOUT)
        assert engine.store.result(waiting.id) == 2.0
        assert engine.store.counts() == {S.SUCCEEDED: 3, S.CANCELLED: 2}
    assert trace.read_text().split() == ["1", "2", "3", "4", "5", "6"]


def test_without_a_store_nothing_is_left() -> None:
    engine = JobEngine("threads")
    job = engine.run(chores.hold)
    assert engine.shutdown(timeout=TIMEOUT, leave=True)
    assert job.cancelled()


@pytest.mark.promise("nothing-executed")
def test_a_glance_at_many_jobs_makes_no_task(tmp_path: Path) -> None:
    path = tmp_path / "jobs.sqlite3"
    with JobEngine("threads", max_workers=1, store=path) as engine, JobStore(path) as other:
        version = other.version()
        jobs = [engine.run(chores.add, float(number)) for number in range(3)]
        assert engine.wait(TIMEOUT)
        assert other.version() != version
        numbers = [other.find(job.id).number for job in jobs]
        assert list(other.first_starts(numbers)) == numbers
        words = other.task_words(numbers, "function")
        assert words == dict.fromkeys(numbers, "tests.engine.chores:add")
        assert other.task_words(numbers, "args") == {}  # a list is no text
        other.remove(jobs[0].id)
        with pytest.raises(InputError, match="no job's id"):
            other.find(jobs[0].id)


def test_a_job_that_ends_while_it_is_left_has_ended(tmp_path: Path) -> None:
    path, gate = tmp_path / "jobs.sqlite3", tmp_path / "gate"
    with JobEngine("threads", max_workers=1, store=path) as engine:
        job = engine.run(chores.hold, str(gate))
        engine._recorder.leave_open([job.id])  # what `shutdown` does before it stops anything
        gate.touch()
        assert job.result(TIMEOUT) == "through"
    with JobStore(path) as store:
        assert store.find(job.id).state is S.SUCCEEDED
        assert store.result(job.id) == "through"
