"""The writer of an engine's record: bounded, and no job holds up another."""

from __future__ import annotations

import contextlib
import logging
import os
import sqlite3
import threading
import time
import tracemalloc
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from tests.engine import chores
from tests.engine.helpers import TIMEOUT, wait_until

from rheojobs.engine import JobEngine, JobState, JobStore, TaskContext
from rheojobs.engine.store import schema
from rheojobs.engine.store.writing import maintenance, write_buffer
from rheojobs.engine.store.writing.write_buffer import WriteBuffer

S = JobState


@pytest.fixture
def engine(path: Path) -> Iterator[JobEngine]:
    with JobEngine("threads", max_workers=4, store=path) as engine:
        assert not engine.store_problem
        yield engine


@contextlib.contextmanager
def locked(path: Path) -> Iterator[None]:
    """Have another program hold the database for itself."""
    with contextlib.closing(sqlite3.connect(path, isolation_level=None)) as db:
        db.execute("BEGIN IMMEDIATE")
        yield
        db.execute("ROLLBACK")


def checkpoint_often(context: TaskContext, gate: str) -> int:
    """Checkpoint 100 kB two hundred times a second."""
    count = 0
    while not Path(gate).exists():
        count += 1
        context.checkpoint({"count": count, "text": "x" * 100_000})
        context.progress(count)
        time.sleep(0.005)
    return count


def text(length: int) -> str:
    """Return a long result."""
    return "x" * length


class TestLocked:
    @pytest.fixture
    def engine(self, path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[JobEngine]:
        """An engine whose writes wait less long for another program."""
        monkeypatch.setattr(schema, "BUSY_SECONDS", 0.1)
        with JobEngine("threads", max_workers=4, store=path) as engine:
            assert not engine.store_problem
            yield engine

    def test_memory_is_bounded(self, engine: JobEngine, path: Path, tmp_path: Path) -> None:
        gate = tmp_path / "gate"
        job = engine.run(checkpoint_often, str(gate))
        wait_until(lambda: job.latest_progress)
        with locked(path):
            wait_until(lambda: engine.store_problem)
            tracemalloc.start()
            before, _ = tracemalloc.get_traced_memory()
            count = job.latest_progress.current
            wait_until(lambda: job.latest_progress.current > count + 150)  # 15 MB
            after, _ = tracemalloc.get_traced_memory()
            tracemalloc.stop()
        gate.touch()
        assert job.result(TIMEOUT) > 100
        assert after - before < 2_000_000
        assert engine.shutdown(timeout=TIMEOUT)
        with JobStore(path) as store:
            assert store.find(job.id).state is S.SUCCEEDED

    def test_jobs_continue_and_are_written_later(self, engine: JobEngine, path: Path) -> None:
        with locked(path):
            jobs = [engine.run(text, 5000) for _ in range(20)]
            assert [len(job.result(TIMEOUT)) for job in jobs] == [5000] * 20
            wait_until(lambda: engine.store_problem)
        assert engine.shutdown(timeout=TIMEOUT)
        with JobStore(path) as store:
            assert store.counts() == {S.SUCCEEDED: 20}
            assert {store.result(job.id) for job in jobs} == {"x" * 5000}

    def test_what_waits_too_long_stays_in_memory(
        self, engine: JobEngine, path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(write_buffer, "MOST_BYTES", 100_000)
        monkeypatch.setattr(write_buffer, "LIMIT_SECONDS", 0.0)
        monkeypatch.setattr(maintenance, "RENEWAL", 0.1)
        with locked(path):
            jobs = [engine.run(text, 50_000) for _ in range(20)]
            assert [len(job.result(TIMEOUT)) for job in jobs] == [50_000] * 20
            wait_until(lambda: any(job.result_not_kept_because for job in jobs))
        assert engine.run(chores.add, 1.0).result(TIMEOUT) == 2.0
        why = {job.result_not_kept_because for job in jobs} - {""}
        assert why == {"the job store could not be written for too long"}


@pytest.mark.promise("crash-harms-one")
class TestOneJob:
    def test_what_cannot_be_written_holds_up_its_own_job_alone(
        self, engine: JobEngine, path: Path, caplog: pytest.LogCaptureFixture
    ) -> None:
        assert engine.store is not None
        prepare = engine.store.prepare

        def fail_for_large(job_id: str, part: str, record: Any) -> Any:
            if part == "result" and len(str(record.content)) > 1_000_000:
                raise OSError(28, "No space left on device")
            return prepare(job_id, part, record)

        engine.store.prepare = fail_for_large  # type: ignore[method-assign]
        large = engine.run(text, 1_000_001)
        assert len(large.result(TIMEOUT)) == 1_000_001
        small = [engine.run(text, 2000) for _ in range(10)]
        assert engine.wait(TIMEOUT)
        assert all(job.done() for job in small)
        with JobStore(path) as other:
            wait_until(lambda: all(other.find(j.id).state is S.SUCCEEDED for j in small))
        assert not engine.store_problem

    def test_a_job_that_cannot_be_recorded_is_not_taken_for_anothers(
        self, engine: JobEngine, caplog: pytest.LogCaptureFixture
    ) -> None:
        assert engine.store is not None
        add = engine.store.add

        def refuse(job_id: str, **options: Any) -> None:
            if options["name"] == "odd":
                raise OverflowError("Python int too large to convert to SQLite INTEGER")
            add(job_id, **options)

        engine.store.add = refuse  # type: ignore[method-assign]
        caplog.set_level(logging.INFO)
        job = engine.submit(chores.nothing, name="odd")
        others = [engine.run(chores.add, 1.0) for _ in range(5)]
        assert job.result(TIMEOUT) is None
        assert engine.wait(TIMEOUT)
        assert job.state is S.SUCCEEDED
        wait_until(lambda: "too large" in job.not_durable_because)
        assert "taken over" not in caplog.text
        assert engine.store.counts() == {S.SUCCEEDED: len(others)}

    def test_a_job_whose_row_was_removed_runs_to_its_end(
        self, engine: JobEngine, path: Path, tmp_path: Path
    ) -> None:
        gate = tmp_path / "gate"
        job = engine.run(chores.hold, str(gate))
        wait_until(job.running)
        with contextlib.closing(sqlite3.connect(path, isolation_level=None)) as db:
            wait_until(lambda: db.execute("SELECT state FROM jobs").fetchone() == ("running",))
            db.execute("DELETE FROM jobs")
        gate.touch()
        assert job.result(TIMEOUT) == "through"
        assert job.state is S.SUCCEEDED


class TestFaults:
    @pytest.mark.promise("no-loop-ends")
    def test_a_fault_of_ours_ends_no_thread(
        self, engine: JobEngine, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
    ) -> None:
        faults = iter(range(3))
        write = WriteBuffer.write

        def fail_at_first(self: WriteBuffer, fresh: Any) -> set[str]:
            if next(faults, None) is not None:
                raise RuntimeError("a fault of ours")
            return write(self, fresh)

        monkeypatch.setattr(WriteBuffer, "write", fail_at_first)
        jobs = [engine.run(chores.add, float(number)) for number in range(10)]
        assert [job.result(TIMEOUT) for job in jobs] == [number + 1.0 for number in range(10)]
        assert engine.wait(TIMEOUT)
        assert "a fault of ours" in caplog.text

    def test_ctrl_c_while_a_thread_that_submits_writes_loses_nothing(
        self, engine: JobEngine, path: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        job = engine.run(chores.hold, str(tmp_path / "gate"))
        wait_until(job.running)
        writer = engine._recorder
        told: list[str] = []
        with monkeypatch.context() as patch:

            def interrupt(self: WriteBuffer, fresh: Any) -> set[str]:
                raise KeyboardInterrupt

            patch.setattr(WriteBuffer, "write", interrupt)
            patch.setattr(writer._wakeup, "note", lambda *, urgent: None)  # this thread writes
            patch.setattr(writer, "_slow_until", 0.0)  # even after a slow write
            writer.call(lambda: told.append("delivered"))

            def write_here() -> None:
                for _ in range(1000):  # until the writer's own thread does not come first
                    engine.set_priority(job, 7)
                    writer.flush()
                    time.sleep(0.005)

            with pytest.raises(KeyboardInterrupt):
                write_here()
        writer.flush()
        wait_until(lambda: told == ["delivered"])
        with JobStore(path) as other:
            wait_until(lambda: other.find(job.id).priority == 7)
        (tmp_path / "gate").touch()
        assert job.result(TIMEOUT) == "through"

    @pytest.mark.promise("no-loop-ends")
    def test_a_request_that_fails_loses_no_other(
        self, engine: JobEngine, path: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        jobs = [engine.run(chores.hold, str(tmp_path / "gate")) for _ in range(2)]
        wait_until(lambda: all(job.running() for job in jobs))
        cancel = engine._dispatcher.cancel

        def fail_for_the_first(job: Any) -> bool:
            if job is jobs[0]:
                raise RuntimeError("on purpose")
            return cancel(job)

        monkeypatch.setattr(engine._dispatcher, "cancel", fail_for_the_first)
        with JobStore(path) as other:
            other.request(jobs[0].id, "cancel")
            other.request(jobs[1].id, "cancel")
        wait_until(lambda: jobs[1].state is S.CANCELLED)
        monkeypatch.undo()

    def test_large_files_are_written_before_the_transaction(
        self, engine: JobEngine, path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        writing, go = threading.Event(), threading.Event()
        fsync = os.fsync

        def slow(descriptor: int) -> None:
            if threading.current_thread().name == "rheojobs-store":
                writing.set()
                go.wait(TIMEOUT)
            fsync(descriptor)

        monkeypatch.setattr(os, "fsync", slow)
        job = engine.run(text, 1_000_000)
        assert writing.wait(TIMEOUT)
        with contextlib.closing(sqlite3.connect(path, timeout=0.0, isolation_level=None)) as db:
            db.execute("BEGIN IMMEDIATE")  # nobody holds it meanwhile
            db.execute("ROLLBACK")
        go.set()
        assert len(job.result(TIMEOUT)) == 1_000_000
