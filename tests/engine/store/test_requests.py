"""Who owns a job, what is asked of it, and what is pruned."""

from __future__ import annotations

import time
from pathlib import Path

import pytest
from tests.engine import chores
from tests.engine.store.helpers import enter, kill

from rheojobs.engine import JobState, JobStore, StoreError
from rheojobs.engine.serialization import Record, record_of
from rheojobs.engine.store import schema
from rheojobs.engine.store.commands import requested_priority
from rheojobs.engine.task import FunctionTask
from rheojobs.errors import InputError

S = JobState


ADD = record_of(FunctionTask(chores.add, (1.0,)))


@pytest.mark.promise("on-disk-when-submitted")
class TestOwning:
    def test_one_taker(self, store: JobStore, path: Path) -> None:
        job_id = enter(store)
        with JobStore(path) as other, JobStore(path) as third:
            other.join()
            third.join()
            assert other.take(job_id) is None, "it has an owner"
            store.leave()
            assert other.take(job_id) is S.QUEUED
            assert third.take(job_id) is None
            assert other.move(job_id, S.RUNNING)
            assert not third.move(job_id, S.CANCELLING)

    def test_what_becomes_of_the_jobs_of_the_dead(self, path: Path) -> None:
        with JobStore(path) as gone, JobStore(path) as heir:
            gone.join()
            jobs = {
                "queued": enter(gone),
                "running": enter(gone, S.RUNNING),
                "paused": enter(gone, S.RUNNING, S.PAUSED),
                "cancelling": enter(gone, S.RUNNING, S.CANCELLING),
                "blocked": enter(gone, state=S.BLOCKED),
                "lambda": enter(gone, S.RUNNING, record=None, not_durable_because="a lambda"),
                "queued lambda": enter(gone, record=None, not_durable_because="a lambda"),
                "blocked lambda": enter(
                    gone, state=S.BLOCKED, record=None, not_durable_because="a lambda"
                ),
                "unwanted": enter(gone, S.RUNNING),
                "unwanted too": enter(gone),
                "done": enter(gone, S.RUNNING, S.SUCCEEDED),
            }
            heir.request(jobs["unwanted"], "cancel")
            heir.request(jobs["unwanted too"], "cancel")
            assert heir.recover() == []
            kill(gone)
            assert len(heir.recover()) == 10
            found = {name: heir.find(job_id) for name, job_id in jobs.items()}
            assert {name: job.state for name, job in found.items()} == {
                "queued": S.QUEUED,
                "running": S.INTERRUPTED,
                "paused": S.INTERRUPTED,
                "cancelling": S.CANCELLED,
                "blocked": S.BLOCKED,
                "lambda": S.FAILED,
                "queued lambda": S.FAILED,
                "blocked lambda": S.CANCELLED,
                "unwanted": S.CANCELLED,
                "unwanted too": S.CANCELLED,
                "done": S.SUCCEEDED,
            }
            assert all(job.owner is None for job in found.values())
            assert "cannot be run again: a lambda" in found["lambda"].message
            assert not gone.move(jobs["running"], S.SUCCEEDED), "it is not its any more"
            assert heir.recover() == []

    def test_one_engine_for_one_store(self, store: JobStore) -> None:
        with pytest.raises(InputError, match="already"):
            store.join()


class TestRequests:
    def test_what_others_want_is_heard_once(self, store: JobStore, path: Path) -> None:
        job_id = enter(store, S.RUNNING)
        assert store.take_requests() == []
        with JobStore(path) as other:
            assert not other.request(job_id, "pause")
            assert other.find(job_id).request == "pause"
            assert not other.request(job_id[:8], "cancel"), "the later wish counts"
        assert store.take_requests() == [(job_id, "cancel")]
        assert store.take_requests() == []
        assert store.find(job_id).request == ""

    def test_what_is_requested_through_the_owners_own_object(self, store: JobStore) -> None:
        job_id = enter(store, S.RUNNING)
        assert store.take_requests() == []
        assert not store.request(job_id, "cancel")
        assert store.take_requests() == [(job_id, "cancel")]
        assert store.take_requests() == []

    def test_none_is_lost_while_another_writes(
        self, store: JobStore, path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(schema, "BUSY_SECONDS", 0.05)
        jobs = [enter(store, S.RUNNING) for _ in range(3)]
        with JobStore(path) as other, JobStore(path) as engine:
            store.leave()
            engine.join()
            for job_id in jobs:
                assert engine.take(job_id)
                other.request(job_id, "cancel")
            other.request(jobs[0], "cancel")
            with other.transaction(), pytest.raises(StoreError, match="held by another"):
                engine.take_requests()
            assert engine.take_requests() == [(job_id, "cancel") for job_id in jobs]
            assert engine.take_requests() == []

    def test_a_priority_is_asked_of_the_owner_and_set_where_there_is_none(
        self, store: JobStore, path: Path
    ) -> None:
        job_id = enter(store)
        with JobStore(path) as other:
            assert not other.request_priority(job_id, -3)
            assert other.find(job_id).priority == 0
            ((heard, request),) = store.take_requests()
            assert (heard, requested_priority(request)) == (job_id, -3)
            other.request(job_id, "cancel")
            other.request_priority(job_id, 5)
            assert store.take_requests() == [(job_id, "cancel")], (
                "who is to be cancelled needs no turn"
            )
            store.leave()
            assert other.request_priority(job_id, 5)
            assert other.find(job_id).priority == 5

    def test_what_runs_has_had_its_turn(self, store: JobStore) -> None:
        job_id = enter(store, S.RUNNING)
        with pytest.raises(InputError, match="is running: only a waiting job"):
            store.request_priority(job_id, 1)

    def test_what_nobody_works_on_is_cancelled_at_once(self, store: JobStore) -> None:
        job_id = enter(store)
        store.leave()
        assert store.request(job_id, "cancel")
        assert store.find(job_id).state is S.CANCELLED

    @pytest.mark.parametrize(
        ("states", "wanted"),
        [((), "pause"), ((), "resume"), ((S.RUNNING, S.SUCCEEDED), "cancel"), ((), "explode")],
    )
    def test_what_cannot_be_had(
        self, store: JobStore, states: tuple[JobState, ...], wanted: str
    ) -> None:
        job_id = enter(store, *states)
        with pytest.raises(InputError):
            store.request(job_id, wanted)
        assert store.find(job_id).request == ""


class TestPruning:
    def test_by_age_and_size_and_only_what_has_ended(self, store: JobStore) -> None:
        now = time.time()
        running, queued = enter(store, S.RUNNING), enter(store)
        ended = [enter(store, S.RUNNING) for _ in range(4)]
        for age, job_id in zip((100.0, 50.0, 20.0, 10.0), ended, strict=True):
            store.put(job_id, "result", Record("json", "x" * 10_000))
            store.move(job_id, S.SUCCEEDED, when=now - age)
        assert store.prune(max_age=60.0) == 1
        assert store.prune(max_bytes=25_000) == 1
        assert [job.id for job in store.jobs()] == [running, queued, *ended[2:]]
        assert store.prune() == 0
        assert store.prune(max_age=0.0, max_bytes=0) == 2
        assert {job.state for job in store.jobs()} == {S.RUNNING, S.QUEUED}

    def test_removing(self, store: JobStore) -> None:
        job_id = enter(store, S.RUNNING)
        with pytest.raises(InputError, match="cancel it first"):
            store.remove(job_id)
        store.move(job_id, S.FAILED)
        store.remove(job_id[:8])
        assert store.jobs() == []
        assert store.history(job_id) == []
