"""The tables of the job store and how they came about; opening the database, and its errors.

Knows SQLite alone.
"""

from __future__ import annotations

import contextlib
import json
import logging
import sqlite3
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

from rheojobs.engine.errors import StoreError

__all__ = ["BUSY_SECONDS", "MIGRATIONS", "Transaction", "connect", "move_log", "told"]

logger = logging.getLogger(__name__)

BUSY_SECONDS = 2.0
"""How long is waited for another process that writes."""

APPLICATION = 0x7268656F  # "rheo"


def _first_version(db: sqlite3.Connection) -> None:
    for statement in (
        # Who works on jobs. `lease_until` counts in the seconds of the machine's uptime.
        """CREATE TABLE engines (
            id TEXT PRIMARY KEY, boot TEXT NOT NULL, namespace TEXT NOT NULL,
            pid INTEGER NOT NULL, born REAL NOT NULL, lease_until REAL NOT NULL
        ) STRICT, WITHOUT ROWID""",
        # Small rows: a list of 100,000 jobs reads these alone.
        """CREATE TABLE jobs (
            number INTEGER PRIMARY KEY AUTOINCREMENT,
            id TEXT NOT NULL UNIQUE,
            name TEXT NOT NULL,
            kind TEXT NOT NULL,
            obstacle TEXT NOT NULL,
            priority INTEGER NOT NULL,
            needs TEXT NOT NULL,
            max_attempts INTEGER NOT NULL,
            after TEXT NOT NULL,
            after_any TEXT NOT NULL,
            limits TEXT NOT NULL,
            created REAL NOT NULL,
            changed REAL NOT NULL,
            state TEXT NOT NULL,
            message TEXT NOT NULL DEFAULT '',
            attempts INTEGER NOT NULL DEFAULT 0,
            progress TEXT,
            bytes INTEGER NOT NULL DEFAULT 0,
            owner TEXT REFERENCES engines(id) ON DELETE SET NULL,
            wish TEXT NOT NULL DEFAULT ''
        ) STRICT""",
        "CREATE INDEX jobs_by_state ON jobs(state, number)",
        "CREATE INDEX jobs_by_owner ON jobs(owner) WHERE owner IS NOT NULL",
        # Task, result, partial result, error and checkpoint: the JSON under the name '', and
        # the blobs under theirs; what is large lies in a file.
        """CREATE TABLE parts (
            job INTEGER NOT NULL REFERENCES jobs(number) ON DELETE CASCADE,
            part TEXT NOT NULL, name TEXT NOT NULL, kind TEXT NOT NULL,
            content BLOB, file TEXT, size INTEGER NOT NULL,
            PRIMARY KEY (job, part, name)
        ) STRICT""",
        """CREATE TABLE history (
            job INTEGER NOT NULL REFERENCES jobs(number) ON DELETE CASCADE,
            time REAL NOT NULL, state TEXT NOT NULL, message TEXT NOT NULL
        ) STRICT""",
        "CREATE INDEX history_by_job ON history(job)",
    ):
        db.execute(statement)


def _second_version(db: sqlite3.Connection) -> None:
    """Have a job's history in its row, and each part in one tree: half the pages to write."""
    db.execute("ALTER TABLE jobs ADD COLUMN history TEXT NOT NULL DEFAULT ''")
    lines: dict[int, list[str]] = {}
    for job, *entry in db.execute("SELECT job, time, state, message FROM history ORDER BY rowid"):
        lines.setdefault(job, []).append(json.dumps(entry) + "\n")
    db.executemany(
        "UPDATE jobs SET history = ? WHERE number = ?",
        (("".join(entries), job) for job, entries in lines.items()),
    )
    for statement in (
        "DROP TABLE history",
        "ALTER TABLE parts RENAME TO old_parts",
        """CREATE TABLE parts (
            job INTEGER NOT NULL REFERENCES jobs(number) ON DELETE CASCADE,
            part TEXT NOT NULL, name TEXT NOT NULL, kind TEXT NOT NULL,
            content BLOB, file TEXT, size INTEGER NOT NULL,
            PRIMARY KEY (job, part, name)
        ) STRICT, WITHOUT ROWID""",
        "INSERT INTO parts SELECT * FROM old_parts",
        "DROP TABLE old_parts",
    ):
        db.execute(statement)


def _third_version(db: sqlite3.Connection) -> None:
    """Have a small task and result in a job's row, and one index of jobs: again half the pages.

    Whoever wants the jobs in some state asks for those of nobody and for those of each engine.
    """
    for statement in (
        "ALTER TABLE jobs ADD COLUMN task TEXT",
        "ALTER TABLE jobs ADD COLUMN result TEXT",
        "DROP INDEX jobs_by_state",
        "DROP INDEX jobs_by_owner",
        "CREATE INDEX jobs_by_owner_and_state ON jobs(owner, state)",
        "CREATE INDEX untidied ON parts(job) WHERE part = 'untidied'",
    ):
        db.execute(statement)


MIGRATIONS: list[Callable[[sqlite3.Connection], None]] = [
    _first_version,
    _second_version,
    _third_version,
]
"""Each takes the database from one version to the next; never changed once released."""

_WORDS = {
    sqlite3.SQLITE_BUSY: "is held by another program: try again when that has ended",
    sqlite3.SQLITE_LOCKED: "is held by another program: try again when that has ended",
    sqlite3.SQLITE_FULL: "cannot be written: the disk is full",
    sqlite3.SQLITE_IOERR: "cannot be read or written: the disk is full or has failed",
    sqlite3.SQLITE_READONLY: "may not be written: it is read-only",
    sqlite3.SQLITE_CANTOPEN: "cannot be opened: its folder must exist and be writable",
    sqlite3.SQLITE_PERM: "may not be opened: access is denied",
    sqlite3.SQLITE_AUTH: "may not be opened: access is denied",
    sqlite3.SQLITE_PROTOCOL: "is held by another program: try again when that has ended",
    sqlite3.SQLITE_NOMEM: "cannot be used: there is not enough memory",
}

_DAMAGE = frozenset(
    {
        sqlite3.SQLITE_ERROR,  # tables or columns that should be there are not
        sqlite3.SQLITE_CORRUPT,
        sqlite3.SQLITE_NOTADB,
        sqlite3.SQLITE_FORMAT,
    }
)


def _translated(path: Path, error: Exception) -> StoreError:
    if isinstance(error, OSError):
        return StoreError(f"the job store {path} cannot be written: {error.strerror or error}")
    code = getattr(error, "sqlite_errorcode", None)
    if code is None:  # of Python's own: the connection was closed
        return StoreError(f"the job store {path} cannot be used: {error}", is_lasting=True)
    if code & 0xFF in _WORDS:
        return StoreError(f"the job store {path} {_WORDS[code & 0xFF]}")
    if code & 0xFF in _DAMAGE:
        words = f"is damaged ({error}): move it away to begin a new one"
    else:
        words = f"refuses what is written or asked ({error}): please report it"
    return StoreError(f"the job store {path} {words}", is_lasting=True)


@contextlib.contextmanager
def told(path: Path) -> Iterator[None]:
    """Turn what SQLite and the system raise into a `StoreError` of one line."""
    try:
        yield
    except StoreError:
        raise
    except (sqlite3.Error, OSError) as error:
        raise _translated(path, error) from error


class Transaction:
    """Has all writes within be on disk together, or none; within itself, it is part of the outer.

    One thread at a time is in it. A class, as a generator costs as much as a small write.

    Parameters
    ----------
    db : Connection
        The database.
    path : Path
        Where it is; what SQLite raises is told with it, as `told` does.
    lock : RLock
        Guards the database.
    ended : callable, optional
        Told at the end of the outermost whether it is on disk.
    """

    def __init__(
        self,
        db: sqlite3.Connection,
        path: Path,
        lock: threading.RLock,
        ended: Callable[[bool], object] = bool,
    ) -> None:
        self._db = db
        self._path = path
        self._lock = lock
        self._ended = ended
        self._depth = 0

    def alone(self, statement: str, values: Sequence[Any]) -> sqlite3.Cursor:
        """Have one statement write, which is on disk by itself, or part of an outer transaction.

        It takes two statements less than a transaction, each of which lets other threads go first.
        """
        with self._lock:
            try:
                return self._db.execute(statement, values)
            except sqlite3.Error as error:
                self._tell(error)
                raise

    def __enter__(self) -> None:
        self._lock.acquire()
        try:
            if self._depth == 0:
                self._db.execute("BEGIN IMMEDIATE")
        except BaseException as error:
            self._lock.release()
            self._tell(error)
            raise
        self._depth += 1

    def __exit__(self, kind: object, error: BaseException | None, trace: object) -> None:
        try:
            self._depth -= 1
            if self._depth == 0:
                self._end(error is None)
        except sqlite3.Error as failed:
            self._tell(failed)
        finally:
            self._lock.release()
        self._tell(error)

    def _end(self, is_good: bool) -> None:
        is_committed = False
        try:
            if is_good:
                self._db.execute("COMMIT")
                is_committed = True
        finally:
            if self._db.in_transaction:
                self._db.execute("ROLLBACK")
            self._ended(is_committed)

    def _tell(self, error: BaseException | None) -> None:
        if isinstance(error, sqlite3.Error | OSError) and not isinstance(error, StoreError):
            raise _translated(self._path, error) from error


def connect(path: Path) -> sqlite3.Connection:
    """Open the database, make it where there is none, and bring it to the present version.

    Raises
    ------
    StoreError
        In one line, why that cannot be done; what is there is left as it was.
    """
    with told(path):
        path.parent.mkdir(parents=True, exist_ok=True)
        db = sqlite3.connect(
            path, timeout=BUSY_SECONDS, isolation_level=None, check_same_thread=False
        )
        try:
            _prepare(db, path)
        except BaseException:
            db.close()
            raise
        return db


def move_log(path: Path) -> None:
    """Move what the log holds into the database, as far as it can be without anybody waiting."""
    try:
        with contextlib.closing(sqlite3.connect(path, timeout=0.0, isolation_level=None)) as db:
            db.execute("PRAGMA wal_checkpoint(PASSIVE)")
    except sqlite3.Error as error:  # nothing is lost: it stays in the log
        logger.debug("the log of %s stays as it is: %s", path, error)


def _prepare(db: sqlite3.Connection, path: Path) -> None:
    db.execute("PRAGMA trusted_schema = OFF")
    db.execute("PRAGMA foreign_keys = ON")
    _check(db, path)
    if not _value(db, "page_count"):
        db.execute("PRAGMA auto_vacuum = INCREMENTAL")
    _use_wal(db)
    # Enough for whatever may happen to a process. `JobStore.sync` sees to power cuts.
    db.execute("PRAGMA synchronous = NORMAL")
    if _value(db, "user_version") < len(MIGRATIONS):
        with Transaction(db, path, threading.RLock()):
            # Another process may have been quicker, or newer.
            _check(db, path)
            for version in range(_value(db, "user_version"), len(MIGRATIONS)):
                MIGRATIONS[version](db)
            db.execute(f"PRAGMA application_id = {APPLICATION}")
            db.execute(f"PRAGMA user_version = {len(MIGRATIONS)}")


def _value(db: sqlite3.Connection, pragma: str) -> int:
    return int(db.execute(f"PRAGMA {pragma}").fetchone()[0])


def _check(db: sqlite3.Connection, path: Path) -> None:
    if path.stat().st_size % _value(db, "page_size") and not _log_of(path).exists():
        # SQLite would take the rest of the last page for zeros, and write into the file.
        raise StoreError(
            f"the job store {path} is damaged (its end is gone): move it away to begin a new one",
            is_lasting=True,
        )
    version = _value(db, "user_version")
    has_tables = db.execute("SELECT count(*) FROM sqlite_schema").fetchone()[0] > 0
    if has_tables and _value(db, "application_id") != APPLICATION:
        raise StoreError(f"{path} is the database of another program", is_lasting=True)
    if version > len(MIGRATIONS):
        raise StoreError(
            f"the job store {path} has version {version}, this rheojobs knows up to "
            f"{len(MIGRATIONS)}: use the newer rheojobs that made it",
            is_lasting=True,
        )


def _log_of(path: Path) -> Path:
    return path.with_name(path.name + "-wal")


def _use_wal(db: sqlite3.Connection) -> None:
    """Let readers and a writer not wait for each other; SQLite itself does not wait for this."""
    deadline = time.monotonic() + BUSY_SECONDS
    while True:
        try:
            db.execute("PRAGMA journal_mode = WAL")
            return
        except sqlite3.OperationalError as error:
            if error.sqlite_errorcode != sqlite3.SQLITE_BUSY or time.monotonic() > deadline:
                raise
            time.sleep(0.02)
