"""Damaged and hostile job stores: `rheojobs.engine.store` and `rheojobs.engine.serialization`."""

from __future__ import annotations

import shutil
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.engine.store.helpers import enter
from tests.fuzz.damage import damaged, odd_text
from tests.fuzz.guard import examples, tree, tried

from rheojobs.engine import JobState, JobStore, StoreError
from rheojobs.engine.serialization import Record, value_of
from rheojobs.engine.store.reader import StoreReader
from rheojobs.engine.store.schema import COLUMNS

TEXTS = sorted(column.name for column in COLUMNS if column.type.startswith("TEXT"))
JSON = st.sampled_from(
    [
        "[" * 100_000,
        '{"a":' * 100_000,
        "NaN",
        "[1]",
        "{}",
        "null",
        '"text"',
        '{"$array": "x"}',
        '{"$Dataset": {}}',
        "9" * 5000,
        "[[1,2,3]]",
        "{",
    ]
)


@pytest.fixture(scope="module")
def intact(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("intact") / "jobs.sqlite3"
    with closing(JobStore(path)) as store:
        store.join()
        enter(store)
        other = enter(store, JobState.RUNNING)
        store.put(other, "result", Record("json", {"text": "x" * 5000}, {"b": b"y" * 300_000}))
    return path


def _copy(intact: Path, folder: Path) -> Path:
    shutil.rmtree(folder, ignore_errors=True)
    shutil.copytree(intact.parent, folder, symlinks=True)
    folder.chmod(0o700)
    return folder / intact.name


def _use(path: Path) -> None:
    """Read all that a window or `jobs show` reads of a store."""
    reader = tried(lambda: StoreReader(path), seconds=10.0)
    if isinstance(reader, Exception):
        return
    with closing(reader):
        jobs = tried(reader.jobs)
        tried(reader.counts)
        for job in jobs if isinstance(jobs, list) else []:
            for look in (reader.history, reader.error, reader.result, reader.checkpoint):
                tried(lambda look=look, job=job: look(job.id), is_printable=False)
            tried(lambda job=job: reader.task(job.id, may_import=False), is_printable=False)
            tried(lambda job=job: reader.task_words([job.number], "model"))


@examples(25)
@given(data=st.data())
def test_damaged_files(intact: Path, tmp_path: Path, data: st.DataObject):
    path = _copy(intact, tmp_path / "store")
    path.write_bytes(data.draw(damaged(path.read_bytes())))
    _use(path)


@examples(60)
@given(st.sampled_from(TEXTS), JSON | odd_text)
def test_hostile_rows(intact: Path, tmp_path: Path, column: str, value: str):
    path = _copy(intact, tmp_path / "store")
    before = {name for name in tree(tmp_path) if "jobs.sqlite3" not in name}
    with closing(sqlite3.connect(path)) as db, db:
        try:
            db.execute(f'UPDATE jobs SET "{column}" = ? WHERE number = 1', (value,))
        except (sqlite3.Error, UnicodeError):
            return
    _use(path)
    assert {name for name in tree(tmp_path) if "jobs.sqlite3" not in name} == before


@examples(40)
@given(
    st.sampled_from(["kind", "name", "part", "content", "file"]),
    JSON | odd_text | st.binary(max_size=20),
)
def test_hostile_parts(intact: Path, tmp_path: Path, column: str, value: object):
    path = _copy(intact, tmp_path / "store")
    with closing(sqlite3.connect(path)) as db, db:
        try:
            db.execute(f"UPDATE parts SET {column} = ? WHERE name = ''", (value,))
        except (sqlite3.Error, UnicodeError):
            return
    _use(path)


@pytest.mark.parametrize(
    "kind",
    [
        "os:system",
        "subprocess:Popen",
        "builtins:eval",
        "antigravity:x",
        "rheojobs.cli.main:main",
        "rheojobs.engine.serialization:Record",
        "json",
        "rheojobs.engine:JobStore.close",
        ":",
        "",
        "..:x",
    ],
)
def test_no_import_path_of_a_result_is_called(kind: str, tmp_path: Path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    found = tried(lambda: value_of(Record(kind, ["touch marker"])))
    assert found == ["touch marker"] or isinstance(found, Exception)
    assert not any(tmp_path.iterdir())


@pytest.mark.parametrize("column", ["needs", "limits", "after", "retry", "progress", "state"])
def test_a_damaged_row_is_an_error_of_the_store(intact: Path, tmp_path: Path, column: str):
    path = _copy(intact, tmp_path / "store")
    with closing(sqlite3.connect(path)) as db, db:
        db.execute(f'UPDATE jobs SET "{column}" = ? WHERE number = 1', ("[" * 100_000,))
    with closing(StoreReader(path)) as reader:
        error = tried(reader.jobs)
    assert isinstance(error, StoreError)
    assert column in str(error)
