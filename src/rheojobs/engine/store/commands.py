"""What is requested of the owner of a job, a word or a word and a number, and how it is passed on.

Anybody may request; the owner takes the requests, within a second.
"""

from __future__ import annotations

from rheojobs.engine.states import JobState
from rheojobs.engine.store import sql
from rheojobs.engine.store.database import Database
from rheojobs.engine.store.stored_job import WAITING, StoredJob
from rheojobs.errors import InputError, nearest

__all__ = ["REQUESTS", "Commands", "priority_request", "requested_priority"]

REQUESTS = {
    "cancel": tuple(state for state in JobState if not state.is_terminal),
    "pause": (JobState.RUNNING,),
    "resume": (JobState.RUNNING, JobState.PAUSED),
}
"""The words, and the states of a job in which each has a meaning."""

_PRIORITY = "priority "


def priority_request(priority: int) -> str:
    """Return the request that a job gets this priority."""
    return f"{_PRIORITY}{priority}"


def requested_priority(request: str) -> int | None:
    """Return the priority that a request asks for; None if it asks for something else."""
    number = request.removeprefix(_PRIORITY)
    return int(number) if number != request and number.lstrip("-").isdecimal() else None


class Commands:
    """The requests in a database.

    Parameters
    ----------
    database : Database
        The database.
    """

    def __init__(self, database: Database) -> None:
        self._db = database
        self._version = -1
        self._has_own = False

    def request(self, job: StoredJob, request: str) -> bool:
        """Request that a job is cancelled, paused or resumed, in the transaction that found it.

        Returns
        -------
        bool
            Whether that is done, since the job has no owner.

        Raises
        ------
        InputError
            If that is not possible with this job.
        """
        if request not in REQUESTS:
            raise InputError(f"unknown request {request!r}; {nearest(request, REQUESTS)}")
        if job.state not in REQUESTS[request]:
            raise InputError(f"{_label(job)} is {job.state}: cannot {request} it")
        if job.owner is not None:
            self._write(job, request)
        elif request == "cancel":
            statement = sql.entry(job.number, JobState.CANCELLED, "cancelled while it waited")
            self._db.execute(*statement)
        else:
            raise InputError(f"{_label(job)} has no application that works on it: {request}")
        return job.owner is None

    def request_priority(self, job: StoredJob, priority: int) -> bool:
        """Request that a job that waits gets another priority; returns what `request` returns."""
        if job.state not in WAITING:
            raise InputError(f"{_label(job)} is {job.state}: its turn has come already")
        if job.owner is None:
            statement = "UPDATE jobs SET priority = ? WHERE number = ?"
            self._db.execute(statement, (priority, job.number))
        elif job.request != "cancel":  # a job that will be cancelled needs no turn
            self._write(job, priority_request(priority))
        return job.owner is None

    def _write(self, job: StoredJob, request: str) -> None:
        self._db.execute("UPDATE jobs SET request = ? WHERE number = ?", (request, job.number))
        self._has_own = True

    def take(self, owner: str) -> list[tuple[str, str]]:
        """Return the requests for the jobs of an owner, ``(id, request)``, and strike them off."""
        has_own, self._has_own = self._has_own, False
        try:
            # It changes with the writes of other connections alone.
            version = self._db.rows("PRAGMA data_version")[0][0]
            if version == self._version and not has_own:
                return []
            statement = "SELECT id, request FROM jobs WHERE owner = ? AND request <> ''"
            rows = self._db.rows(statement, (owner,))
            if rows:  # else nothing is written, nor waited for
                with self._db:
                    rows = self._db.rows(statement, (owner,))
                    strike = "UPDATE jobs SET request = '' WHERE owner = ? AND request <> ''"
                    self._db.execute(strike, (owner,))
        except BaseException:
            self._has_own = True
            raise
        self._version = version
        return rows


def _label(job: StoredJob) -> str:
    return f"job {job.id[:8]} ({job.name})"
