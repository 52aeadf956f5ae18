"""The tables of the job store; opening the database, and its errors.

Knows SQLite alone.
"""

from __future__ import annotations

import contextlib
import logging
import sqlite3
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

from rheojobs.engine.errors import StoreError

__all__ = [
    "BUSY_SECONDS",
    "TABLES",
    "VERSION",
    "Transaction",
    "connect",
    "move_log",
    "translate_errors",
]

logger = logging.getLogger(__name__)

BUSY_SECONDS = 2.0
"""How long is waited for another process that writes."""

APPLICATION = 0x7268656F  # "rheo"


TABLES = (
    # Who works on jobs. `lease_until` counts in the seconds of the machine's uptime.
    """CREATE TABLE engines (
        id TEXT PRIMARY KEY, boot TEXT NOT NULL, namespace TEXT NOT NULL,
        pid INTEGER NOT NULL, born REAL NOT NULL, lease_until REAL NOT NULL
    ) STRICT, WITHOUT ROWID""",
    # Small rows: a list of 100,000 jobs reads these alone. A small task and a small result are in
    # the row: that halves the pages that a short job writes.
    """CREATE TABLE jobs (
        number INTEGER PRIMARY KEY AUTOINCREMENT,
        id TEXT NOT NULL UNIQUE,
        name TEXT NOT NULL,
        task_type TEXT NOT NULL,
        not_durable_because TEXT NOT NULL,
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
        request TEXT NOT NULL DEFAULT '',
        history TEXT NOT NULL DEFAULT '',
        task TEXT,
        result TEXT
    ) STRICT""",
    # The one index besides the id's: queries by state ask for the jobs of nobody and those of
    # each engine.
    "CREATE INDEX jobs_by_owner_and_state ON jobs(owner, state)",
    # Task, result, partial result, error and checkpoint: the JSON under the name '', and
    # the blobs under theirs; what is large lies in a file.
    """CREATE TABLE parts (
        job INTEGER NOT NULL REFERENCES jobs(number) ON DELETE CASCADE,
        part TEXT NOT NULL, name TEXT NOT NULL, kind TEXT NOT NULL,
        content BLOB, file TEXT, size INTEGER NOT NULL,
        PRIMARY KEY (job, part, name)
    ) STRICT, WITHOUT ROWID""",
    "CREATE INDEX untidied ON parts(job) WHERE part = 'untidied'",
)
VERSION = 1

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
def translate_errors(path: Path) -> Iterator[None]:
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
        Where it is; what SQLite raises is told with it, as `translate_errors` does.
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
    with translate_errors(path):
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
    if not _value(db, "user_version"):
        with Transaction(db, path, threading.RLock()):
            _check(db, path)
            if not _value(db, "user_version"):  # else another process was quicker
                for statement in TABLES:
                    db.execute(statement)
                db.execute(f"PRAGMA application_id = {APPLICATION}")
                db.execute(f"PRAGMA user_version = {VERSION}")


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
    if version > VERSION:
        raise StoreError(
            f"the job store {path} has version {version}, this rheojobs knows up to "
            f"{VERSION}: use the newer rheojobs that made it",
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
