"""Who works on the jobs of a store, whether he still lives, and what becomes of them if not.

An owner of this machine is alive while his process is: one that only stands still, stopped or
swapped out, keeps its jobs, since it may go on and would finish them a second time. Where his
processes cannot be seen (another container), the lease that he renews decides.
"""

from __future__ import annotations

import functools
import os
import platform
import uuid
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

from rheojobs.engine.states import JobState

__all__ = ["GONE", "LEASE_SECONDS", "Owner", "is_alive", "is_running", "without_owner"]

LEASE_SECONDS = 30.0
BIRTH_TOLERANCE = 2.0
"""Seconds by which the start of one process may differ between two looks: clocks are set."""

GONE = "the application that ran it ended"
"""Why a job has changed its state whose owner is gone."""


@functools.cache
def _boot() -> str:
    """Name this run of this machine."""
    try:
        return Path("/proc/sys/kernel/random/boot_id").read_text().strip()
    except OSError:  # not Linux
        import psutil

        return f"{platform.node()} {round(psutil.boot_time() / 60)}"


@functools.cache
def _namespace() -> str:
    """Name the set of processes that can be seen from here."""
    try:
        return os.readlink("/proc/self/ns/pid")
    except OSError:
        return platform.node()


@functools.cache
def _born() -> float:
    import psutil

    return float(psutil.Process().create_time())


@dataclass(frozen=True, slots=True)
class Owner:
    """An engine that may own jobs of a store.

    Attributes
    ----------
    id : str
        A UUID4, of this engine alone.
    boot, namespace : str
        The run of the machine, and the set of processes, that its process belongs to.
    pid : int
        Its process.
    born : float
        When the process began, in seconds since the epoch.
    """

    id: str = field(default_factory=lambda: str(uuid.uuid4()))
    boot: str = field(default_factory=_boot)
    namespace: str = field(default_factory=_namespace)
    pid: int = field(default_factory=os.getpid)
    born: float = field(default_factory=_born)


def is_running(owner: Owner) -> bool | None:
    """Say whether an owner's process is there; None where that cannot be seen from here."""
    if owner.boot != _boot():
        return False
    if owner.namespace != _namespace():
        return None
    if owner.pid == os.getpid():
        return abs(owner.born - _born()) < BIRTH_TOLERANCE
    import psutil

    try:
        process = psutil.Process(owner.pid)
        is_same = abs(float(process.create_time()) - owner.born) < BIRTH_TOLERANCE
        return is_same and bool(process.status() != psutil.STATUS_ZOMBIE)
    except psutil.NoSuchProcess:
        return False
    except psutil.AccessDenied:
        return None


def is_alive(
    owner: Owner,
    lease_until: float,
    now: float,
    running: Callable[[Owner], bool | None] = is_running,
) -> bool:
    """Say whether an owner still holds its jobs.

    Parameters
    ----------
    owner : Owner
        Who.
    lease_until, now : float
        Seconds of `time.monotonic`, which all processes of one run of a machine share.
    running : callable
        As `is_running`.
    """
    seen = running(owner)
    return lease_until > now if seen is None else seen


def without_owner(
    state: JobState, not_durable_because: str, request: str
) -> list[tuple[JobState, str]]:
    """Say what becomes of a job whose owner is gone: the states that it enters, and why."""
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
