"""The engines that work on a store: which of them are alive, and freeing the jobs of dead ones.

An engine is alive as long as its lock is held (`locks`); process numbers and clocks are not used.
This holds on one machine. The table of engines has the machine of each: an engine of another
machine is never considered dead, and the store is read-only meanwhile.
"""

from __future__ import annotations

import functools
import os
import sys
import uuid
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

from rheojobs.engine.errors import StoreElsewhereError
from rheojobs.engine.states import JobState
from rheojobs.engine.store import sql
from rheojobs.engine.store.database import Database, translate_errors
from rheojobs.engine.store.locks import FileLock, is_locked, remove_if_free
from rheojobs.engine.store.payload_files import PayloadFiles, is_uuid
from rheojobs.errors import InputError

__all__ = ["GONE", "Leases", "Owner", "without_owner"]

GONE = "the application that ran it ended"
"""The message of a job whose owner has ended without it."""

_CRYPTOGRAPHY = r"SOFTWARE\Microsoft\Cryptography"


@functools.cache
def _machine() -> str:
    """Return the id of this machine, which survives a restart; empty if it has none.

    Many containers have none. Two without an id count as one machine: on a local disk they see
    each other's locks, and a network file system is refused (`filesystems`).
    """
    if sys.platform == "win32":
        import winreg

        try:
            with winreg.OpenKey(winreg.HKEY_LOCAL_MACHINE, _CRYPTOGRAPHY) as key:
                return str(winreg.QueryValueEx(key, "MachineGuid")[0])
        except OSError:  # a policy forbids it
            return ""
    if sys.platform == "darwin":
        import ctypes

        found, no_time = (ctypes.c_ubyte * 16)(), (ctypes.c_long * 2)(0, 0)
        failed = ctypes.CDLL(None).gethostuuid(found, no_time)
        return "" if failed else bytes(found).hex()
    for path in ("/etc/machine-id", "/var/lib/dbus/machine-id"):
        try:
            return Path(path).read_text("ascii", errors="replace").strip()
        except OSError:
            continue
    return ""


@functools.cache
def _boot() -> str:
    """Return the boot id of the kernel; empty if it is not known.

    All containers of a machine share it, even if their machine ids differ: `flock` works between
    them, so they count as one machine.
    """
    try:
        return Path("/proc/sys/kernel/random/boot_id").read_text("ascii", errors="replace").strip()
    except OSError:  # not Linux
        return ""


def _host() -> str:
    import platform

    return platform.node()


@dataclass(frozen=True, slots=True)
class Owner:
    """An engine that may own jobs of a store.

    Attributes
    ----------
    id : str
        A UUID4; also the name of its lock.
    machine, boot : str
        The ids of the machine, and of the boot of its kernel.
    host : str
        The name of the machine, for display.
    pid : int
        The process, for display.
    """

    id: str = field(default_factory=lambda: str(uuid.uuid4()))
    machine: str = field(default_factory=_machine)
    boot: str = field(default_factory=_boot)
    host: str = field(default_factory=_host)
    pid: int = field(default_factory=os.getpid)

    @property
    def is_here(self) -> bool:
        """Whether it is on this machine, so that its lock can be checked."""
        return self.machine == _machine() or (self.boot != "" and self.boot == _boot())


def without_owner(
    state: JobState, not_durable_because: str, request: str
) -> list[tuple[JobState, str]]:
    """Return the states that a job enters when its owner has died, and the reasons."""
    at_work = state in (JobState.RUNNING, JobState.PAUSED)
    if state is JobState.CANCELLING:
        return [(JobState.CANCELLED, GONE)]
    if request == "cancel":
        steps = [(JobState.CANCELLING, "")] if at_work else []
        return [*steps, (JobState.CANCELLED, GONE)]
    if not_durable_because:
        end = JobState.CANCELLED if state is JobState.BLOCKED else JobState.FAILED
        return [(end, f"{GONE}, and it cannot be run again: {not_durable_because}")]
    return [(JobState.INTERRUPTED, GONE)] if at_work else []


class Leases:
    """The registered engines of a store, which may include this object's own.

    Parameters
    ----------
    database : Database
        The database.
    files : PayloadFiles
        The folder of the store, which contains the locks.
    """

    def __init__(self, database: Database, files: PayloadFiles) -> None:
        self._db = database
        self._files = files
        self._lock: FileLock | None = None

    @functools.cached_property
    def owner(self) -> Owner:
        """The engine that works on jobs through this object."""
        return Owner()

    def join(self) -> None:
        """Register this engine."""
        if self._lock is not None:
            raise InputError(f"a JobStore of {self._db.path} has an engine already: make another")
        lock = FileLock(self._lock_of(self.owner.id))
        try:
            with self._db:
                self.check_machines()
                self._files.claim(self._db.store_id)
                lock.acquire()  # before others see that the engine exists
                self._lock = lock
                self.sign_in()
        except BaseException:
            self._lock = None
            lock.release()
            raise

    def leave(self) -> None:
        """Unregister this engine; its jobs that have not ended are free for others."""
        with self._db:
            self.release(self.owner.id)
        self.let_go()

    def let_go(self) -> None:
        """Release the lock: this engine has ended."""
        lock, self._lock = self._lock, None
        if lock is not None:
            lock.release()

    def renew(self) -> None:
        """Renew the registration of this engine; raise `StoreError` if it cannot be written."""
        with self._db:
            self.sign_in("DO UPDATE SET pid = excluded.pid")

    def sign_in(self, or_else: str = "DO NOTHING") -> None:
        """Register this engine, even if its lock was removed and its jobs were freed."""
        if self._lock is None:
            return
        with translate_errors(self._db.path):
            self._lock.acquire()
        who = self.owner
        self._db.execute(
            f"INSERT INTO engines VALUES (?, ?, ?, ?, ?) ON CONFLICT (id) {or_else}",
            (who.id, who.machine, who.boot, who.host, who.pid),
        )

    def check_machines(self) -> None:
        """Raise `StoreElsewhereError` if an engine of another machine works on the store."""
        for owner in self._engines():
            if not owner.is_here and is_uuid(owner.id):
                lock = self._lock_of(owner.id)
                if lock.exists():
                    raise StoreElsewhereError(
                        f"the job store {self._db.path} is in use on {owner.host or 'another'}: "
                        "use it there, or set RHEOJOBS_STATE_DIR to a folder of this machine; "
                        f"if no application runs there any more, remove '{lock}'"
                    )

    def recover(self) -> list[str] | None:
        """Free the jobs of dead engines, and return their ids; None if no engine is dead."""
        if not self.gone():  # most often: no need to write, or to wait for the lock
            return None
        with self._db:
            return [job_id for engine in self.gone() for job_id in self.release(engine)]

    def gone(self) -> list[str]:
        """Return the ids of the engines that have ended without unregistering."""
        return [owner.id for owner in self._engines() if not self._lives(owner)]

    def release(self, engine: str) -> list[str]:
        """Free the jobs of an engine, and unregister it, in a transaction; return the jobs' ids."""
        rows = self._db.rows(
            "SELECT number, id, state, not_durable_because, request FROM jobs"
            " WHERE owner = ? ORDER BY number",
            (engine,),
        )
        for number, _, state, not_durable_because, request in rows:
            for next_state, message in without_owner(JobState(state), not_durable_because, request):
                self._db.execute(*sql.entry(number, next_state, message))
        self._db.execute("DELETE FROM engines WHERE id = ?", (engine,))  # frees its jobs
        return [row[1] for row in rows]

    def sweep(self) -> None:
        """Remove the locks of engines that are not registered, in a transaction.

        An engine takes its lock and registers in one transaction, so none is doing so meanwhile.
        """
        known = {owner.id for owner in self._engines()}
        for path in self._files.locks.glob("*.lock"):
            if is_uuid(path.stem) and path.stem not in known:
                remove_if_free(path)

    def _engines(self) -> Iterator[Owner]:
        for row in self._db.rows("SELECT id, machine, boot, host, pid FROM engines"):
            yield Owner(*row)

    def _lives(self, owner: Owner) -> bool:
        if owner.id == self.owner.id:
            return True
        if not is_uuid(owner.id):
            return False  # not the id of an engine, so there is no such lock
        lock = self._lock_of(owner.id)
        # A user removes the lock of an engine on another machine to declare that it has ended.
        return is_locked(lock) if owner.is_here else lock.exists()

    def _lock_of(self, engine: str) -> Path:
        return self._files.locks / f"{engine}.lock"
