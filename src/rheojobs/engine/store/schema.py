"""The tables of a store, and opening a database with them."""

from __future__ import annotations

import contextlib
import sqlite3
import time
import uuid
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from rheojobs.engine.errors import StoreError
from rheojobs.engine.store import permissions
from rheojobs.engine.store.database import Database, log_of, translate_errors

__all__ = ["BUSY_SECONDS", "COLUMNS", "TABLES", "VERSION", "Column", "connect"]

BUSY_SECONDS = 2.0
"""Seconds that a write waits for another process that writes."""

APPLICATION = 0x7268656F  # "rheo"

VERSION = 4
"""The version of the tables. Versions 1 to 3 were never released."""


@dataclass(frozen=True, slots=True)
class Column:
    """A column of the table of jobs.

    Attributes
    ----------
    name, type : str
        As in SQL.
    is_inserted : bool
        Whether a new job has a value; else it begins with the default.
    is_selected : bool
        Whether a `StoredJob` has it; other columns may be large, and are read separately.
    """

    name: str
    type: str
    is_inserted: bool = True
    is_selected: bool = True


COLUMNS = (
    Column("number", "INTEGER PRIMARY KEY AUTOINCREMENT", is_inserted=False),
    Column("id", "TEXT NOT NULL UNIQUE"),
    Column("name", "TEXT NOT NULL"),
    Column("task_type", "TEXT NOT NULL"),
    Column("not_durable_because", "TEXT NOT NULL"),
    Column("priority", "INTEGER NOT NULL"),
    Column("needs", "TEXT NOT NULL"),
    Column("max_attempts", "INTEGER NOT NULL"),
    Column("after", "TEXT NOT NULL"),
    Column("after_any", "TEXT NOT NULL"),
    Column("limits", "TEXT NOT NULL"),
    Column("not_before", "REAL"),
    Column("retry", "TEXT NOT NULL"),
    Column("created", "REAL NOT NULL"),
    Column("changed", "REAL NOT NULL"),
    Column("state", "TEXT NOT NULL"),
    Column("message", "TEXT NOT NULL DEFAULT ''", is_inserted=False),
    Column("attempts", "INTEGER NOT NULL DEFAULT 0", is_inserted=False),
    Column("progress", "TEXT", is_inserted=False),
    Column("bytes", "INTEGER NOT NULL"),
    Column("owner", "TEXT REFERENCES engines(id) ON DELETE SET NULL"),
    Column("request", "TEXT NOT NULL DEFAULT ''", is_inserted=False),
    Column("cluster_address", "TEXT NOT NULL DEFAULT ''", is_inserted=False),
    Column("history", "TEXT NOT NULL", is_selected=False),
    # A small task and a small result are in the row: that halves the pages that a short job writes.
    Column("task", "TEXT", is_selected=False),
    Column("result", "TEXT", is_inserted=False, is_selected=False),
)
"""The columns of a job. Rows are small: a list of 100,000 jobs reads all of them."""

TABLES = (
    # One row: the id of the store, which its folder also has.
    "CREATE TABLE store (id TEXT NOT NULL) STRICT",
    # The engines that work on jobs: `leases.Owner`.
    """CREATE TABLE engines (
        id TEXT PRIMARY KEY, machine TEXT NOT NULL, boot TEXT NOT NULL, host TEXT NOT NULL,
        pid INTEGER NOT NULL
    ) STRICT, WITHOUT ROWID""",
    f"CREATE TABLE jobs ({', '.join(f'{column.name} {column.type}' for column in COLUMNS)}) STRICT",
    # The only index besides that of the ids: queries by state select the jobs without an owner
    # and those of each engine.
    "CREATE INDEX jobs_by_owner_and_state ON jobs(owner, state)",
    # Task, result, partial result, error and checkpoint: the JSON under the name '', and
    # the blobs under theirs; large content is in a file.
    """CREATE TABLE parts (
        job INTEGER NOT NULL REFERENCES jobs(number) ON DELETE CASCADE,
        part TEXT NOT NULL, name TEXT NOT NULL, kind TEXT NOT NULL,
        content BLOB, file TEXT, size INTEGER NOT NULL,
        PRIMARY KEY (job, part, name)
    ) STRICT, WITHOUT ROWID""",
    "CREATE INDEX untidied ON parts(job) WHERE part = 'untidied'",
)


def connect(path: Path, *, is_copy: bool = False) -> Database:
    """Open a database, with its tables; it is created if missing.

    Parameters
    ----------
    path : Path
        Absolute, without symbolic links.
    is_copy : bool
        Whether it is a temporary copy, which is only read.

    Raises
    ------
    StoreError
        If it cannot be opened; an existing file is left as it was.
    """
    with translate_errors(path):
        if not is_copy:
            permissions.make_folder(path.parent)
            permissions.make_file(path)
            permissions.check(path)
        db = sqlite3.connect(
            path, timeout=BUSY_SECONDS, isolation_level=None, check_same_thread=False
        )
        try:
            _prepare(db, path)
        except BaseException:
            db.close()
            raise
        return Database(db, path)


def _prepare(db: sqlite3.Connection, path: Path) -> None:
    db.execute("PRAGMA trusted_schema = OFF")
    db.execute("PRAGMA foreign_keys = ON")
    _check(db, path)
    if not _value(db, "page_count"):
        db.execute("PRAGMA auto_vacuum = INCREMENTAL")
    _use_wal(db)
    # Enough for any end of a process. `Database.sync` protects against power cuts.
    db.execute("PRAGMA synchronous = NORMAL")
    if not _value(db, "user_version"):
        with _writing(db):
            _check(db, path)
            if not _value(db, "user_version"):  # else another process was faster
                for statement in TABLES:
                    db.execute(statement)
                db.execute("INSERT INTO store VALUES (?)", (str(uuid.uuid4()),))
                db.execute(f"PRAGMA application_id = {APPLICATION}")
                db.execute(f"PRAGMA user_version = {VERSION}")


@contextlib.contextmanager
def _writing(db: sqlite3.Connection) -> Iterator[None]:
    db.execute("BEGIN IMMEDIATE")
    try:
        yield
        db.execute("COMMIT")
    finally:
        if db.in_transaction:
            db.execute("ROLLBACK")


def _value(db: sqlite3.Connection, pragma: str) -> int:
    return int(db.execute(f"PRAGMA {pragma}").fetchone()[0])


def _check(db: sqlite3.Connection, path: Path) -> None:
    if path.stat().st_size % _value(db, "page_size") and not log_of(path).exists():
        # SQLite would treat the rest of the last page as zeros, and write into the file.
        raise StoreError(
            f"the job store {path} is damaged (its end is missing): move it away, with "
            f"{path.name}.files, to begin a new one",
            is_lasting=True,
        )
    version = _value(db, "user_version")
    has_tables = db.execute("SELECT count(*) FROM sqlite_schema").fetchone()[0] > 0
    if has_tables and _value(db, "application_id") != APPLICATION:
        raise StoreError(f"{path} is the database of another program", is_lasting=True)
    if 0 < version < VERSION:
        raise StoreError(
            f"the job store {path} was made by a rheojobs before its first release: move it "
            f"away, with {path.stem}.files, to begin a new one",
            is_lasting=True,
        )
    if version > VERSION:
        raise StoreError(
            f"the job store {path} has version {version}, this rheojobs knows up to "
            f"{VERSION}: use the newer rheojobs that made it",
            is_lasting=True,
        )


def _use_wal(db: sqlite3.Connection) -> None:
    """Make readers and writers independent; retried here, since SQLite does not wait for this."""
    deadline = time.monotonic() + BUSY_SECONDS
    while True:
        try:
            db.execute("PRAGMA journal_mode = WAL")
            return
        except sqlite3.OperationalError as error:
            if error.sqlite_errorcode != sqlite3.SQLITE_BUSY or time.monotonic() > deadline:
                raise
            time.sleep(0.02)
