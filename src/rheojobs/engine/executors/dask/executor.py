"""Application side: an executor that runs tasks on the workers of a Dask cluster, one each.

Dask carries tasks, results, requests and events. Which worker runs a task is decided here: Dask
considers a worker free as soon as its task is cancelled, though the task may still run. Here a
worker is free when its task has ended, or when it was replaced. A run that an application left on
the cluster is continued, not started a second time.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import threading
import time
import uuid
from collections.abc import Sequence
from functools import partial
from typing import Any

from rheojobs.engine import messages
from rheojobs.engine.executors.base import Executor, Run, RunHandle, WorkerInfo
from rheojobs.engine.executors.dask import worker_side
from rheojobs.engine.executors.dask.assignment import Assignment
from rheojobs.engine.executors.dask.connection import (
    UNREACHABLE,
    connect,
    connection_lost,
    known_workers,
    prepare_workers,
    version_problems,
)
from rheojobs.engine.executors.dask.delivery import FINAL, DeliveryThread, fault
from rheojobs.engine.executors.dask.inbox import Inbox
from rheojobs.engine.executors.dask.link import GONE, ClusterLink
from rheojobs.engine.executors.dask.loop import LoopTasks
from rheojobs.engine.executors.dask.members import ClusterWorker
from rheojobs.engine.executors.dask.run import DaskRun
from rheojobs.engine.executors.dask.sending import Sender
from rheojobs.engine.timers import TimerThread
from rheojobs.errors import InputError

__all__ = ["CANCEL_GRACE", "DaskExecutor"]

logger = logging.getLogger(__name__)

CANCEL_GRACE = 2.5
"""Seconds that a task has to stop before its worker is replaced."""


class DaskExecutor(Executor):
    """Runs tasks on a Dask cluster.

    Parameters
    ----------
    cluster : str or distributed.Client
        The scheduler's address, such as ``"tcp://head:8786"``, or a client that is connected.
    max_workers : int, optional
        How many tasks may run at a time; by default as many as there are workers, now and later.
    security : distributed.Security, optional
        Certificates for ``tls://`` addresses, as Dask takes them.
    preload : sequence of str
        Functions ``"package.module:function"`` that each worker calls beforehand.

    Attributes
    ----------
    version_problems : list of str
        One line for each worker on which packages have other versions than here.

    Raises
    ------
    InputError
        If there is no such cluster, or it has no worker.
    """

    limits_memory = True

    def __init__(
        self,
        cluster: Any,
        *,
        max_workers: int | None = None,
        security: Any = None,
        preload: Sequence[str] = (),
    ) -> None:
        if max_workers is not None and max_workers < 1:
            raise ValueError(f"max_workers must be greater than 0, got {max_workers}")
        self._owns_client = isinstance(cluster, str)
        self._client = connect(cluster, security) if self._owns_client else cluster
        self.cluster_address = str(self._client.scheduler.address)
        self.timers = TimerThread("rheojobs-dask-timers")
        self._lock = threading.RLock()
        self._all_ended = threading.Condition(self._lock)
        self._refreshing = asyncio.Lock()
        self._closed = False
        topic = f"rheojobs-{uuid.uuid4()}"
        self._table = Assignment(topic)
        self._tasks = LoopTasks(self._client.loop.asyncio_loop)
        self._delivery = DeliveryThread(self.cancel)
        client, tasks, faulty = self._client, self._tasks, self._on_fault
        replace = self._replace_worker_of
        self._inbox = Inbox(client, tasks, self.cluster_address, self._pass_on, replace, faulty)
        receive, send_pending = self._inbox.receive, self._send_pending
        self._sender = Sender(client, tasks, topic, preload, receive, send_pending, faulty)
        handlers = {topic: self._on_event, "all": self._on_cluster_event}
        lost, found = self._on_disconnect, self._on_reconnect
        self._link = ClusterLink(client, tasks, handlers, lost, found, self._look_around)
        try:
            known = known_workers(self._client)
            if not known:
                message = f"the cluster {cluster} has no worker: start one with `dask worker`"
                raise InputError(message)
            self._table.begin(known, max_workers)
            self.version_problems = version_problems(self._client)
            prepare_workers(self._client, preload)
            self._table.record(self._client.run(worker_side.list_runs, on_error="ignore"))
        except BaseException:
            self.shutdown(1.0)
            raise

    @property
    def capacity(self) -> int:  # type: ignore[override]
        """How many tasks may run at a time; more when workers have joined."""
        return self._table.capacity

    # ---------------------------------------------------------------- the executor's interface

    def start(self, run: Run) -> RunHandle:
        """Start a run: it goes to a free worker now, or to the next that becomes free."""
        control = DaskRun(self, run)
        with self._lock:
            refusal = self._refusal(run)
            if refusal is None:
                self._table.add(control)
        if refusal is None:
            self._assign()
            return control
        control.ended = True
        if isinstance(refusal, messages.Failed):
            self._delivery.put(control, messages.Started())
        self._delivery.put(control, refusal)
        return control

    def _refusal(self, run: Run) -> messages.Message | None:
        if self._closed:
            return messages.Cancelled()
        if self._client.status in GONE:
            return messages.Lost(connection_lost(self.cluster_address))
        if unmet := self._table.members.unmet_need(run):
            return messages.Failed(InputError(unmet))
        return None

    def resources(self) -> dict[str, float]:
        """Return the sum of what the workers declare, by the names in lower case."""
        with self._lock:
            return self._table.members.totals()

    def workers(self) -> list[WorkerInfo]:
        """Return the workers, each with its state and its memory."""
        try:
            known = known_workers(self._client)
        except (*UNREACHABLE, AttributeError):
            return []
        with self._lock:
            return self._table.members.infos(known)

    def shutdown(self, timeout: float) -> bool:
        """Cancel all runs, replace the workers of those that do not stop, and disconnect."""
        deadline = time.monotonic() + timeout
        with self._lock:
            self._closed = True
            runs = list(self._table.runs.values())
        for control in runs:
            self.cancel(control, min(CANCEL_GRACE, timeout / 2))
        with self._all_ended:
            ended = self._all_ended.wait_for(
                lambda: not self._table.runs, max(0.0, deadline - time.monotonic())
            )
        with self._lock:
            workers = self._table.members.all()
            known = [(worker, worker.acknowledgements(age=0.0)) for worker in workers]
            runs = list(self._table.runs.values())
        for worker, keys in known:
            if keys:
                self._link.call_on_worker(worker.address, worker_side.acknowledge, keys)
        self._link.close()
        for control in runs:  # no more messages of them are received
            self._end(control, messages.Cancelled())
        self.timers.close()
        if self._owns_client:
            try:
                self._client.close(timeout=max(1.0, deadline - time.monotonic()))
            except (*UNREACHABLE, RuntimeError) as error:
                logger.info("the scheduler did not answer the farewell: %r", error)
        self._tasks.close()
        return self._delivery.close(max(1.0, deadline - time.monotonic())) and ended

    # ---------------------------------------------------------------- giving work

    def _assign(self) -> None:
        """Reattach waiting runs that already run on the cluster; send others to free workers."""
        while True:
            with self._lock:
                if self._closed or self._client.status in GONE:
                    return
                if (found := self._table.next_found()) is not None:
                    self._tasks.start(self._reattach(*found), partial(self._on_fault, found[0]))
                    continue
                if (pair := self._table.next_pair()) is None:
                    return
                control, worker = pair
                acknowledged = worker.acknowledgements()
            self._sender.send(control, worker, acknowledged)

    async def _reattach(self, control: DaskRun, worker: ClusterWorker) -> None:
        """Have a run on a worker report here; restart it if it is not there any more."""
        key = control.key
        logger.info("job %s is found again on worker %s", control.run.id[:8], worker.address)
        if await self._sender.attach(control, worker):
            return
        with self._lock:
            if control.ended or control.key != key:
                return
            self._table.put_back(control, worker)
        self._assign()

    def _send_pending(self, control: DaskRun) -> None:
        """Send the requests that were made before the run was sent."""
        with self._lock:
            verbs, control.unsent, control.sent = control.unsent, [], True
        for verb in verbs:
            self._request(control, verb)

    def send(self, control: DaskRun, verb: str) -> None:
        """Send a request about a run to its worker: cancel, pause, resume or inspect."""
        with self._lock:
            if not control.sent:
                control.unsent.append(verb)
                return
        self._request(control, verb)

    def _request(self, control: DaskRun, verb: str) -> None:
        worker = control.worker
        if worker is not None:
            handle = worker_side.handle_request
            self._link.call_on_worker(worker.address, handle, control.key, verb)

    # ---------------------------------------------------------------- stopping

    def cancel(self, control: DaskRun, grace: float = CANCEL_GRACE) -> None:
        """Ask a run to stop, and replace its worker if it has not stopped within `grace` s."""
        with self._lock:
            if control.ended or not control.hurry(grace, has_worker=control.worker is not None):
                return
            waiting = self._table.withdraw(control)
            if not waiting:
                control.strike_in_time(self._replace_worker_of)
        if waiting:
            self._end(control, messages.Cancelled())
            return
        self.send(control, "cancel")
        if control.abandoned:
            self._delivery.put(control, messages.Cancelled())

    def _replace_worker_of(self, control: DaskRun) -> None:
        """Kill the worker of a run, so that its nanny starts another."""
        with self._lock:
            worker = control.worker
            if worker is not None and control.sent:
                worker.is_leaving = True  # if its task ends just now, no other must be sent there
        if not control.sent:  # it is still being pickled: no worker knows it
            self._end(control, messages.Cancelled())
        elif worker is not None:
            logger.info("worker %s is replaced", worker.address)
            nanny = bool(worker.nanny)
            self._link.call_on_worker(worker.address, worker_side.kill_worker, on_nanny=nanny)

    # ---------------------------------------------------------------- what comes about runs

    def _on_event(self, event: tuple[float, dict[str, Any]]) -> None:
        _, content = event
        with self._lock:
            control = self._table.run_of(content["run"])
        if control is not None:
            self._inbox.receive(control, content)

    def _pass_on(self, control: DaskRun, message: messages.Message) -> None:
        if isinstance(message, messages.Stoppable):
            control.stoppable = message.possible
        if isinstance(message, messages.Died) and control.cancelled:
            message = messages.Cancelled()
        if isinstance(message, FINAL):
            self._end(control, message)
        else:
            self._delivery.put(control, message)

    def _end(self, control: DaskRun, ending: messages.Message) -> None:
        """Deliver the last message of a run, and send its worker the next run."""
        with self._lock:
            if control.ended:
                return
            self._table.end(control, is_lost=isinstance(ending, messages.Lost))
            control.stop_timer()
            future, control.future, control.files = control.future, None, None
            self._all_ended.notify_all()
        if future is not None and self._client.status == "running":
            future.release()
        self._delivery.put(control, ending)
        self._assign()

    def _on_fault(self, control: DaskRun, error: Exception, has_ended: bool = False) -> None:
        """Fail a job of which a message could not be handled, and stop its run."""
        logger.error("job %s: a message cannot be handled", control.run.id[:8], exc_info=error)
        if has_ended or not control.sent:
            self._end(control, fault(error))
        else:
            self._delivery.put(control, fault(error))
            self.cancel(control)

    # ---------------------------------------------------------------- what comes about the cluster

    def _on_cluster_event(self, event: tuple[float, Any]) -> None:
        """Note that a worker has joined or left."""
        action = event[1].get("action") if isinstance(event[1], dict) else None
        if action == "add-worker":
            self._tasks.start(self._refresh())
        elif action == "remove-worker":
            self._remove_worker(event[1]["worker"])

    def _remove_worker(self, address: str) -> None:
        with self._lock:
            control = self._table.remove_worker(address)
        if control is not None:
            self._inbox.receive(control, messages.Died(f"the worker {address} died"))

    async def _refresh(self, *, find_runs: bool = False) -> None:
        """Update the list of workers, and on request of their runs; assign waiting runs."""
        self._table.is_stale = True  # until this succeeds
        async with self._refreshing:  # one after another: the last has the newest information
            await self._refresh_now(find_runs)

    async def _refresh_now(self, find_runs: bool) -> None:
        with contextlib.suppress(*UNREACHABLE):
            info = await self._client.scheduler.identity(n_workers=-1)
            found = {}
            if find_runs:
                found = await self._client.run(worker_side.list_runs, on_error="ignore")
            with self._lock:
                gone = self._table.members.addresses() - info["workers"].keys()
                more = self._table.update(info["workers"], found)
            for address in gone:
                self._remove_worker(address)
            if more:
                self._delivery.call(partial(self.on_growth, more))
            self._assign()

    async def _look_around(self) -> None:
        """Find workers that joined or left before this client's subscription was in force.

        Also find those that have become free of others' runs, and send overdue acknowledgements.
        """
        with contextlib.suppress(*UNREACHABLE):
            counted = (await self._client.scheduler.identity(n_workers=0))["n_workers"]
            if self._table.is_stale or counted != len(self._table.members):
                await self._refresh(find_runs=True)
        with self._lock:
            workers = self._table.members.all()
            addresses = [worker.address for worker in workers if worker.is_occupied]
            idle = [(worker.address, worker.overdue_acknowledgements()) for worker in workers]
        for address, keys in idle:
            if keys:
                self._link.call_on_worker(address, worker_side.acknowledge, keys)
        if not addresses:
            return
        with contextlib.suppress(*UNREACHABLE):
            ask = worker_side.list_runs
            found = await self._client.run(ask, workers=addresses, on_error="ignore")
            with self._lock:
                self._table.record(found)
            self._assign()

    def _on_disconnect(self, for_good: bool) -> None:
        """End the runs on the cluster, and the waiting ones too if it will not connect again."""
        lost = messages.Lost(connection_lost(self.cluster_address))
        with self._lock:
            if self._client.status == "running":  # connected again already
                ended = self._table.sent_before(self._client.scheduler_comm)
            else:
                ended = self._table.lose_workers(for_good)
        logger.warning("%s", lost.reason)
        for control in ended:
            if for_good:  # the event loop may end at any moment
                self._end(control, lost)
            else:
                self._inbox.receive(control, lost)

    def _on_reconnect(self) -> None:
        """Find the workers, and the runs that are still there."""
        logger.warning("connected to the scheduler %s again", self.cluster_address)
        self._tasks.start(self._refresh(find_runs=True))
