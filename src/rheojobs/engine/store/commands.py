"""Requests to the owner of a job in another process, such as "cancel", through the store.

Any process may make a request; the owner reads it within a second.
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
"""The requests, and the states of a job in which each makes sense."""

_PRIORITY = "priority "


def priority_request(priority: int) -> str:
    """Return the request to change a job's priority."""
    return f"{_PRIORITY}{priority}"


def requested_priority(request: str) -> int | None:
    """Return the priority of a request; None if it requests something else."""
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
        """Request to cancel, pause or resume a job, in the transaction that found it.

        Returns
        -------
        bool
            Whether it is done already, since the job has no owner.

        Raises
        ------
        InputError
            If that is not possible in the job's state.
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
            raise InputError(
                f"{_label(job)} belongs to no running application: cannot {request} it"
            )
        return job.owner is None

    def request_priority(self, job: StoredJob, priority: int) -> bool:
        """Request another priority for a waiting job; returns what `request` returns."""
        if job.state not in WAITING:
            raise InputError(
                f"{_label(job)} is {job.state}: only a waiting job has a priority to change"
            )
        if job.owner is None:
            statement = "UPDATE jobs SET priority = ? WHERE number = ?"
            self._db.execute(statement, (priority, job.number))
        elif job.request != "cancel":  # the priority of a job that will be cancelled is irrelevant
            self._write(job, priority_request(priority))
        return job.owner is None

    def _write(self, job: StoredJob, request: str) -> None:
        self._db.execute("UPDATE jobs SET request = ? WHERE number = ?", (request, job.number))
        self._has_own = True

    def take(self, owner: str) -> list[tuple[str, str]]:
        """Return and remove the requests for the jobs of an owner, ``(id, request)``."""
        has_own, self._has_own = self._has_own, False
        try:
            # It changes only with writes of other connections.
            version = self._db.rows("PRAGMA data_version")[0][0]
            if version == self._version and not has_own:
                return []
            statement = "SELECT id, request FROM jobs WHERE owner = ? AND request <> ''"
            rows = self._db.rows(statement, (owner,))
            if rows:  # else there is no need to write, or to wait for the lock
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
