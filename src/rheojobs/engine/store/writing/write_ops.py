"""The pending writes of one job: a slot for each part, with the newest value.

Encoding may run user code (`to_record`) and does not access the database. A write that can never
succeed is dropped with a reason; the job's other writes are still done.
"""

from __future__ import annotations

import json
import logging
import traceback
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from typing import Any, cast

from rheojobs.engine.errors import EntryError, NotDurableError, StoreError
from rheojobs.engine.events import Progress
from rheojobs.engine.recorder import NewJob, Outcome
from rheojobs.engine.serialization import (
    PLAIN,
    UNKEPT,
    Record,
    record_of,
    state_to_disk,
    value_record,
)
from rheojobs.engine.states import JobState
from rheojobs.engine.store.job_store import UNTIDIED as LEFTOVER
from rheojobs.engine.store.job_store import JobStore, Prepared
from rheojobs.errors import one_line

__all__ = ["Change", "JobWrites"]

logger = logging.getLogger(__name__)

SHORT = 1000
"""The most characters of a result that is written into the row of its job."""

LARGE = 2**63
"""Bound on the integers of a short result: JSON cannot hold those of 5,000 digits."""

ROW_WEIGHT = 1000
"""Bytes that are counted for a job's other slots."""


@dataclass(frozen=True, slots=True)
class Change:
    """A state that the job has entered; None frees the job for other applications."""

    state: JobState | None
    message: str
    when: float = 0.0


class _Part:
    """A part of a job to be written: first encoded, then written to files if it is large."""

    __slots__ = ("_encode", "_weight", "prepared", "record")

    def __init__(self, encode: Callable[[], Record | None]) -> None:
        self._encode = encode
        self._weight: int | None = None
        self.record: Record | None = None
        self.prepared: Prepared | None = None

    def encode(self) -> bool:
        """Encode it, if that is not done yet; False if there is nothing to store."""
        if self.record is None and self.prepared is None:
            self.record = self._encode()
            self._encode = _nothing  # frees the object, which may be large
        return self.record is not None or self.prepared is not None

    def prepare(self, store: JobStore, job_id: str, name: str) -> None:
        """Write its files, if it is large: before the transaction, not in it."""
        if self.prepared is None and self.record is not None:
            self.prepared = store.prepare(job_id, name, self.record)
            self.record = None

    def discard(self, store: JobStore) -> None:
        """Remove its files, which are not needed any more."""
        if self.prepared is not None:
            store.discard(self.prepared)

    @property
    def weight(self) -> int:
        """The approximate memory in bytes."""
        if self.prepared is not None:
            return sum(len(piece.content or b"") for piece in self.prepared.pieces)
        if self.record is not None and self._weight is None:
            in_blobs = sum(map(len, self.record.blobs.values()))
            self._weight = in_blobs + len(json.dumps(self.record.content))
        return self._weight or 0


def _nothing() -> Record | None:
    return None


class JobWrites:
    """The pending writes of one job.

    Attributes
    ----------
    job_id : str
        The job.
    new : NewJob or None
        Set if the job itself is not written yet.
    cluster_address, priority, progress
        The newest value, if it is not written yet.
    changes : list of Change
        The states that the job has entered, in order.
    is_tidied : bool
        Whether the leftover of the job is removed.
    """

    __slots__ = (
        "_on_unkept",
        "_parts",
        "_result",
        "changes",
        "cluster_address",
        "is_tidied",
        "job_id",
        "new",
        "new_record",
        "priority",
        "progress",
    )

    def __init__(self, job_id: str) -> None:
        self.job_id = job_id
        self.new: NewJob | None = None
        self.new_record: _Part | None = None
        self.cluster_address: str | None = None
        self.priority: int | None = None
        self.progress: Progress | None = None
        self.changes: list[Change] = []
        self.is_tidied = False
        self._parts: dict[str, _Part] = {}
        self._result: Any = None  # a short result
        self._on_unkept: Callable[[str], object] = _ignore

    # ---------------------------------------------------------------- filling the slots

    def keep_task(self, record: Record) -> None:
        """Add the task of a job that could not be stored until now."""
        self._keep("task", lambda: record)

    def keep_checkpoint(self, packed: bytes) -> None:
        """Add a state that the job can continue from; a pickled one is not stored."""
        self._keep("checkpoint", lambda: _checkpoint_record(packed))

    def keep_outcome(self, outcome: Outcome) -> None:
        """Add the outcome of the job."""
        self._on_unkept = outcome.on_unkept
        if outcome.error is not None:
            error = outcome.error
            self._keep("error", lambda: _error_record(error))
        if _is_short(outcome.result):
            self._result = outcome.result
        elif outcome.result is not None:
            result = outcome.result
            self._keep("result", lambda: value_record(result))
        elif outcome.partial is not None:
            so_far = outcome.partial
            self._keep("partial", lambda: value_record(so_far))
        if outcome.leftover is not None:
            leftover = outcome.leftover
            self._keep(LEFTOVER, lambda: _leftover_record(leftover()))

    def _keep(self, name: str, encode: Callable[[], Record | None]) -> None:
        self._parts[name] = _Part(encode)

    def absorb(self, later: JobWrites, store: JobStore) -> None:
        """Merge later writes of the job into these."""
        for name in ("new", "new_record", "cluster_address", "priority", "progress", "_result"):
            if (value := getattr(later, name)) is not None:
                setattr(self, name, value)
        for name, part in later._parts.items():
            if (before := self._parts.get(name)) is not None:
                before.discard(store)
            self._parts[name] = part
        if later._on_unkept is not _ignore:
            self._on_unkept = later._on_unkept
        self.changes += later.changes
        self.is_tidied |= later.is_tidied
        if self.is_tidied and (leftover := self._parts.pop(LEFTOVER, None)) is not None:
            leftover.discard(store)

    # ---------------------------------------------------------------- looking

    @property
    def has_ended(self) -> bool:
        """Whether the changes include a terminal state."""
        return any(c.state is None or c.state.is_terminal for c in self.changes)

    @property
    def is_one_statement(self) -> bool:
        """Whether it takes one statement, which needs no transaction."""
        return (
            not self._parts
            and len(self.changes) + self.is_tidied < 2
            and self.cluster_address is None
            and self.priority is None
            and self.progress is None
            and (self.new is None or not self.changes)
        )

    @property
    def may_be_slow(self) -> bool:
        """Whether encoding may take long, or run user code."""
        return bool(self._parts)

    @property
    def weight(self) -> int:
        """The approximate memory in bytes."""
        checkpoint = 0 if self.new is None else len(self.new.checkpoint or b"")
        return ROW_WEIGHT + checkpoint + sum(part.weight for part in self._parts.values())

    # ---------------------------------------------------------------- writing

    def encode(self) -> None:
        """Encode all parts; drop those that cannot be stored, with a reason."""
        if self.new is not None and self.new_record is None:
            new = self.new
            self.new_record = _Part(new.describe)
            self._guard("task", self.new_record.encode)
        if self._parts:
            for name, part in list(self._parts.items()):
                if not self._guard(name, part.encode):
                    self._parts.pop(name, None)
        # The start of a short job is written with its end.
        if _is_start_and_end(self.changes):
            start, end = self.changes
            self.changes = [_Both(end.state, end.message, end.when, start.when)]

    def prepare(self, store: JobStore) -> None:
        """Write large parts to files; raises `StoreError` if that fails at present."""
        for name, part in list(self._parts.items()):
            prepare = partial(part.prepare, store, self.job_id, name)
            self._guard(name, prepare)

    def drop_parts(self, store: JobStore, reason: str) -> None:
        """Drop everything but the job's row, to free memory."""
        for name, part in self._parts.items():
            part.discard(store)
            if name == "result":
                self._on_unkept(reason)
        self._parts.clear()

    def apply(self, store: JobStore) -> bool:
        """Write everything; False if the job now belongs to another application.

        Raises
        ------
        StoreError
            If the store cannot be written at present; then everything stays pending.
        EntryError
            If the job itself can never be written.
        """
        if self.new is not None:
            self._add(store, self.new)
        if self.is_one_statement and not self.is_tidied:  # most often, the end of a short job
            state = [partial(self._enter, store, change) for change in self.changes]
            return all(self._guard("state", operation) is not False for operation in state)
        for name, operation in self._operations(store):
            if self._guard(name, operation) is False:
                return False
        return True

    def _add(self, store: JobStore, new: NewJob) -> None:
        record = None if self.new_record is None else self.new_record.record
        try:
            store.add(new.id, record=record, checkpoint=new.checkpoint, **new.fields())
        except StoreError:
            raise
        except Exception as error:
            raise EntryError(one_line(error)) from error

    def _operations(self, store: JobStore) -> Iterator[tuple[str, Callable[[], object]]]:
        job_id = self.job_id
        if (address := self.cluster_address) is not None:
            yield "cluster address", partial(store.put_cluster_address, job_id, address)
        if (priority := self.priority) is not None:
            yield "priority", partial(store.put_priority, job_id, priority)
        if (progress := self.progress) is not None:
            yield "progress", partial(store.put_progress, job_id, progress)
        for name, part in list(self._parts.items()):
            if (prepared := part.prepared) is None:
                continue
            if name == "checkpoint":
                yield name, partial(store.put_checkpoint, job_id, prepared)
            else:
                yield name, partial(store.put, job_id, name, prepared)
        for change in self.changes:
            yield "state", partial(self._enter, store, change)
        if self.is_tidied:
            yield "leftover", partial(store.tidied, job_id)

    def _enter(self, store: JobStore, change: Change) -> bool:
        if change.state is None:
            return store.give_away(self.job_id, change.message)
        began = change.began if isinstance(change, _Both) else None
        return store.move(
            self.job_id, change.state, change.message, change.when, began, self._result_text(change)
        )

    def _result_text(self, change: Change) -> str | None:
        if change.state is not JobState.SUCCEEDED or self._result is None:
            return None
        return json.dumps(self._result)

    def _guard(self, name: str, operation: Callable[[], object]) -> object:
        """Call a function for one slot; a failure only drops that slot."""
        try:
            return operation()
        except EntryError as error:
            reason = str(error)
        except StoreError:
            raise
        except NotDurableError as error:
            reason = str(error)
        except Exception as error:  # of a user's class, or an internal fault
            logger.debug("the %s of job %s", name, self.job_id[:8], exc_info=True)
            reason = one_line(error)
        return self._give_up(name, reason)

    def _give_up(self, name: str, reason: str) -> object:
        logger.info("the %s of job %s is not stored on disk: %s", name, self.job_id[:8], reason)
        if name == "task" and self.new is not None:
            self.new.on_failure(reason)
        self._parts.pop(name, None)
        if name == "result":
            self._on_unkept(reason)
            self._parts[name] = unkept = _Part(lambda: Record(UNKEPT, reason))
            return unkept.encode()
        return None


@dataclass(frozen=True, slots=True)
class _Both(Change):
    """The end of a job, written together with its start at `began`."""

    began: float = 0.0


def _is_start_and_end(changes: list[Change]) -> bool:
    if len(changes) != 2 or changes[0].state is not JobState.RUNNING:
        return False
    return changes[1].state is not None and changes[1].state.is_terminal


def _ignore(reason: str) -> None:
    pass


def _is_short(result: object) -> bool:
    """Return whether a result is JSON that is quickly encoded."""
    kind = type(result)
    if kind is int:
        return -LARGE < cast(int, result) < LARGE
    return kind in (bool, float) or (kind is str and len(cast(str, result)) < SHORT)


def _checkpoint_record(packed: bytes) -> Record | None:
    text = state_to_disk(packed)
    return None if text is None else Record(PLAIN, text)


def _leftover_record(leftover: object) -> Record | None:
    return None if leftover is None else record_of(leftover)


def _error_record(error: BaseException) -> Record:
    """Return the record of an error."""
    trace = getattr(error, "remote_traceback", None)
    text = trace or "".join(traceback.format_exception(error))
    return Record(PLAIN, {"type": type(error).__qualname__, "traceback": text})
