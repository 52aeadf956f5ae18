"""The store keeps jobs, their log and their parts, in whole transactions."""

from __future__ import annotations

import contextlib
import os
import time
from collections.abc import Callable
from pathlib import Path

import pytest
from tests.engine import chores
from tests.engine.store.helpers import enter

from rheojobs.engine import JobState, JobStore, Progress, StoreError
from rheojobs.engine.serialization import Record, pack_state, record_of
from rheojobs.engine.states import IllegalTransitionError
from rheojobs.engine.store import database
from rheojobs.engine.store.payloads import INLINE_BYTES, ROW_BYTES
from rheojobs.engine.task import FunctionTask
from rheojobs.errors import InputError

S = JobState


ADD = record_of(FunctionTask(chores.add, (1.0,)))


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

    def test_pruned_in_the_tick_in_which_it_ended(
        self, store: JobStore, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """The clock of Windows has steps of 16 ms."""
        monkeypatch.setattr(time, "time", lambda: 1.8e9)
        job_id = enter(store, S.RUNNING)
        store.move(job_id, S.SUCCEEDED)
        assert store.prune(max_age=0.0) == 1
        assert store.jobs() == []
