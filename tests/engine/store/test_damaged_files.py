"""Stores of other versions and damaged files are refused in one line."""

from __future__ import annotations

import contextlib
import random
import sqlite3
from pathlib import Path

import pytest
from tests.engine import chores
from tests.engine.store.helpers import enter

from rheojobs.engine import JobState, JobStore, StoreError
from rheojobs.engine.serialization import Record, record_of
from rheojobs.engine.store import schema
from rheojobs.engine.store.reader import StoreReader
from rheojobs.engine.task import FunctionTask

S = JobState


ADD = record_of(FunctionTask(chores.add, (1.0,)))


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


@pytest.mark.parametrize("column", ["needs", "limits", "after", "retry", "progress", "state"])
@pytest.mark.parametrize("text", ["[" * 100_000, "{", "5"])
def test_a_damaged_row_is_one_line(path: Path, column: str, text: str) -> None:
    with contextlib.closing(JobStore(path)) as store:
        store.join()
        enter(store)
    with contextlib.closing(sqlite3.connect(path)) as db, db:
        db.execute(f"UPDATE jobs SET {column} = ?", (text,))
    words = f"the {column} of job .* is damaged"
    with (
        contextlib.closing(StoreReader(path)) as reader,
        pytest.raises(StoreError, match=words) as caught,
    ):
        reader.jobs()
    assert len(str(caught.value)) < 3000
