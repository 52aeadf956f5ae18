"""The rows of jobs: inserting them, changing their states and their owners."""

from __future__ import annotations

import sqlite3
from collections.abc import Mapping
from typing import Any

from rheojobs.engine.errors import EntryError
from rheojobs.engine.states import JobState, check_transition
from rheojobs.engine.store import sql
from rheojobs.engine.store.database import Database
from rheojobs.engine.store.leases import Leases
from rheojobs.engine.store.stored_job import WAITING

__all__ = ["JobRows"]


class JobRows:
    """The table of jobs, for the engine that has joined the store.

    Parameters
    ----------
    database : Database
        The database.
    leases : Leases
        The engines of the store.
    """

    def __init__(self, database: Database, leases: Leases) -> None:
        self._db = database
        self._leases = leases

    def insert(self, values: Mapping[str, Any]) -> int:
        """Add a job of this engine; return its number."""
        try:
            number = self._db.execute(sql.INSERT, values).lastrowid
        except EntryError as error:
            code = getattr(error.__cause__, "sqlite_errorcode", None)
            if code != sqlite3.SQLITE_CONSTRAINT_FOREIGNKEY:
                raise
            with self._db:
                self._leases.sign_in()  # this engine's lock was removed, and its jobs were freed
                number = self._db.execute(sql.INSERT, values).lastrowid
        assert number is not None
        return number

    def own(self, job_id: str) -> tuple[int, JobState] | None:
        """Return the number and the state of a job; None if it is not this engine's."""
        statement = "SELECT number, state FROM jobs WHERE id = ? AND owner = ?"
        rows = self._db.rows(statement, (job_id, self._leases.owner.id))
        return (rows[0][0], JobState(rows[0][1])) if rows else None

    def is_taken(self, job_id: str) -> bool:
        """Do what `JobStore.is_taken` does."""
        rows = self._db.rows("SELECT owner, state FROM jobs WHERE id = ?", (job_id,))
        if not rows or rows[0][0] == self._leases.owner.id:
            return False
        return rows[0][0] is not None or JobState(rows[0][1]).is_terminal

    def set(self, job_id: str, **values: Any) -> bool:
        """Write columns of a job; return False if it is not this engine's."""
        columns = ", ".join(f"{column} = ?" for column in values)
        statement = f"UPDATE jobs SET {columns} WHERE id = ? AND owner = ?"
        owner = self._leases.owner.id
        return self._db.execute(statement, (*values.values(), job_id, owner)).rowcount > 0

    def move(
        self,
        job_id: str,
        state: JobState,
        message: str,
        when: float | None,
        began: float | None,
        result: str | None,
    ) -> bool:
        """Do what `JobStore.move` does, in the row."""
        owner = self._leases.owner.id
        if self._db.execute(
            *sql.move(job_id, owner, state, message, when=when, began=began, result=result)
        ).rowcount:
            return True
        if (found := self.own(job_id)) is not None:
            check_transition(found[1], state if began is None else JobState.RUNNING)
        return False

    def give_away(self, job_id: str, message: str) -> bool:
        """Do what `JobStore.give_away` does, in a transaction."""
        if (found := self.own(job_id)) is None:
            return False
        number, state = found
        if state in (JobState.RUNNING, JobState.PAUSED):
            self._db.execute(*sql.entry(number, JobState.INTERRUPTED, message))
        return self.set(job_id, owner=None)

    def take(self, job_id: str) -> JobState | None:
        """Do what `JobStore.take` does, in a transaction."""
        rows = self._db.rows(
            "SELECT number, state FROM jobs"
            " WHERE id = ? AND owner IS NULL AND not_durable_because = ''",
            (job_id,),
        )
        if not rows or rows[0][1] not in WAITING:
            return None
        number, state = rows[0][0], JobState(rows[0][1])
        self._leases.sign_in()
        statement = "UPDATE jobs SET owner = ?, request = '' WHERE number = ?"
        self._db.execute(statement, (self._leases.owner.id, number))
        if state is not JobState.INTERRUPTED:
            return state
        self._db.execute(*sql.entry(number, JobState.QUEUED))
        return JobState.QUEUED
