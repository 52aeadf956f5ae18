"""The publisher of an engine with a store: what happened is on disk before it is told.

A new job is written by the thread that submits it, and may run already: nobody is told of it
before. All else is written by one thread at a time, in the order of events, so that neither a task
nor whoever cancels ever waits for a disk: by a thread of this journal, or, where somebody waits for
a small result, by the one that has brought it. A store that fails takes nothing down: the engine
goes on in memory, says so once, and what was to be written is tried again with the next renewal of
the lease.
"""

from __future__ import annotations

import logging
import threading
import time
from collections import deque
from collections.abc import Callable, Iterable
from functools import partial
from typing import Any

from rheojobs.engine.errors import NotDurableError, StoreError
from rheojobs.engine.event_bus import EventBus, First
from rheojobs.engine.events import JobEvent, PriorityChanged, Progress, ProgressMade, StateChanged
from rheojobs.engine.job import Job
from rheojobs.engine.serialization import Record, record_of
from rheojobs.engine.states import JobState
from rheojobs.engine.store.job_store import UNTIDIED, JobStore
from rheojobs.engine.store.maintenance import POLL, Maintenance
from rheojobs.engine.store.payloads import row_text
from rheojobs.engine.store.write_buffer import WriteBuffer
from rheojobs.engine.store.write_ops import (
    AfterThat,
    Arrival,
    Entry,
    Item,
    error_record,
    is_short,
    kept_value,
    limits_of,
)
from rheojobs.engine.task import Leftover

__all__ = ["StoreWriter"]

logger = logging.getLogger(__name__)

MOMENT = 0.002
"""Seconds for which what does not press waits for more: a short job's start for its end."""

SLOW = 0.05
"""Seconds to write from which on none but the journal's own thread waits for it, for a while."""

PROGRESS_INTERVAL = 1.0
BATCH = 1000

_STOPPING = (JobState.CANCELLING, JobState.CANCELLED)


class StoreWriter(EventBus):
    """Writes to a store what is told, and tells it then.

    Parameters
    ----------
    store : JobStore
        Joined here, and left and closed at the end.
    on_request : callable
        Called with the id of a job and what another process wants of it.

    Raises
    ------
    StoreError
        Where the store cannot be written.
    """

    def __init__(self, store: JobStore, on_request: Callable[[str, str], object]) -> None:
        store.join()
        super().__init__()
        self.store = store
        self._on_request = on_request
        self._items: deque[Item] = deque()
        self._turn = threading.Lock()  # who has it takes items, and writes
        self._bell = threading.Event()
        self._presses = self._is_ticking = self._is_busy = self._was_needed = False
        self._is_heavy = False  # whether there is something that takes its time to write
        self._slow_until = 0.0
        self._backlog = WriteBuffer(store)
        self._lock_of_progress = threading.Lock()
        self._progress: dict[str, Progress] = {}
        self._progress_due = 0.0
        self._left: frozenset[str] = frozenset()
        self._given_away: set[str] = set()
        self._short_results: dict[str, str] = {}
        self._is_closed = False
        self._door = threading.Lock()  # to the line of items, until it is closed
        self._upkeep = Maintenance(store, self._backlog, on_request, partial(self._commit, []))
        self._writer = threading.Thread(target=self._write, name="rheojobs-store", daemon=True)
        self._writer.start()

    @property
    def problem(self) -> str:
        """Why nothing is written at present; empty where all is well."""
        return self._backlog.problem

    # ---------------------------------------------------------------- what the engine calls

    def add(self, job: Job, record: Record | None, checkpoint: bytes | None = None) -> None:
        """Write a new job, now; only where that cannot be, later."""
        self.announce(job, lambda: record, checkpoint)()

    def announce(
        self, job: Job, described: Callable[[], Record | None], checkpoint: bytes | None = None
    ) -> Callable[[], None]:
        """Have a new job written before all that becomes of it; gives what writes it, now.

        Who submits it calls that; only where it cannot be written, it is later.

        Parameters
        ----------
        described : callable
            Gives what is kept of its task, None where nothing is; called before it is written.
        checkpoint : bytes, optional
            Of an earlier job that it goes on from.
        """
        encode = partial(self._new_job, job, job.state, described, checkpoint)
        arrival = Arrival(job.id, None, encode)
        self._put(arrival)
        return partial(self._write_arrival, arrival)

    def _new_job(
        self,
        job: Job,
        state: JobState,
        described: Callable[[], Record | None],
        checkpoint: bytes | None,
    ) -> Callable[[], object]:
        record = described()
        return partial(
            self.store.add,
            job.id,
            job.name,
            record,
            not_durable_because=job.not_durable_because,
            priority=job.priority,
            needs=job.needs,
            max_attempts=job.max_attempts,
            after=[other.id for other in job.after],
            after_any=[other.id for other in job.after_any],
            limits=limits_of(job),
            state=state,
            checkpoint=checkpoint,
            when=job.submitted,
        )

    def _write_arrival(self, arrival: Arrival) -> None:
        """Write a new job, unless another thread has."""
        with arrival.lock:
            if arrival.is_done:
                return
            arrival.get_ready()
            if self.problem:
                return
            try:
                self._backlog.write_one(arrival)
            except StoreError as error:
                arrival.failed = error
                return
            arrival.is_done = True
        self._upkeep.note_written()
        if arrival.is_awaited:
            self.flush()

    def tell(
        self,
        event: JobEvent,
        *,
        private: bool = False,
        first: First | None = None,
    ) -> None:
        """Write an event, where it is one that lasts, and tell it."""
        if private:
            pass
        elif isinstance(event, StateChanged):
            if event.previous is not None:
                self._enter_state(event)
        elif isinstance(event, ProgressMade):
            with self._lock_of_progress:
                self._progress[event.job_id] = event.progress
        elif isinstance(event, PriorityChanged):
            self._enter(self.store.put_priority, event.job_id, event.priority)
        super().tell(event, private=private, first=first)

    def leave_open(self, job_ids: Iterable[str]) -> None:
        """Do not write that these jobs are stopped: others go on with them, unless they end."""
        self._left = frozenset(job_ids)

    def give_away(self, job_id: str, reason: str) -> None:
        """Write that a job is interrupted and free for others; of this end of it, nothing more."""
        with self._lock_of_progress:
            self._progress.pop(job_id, None)
        self._given_away.add(job_id)
        self._enter(self.store.give_away, job_id, reason)

    def keep_cluster_address(self, job_id: str, cluster_address: str) -> None:
        """Write, now, where a job is about to go; only where that cannot be, later."""
        try:
            self.store.put_cluster_address(job_id, cluster_address)
        except StoreError:
            self._enter(self.store.put_cluster_address, job_id, cluster_address)

    def keep_task(self, job_id: str, record: Record) -> None:
        """Write the task of a job that could not be kept until now."""
        self._enter(self.store.put_task, job_id, record, is_heavy=True)

    def keep_checkpoint(self, job_id: str, packed: bytes) -> None:
        """Write the state that a task can go on from."""
        self._enter(self.store.put_checkpoint, job_id, packed, is_heavy=True)

    def keep_outcome(self, job: Job, result: Any, error: BaseException | None) -> None:
        """Write what came of a job, before its last state is told."""
        if job.id in self._given_away:
            return
        if error is not None:
            self._keep(job.id, "error", partial(error_record, error))
        if is_short(result) and (text := row_text(result)) is not None:
            self._short_results[job.id] = text  # written with the end, which comes next
        elif result is not None:
            self._keep(job.id, "result", partial(kept_value, result))
        elif job.partial is not None:
            self._keep(job.id, "partial", partial(kept_value, job.partial))

    def flush(self) -> None:
        """Write here and now what there is, as somebody waits for it.

        Not where that takes its time, since this thread has other things to do.
        """
        while self._items:
            if self._is_heavy or time.monotonic() < self._slow_until:
                return self._press()
            if self._is_left_to_another():
                return None
            if not self._turn.acquire(blocking=False):
                return self._press()  # who has it may have looked already
            try:
                begin = time.monotonic()
                self._work_off(self._take())
                if (end := time.monotonic()) > begin + SLOW:
                    self._slow_until = end + 1.0
                if self._items and self._items[0] is None:
                    return None  # the end, which is the journal's own thread's
            finally:
                self._turn.release()
        return None

    def _is_left_to_another(self) -> bool:
        """Say whether whoever is just writing a new job will `flush`: to wait would take longer."""
        try:
            first = self._items[0]
        except IndexError:
            return False
        if type(first) is not Arrival or not first.lock.locked():
            return False
        first.is_awaited = True
        return not first.is_done  # else he may have looked already

    def note_untidied(self, job_id: str, leftover: Leftover) -> None:
        """Write, before its last state is told, what a job leaves that is to be removed then."""
        try:
            record = record_of(leftover)
        except NotDurableError as error:
            logger.info("what job %s leaves is not kept in mind: %s", job_id[:8], error)
        else:
            self._enter(self.store.put, job_id, UNTIDIED, record)

    def note_tidied(self, job_id: str) -> None:
        """Write that it is."""
        self._enter(self.store.tidied, job_id)

    def join(self, timeout: float) -> None:
        """Wait for the end of both threads."""
        deadline = time.monotonic() + timeout
        if not self.is_here():
            self._writer.join(timeout)
            self._upkeep.join(max(0.05, deadline - time.monotonic()))
        super().join(max(0.05, deadline - time.monotonic()))

    # ---------------------------------------------------------------- inside

    def _put(self, item: Item, *, presses: bool = False) -> None:
        self._items.append(item)
        self._is_busy = True
        if presses:
            self._press()
        elif not self._is_ticking:
            self._bell.set()

    def _press(self) -> None:
        """Have the journal's own thread write at once."""
        self._presses = True
        self._bell.set()

    def _enter(
        self, write: Callable[..., object], job_id: str, *arguments: Any, is_heavy: bool = False
    ) -> None:
        self._put_entry(Entry(job_id, partial(write, job_id, *arguments), is_heavy=is_heavy))

    def _put_entry(self, entry: Entry, *, presses: bool = False) -> None:
        if entry.is_heavy:
            self._is_heavy = True
        self._put(entry, presses=presses)

    def _enter_state(self, event: StateChanged) -> None:
        if event.job_id in self._left and event.state in _STOPPING:
            return
        if event.job_id in self._given_away:
            if event.state.is_terminal:
                self._given_away.discard(event.job_id)  # the same engine may take it up again
            return
        is_last = event.state.is_terminal
        if is_last and self._progress:
            self._enter_last_progress(event.job_id)
        # Who brings a result looks after its being written; if many come, they are so together.
        presses = is_last and event.state is not JobState.SUCCEEDED
        entry = Entry(event.job_id, None, event=event)
        if is_last:
            entry.result = self._short_results.pop(event.job_id, None)
        self._put(entry, presses=presses)

    def _enter_last_progress(self, job_id: str) -> None:
        with self._lock_of_progress:
            last = self._progress.pop(job_id, None)
        if last is not None:
            self._enter(self.store.put_progress, job_id, last)

    def _keep(self, job_id: str, part: str, record: Callable[[], Record]) -> None:
        def encode() -> Callable[[], object]:
            return partial(self.store.put, job_id, part, record())

        self._put_entry(Entry(job_id, None, encode, is_heavy=True))

    def _do_first(self, first: First) -> None:
        with self._door:
            if not self._is_closed:
                self._put(AfterThat(first))
                return
        super()._do_first(first)

    def _pass_on(self, delivery: Callable[[], None] | None) -> None:
        with self._door:
            if not self._is_closed:
                self._put(delivery, presses=delivery is None)
                return
        super()._pass_on(delivery)  # what comes after the end waits for nothing

    def _write(self) -> None:
        is_last = False
        while not is_last:
            self._await()
            with self._turn:
                self._presses = self._is_heavy = False
                self._work_off(self._take())
                is_last = bool(self._items) and self._items[0] is None
                if not is_last and not self._backlog.is_off:
                    self._upkeep.look()
        self._turn.acquire()  # for ever: nobody writes any more
        self._upkeep.leave()
        with self._door:
            self._is_closed = True
        self._upkeep.close()
        while self._items:  # the wish to close, and what came between it and now
            self._deliver_item(self._items.popleft())

    def _await(self) -> None:
        """Wait until there is something that presses, or has waited for a moment, or for long.

        While there is something to write every other moment, nobody has to ring the bell.
        """
        if self._is_ticking:
            # Where others have written all that came, this thread looks in less often.
            self._bell.wait(MOMENT if self._was_needed else 4 * MOMENT)
            self._was_needed = bool(self._items)
        if not self._items and not self._is_busy:
            self._is_ticking = False
            if not self._items:  # what came before that has rung no bell
                self._bell.wait(POLL)
            self._is_ticking = self._is_busy or bool(self._items)
            self._bell.clear()
            if self._is_ticking and not self._presses:
                self._bell.wait(MOMENT)
        self._is_busy = False
        self._bell.clear()

    def _take(self) -> list[Item]:
        """Take what there is, up to the wish to close; it costs one transaction."""
        items: list[Item] = []
        while len(items) < BATCH and self._items and self._items[0] is not None:
            items.append(self._items.popleft())
        return items

    def _work_off(self, items: list[Item]) -> None:
        self._commit([item for item in items if isinstance(item, Entry)])
        for item in items:
            if not isinstance(item, Entry):
                self._deliver_item(item)

    def _deliver_item(self, item: Item) -> None:
        if isinstance(item, AfterThat):
            super()._do_first(item.do)
        elif not isinstance(item, Entry):
            super()._pass_on(item)

    def _commit(self, entries: list[Entry]) -> None:
        """Write entries; those that cannot be written now wait for a better time."""
        if self._progress:
            entries = entries + self._due_progress()
        arrivals = [entry for entry in entries if type(entry) is Arrival]
        if arrivals:
            lost = self._commit_arrivals(arrivals, entries)
        else:
            lost = self._backlog.write(entries)
        if lost is None:
            return
        self._upkeep.note_written()
        for job_id in lost:
            logger.warning("job %s was taken over by another application", job_id)
            self._on_request(job_id, "cancel")

    def _commit_arrivals(self, arrivals: list[Arrival], entries: list[Entry]) -> set[str] | None:
        """Write entries with new jobs among them, which others may be writing."""
        mine = [arrival for arrival in arrivals if not arrival.is_done]
        for arrival in mine:
            arrival.lock.acquire()
        try:
            done = {arrival for arrival in arrivals if arrival.is_done}
            return self._backlog.write([entry for entry in entries if entry not in done])
        finally:
            for arrival in mine:
                arrival.is_done = True
                arrival.lock.release()

    def _due_progress(self) -> list[Entry]:
        now = time.monotonic()
        if now < self._progress_due:
            return []
        self._progress_due = now + PROGRESS_INTERVAL
        with self._lock_of_progress:
            latest, self._progress = self._progress, {}
        return [
            Entry(job_id, partial(self.store.put_progress, job_id, progress))
            for job_id, progress in latest.items()
        ]
