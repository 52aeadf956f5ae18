"""Tasks on the workers of a Dask cluster, one at a time on each: same interface, same promises.

Dask carries tasks, results, words and events; which worker a task goes to is decided here,
because Dask takes a worker for free whose task was cancelled and still runs. Here a worker is
free when its task has ended, or when it was replaced.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import pickle
import threading
import time
import uuid
from collections import deque
from collections.abc import Sequence
from typing import Any

from rheojobs.engine import messages
from rheojobs.engine.executors import dask_worker
from rheojobs.engine.executors.base import Executor, Run, RunControl, WorkerInfo
from rheojobs.engine.executors.dask_connection import connect, version_problems
from rheojobs.engine.executors.dask_run import ClusterWorker, DaskRun
from rheojobs.engine.executors.pickling import pickle_task
from rheojobs.errors import InputError

__all__ = ["CANCEL_GRACE", "DaskExecutor"]

logger = logging.getLogger(__name__)

CANCEL_GRACE = 2.5
"""Seconds that a task has to stop by itself before its worker is replaced."""

_FINAL = messages.Succeeded | messages.Failed | messages.Cancelled


class DaskExecutor(Executor):
    """Runs tasks on a Dask cluster.

    Parameters
    ----------
    cluster : str or distributed.Client
        The scheduler's address, such as ``"tcp://head:8786"``, or a client that is connected.
    max_workers : int, optional
        How many tasks may run at a time; as many as there are workers now where not given.
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
    is_remote = True

    def __init__(
        self,
        cluster: Any,
        *,
        max_workers: int | None = None,
        security: Any = None,
        preload: Sequence[str] = (),
    ) -> None:
        if max_workers is not None and max_workers < 1:
            raise ValueError(f"max_workers must be at least 1, got {max_workers}")
        self._owns_client = isinstance(cluster, str)
        self._client = connect(cluster, security) if self._owns_client else cluster
        self._lock = threading.RLock()
        self._workers: dict[str, ClusterWorker] = {}
        self._waiting: deque[DaskRun] = deque()
        self._runs: dict[str, DaskRun] = {}
        self._closed = False
        self._all_ended = threading.Condition(self._lock)
        self._topic = f"rheojobs-{uuid.uuid4()}"
        self._preload = tuple(preload)
        self._loop = self._client.loop.asyncio_loop
        self._client.subscribe_topic(self._topic, self._on_event)
        self._client.subscribe_topic("all", self._on_cluster_event)
        self._refresh()
        if not self._workers:
            self.shutdown(1.0)
            raise InputError(f"the cluster {cluster} has no worker: start one with `dask worker`")
        self.capacity = len(self._workers) if max_workers is None else max_workers
        self.version_problems = version_problems(self._client)

    # ---------------------------------------------------------------- the executor's interface

    def start(self, run: Run) -> RunControl:
        """Take on a run: it goes to a free worker now, or to the next that is free."""
        control = DaskRun(self, run)
        with self._lock:
            closed = self._closed
            if not closed:
                self._runs[run.id] = control
                self._waiting.append(control)
        if closed:
            run.tell(messages.Cancelled())
        else:
            self._assign()
        return control

    def workers(self) -> list[WorkerInfo]:
        """Give the workers: what each does for us, and the memory that it holds."""
        known = self._client.scheduler_info(n_workers=-1)["workers"]
        with self._lock:
            busy = {address: worker.run is not None for address, worker in self._workers.items()}
        return [
            WorkerInfo(0, "busy" if busy.get(address) else "idle", about["metrics"]["memory"])
            for address, about in known.items()
            if address in busy and "memory" in about.get("metrics", {})
        ]

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
        if self._client.status == "running":
            with contextlib.suppress(ValueError):  # it has gone meanwhile
                self._client.unsubscribe_topic(self._topic)
        if self._owns_client:
            self._client.close(timeout=max(1.0, deadline - time.monotonic()))
        return ended

    # ---------------------------------------------------------------- giving work

    def _assign(self) -> None:
        """Give waiting runs to free workers."""
        while True:
            with self._lock:
                free = [worker for worker in self._workers.values() if worker.is_free]
                busy = sum(worker.run is not None for worker in self._workers.values())
                if not free or not self._waiting or busy >= self.capacity:
                    return
                control = self._waiting.popleft()
                affinity = control.affinity
                worker = max(free, key=lambda w: (affinity in w.affinities, w.used_at))
                worker.run, control.worker = control, worker
                if affinity:
                    worker.affinities.add(affinity)
            self._submit(control, worker)

    def _submit(self, control: DaskRun, worker: ClusterWorker) -> None:
        run = control.run
        try:
            task = pickle_task(run.task)
        except TypeError as error:
            self._end(control, messages.Failed(error))
            return
        control.future = future = self._client.submit(
            dask_worker.run_here,
            self._topic,
            run.id,
            task,
            run.restored,
            run.memory,
            self._preload,
            key=f"rheojobs-{run.id}-{uuid.uuid4().hex[:8]}",
            workers=[worker.address],
            allow_other_workers=False,
            pure=False,
            retries=0,
        )
        future.add_done_callback(
            lambda done: self._loop.call_soon_threadsafe(self._receive, control, done)
        )
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
            self._on_worker(worker, dask_worker.hear, control.run.id, verb)

    def _on_worker(
        self, worker: ClusterWorker, function: Any, *args: Any, nanny: bool = False
    ) -> None:
        """Have a worker's event loop, or its nanny's, call a function; waits for nothing."""

        async def call() -> None:
            with contextlib.suppress(OSError, TimeoutError, ValueError):  # it is gone
                await self._client.run(
                    function, *args, workers=[worker.address], nanny=nanny, on_error="ignore"
                )

        asyncio.run_coroutine_threadsafe(call(), self._loop)

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
            self._on_worker(worker, dask_worker.kill_worker, nanny=worker.has_nanny)

    # ---------------------------------------------------------------- hearing, in Dask's loop

    def _on_event(self, event: tuple[float, dict[str, Any]]) -> None:
        _, said = event
        if (control := self._runs.get(said["run"])) is not None:
            self._receive(control, said)

    def _receive(self, control: DaskRun, item: Any) -> None:
        """Put what came into the run's order, in which what is large is called for first."""
        control.inbox.append(item)
        if not control.is_delivering:
            control.is_delivering = True
            self._loop.create_task(self._deliver(control))

    async def _deliver(self, control: DaskRun) -> None:
        try:
            while control.inbox:
                item = control.inbox.popleft()
                message = await self._message(control, item)
                if isinstance(message, messages.Failed) and isinstance(item, dict):
                    # Said while the task still runs: it holds too much.
                    self._replace_worker_of(control)
                if message is not None and not control.ended:
                    self._pass_on(control, message)
        finally:
            control.is_delivering = False

    async def _message(self, control: DaskRun, item: Any) -> messages.Message | None:
        """Give the message that an event, a future or a death comes to."""
        if isinstance(item, messages.Message):
            return item
        if not isinstance(item, dict):
            return await self._outcome(control, item)
        data = item.get("message")
        if data is None and control.worker is not None:
            address = control.worker.address
            with contextlib.suppress(OSError, TimeoutError, ValueError, KeyError):
                found = await self._client.run(
                    dask_worker.take, control.run.id, item["number"], workers=[address]
                )
                data = found.get(address)
        return None if data is None else pickle.loads(data)

    async def _outcome(self, control: DaskRun, future: Any) -> messages.Message | None:
        """Give the last message of a run, whose future has ended somehow."""
        if future is not control.future:
            return None
        if future.status == "finished":
            try:
                data = await self._client.gather(future, asynchronous=True)
            except Exception as error:  # the worker went before the result came
                return messages.Died(f"the worker died: {error}")
            try:
                return pickle.loads(data)  # type: ignore[no-any-return]
            except Exception as error:  # the result names classes that are not to be had here
                text = f"the result cannot be read in this process: {error}"
                return messages.Failed(TypeError(text))
        return messages.Died(f"the cluster gave the task up ({future.status})")

    def _pass_on(self, control: DaskRun, message: messages.Message) -> None:
        if isinstance(message, messages.Stoppable):
            control.stoppable = message.possible
        if isinstance(message, messages.Started):
            control.started = True
        if isinstance(message, messages.Died):
            self._on_death(control, message)
        elif isinstance(message, _FINAL):
            self._end(control, message)
        elif not control.abandoned:
            control.run.tell(message)

    def _on_death(self, control: DaskRun, died: messages.Died) -> None:
        """End a run whose worker is gone; one that had not begun waits for another, once."""
        with self._lock:
            again = control.may_go_again and not self._closed
            if again:
                control.wait_again()
                control.worker = control.future = None
                self._waiting.appendleft(control)
        if again:
            self._assign()
        else:
            self._end(control, messages.Cancelled() if control.cancelled else died)

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
                worker.used_at = time.monotonic()
                worker.run = None
            future, control.future = control.future, None
            self._all_ended.notify_all()
        if future is not None and self._client.status == "running":
            future.release()
        if not control.abandoned:
            control.run.tell(ending)
        self._assign()

    def _on_cluster_event(self, event: tuple[float, Any]) -> None:
        """Hear that a worker came or went."""
        _, said = event
        action = said.get("action") if isinstance(said, dict) else None
        if action == "add-worker":
            self._loop.create_task(self._refresh_soon())
        elif action == "remove-worker":
            with self._lock:
                worker = self._workers.pop(said["worker"], None)
                control = worker.run if worker is not None else None
            if control is not None:
                self._receive(control, messages.Died(f"the worker {said['worker']} died"))

    async def _refresh_soon(self) -> None:
        info = await self._client.scheduler.identity(n_workers=-1)
        self._take_in(info["workers"])
        self._assign()

    def _refresh(self) -> None:
        self._take_in(self._client.scheduler_info(n_workers=-1)["workers"])

    def _take_in(self, known: dict[str, Any]) -> None:
        """Learn of workers that are new."""
        with self._lock:
            fresh = [
                ClusterWorker(address, about.get("nanny") is not None)
                for address, about in known.items()
                if address not in self._workers
            ]
            self._workers |= {worker.address: worker for worker in fresh}
        for worker in fresh:
            if self._preload:
                self._on_worker(worker, dask_worker.begin_preload, self._preload)
