"""The store of jobs by itself: what is kept, who may do what, and what a bad file leads to."""

from __future__ import annotations

import contextlib
import itertools
import os
import random
import sqlite3
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from tests.engine import helpers

from rheojobs.engine import JobState, JobStore, Progress, StoreError
from rheojobs.engine.serialization import Record, pack_state, record_of
from rheojobs.engine.states import IllegalTransitionError
from rheojobs.engine.store import database, schema
from rheojobs.engine.store.commands import requested_priority
from rheojobs.engine.store.payloads import INLINE_BYTES, ROW_BYTES
from rheojobs.engine.task import FunctionTask
from rheojobs.errors import InputError

S = JobState
ADD = record_of(FunctionTask(helpers.add, (1.0,)))
IDS = (f"{number:08x}-0000-4000-8000-000000000000" for number in itertools.count(0xABC))


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "state" / "jobs.sqlite3"


@pytest.fixture
def store(path: Path) -> Iterator[JobStore]:
    with JobStore(path) as store:
        store.join()
        yield store


def enter(store: JobStore, *states: JobState, **options: object) -> str:
    """Add a job and let it go through some states."""
    job_id = next(IDS)
    store.add(job_id, "a job", options.pop("record", ADD), **options)  # type: ignore[arg-type]
    for state in states:
        assert store.move(job_id, state)
    return job_id


def kill(store: JobStore) -> None:
    """Have the kernel free the lock of an engine, as when its process is killed."""
    lock = store._leases._lock
    assert lock is not None
    lock._close()


class TestKeeping:
    def test_a_job_survives(self, store: JobStore, path: Path) -> None:
        job_id = enter(
            store, S.RUNNING, priority=3, needs={"gpu": 0.5}, max_attempts=2, after=["x"]
        )
        store.put_progress(job_id, Progress(3, 10, "third", "count", {"loss": 0.5, "x": object()}))
        store.put_checkpoint(job_id, pack_state([1, "two"]))
        store.put(job_id, "partial", Record("json", {"best": 1.0}))
        with JobStore(path) as other:
            job = other.find(job_id)
            assert (job.name, job.priority, job.needs) == ("a job", 3, {"gpu": 0.5})
            assert (job.max_attempts, job.after, job.attempts) == (2, ("x",), 1)
            assert (job.state, job.owner, job.pid) == (S.RUNNING, store.owner.id, os.getpid())
            assert job.progress == Progress(3, 10, "third", "count", {"loss": 0.5})
            assert record_of(other.task(job_id)) == ADD
            assert other.checkpoint(job_id) == pack_state([1, "two"])
            assert other.result(job_id, "partial") == {"best": 1.0}
            assert [state for _, state, _ in other.history(job_id)] == [S.QUEUED, S.RUNNING]

    def test_what_has_ended_keeps_its_result_and_no_checkpoint(self, store: JobStore) -> None:
        job_id = enter(store, S.RUNNING)
        store.put_checkpoint(job_id, pack_state(1))
        store.put(job_id, "result", Record("json", 7))
        store.move(job_id, S.SUCCEEDED)
        assert store.result(job_id) == 7
        assert store.checkpoint(job_id) is None
        assert store.find(job_id).owner is None
        assert not store.put(job_id, "result", Record("json", 8)), "it has ended"
        assert not store.move(job_id, S.FAILED)
        assert store.result(job_id) == 7

    def test_a_start_that_is_written_with_the_end(self, store: JobStore) -> None:
        job_id = enter(store)
        assert store.move(job_id, S.SUCCEEDED, "", 1002.5, began=1001.25)
        assert store.history(job_id)[1:] == [
            (1001.25, S.RUNNING, ""),
            (1002.5, S.SUCCEEDED, ""),
        ]
        job = store.find(job_id)
        assert (job.attempts, job.state, job.owner) == (1, S.SUCCEEDED, None)
        assert store.first_starts([job.number]) == {job.number: 1001.25}
        assert not store.move(job_id, S.SUCCEEDED, began=1.0), "it is nobody's any more"
        assert store.result(job_id) is None
        running = enter(store, S.RUNNING)
        with pytest.raises(IllegalTransitionError):
            store.move(running, S.SUCCEEDED, began=1.0)

    def test_a_large_task_is_not_in_the_row(self, store: JobStore) -> None:
        record = record_of(FunctionTask(len, ("x" * ROW_BYTES,)))
        small, large = enter(store), enter(store, record=record)
        assert store.task(large).args == ("x" * ROW_BYTES,)
        assert record_of(store.task(small)) == ADD
        assert store._db.rows("SELECT id FROM jobs WHERE task IS NOT NULL") == [(small,)]
        assert store.find(large).bytes > ROW_BYTES > store.find(small).bytes > 0

    def test_a_small_result_is_written_with_the_end(self, store: JobStore) -> None:
        for began in (None, 1.0):
            job_id = enter(store, *([S.RUNNING] if began is None else []))
            before = store.find(job_id).bytes
            assert store.result_bytes(job_id) == 0
            assert store.move(job_id, S.SUCCEEDED, "", 2.0, began, "[1.5]")
            assert store.result(job_id) == [1.5]
            assert store.result_bytes(job_id) == 5
            assert store.find(job_id).bytes == before + 5
        assert store._db.rows("SELECT count(*) FROM parts") == [(0,)]
        assert store.result_bytes("nobody's") == 0

    def test_large_parts_lie_in_files(self, store: JobStore, path: Path) -> None:
        job_id = enter(store, S.RUNNING)
        content = os.urandom(INLINE_BYTES + 1)
        for _ in range(2):
            store.put(job_id, "result", Record("rheojobs.x:Y", None, {"draws": content, "s": b"1"}))
        files = list((path.parent / "jobs.sqlite3.files").glob("*-*/*"))
        assert [file.read_bytes() for file in files] == [content]
        with store.transaction():
            record = store._payloads.get(1, job_id, "result")
        assert record is not None
        assert record.blobs == {"draws": content, "s": b"1"}
        files[0].write_bytes(content[:-1])
        with pytest.raises(StoreError, match="damaged or missing"):
            store.result(job_id)
        store.move(job_id, S.SUCCEEDED)
        store.remove(job_id)
        assert not list((path.parent / "jobs.sqlite3.files").glob("*-*"))

    @pytest.mark.parametrize(
        ("error", "goes_on"),
        [("WorkerDiedError", True), ("JobTimeoutError", True), ("ValueError", False)],
    )
    def test_what_was_stopped_keeps_its_checkpoint(
        self, store: JobStore, error: str, goes_on: bool
    ) -> None:
        job_id = enter(store, S.RUNNING)
        store.put_checkpoint(job_id, pack_state(1))
        store.put(job_id, "error", Record("json", {"type": error, "traceback": ""}))
        assert not store.may_go_on(store.find(job_id)), "somebody works on it"
        store.move(job_id, S.FAILED)
        assert store.may_go_on(store.find(job_id)) is goes_on
        assert (store.checkpoint(job_id) is not None) is goes_on

    @pytest.mark.promise("nothing-executed")
    def test_a_pickled_checkpoint_is_not_kept(self, store: JobStore, path: Path) -> None:
        job_id = enter(store, S.RUNNING)
        store.put_checkpoint(job_id, pack_state((1, 2)))
        assert store.checkpoint(job_id) is None

    def test_finding_by_the_first_characters(self, store: JobStore) -> None:
        first, second = enter(store), enter(store)
        assert store.find(first[:8]).id == first
        with pytest.raises(InputError, match="several jobs"):
            store.find(first[:5])
        for nonsense in ("zzz", "", "%", "'", "\x00", first + "0", "🦆"):
            with pytest.raises(InputError, match="no job"):
                store.find(nonsense)
        assert [job.id for job in store.jobs()] == [first, second]
        assert [job.id for job in store.jobs([S.QUEUED], limit=1)] == [second]
        assert store.jobs([]) == []


class TestLog:
    """SQLite's log of the latest writes."""

    def test_who_writes_does_not_move_it_but_who_waits_for_the_disk_does(
        self, store: JobStore, path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(database, "LARGE_LOG", 1_000_000)
        store.sync()  # a small one stays
        before = path.stat().st_size
        while path.with_name("jobs.sqlite3-wal").stat().st_size < 5_000_000:
            enter(store, S.RUNNING, S.SUCCEEDED)
        assert path.stat().st_size == before
        with store.transaction():  # it holds up no writer, and none holds it up
            enter(store)
            store.sync()
        assert path.stat().st_size > before
        with JobStore(path) as other:
            assert other.counts() == store.counts()

    def test_one_that_cannot_be_moved_stays(
        self, store: JobStore, path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(database, "LARGE_LOG", 0)
        job_id = enter(store)
        moved = path.rename(path.with_name("moved"))
        path.mkdir()  # no database can be opened there
        store.sync()
        path.rmdir()
        moved.rename(path)
        assert store.find(job_id).state is S.QUEUED


class TestTransactions:
    def test_all_or_nothing_and_errors_in_one_line(self, store: JobStore) -> None:
        kept = enter(store)

        def write(then: Callable[[], object]) -> None:
            with store.transaction():
                enter(store)
                with store.transaction():
                    enter(store)
                    then()

        with pytest.raises(ZeroDivisionError):
            write(lambda: 1 / 0)
        with pytest.raises(StoreError, match="is damaged"):
            write(lambda: store._db.execute("SELECT * FROM nowhere"))
        assert [job.id for job in store.jobs()] == [kept]
        assert enter(store)  # and it goes on


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


class TestKilledWithin:
    """A process may end anywhere: nothing that the database speaks of may be gone by then."""

    def large(self, number: int) -> bytes:
        return pack_state([number] * INLINE_BYTES)

    def test_what_replaces_a_large_checkpoint(self, store: JobStore, path: Path) -> None:
        job_id = enter(store, S.RUNNING)
        store.put_checkpoint(job_id, self.large(1))

        def killed(step: Callable[[], object]) -> None:
            with contextlib.suppress(KeyboardInterrupt), store.transaction():
                step()
                raise KeyboardInterrupt

        killed(lambda: store.put_checkpoint(job_id, self.large(2)))
        assert store.checkpoint(job_id) == self.large(1)
        killed(lambda: store.move(job_id, S.SUCCEEDED))
        assert store.checkpoint(job_id) == self.large(1)
        store.put_checkpoint(job_id, self.large(3))
        assert store.checkpoint(job_id) == self.large(3)
        store.prune()
        files = list((path.parent / "jobs.sqlite3.files").glob("*-*/*"))
        assert len(files) == 1


@pytest.mark.promise("one-line-errors")
class TestVersions:
    def test_a_newer_version(self, path: Path) -> None:
        JobStore(path).close()
        with sqlite3.connect(path) as db:
            db.execute("PRAGMA user_version = 99")
        db.close()
        before = path.read_bytes()
        with pytest.raises(StoreError, match="has version 99, this rheojobs knows up to") as caught:
            JobStore(path)
        assert caught.value.is_lasting
        assert path.read_bytes() == before

    @pytest.mark.parametrize("version", [1, 2, 3])
    def test_an_unreleased_version(self, path: Path, version: int) -> None:
        path.parent.mkdir()
        with sqlite3.connect(path) as db:
            db.execute("CREATE TABLE jobs (id TEXT, wish TEXT)")
            db.execute(f"PRAGMA application_id = {schema.APPLICATION}")
            db.execute(f"PRAGMA user_version = {version}")
        db.close()
        before = path.read_bytes()
        with pytest.raises(StoreError, match="before its first release: move it away") as caught:
            JobStore(path)
        assert caught.value.is_lasting
        assert path.read_bytes() == before

    def test_the_database_of_another_program(self, path: Path) -> None:
        path.parent.mkdir()
        with sqlite3.connect(path) as db:
            db.execute("CREATE TABLE bookmarks (url TEXT)")
        db.close()
        with pytest.raises(StoreError, match="another program"):
            JobStore(path)


@pytest.mark.promise("one-line-errors")
class TestBadFiles:
    def test_no_database_at_all(self, path: Path) -> None:
        path.parent.mkdir()
        path.write_bytes(b"This is a letter to my grandmother." * 100)
        with pytest.raises(StoreError, match=r"is damaged.*move it away"):
            JobStore(path)
        assert path.read_bytes().startswith(b"This is a letter")

    def test_truncated_anywhere(self, path: Path) -> None:
        with JobStore(path) as store:
            store.join()
            for _ in range(60):
                job_id = enter(store, S.RUNNING)
                store.put(job_id, "result", Record("json", "x" * 3000))
                store.move(job_id, S.SUCCEEDED)
            store.leave()
        whole = path.read_bytes()
        assert not path.with_name(path.name + "-wal").exists()
        within_the_last_page = range(len(whole) - 4000, len(whole), 500)
        for size in (*random.Random(4).sample(range(1, len(whole)), 25), *within_the_last_page):
            path.write_bytes(whole[:size])
            with pytest.raises(StoreError) as caught:
                _read_all(path)
            assert "\n" not in str(caught.value)
            assert path.read_bytes() == whole[:size], "nothing is done to what is left"
        path.write_bytes(whole)
        assert len(_read_all(path)) == 60

    def test_a_folder_that_cannot_be(self, tmp_path: Path) -> None:
        (tmp_path / "file").touch()
        with pytest.raises(StoreError, match="cannot be written: File exists"):
            JobStore(tmp_path / "file" / "jobs.sqlite3")
        with pytest.raises(StoreError, match="cannot be opened"):
            JobStore(tmp_path)

    def test_locked(self, path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(schema, "BUSY_SECONDS", 0.05)
        with JobStore(path) as store, JobStore(path) as other:
            with store.transaction():
                assert other.jobs() == [], "who only reads need not wait"
                with pytest.raises(StoreError, match="held by another program") as caught:
                    other.join()
            assert not caught.value.is_lasting
            other.join()


def _read_all(path: Path) -> list[object]:
    with JobStore(path) as store:
        store.join()
        results = [store.result(job.id) for job in store.jobs()]
        for job in store.jobs():
            store.history(job.id)
        return results
