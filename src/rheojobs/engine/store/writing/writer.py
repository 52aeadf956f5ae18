"""The recorder of an engine with a store: events are on disk before they are published.

A new job is written by the thread that submits it. Everything else is written by one thread at a
time, in the order of events, so that neither a task nor the caller of `cancel` waits for a disk: by
a thread of its own or, if a caller waits for a small result, by the thread that delivers it. If the
store fails, the engine continues in memory and tries again.
"""

from __future__ import annotations

import contextlib
import logging
import threading
import time
from collections.abc import Callable, Iterable
from functools import partial
from pathlib import Path
from typing import Any

from rheojobs.engine.delivery.event_bus import Delivery, EventBus, to_nobody
from rheojobs.engine.errors import StoreError
from rheojobs.engine.events import JobEvent, PriorityChanged, ProgressMade, StateChanged
from rheojobs.engine.loops import BatchWakeup, run_guarded
from rheojobs.engine.recorder import NewJob, Outcome, Recorder
from rheojobs.engine.serialization import Record
from rheojobs.engine.states import JobState
from rheojobs.engine.store.job_store import JobStore
from rheojobs.engine.store.spilling import spilled
from rheojobs.engine.store.writing.maintenance import POLL, Maintenance
from rheojobs.engine.store.writing.pending_writes import Deliveries, PendingWrites
from rheojobs.engine.store.writing.write_buffer import WriteBuffer
from rheojobs.engine.store.writing.write_ops import Change, JobWrites

__all__ = ["StoreWriter", "open_recorder"]

logger = logging.getLogger(__name__)

SLOW = 0.05
"""Seconds of a slow write, after which only the writer's own thread writes for a while."""

MOST_ROUNDS = 20
"""How many times another thread than the writer's writes what was added while it wrote."""

_STOPPING = (JobState.CANCELLING, JobState.CANCELLED)


def open_recorder(
    store: JobStore | str | Path | None,
    bus: EventBus,
    on_request: Callable[[str, str], object],
    spill: float | None,
) -> Recorder:
    """Return a recorder with a store; if that cannot be opened, one without."""
    if store is None:
        return Recorder(bus)
    try:
        opened = store if isinstance(store, JobStore) else JobStore(store)
        try:
            return StoreWriter(opened, bus, on_request, spill)
        except StoreError:
            if opened is not store:
                opened.close()
            raise
    except StoreError as error:
        logger.warning("%s; the jobs are only in memory", error)
        return Recorder(bus, str(error))


class StoreWriter(Recorder):
    """Writes events to a store, and then delivers them.

    Parameters
    ----------
    store : JobStore
        The store; joined here, and left and closed at the end.
    bus : EventBus
        Delivers the events.
    on_request : callable
        Called with the id of a job and the request of another process.
    spill : float, optional
        Bytes above which results are not held in memory once they are on disk.

    Raises
    ------
    StoreError
        If the store cannot be written.
    """

    def __init__(
        self,
        store: JobStore,
        bus: EventBus,
        on_request: Callable[[str, str], object],
        spill: float | None = None,
    ) -> None:
        store.join()
        super().__init__(bus)
        self.store: JobStore = store
        self._on_request = on_request
        self._spill = spill
        self._pending = PendingWrites(store)
        self._write_lock = threading.Lock()  # the thread that holds it writes and delivers
        self._is_wanted_now = False
        self._slow_until = 0.0
        self._buffer = WriteBuffer(store)
        self._left: frozenset[str] = frozenset()
        self._given_away: set[str] = set()
        self._wakeup = BatchWakeup(POLL)
        self._wants_end = False
        self._maintenance = Maintenance(store, self._buffer, on_request, self._try_again)
        bus.route = self._deliver
        self._thread = threading.Thread(target=self._run, name="rheojobs-store", daemon=True)
        self._thread.start()

    @property
    def problem(self) -> str:
        """Why nothing is written at present; empty if writing works."""
        return self._buffer.problem

    # ---------------------------------------------------------------- new jobs

    def add(self, new: NewJob) -> None:
        """Write a new job now, or later if that fails."""
        if not self.problem:
            try:
                record = new.describe()
                self.store.add(new.id, record=record, checkpoint=new.checkpoint, **new.fields())
            except Exception:  # the writer's thread determines the cause
                logger.debug("job %s has to wait to be written", new.id[:8], exc_info=True)
            else:
                self._maintenance.note_written()
                return
        writes = JobWrites(new.id)
        writes.new = new
        self._pending.merge(writes)
        self._wakeup.note(urgent=False)

    def adding(self, new: NewJob) -> contextlib.AbstractContextManager[object]:
        """Return a context to start a new job in; its events are published once it is written."""
        if self.problem or not self._write_lock.acquire(blocking=False):
            self.add(new)
            return contextlib.nullcontext()
        return _Adding(self, new)

    # ---------------------------------------------------------------- what happens to jobs

    def publish(self, event: JobEvent, *, private: bool = False) -> None:
        """Write an event, if it must be stored, and deliver it."""
        if private:
            pass
        elif isinstance(event, StateChanged):
            if event.previous is not None:
                self._enter_state(event, urgent=False)
        elif isinstance(event, ProgressMade):
            self._pending.note_progress(event.job_id, event.progress)
        elif isinstance(event, PriorityChanged):
            with self._pending.lock:
                self._pending.slot(event.job_id).priority = event.priority
            self._wakeup.note(urgent=False)
        super().publish(event, private=private)

    def end(
        self,
        event: StateChanged,
        outcome: Outcome,
        settle: Callable[[Any, Delivery], object],
        *,
        private: bool = False,
    ) -> None:
        """Write the end of a job, settle it, and deliver the event, in this order."""
        if not private:
            if event.job_id not in self._given_away:
                self._pending.note_outcome(event.job_id, outcome)
            # Not urgent, as the thread that delivers a result writes it too; if many come, they
            # are written together.
            self._enter_state(event, urgent=event.state is not JobState.SUCCEEDED)
        self._after_writing(
            partial(self._settle, event.job_id, outcome.result, settle), is_here=True
        )
        super().publish(event, private=private)

    def _settle(self, job_id: str, result: Any, settle: Callable[[Any, Delivery], object]) -> None:
        try:
            settle(self._kept(job_id, result), to_nobody)  # the event is delivered separately
        except Exception:
            logger.exception("job %s could not be settled", job_id[:8])

    def _kept(self, job_id: str, result: Any) -> Any:
        """Return a placeholder for a large result, which is on disk by now; else the result."""
        if self._spill is None or result is None:
            return result
        return spilled(result, self.store, job_id, self._spill)

    def leave_open(self, job_ids: Iterable[str]) -> None:
        """Write the ends of these jobs, but not that they are stopped: others continue them."""
        self._left = frozenset(job_ids)

    def give_away(self, job_id: str, reason: str) -> None:
        """Write that a job is interrupted and free for others; do not write its end here."""
        with self._pending.lock:
            self._pending.latest_progress.pop(job_id, None)
            self._pending.slot(job_id).changes.append(Change(None, reason))
        self._given_away.add(job_id)
        self._wakeup.note(urgent=False)

    def keep_cluster_address(self, job_id: str, address: str) -> None:
        """Write the cluster of a job now, or later if that fails."""
        try:
            if not self.problem:
                self.store.put_cluster_address(job_id, address)
                return
        except StoreError:
            logger.debug("the address of job %s has to wait", job_id[:8], exc_info=True)
        with self._pending.lock:
            self._pending.slot(job_id).cluster_address = address
        self._wakeup.note(urgent=False)

    def keep_task(self, job_id: str, record: Record) -> None:
        """Write the task of a job that could not be stored until now."""
        with self._pending.lock:
            self._pending.slot(job_id).keep_task(record)
            self._pending.may_be_slow = True
        self._wakeup.note(urgent=False)

    def keep_checkpoint(self, job_id: str, packed: bytes) -> None:
        """Write the state that a task can continue from."""
        with self._pending.lock:
            self._pending.slot(job_id).keep_checkpoint(packed)
            self._pending.may_be_slow = True
        self._wakeup.note(urgent=False)

    def note_tidied(self, job_id: str) -> None:
        """Write that the leftover of a job is removed."""
        with self._pending.lock:
            self._pending.slot(job_id).is_tidied = True
        self._wakeup.note(urgent=False)

    def _enter_state(self, event: StateChanged, *, urgent: bool) -> None:
        if event.job_id in self._left and event.state in _STOPPING:
            return
        if event.job_id in self._given_away:
            if event.state.is_terminal:
                self._given_away.discard(event.job_id)  # the same engine may resume it later
            return
        with self._pending.lock:
            self._pending.slot(event.job_id).changes.append(
                Change(event.state, event.message, event.time)
            )
        self._wakeup.note(urgent=urgent)

    # ---------------------------------------------------------------- delivering

    def _deliver(self, delivery: Delivery) -> None:
        """Make a delivery after all earlier events are written."""
        self._after_writing(delivery, is_here=False)

    def _after_writing(self, delivery: Delivery, *, is_here: bool) -> None:
        """Call a delivery after that, on the thread that writes, or the bus's unless `is_here`."""
        if self._pending.add_delivery(delivery, is_here):
            self._wakeup.note(urgent=False)
        elif is_here:  # after the end there is nothing to wait for
            delivery()
        else:
            self.bus.put(delivery)

    def _hand_out(self, deliveries: Deliveries) -> None:
        while deliveries:
            delivery, is_here = deliveries[0]
            if is_here:
                delivery()  # before `popleft`: Ctrl-C loses nothing, and settling twice is harmless
                deliveries.popleft()
            else:
                deliveries.popleft()
                self.bus.put(delivery)

    # ---------------------------------------------------------------- writing

    def flush(self) -> None:
        """Write and deliver everything now, on this thread, as a caller waits for it.

        Not if that may take long, since this thread has other work.
        """
        for _ in range(MOST_ROUNDS):
            if not self._pending:
                return
            if self._pending.may_be_slow or time.monotonic() < self._slow_until:
                break
            if not self._write_lock.acquire(blocking=False):
                self._is_wanted_now = True  # makes the holder of the lock check again
                if self._write_lock.locked():
                    return
                continue
            try:
                begin = time.monotonic()
                self._work_off()
                if (end := time.monotonic()) > begin + SLOW:
                    self._slow_until = end + 1.0
            finally:
                self._write_lock.release()
        self._wakeup.note(urgent=True)

    def _work_off(self) -> None:
        """Write everything, then deliver; called with the write lock held."""
        self._is_wanted_now = False
        fresh, deliveries = self._pending.take()
        try:
            try:
                if fresh:
                    self._report_lost(self._buffer.write(fresh))
                    self._maintenance.note_written()
            except Exception:  # an internal fault must not prevent deliveries
                logger.exception("the record of jobs is not complete")
                fresh.clear()  # else it would fail again and again
            self._hand_out(deliveries)
        finally:
            if fresh or deliveries:  # Ctrl-C, on a thread that submits: another does the rest
                self._pending.put_back(fresh, deliveries)
                self._wakeup.note(urgent=True)

    def _report_lost(self, lost: set[str]) -> None:
        for job_id in lost:
            logger.warning("job %s was taken over by another application", job_id)
            self._on_request(job_id, "cancel")

    def _try_again(self) -> None:
        """Write what is pending; called at intervals."""
        with self._write_lock:
            self._report_lost(self._buffer.try_again())

    # ---------------------------------------------------------------- the writer's thread

    def _run(self) -> None:
        run_guarded(self._step, self._break_down, "writing to the job store")
        with self._write_lock:
            with contextlib.suppress(Exception):
                self._work_off()
            self._maintenance.leave()
            self._hand_out(self._pending.close())
        self._maintenance.close()
        if self._wants_end:  # else the loop is broken, and events are delivered without it
            self.bus.close()

    def _step(self) -> bool:
        if not self._is_wanted_now:
            self._wakeup.wait(lambda: bool(self._pending))
        with self._write_lock:
            self._work_off()
        if self._wants_end and not self._pending:
            return False
        self._maintenance.look()
        return True

    def _break_down(self, reason: str) -> None:
        """Continue without the store: nothing is written any more, everything is delivered."""
        self._buffer.note_problem(StoreError(reason, is_lasting=True))

    def close(self) -> None:
        """End after all earlier events are written and delivered."""
        self._wants_end = True
        self._wakeup.note(urgent=True)
        if self._pending.is_closed:
            self.bus.close()

    def join(self, timeout: float) -> None:
        """Wait for the end."""
        deadline = time.monotonic() + timeout
        if threading.current_thread() is not self._thread and not self.bus.is_here():
            self._thread.join(timeout)
            self._maintenance.join(max(0.05, deadline - time.monotonic()))
        super().join(max(0.05, deadline - time.monotonic()))


class _Adding:
    """A context that writes a new job at its end, and holds the write lock all the time."""

    def __init__(self, writer: StoreWriter, new: NewJob) -> None:
        self._writer = writer
        self._new = new

    def __enter__(self) -> None:
        pass

    def __exit__(self, *exception: object) -> None:
        try:
            self._writer.add(self._new)
        finally:
            self._writer._write_lock.release()
        self._writer.flush()
