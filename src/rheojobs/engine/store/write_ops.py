"""What a journal writes: its entries, and what of a job, a result and an error is kept.

Knows no threads and no order of things.
"""

from __future__ import annotations

import logging
import threading
import traceback
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from rheojobs.engine.errors import NotDurableError, StoreError
from rheojobs.engine.event_bus import First
from rheojobs.engine.events import StateChanged
from rheojobs.engine.job import Job
from rheojobs.engine.serialization import PLAIN, UNKEPT, Record, value_record
from rheojobs.engine.states import JobState

__all__ = [
    "AfterThat",
    "Arrival",
    "Entry",
    "Item",
    "error_record",
    "is_short",
    "joined",
    "kept_value",
    "limits_of",
]

logger = logging.getLogger(__name__)

SHORT = 1000
"""Characters of a result that is turned into JSON at once."""


@dataclass(eq=False, slots=True)
class Entry:
    """Something to be written: `write` does it, `encode` comes before, outside the transaction.

    `is_heavy` says that it may take its time, and `failed` why it could not be written already.
    Where a change of state is to be written, `event` is that, and what is to be written with it
    are `began`, when the job began to run, and `result`, its JSON.
    """

    job_id: str
    write: Callable[[], object] | None
    encode: Callable[[], Callable[[], object]] | None = None
    is_heavy: bool = False
    failed: StoreError | None = None
    event: StateChanged | None = None
    began: float | None = None
    result: str | None = None

    def get_ready(self) -> None:
        """Encode what is to be written, unless that is done."""
        if self.encode is not None:
            self.write, self.encode = self.encode(), None


@dataclass(eq=False, slots=True)
class Arrival(Entry):
    """A new job, which is written by the thread that submits it or by one that comes before it.

    Whoever has the `lock` writes; `is_done` says that nobody has to any more, and `is_awaited` that
    somebody has left it to him to write what comes after.
    """

    lock: threading.Lock = field(default_factory=threading.Lock)
    is_done: bool = False
    is_awaited: bool = False


@dataclass(eq=False, slots=True)
class AfterThat:
    """What is to be done when all before it is written, in the thread that has written it."""

    do: First


def joined(entries: list[Entry]) -> list[Entry]:
    """Have the start of a short job written with its end, which is ready too."""
    starts: dict[str, Entry] = {}
    written: set[Entry] = set()
    for entry in entries:
        if (event := entry.event) is None:
            continue
        if event.state is JobState.RUNNING:
            starts[event.job_id] = entry
        elif (start := starts.pop(event.job_id, None)) is not None and event.state.is_terminal:
            assert start.event is not None
            entry.began = start.event.time
            written.add(start)
    return [entry for entry in entries if entry not in written] if written else entries


Item = Entry | AfterThat | Callable[[], None] | None


def limits_of(job: Job) -> dict[str, Any]:
    """Give the limits that a job has; most have none."""
    if not (job.tags or job.timeout or job.memory):
        return {}
    limits = {
        "tags": list(job.tags),
        "timeout": job.timeout,
        "memory": job.memory,
    }
    return {name: limit for name, limit in limits.items() if limit}


def is_short(result: object) -> bool:
    """Say whether a result is JSON that takes no time to write."""
    return type(result) in (bool, int, float) or (type(result) is str and len(result) < SHORT)


def error_record(error: BaseException) -> Record:
    """Give what is kept of an error."""
    trace = getattr(error, "remote_traceback", None)
    text = trace or "".join(traceback.format_exception(error))
    return Record(PLAIN, {"type": type(error).__qualname__, "traceback": text})


def kept_value(value: Any) -> Record:
    """Give what is kept of a result: why it is not, where it cannot be."""
    try:
        return value_record(value)
    except NotDurableError as error:
        logger.info("a result is not kept on disk: %s", error)
        return Record(UNKEPT, str(error))
