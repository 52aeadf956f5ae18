"""The folder of a store: nothing outside it is touched, and nothing in it that is not ours."""

from __future__ import annotations

import os
import sqlite3
import uuid
from pathlib import Path
from typing import Any

import pytest

from rheojobs.engine import JobState, JobStore, StoreError
from rheojobs.engine.errors import EntryError
from rheojobs.engine.serialization import Record, pack_state
from rheojobs.engine.store import payload_files, schema
from rheojobs.engine.store.payload_files import MARKER
from rheojobs.engine.store.payloads import INLINE_BYTES

S = JobState
LARGE = {"draws": b"x" * (INLINE_BYTES + 1)}
RESULT = Record("rheojobs.x:Y", None, LARGE)


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "jobs.sqlite3"


def files(path: Path) -> list[Path]:
    """Give the files of the jobs of a store."""
    return list(path.with_name(path.name + ".files").glob("*-*/*"))


def ended(store: JobStore, record: Record = RESULT) -> str:
    """Add a job with a large result, and end it."""
    job_id = str(uuid.uuid4())
    store.add(job_id, "job", None, not_durable_because="a lambda")
    store.move(job_id, S.RUNNING)
    store.put(job_id, "result", record)
    store.move(job_id, S.SUCCEEDED)
    return job_id


@pytest.mark.promise("own-folder")
class TestOneStoreOneFolder:
    @pytest.mark.parametrize(("one", "other"), [("study.1", "study.2"), ("a.sqlite3", "a.db")])
    def test_stores_of_like_names(self, tmp_path: Path, one: str, other: str) -> None:
        with JobStore(tmp_path / one) as first, JobStore(tmp_path / other) as second:
            for store in (first, second):
                store.join()
            kept, gone = ended(first), ended(second)
            second.prune(max_age=0.0)
            assert first._part(kept, "result") == RESULT
            with pytest.raises(ValueError, match="there is no job"):
                second.result(gone)

    def test_the_folder_of_another_store(self, path: Path) -> None:
        with JobStore(path) as store:
            store.join()
            ended(store)
        path.rename(path.with_name("before.sqlite3"))
        (kept,) = files(path)
        with JobStore(path) as store:
            for touch in (store.join, store.prune, lambda: store.remove("0")):
                with pytest.raises(
                    StoreError, match="belongs to another job store: move"
                ) as caught:
                    touch()
                assert "\n" not in str(caught.value)
        assert files(path) == [kept]

    @pytest.mark.parametrize("name", ["notes.txt", MARKER])
    def test_a_folder_of_somebody_else(self, path: Path, name: str) -> None:
        folder = path.with_name(path.name + ".files")
        (folder / (job_id := str(uuid.uuid4()))).mkdir(parents=True)
        (folder / name).write_text("mine")
        with JobStore(path) as store:
            with pytest.raises(StoreError, match="belongs to something else: move it away"):
                store.join()
            with pytest.raises(StoreError, match="belongs to something else"):
                store.prune()
        assert {item.name for item in folder.iterdir()} == {job_id, name}

    @pytest.mark.parametrize("left", [(), (MARKER,)])
    def test_an_empty_folder_is_taken(self, path: Path, left: tuple[str, ...]) -> None:
        """Also one whose maker was killed before it had written the marker."""
        folder = path.with_name(path.name + ".files")
        folder.mkdir(0o700)
        for name in left:
            (folder / name).touch(0o600)
        with JobStore(path) as store:
            store.join()
            ended(store)
        with JobStore(path) as store:
            store.join()
            assert len(files(path)) == 1

    def test_two_paths_of_one_store(self, path: Path, tmp_path: Path) -> None:
        link = tmp_path / "link"
        link.symlink_to(path)
        with JobStore(path) as store:
            store.join()
            job_id = ended(store)
        with JobStore(link) as store:
            assert store.path == path
            assert store._part(job_id, "result") == RESULT

    def test_a_folder_that_was_removed_meanwhile(self, store: JobStore, path: Path) -> None:
        import shutil

        shutil.rmtree(path.with_name(path.name + ".files"))
        job_id = ended(store)
        assert store._part(job_id, "result") == RESULT
        store.renew()
        with JobStore(path) as other:
            assert other.recover() == []
            other.prune()

    def test_what_is_not_ours_stays(self, store: JobStore, path: Path) -> None:
        job_id = ended(store)
        folder = path.with_name(path.name + ".files")
        strangers = [
            folder / "thesis.tex",
            folder / job_id / "notes.txt",
            folder / "data" / "x.csv",
        ]
        for stranger in strangers:
            stranger.parent.mkdir(exist_ok=True)
            stranger.write_text("mine")
        store.prune(max_age=0.0)
        assert all(stranger.exists() for stranger in strangers)
        assert files(path) == [folder / job_id / "notes.txt"]


@pytest.mark.promise("own-folder")
class TestIds:
    """An id or a file's name in a database that others have made leads nowhere."""

    @pytest.fixture
    def victim(self, tmp_path: Path) -> Path:
        folder = tmp_path / "thesis"
        folder.mkdir()
        (folder / f"result-{'0' * 32}-{'1' * 32}").write_text("years of work")
        return folder

    def plant(self, path: Path, statement: str, *values: str) -> None:
        with sqlite3.connect(path) as db:
            db.execute(statement, values)
        db.close()

    @pytest.mark.parametrize("bad", ["{victim}", "../thesis", "..", ".", "", "locks"])
    def test_no_folder_elsewhere_is_removed(
        self, store: JobStore, path: Path, victim: Path, bad: str
    ) -> None:
        good = ended(store)
        self.plant(path, "UPDATE jobs SET id = ?", bad.format(victim=victim))
        with pytest.raises(StoreError, match="is not the id of a job with files"):
            store._part(bad.format(victim=victim), "result")
        store.prune(max_age=0.0)
        assert store.jobs() == []
        assert list(victim.iterdir())
        assert (path.with_name(path.name + ".files") / "locks").is_dir()
        assert files(path)[0].parent.name == good

    @pytest.mark.parametrize("bad", ["../../../thesis/{name}", "{victim}/{name}", "..", ""])
    def test_no_file_elsewhere_is_read_or_removed(
        self, store: JobStore, path: Path, victim: Path, bad: str
    ) -> None:
        job_id = ended(store)
        (secret,) = victim.iterdir()
        planted = bad.format(victim=victim, name=secret.name)
        self.plant(path, "UPDATE parts SET file = ? WHERE file IS NOT NULL", planted)
        with pytest.raises(StoreError, match="is not the name of a file"):
            store._part(job_id, "result")
        store.prune(max_age=0.0)
        assert secret.exists()

    def test_symbolic_links_are_not_followed(
        self, store: JobStore, path: Path, victim: Path
    ) -> None:
        job_id = ended(store)
        (file,) = files(path)
        (secret,) = victim.iterdir()
        secret.write_bytes(LARGE["draws"])
        file.unlink()
        file.symlink_to(secret)
        with pytest.raises(StoreError, match="damaged or missing"):
            store._part(job_id, "result")
        file.unlink()
        secret.rename(victim / file.name)
        file.parent.rmdir()
        file.parent.symlink_to(victim)
        with pytest.raises(StoreError, match="symbolic link"):
            store._part(job_id, "result")
        store.prune(max_age=0.0)
        assert (victim / file.name).exists()

    def test_an_owner_that_is_no_id(self, store: JobStore, path: Path, victim: Path) -> None:
        lock = victim / "x.lock"
        lock.touch()
        statement = "INSERT INTO engines VALUES (?, ?, '', '', 1)"
        self.plant(path, statement, str(victim / "x"), store.owner.machine)
        assert store.recover() == []
        assert [row[0] for row in store._db.rows("SELECT id FROM engines")] == [store.owner.id]
        assert lock.exists()


class TestPrepared:
    def test_files_are_written_before_the_transaction(
        self, store: JobStore, path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(schema, "BUSY_SECONDS", 0.05)
        job_id = str(uuid.uuid4())
        store.add(job_id, "job", None, not_durable_because="a lambda")
        with JobStore(path) as other:
            with other.transaction():  # nobody can write rows
                prepared = store.prepare(job_id, "result", RESULT)
                ready = store.prepare_checkpoint(job_id, pack_state(["x" * INLINE_BYTES]))
                assert ready is not None
                assert len(files(path)) == 2
                assert store.prepare_checkpoint(job_id, pack_state((1, 2))) is None
            assert other._part(job_id, "result") is None
            with store.transaction():
                assert store.put(job_id, "result", prepared)
                assert store.put_checkpoint(job_id, ready)
            assert other._part(job_id, "result") == RESULT
            assert other.checkpoint(job_id) == pack_state(["x" * INLINE_BYTES])
            assert len(files(path)) == 2

    def test_no_lock_is_held_while_a_file_is_written(
        self, store: JobStore, path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(schema, "BUSY_SECONDS", 0.05)
        job_id = str(uuid.uuid4())
        with JobStore(path) as other:
            other.join()
            writes = []
            fsync = os.fsync

            def write_meanwhile(file: int) -> None:
                other.add(str(uuid.uuid4()), "another", None, not_durable_because="a lambda")
                writes.append(file)
                fsync(file)

            monkeypatch.setattr(os, "fsync", write_meanwhile)
            store.add(job_id, "job", RESULT, checkpoint=pack_state(["x" * INLINE_BYTES]))
            store.put(job_id, "result", RESULT)
            store.put_task(job_id, RESULT)
            store.put_checkpoint(job_id, pack_state(["y" * INLINE_BYTES]))
        assert len(writes) >= 5

    def test_an_undone_transaction(self, store: JobStore, path: Path) -> None:
        job_id = str(uuid.uuid4())
        store.add(job_id, "job", None, not_durable_because="a lambda")
        prepared = store.prepare(job_id, "result", RESULT)

        def fail() -> None:
            with store.transaction():
                store.put(job_id, "partial", RESULT)
                store.put(job_id, "result", prepared)
                raise ZeroDivisionError

        with pytest.raises(ZeroDivisionError):
            fail()
        assert [file.name for file in files(path)] == prepared.files, "it may be put again"
        assert store.put(job_id, "result", prepared)
        assert store._part(job_id, "result") == RESULT

    def test_what_is_another_engines_is_discarded(self, store: JobStore, path: Path) -> None:
        job_id = str(uuid.uuid4())
        store.add(job_id, "job", None, not_durable_because="a lambda")
        with JobStore(path) as other:
            other.join()
            assert not other.put(job_id, "result", RESULT)
            assert not other.put(job_id, "result", other.prepare(job_id, "result", RESULT))
            assert not files(path)
            other.discard(other.prepare(job_id, "result", RESULT))
            assert not files(path)

    def test_a_file_that_cannot_be_written_leaves_nothing(
        self, store: JobStore, path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        def full(*_: Any) -> int:
            raise OSError(28, "No space left on device")

        job_id = str(uuid.uuid4())
        store.add(job_id, "job", None, not_durable_because="a lambda")
        monkeypatch.setattr(payload_files.os, "fsync", full)
        for write in (
            lambda: store.put(job_id, "result", RESULT),
            lambda: store.prepare(job_id, "result", RESULT),
            lambda: store.add(str(uuid.uuid4()), "job", RESULT),
        ):
            with pytest.raises(StoreError, match="No space left") as caught:
                write()
            assert not caught.value.is_lasting
            assert not files(path)

    def test_a_prepared_part_whose_file_is_gone(self, store: JobStore, path: Path) -> None:
        job_id = str(uuid.uuid4())
        store.add(job_id, "job", None, not_durable_because="a lambda")
        prepared = store.prepare(job_id, "result", RESULT)
        files(path)[0].unlink()
        with pytest.raises(EntryError, match="was removed"):
            store.put(job_id, "result", prepared)
        assert store._part(job_id, "result") is None


@pytest.mark.promise("own-folder")
class TestSweeping:
    def test_only_what_engines_have_left_that_are_gone(self, store: JobStore, path: Path) -> None:
        kept = ended(store)
        with JobStore(path) as other:
            other.join()
            other.add(job_id := str(uuid.uuid4()), "job", None, not_durable_because="a lambda")
            prepared = other.prepare(job_id, "result", RESULT)
            store.prune()
            assert len(files(path)) == 2, "its row may come yet"
            assert other.put(job_id, "result", prepared)
            other.prepare(job_id, "partial", RESULT)
        assert len(files(path)) == 3
        assert store.recover() == [job_id], "it has not left"
        assert len(files(path)) == 2, "what it had prepared is gone with it"
        assert store._part(kept, "result") == store._part(job_id, "result") == RESULT
        assert not list(path.parent.glob("*.files/locks/*.lock"))[1:]
