"""Tasks on the workers of a Dask cluster, one at a time on each: same interface, same promises.

Dask carries tasks, results, words and events; which worker a task goes to is decided here,
because Dask takes a worker for free whose task was cancelled and still runs. Here a worker is
free when its task has ended, or when it was replaced. A run that an application before this one
has left on the cluster is taken over, not started a second time.
"""

from __future__ import annotations

import contextlib
import logging
import threading
import time
import uuid
from collections import deque
from collections.abc import Sequence
from typing import Any

from rheojobs.engine import messages
from rheojobs.engine.executors.base import Executor, Run, RunHandle, WorkerInfo
from rheojobs.engine.executors.dask import worker_side
from rheojobs.engine.executors.dask.connection import (
    GONE,
    ClusterLink,
    connect,
    prepare_workers,
    version_problems,
)
from rheojobs.engine.executors.dask.held import Whereabouts, job_of
from rheojobs.engine.executors.dask.inbox import Inbox
from rheojobs.engine.executors.dask.members import ClusterWorker, Members
from rheojobs.engine.executors.dask.run import DaskRun
from rheojobs.engine.executors.dask.sending import Sender
from rheojobs.engine.policy.scheduler import WORKER
from rheojobs.engine.timers import TimerThread
from rheojobs.errors import InputError

__all__ = ["CANCEL_GRACE", "DaskExecutor"]

logger = logging.getLogger(__name__)

CANCEL_GRACE = 2.5
"""Seconds that a task has to stop by itself before its worker is replaced."""

_FINAL = messages.Succeeded | messages.Failed | messages.Cancelled | messages.Lost


class DaskExecutor(Executor):
    """Runs tasks on a Dask cluster.

    Parameters
    ----------
    cluster : str or distributed.Client
        The scheduler's address, such as ``"tcp://head:8786"``, or a client that is connected.
    max_workers : int, optional
        How many tasks may run at a time; as many as there are workers, now and later, where not
        given.
    security : distributed.Security, optional
        Certificates for ``tls://`` addresses, as Dask takes them.
    preload : sequence of str
        Functions ``"package.module:function"`` that each worker calls beforehand.

    Attributes
    ----------
    version_problems : list of str
        In a line each: what is of another version on the workers than here.

    Raises
    ------
    InputError
        Where there is no such cluster, or it has no worker.
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
        self._members = Members()
        self._waiting: deque[DaskRun] = deque()
        self._runs: dict[str, DaskRun] = {}
        self._closed = False
        self._all_ended = threading.Condition(self._lock)
        self._topic = f"rheojobs-{uuid.uuid4()}"
        self._loop = self._client.loop.asyncio_loop
        self._link = ClusterLink(
            self._client,
            {self._topic: self._on_event, "all": self._on_cluster_event},
            self._on_lost,
            self._on_back,
            self._look_around,
        )
        self._inbox = Inbox(
            self._client, self.cluster_address, self._pass_on, self._replace_worker_of
        )
        receive, follow = self._inbox.receive, self._say_what_waited
        self._sender = Sender(self._client, self._topic, preload, receive, follow)
        self._members.take_in(self._client.scheduler_info(n_workers=-1)["workers"])
        if not len(self._members):
            self.shutdown(1.0)
            raise InputError(f"the cluster {cluster} has no worker: start one with `dask worker`")
        self.capacity = len(self._members) if max_workers is None else max_workers
        self._grows = max_workers is None
        self._members.growth()
        self.version_problems = version_problems(self._client)
        prepare_workers(self._client, preload)
        found = self._client.run(worker_side.whereabouts, self._topic, on_error="ignore")
        self._members.note_runs(found)

    # ---------------------------------------------------------------- the executor's interface

    def start(self, run: Run) -> RunHandle:
        """Take on a run: it goes to a free worker now, or to the next that is free."""
        control = DaskRun(self, run)
        with self._lock:
            refusal = self._refusal(run)
            found = None if refusal is not None else self._members.claim(run.id)
            if refusal is None:
                self._runs[run.id] = control
                if found is None:
                    self._waiting.append(control)
        if refusal is not None:
            if isinstance(refusal, messages.Failed):
                run.tell(messages.Started())
            run.tell(refusal)
        elif found is not None:
            self._sender.go(self._adopt(control, *found))
        else:
            self._assign()
        return control

    def _refusal(self, run: Run) -> messages.Message | None:
        if self._closed:
            return messages.Cancelled()
        if self._client.status in GONE:
            return messages.Lost(f"the scheduler {self.cluster_address} is gone")
        if obstacle := self._members.obstacle(run):
            return messages.Failed(InputError(obstacle))
        return None

    def resources(self) -> dict[str, float]:
        """Give the sum of what the workers declare, by the names in lower case."""
        with self._lock:
            return self._members.totals()

    def workers(self) -> list[WorkerInfo]:
        """Give the workers: what each does for us, and the memory that it holds."""
        known = self._client.scheduler_info(n_workers=-1)["workers"]
        with self._lock:
            return self._members.infos(known)

    def shutdown(self, timeout: float) -> bool:
        """Stop what runs for us, replace what does not stop, and let go of the cluster."""
        deadline = time.monotonic() + timeout
        with self._lock:
            self._closed = True
            runs = list(self._runs.values())
        for control in runs:
            self.cancel(control, min(CANCEL_GRACE, timeout / 2))
        with self._all_ended:
            ended = self._all_ended.wait_for(
                lambda: not self._runs, max(0.0, deadline - time.monotonic())
            )
        with self._lock:
            known = [(worker, worker.acknowledgements(age=0.0)) for worker in self._members.all()]
        for worker, keys in known:
            if keys:
                self._link.have(worker.address, worker_side.acknowledge, keys)
        self._link.close()
        self.timers.close()
        if self._owns_client:
            self._client.close(timeout=max(1.0, deadline - time.monotonic()))
        return ended

    # ---------------------------------------------------------------- giving work

    def _assign(self) -> None:
        """Give waiting runs to free workers."""
        while True:
            with self._lock:
                if self._members.busy_count() >= self.capacity or self._client.status in GONE:
                    return
                pairs = ((c, self._members.choose(c.run, c.affinity)) for c in self._waiting)
                pair = next((pair for pair in pairs if pair[1] is not None), None)
                if pair is None:
                    return
                control, worker = pair
                assert worker is not None
                self._waiting.remove(control)
                control.new_key()
                worker.run, control.worker = control, worker
                if control.affinity:
                    worker.affinities.add(control.affinity)
                acknowledged = worker.acknowledgements()
            self._sender.send(control, worker, acknowledged)

    async def _adopt(self, control: DaskRun, run: Whereabouts, worker: ClusterWorker) -> None:
        """Take over a run that an application before this one has left on the cluster."""
        with self._lock:
            control.key, control.worker = run.key, worker
            if not run.has_ended:
                worker.run, worker.is_occupied = control, False
        logger.info("job %s is found again on worker %s", control.run.id[:8], worker.address)
        if await self._sender.adopt(control, run, worker.address):
            return
        with self._lock:  # its worker has gone meanwhile
            if control.ended or control.key != run.key:
                return
            if worker.run is control:
                worker.run = None
            control.worker = None
            self._waiting.append(control)
        self._assign()

    def _say_what_waited(self, control: DaskRun) -> None:
        with self._lock:
            words, control.unsent, control.sent = control.unsent, [], True
        for verb in words:
            self._say(control, verb)

    def send(self, control: DaskRun, verb: str) -> None:
        """Send a word about a run to the worker that has it."""
        with self._lock:
            if not control.sent:
                control.unsent.append(verb)
                return
        self._say(control, verb)

    def _say(self, control: DaskRun, verb: str) -> None:
        worker = control.worker
        if worker is not None:
            self._link.have(worker.address, worker_side.hear, control.key, verb)

    # ---------------------------------------------------------------- stopping

    def cancel(self, control: DaskRun, grace: float = CANCEL_GRACE) -> None:
        """Ask a run to stop, and replace its worker if it has not within `grace` seconds."""
        with self._lock:
            if control.ended or not control.hurry(grace, has_worker=control.worker is not None):
                return
            waiting = control in self._waiting
            if waiting:
                self._waiting.remove(control)
            else:
                control.strike_in_time(self._replace_worker_of)
        if waiting:
            self._end(control, messages.Cancelled())
            return
        self.send(control, "cancel")
        if control.abandoned:
            control.run.tell(messages.Cancelled())

    def _replace_worker_of(self, control: DaskRun) -> None:
        """Kill a worker; should its task end this very moment, no other may be sent there."""
        with self._lock:
            if (worker := control.worker) is not None:
                worker.is_condemned = True
        if worker is not None:
            logger.info("worker %s is replaced", worker.address)
            self._link.have(worker.address, worker_side.kill_worker, nanny=bool(worker.nanny))

    # ---------------------------------------------------------------- hearing, in Dask's loop

    def _on_event(self, event: tuple[float, dict[str, Any]]) -> None:
        _, said = event
        control = self._runs.get(job_of(said["run"]))
        if control is not None and control.key == said["run"]:
            self._inbox.receive(control, said)

    def _pass_on(self, control: DaskRun, message: messages.Message) -> None:
        if isinstance(message, messages.Stoppable):
            control.stoppable = message.possible
        if isinstance(message, messages.Died):
            self._end(control, messages.Cancelled() if control.cancelled else message)
        elif isinstance(message, _FINAL):
            self._end(control, message)
        elif not control.abandoned:
            control.run.tell(message)

    def _end(self, control: DaskRun, ending: messages.Message) -> None:
        """Say the last word of a run, and give its worker the next."""
        with self._lock:
            if control.ended:
                return
            control.ended = True
            self._runs.pop(control.run.id, None)
            control.stop_timer()
            worker, control.worker = control.worker, None
            if worker is not None:
                worker.note_end(control.key)
                worker.used_at = time.monotonic()
                worker.run = None if worker.run is control else worker.run
            future, control.future, control.files = control.future, None, None
            self._all_ended.notify_all()
        if future is not None and self._client.status == "running":
            future.release()
        if not control.abandoned:
            control.run.tell(ending)
        self._assign()

    # ---------------------------------------------------------------- the cluster's own news

    def _on_cluster_event(self, event: tuple[float, Any]) -> None:
        """Hear that a worker came or went."""
        _, said = event
        action = said.get("action") if isinstance(said, dict) else None
        if action == "add-worker":
            self._loop.create_task(self._refresh())
        elif action == "remove-worker":
            with self._lock:
                worker = self._members.drop(said["worker"])
                control = worker.run if worker is not None else None
            if control is not None:
                self._inbox.receive(control, messages.Died(f"the worker {said['worker']} died"))

    async def _refresh(self) -> None:
        with contextlib.suppress(OSError, TimeoutError):  # the scheduler is gone
            info = await self._client.scheduler.identity(n_workers=-1)
            with self._lock:
                self._members.take_in(info["workers"])
                more = self._members.growth()
                if not self._grows:
                    more.pop(WORKER, None)
                self.capacity += int(more.get(WORKER, 0))
            if more:
                self.on_growth(more)
            self._assign()

    async def _look_around(self) -> None:
        """See whether workers have become free that did something for others.

        And let go of what workers hold that have had no task for long, which would carry the word.
        """
        with self._lock:
            workers = self._members.all()
            addresses = [worker.address for worker in workers if worker.is_occupied]
            idle = [(worker.address, worker.long_ended()) for worker in workers]
        for address, keys in idle:
            if keys:
                self._link.have(address, worker_side.acknowledge, keys)
        if not addresses:
            return
        with contextlib.suppress(OSError, TimeoutError, ValueError, KeyError):
            ask = (worker_side.whereabouts, self._topic)
            found = await self._client.run(*ask, workers=addresses, on_error="ignore")
            with self._lock:
                self._members.note_runs(found)
            self._assign()

    def _on_lost(self, for_good: bool) -> None:
        """Hear that the scheduler is gone: what ran there has ended, what waits may wait on."""
        with self._lock:
            gone = self._members.clear()
            lost = [worker.run for worker in gone if worker.run is not None]
            if for_good:
                lost += [control for control in self._runs.values() if control not in lost]
                self._waiting.clear()
        if lost or for_good:
            logger.warning("the scheduler %s is gone", self.cluster_address)
        for control in lost:
            self._inbox.receive(
                control, messages.Lost(f"the scheduler {self.cluster_address} is gone")
            )

    def _on_back(self) -> None:
        """Hear that a scheduler answers again under the same address."""
        logger.warning("the scheduler %s answers again", self.cluster_address)
        self._loop.create_task(self._refresh())
