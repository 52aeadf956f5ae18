"""The connection to the database of a store: its lock, its transactions, its one-line errors."""

from __future__ import annotations

import contextlib
import functools
import logging
import os
import sqlite3
import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from rheojobs.engine.errors import EntryError, StoreError

__all__ = ["Database", "Values", "log_of", "move_log", "translate_errors"]

logger = logging.getLogger(__name__)

LARGE_LOG = 16_000_000
"""Bytes of SQLite's log from which on `Database.sync` moves it into the database."""

Values = Sequence[Any] | Mapping[str, Any]

_BUSY = "is held by another program: try again when that has ended"
_DENIED = "may not be opened: access is denied"
_WORDS = {
    sqlite3.SQLITE_BUSY: _BUSY,
    sqlite3.SQLITE_LOCKED: _BUSY,
    sqlite3.SQLITE_PROTOCOL: _BUSY,
    sqlite3.SQLITE_FULL: "cannot be written: the disk is full",
    sqlite3.SQLITE_IOERR: "cannot be read or written: the disk is full or has failed",
    sqlite3.SQLITE_READONLY: "may not be written: it is read-only",
    sqlite3.SQLITE_CANTOPEN: "cannot be opened: its folder must exist and be writable",
    sqlite3.SQLITE_PERM: _DENIED,
    sqlite3.SQLITE_AUTH: _DENIED,
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

_ENTRY = frozenset({sqlite3.SQLITE_CONSTRAINT, sqlite3.SQLITE_MISMATCH, sqlite3.SQLITE_TOOBIG})
"""SQLite's error codes for a row that it refuses."""

_CLOSED = "closed database"

_TRANSLATED = (sqlite3.Error, OSError, OverflowError, UnicodeError)
"""Errors of SQLite and the system, and of Python for a value that SQLite cannot hold."""


def _translated(path: Path, error: Exception) -> StoreError:
    if isinstance(error, OSError):
        return StoreError(f"the job store {path} cannot be written: {error.strerror or error}")
    code = getattr(error, "sqlite_errorcode", None)
    if code is None:  # of Python's own
        if _CLOSED in str(error):
            return StoreError(f"the job store {path} cannot be used: {error}", is_lasting=True)
        return EntryError(f"the job store {path} cannot hold a value: {error}")
    if code & 0xFF in _ENTRY:
        return EntryError(f"the job store {path} refuses an entry: {error}")
    if code & 0xFF in _WORDS:
        return StoreError(f"the job store {path} {_WORDS[code & 0xFF]}")
    if code & 0xFF in _DAMAGE:
        words = f"is damaged ({error}): move it away, with {path.name}.files, to begin a new one"
    else:
        words = f"refuses what is written or asked ({error}): please report it"
    return StoreError(f"the job store {path} {words}", is_lasting=True)


@contextlib.contextmanager
def translate_errors(path: Path) -> Iterator[None]:
    """Translate errors of SQLite and the system into a `StoreError` of one line."""
    try:
        yield
    except StoreError:
        raise
    except _TRANSLATED as error:
        raise _translated(path, error) from error


def log_of(path: Path) -> Path:
    """Return the path of SQLite's log of the latest writes."""
    return path.with_name(path.name + "-wal")


def move_log(path: Path) -> None:
    """Move the content of the log into the database, without blocking other connections."""
    try:
        with contextlib.closing(sqlite3.connect(path, timeout=0.0, isolation_level=None)) as db:
            db.execute("PRAGMA wal_checkpoint(PASSIVE)")
    except sqlite3.Error as error:  # nothing is lost: the content stays in the log
        logger.debug("the log of %s stays as it is: %s", path, error)


class Database:
    """A connection that threads share; as a context manager, a transaction.

    All writes within ``with database:`` are on disk together, or none is; within another
    transaction, it is a part of that. Only one thread at a time is in it. It is a class, since a
    generator costs as much as a small write.

    Parameters
    ----------
    connection : Connection
        To the database, in autocommit mode.
    path : Path
        The database file, for error messages.

    Attributes
    ----------
    on_end : list of callable
        Each is called at the end of an outermost transaction with whether it was committed.
    """

    def __init__(self, connection: sqlite3.Connection, path: Path) -> None:
        self.connection = connection
        self.path = path
        self.on_end: list[Callable[[bool], object]] = []
        self._lock = threading.RLock()
        self._depth = 0

    @functools.cached_property
    def store_id(self) -> str:
        """The id of the store, which its folder also has."""
        return str(self.rows("SELECT id FROM store")[0][0])

    def close(self) -> None:
        """Close the connection; it may be called again."""
        with self._lock, translate_errors(self.path):
            self.connection.close()

    def execute(self, statement: str, values: Values = ()) -> sqlite3.Cursor:
        """Execute one statement by itself, or as part of an outer transaction.

        It takes two statements less than a transaction, each of which lets other threads run first.
        """
        with self._lock:
            try:
                return self.connection.execute(statement, values)
            except _TRANSLATED as error:
                self._raise(error)
                raise

    def rows(self, statement: str, values: Values = ()) -> list[Any]:
        """Return all rows of a query."""
        with self._lock:
            try:
                return self.connection.execute(statement, values).fetchall()
            except _TRANSLATED as error:
                self._raise(error)
                raise

    def named_rows(self, statement: str, values: Values = ()) -> list[dict[str, Any]]:
        """Return all rows of a query, each by the names of its columns."""
        with self._lock, translate_errors(self.path):
            cursor = self.connection.execute(statement, values)
            names = [column[0] for column in cursor.description]
            return [dict(zip(names, row, strict=True)) for row in cursor]

    def sync(self) -> None:
        """Make all earlier writes survive a power cut too.

        It waits for the disk, some milliseconds: too long for each single write. Readers and
        writers are not delayed: the log has no locks on it, and is moved into the database through
        a connection of its own.
        """
        size = 0
        with (
            translate_errors(self.path),
            contextlib.suppress(FileNotFoundError),
            log_of(self.path).open("r+b") as file,
        ):
            os.fsync(file.fileno())
            size = os.fstat(file.fileno()).st_size
        if size >= LARGE_LOG:
            move_log(self.path)

    def __enter__(self) -> None:
        self._lock.acquire()
        try:
            if self._depth == 0:
                self.connection.execute("BEGIN IMMEDIATE")
        except BaseException as error:
            self._lock.release()
            self._raise(error)
            raise
        self._depth += 1

    def __exit__(self, kind: object, error: BaseException | None, trace: object) -> None:
        try:
            self._depth -= 1
            if self._depth == 0:
                self._end(error is None)
        except sqlite3.Error as failed:
            self._raise(failed)
        finally:
            self._lock.release()
        self._raise(error)

    def _end(self, is_good: bool) -> None:
        is_committed = False
        try:
            if is_good:
                self.connection.execute("COMMIT")
                is_committed = True
        finally:
            if self.connection.in_transaction:
                self.connection.execute("ROLLBACK")
            for ended in self.on_end:
                ended(is_committed)

    def _raise(self, error: BaseException | None) -> None:
        if isinstance(error, _TRANSLATED) and not isinstance(error, StoreError):
            raise _translated(self.path, error) from error
