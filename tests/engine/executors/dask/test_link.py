"""The connection to a scheduler: closed, cut, or lost; and Dask's event loop, which must not wait.

A real scheduler and real workers.
"""

from __future__ import annotations

import asyncio
import contextlib
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from tests.engine import application, chores, helpers
from tests.engine.cluster import shared_cluster
from tests.engine.helpers import TIMEOUT, Recorder

from rheojobs.engine import FunctionTask, JobEngine, JobState, TaskContext, WorkerDiedError
from rheojobs.engine.executors.base import Run
from rheojobs.engine.executors.dask import file_transfer, link
from rheojobs.engine.executors.dask.executor import DaskExecutor
from rheojobs.engine.executors.dask.link import ClusterLink
from rheojobs.engine.executors.dask.loop import LoopTasks
from rheojobs.engine.executors.dask.worker_side import kill_worker
from rheojobs.engine.messages import Message, Succeeded

S = JobState

LAG = 0.5
"""Seconds in which an event loop answers that nothing holds up, on a busy machine."""


@pytest.fixture
def executor() -> Iterator[DaskExecutor]:
    executor = DaskExecutor(shared_cluster().address, max_workers=1)
    yield executor
    executor.shutdown(TIMEOUT)


@pytest.fixture
def engine(executor: DaskExecutor) -> Iterator[JobEngine]:
    engine = JobEngine(executor)
    yield engine
    engine.cancel_all()
    assert engine.shutdown(timeout=TIMEOUT)


def cut(executor: DaskExecutor) -> None:
    """Cut the connection to the scheduler, which does not notice anything else."""
    client = executor._client
    connection = client.scheduler_comm
    client.loop.add_callback(connection.abort)
    helpers.wait_until(
        lambda: client.status == "running" and client.scheduler_comm is not connection
    )


def worst_lag(executor: DaskExecutor, seconds: float) -> float:
    """Measure how late Dask's event loop is at most, in a while."""

    async def measure() -> float:
        worst, until = 0.0, time.monotonic() + seconds
        while (begin := time.monotonic()) < until:
            await asyncio.sleep(0.01)
            worst = max(worst, time.monotonic() - begin)
        return worst

    return asyncio.run_coroutine_threadsafe(measure(), executor._client.loop.asyncio_loop).result(
        TIMEOUT
    )


class SlowToPickle:
    """Something that takes a second to be pickled, in the process that has made it."""

    def __reduce__(self) -> tuple[type, tuple[()]]:
        time.sleep(1.0)
        return SlowToPickle, ()


class SlowToUnpickle:
    """Something that takes a second to be unpickled."""

    def __reduce__(self) -> tuple[Callable[[], object], tuple[()]]:
        return _wait, ()


def _wait() -> str:
    time.sleep(1.0)
    return "at last"


def give_slow() -> SlowToUnpickle:
    return SlowToUnpickle()


def ignore(thing: object) -> None:
    """Take an argument."""


class TestClosing:
    def test_is_never_reported_as_a_loss(
        self, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
    ) -> None:
        """Even if the watch looks when the client is closing and its cancellation still waits."""
        monkeypatch.setattr(link, "WATCH_SECONDS", 0.0)
        executor = DaskExecutor(shared_cluster().address, max_workers=1)
        is_busy, is_free = threading.Event(), threading.Event()
        executor._tasks.call(lambda: (is_busy.set(), is_free.wait(TIMEOUT)))
        assert is_busy.wait(TIMEOUT)
        closing = threading.Thread(target=executor.shutdown, args=(TIMEOUT,))
        closing.start()
        helpers.wait_until(lambda: executor._client.status == "closing")
        is_free.set()
        closing.join(TIMEOUT)
        assert not closing.is_alive()
        assert "scheduler" not in caplog.text

    def test_jobs_end_when_the_client_is_closed_by_its_owner(self, tmp_path: Path) -> None:
        from distributed import Client

        client = Client(shared_cluster().address, set_as_default=False)
        engine = JobEngine(DaskExecutor(client, max_workers=1))
        recorder = Recorder(engine)
        gate = tmp_path / "gate"
        jobs = [engine.run(chores.hold, gate) for _ in range(2)]
        recorder.wait_for(jobs[0], S.RUNNING)
        client.close()
        gate.touch()
        error = jobs[0].exception(TIMEOUT)
        assert isinstance(error, WorkerDiedError)
        assert "the connection to the scheduler" in str(error)
        assert isinstance(jobs[1].exception(TIMEOUT), WorkerDiedError)
        assert engine.shutdown(timeout=TIMEOUT)


class TestACutConnection:
    def test_a_job_continues_where_it_runs(
        self, engine: JobEngine, executor: DaskExecutor, tmp_path: Path
    ) -> None:
        """The scheduler has forgotten it; its worker has not, and does it once."""
        recorder = Recorder(engine)
        trace, gate = tmp_path / "trace", tmp_path / "gate"
        task = FunctionTask(application.count_on, (6, str(trace), str(gate), 3))
        job = engine.submit(task, max_attempts=2)
        recorder.wait(lambda: any(p.current == 3 for p in recorder.progress(job)))
        cut(executor)
        recorder.wait(lambda: recorder.states(job).count(S.RUNNING) == 2)
        gate.touch()
        assert job.result(TIMEOUT) == [0, 6]
        assert chores.lines(trace) == ["1", "2", "3", "4", "5", "6"]
        assert engine.run(chores.add, 1.0).result(TIMEOUT) == 2.0

    def test_events_still_come(self, engine: JobEngine, executor: DaskExecutor) -> None:
        """However short the connection was away."""
        recorder = Recorder(engine)
        cut(executor)
        job = engine.run(chores.count_slowly, 3, 0.05)
        assert job.result(TIMEOUT) == 3
        recorder.wait(lambda: [p.current for p in recorder.progress(job)][-1:] == [3])

    def test_what_was_begun_before_it_was_noticed_is_not_lost(
        self,
        engine: JobEngine,
        executor: DaskExecutor,
        tmp_path: Path,
        monkeypatch: pytest.MonkeyPatch,
        caplog: pytest.LogCaptureFixture,
    ) -> None:
        monkeypatch.setattr(link, "WATCH_SECONDS", 3.0)
        time.sleep(0.3)  # the look before
        recorder = Recorder(engine)
        cut(executor)
        job = engine.run(chores.hold, tmp_path / "gate")
        recorder.wait_for(job, S.RUNNING)
        assert "is lost" not in caplog.text
        helpers.wait_until(lambda: "connected to the scheduler" in caplog.text)
        (tmp_path / "gate").touch()
        assert job.result(TIMEOUT) == "through"
        assert recorder.wait_for_end(job) == [S.QUEUED, S.RUNNING, S.SUCCEEDED]

    def test_is_not_called_the_end_of_the_scheduler(
        self, engine: JobEngine, executor: DaskExecutor, caplog: pytest.LogCaptureFixture
    ) -> None:
        recorder = Recorder(engine)
        job = engine.submit(chores.hold)
        recorder.wait_for(job, S.RUNNING)
        cut(executor)
        assert isinstance(job.exception(TIMEOUT), WorkerDiedError)
        assert f"the connection to the scheduler {executor.cluster_address} is lost" in job.message
        assert "gone" not in job.message + caplog.text
        for keys in executor._client.run(_held_keys).values():  # it still runs, for nobody
            for key in keys:
                executor._client.run(_cancel, key)
        assert engine.run(chores.add, 1.0).result(TIMEOUT) == 2.0


def _held_keys() -> list[str]:
    from rheojobs.engine.executors.dask import worker_side

    return [run.key for run in worker_side.list_runs() if not run.has_ended]


def _cancel(key: str) -> None:
    from rheojobs.engine.executors.dask import worker_side

    worker_side.handle_request(key, "cancel")


@pytest.mark.promise("no-loop-ends")
class TestFaults:
    def test_handlers_that_raise_end_nothing(self, caplog: pytest.LogCaptureFixture) -> None:
        from distributed import Client

        heard: list[str] = []

        def fail(name: str) -> Callable[..., None]:
            def handler(*_: Any) -> None:
                heard.append(name)
                raise ValueError(name)

            return handler

        async def look_around() -> None:
            fail("look")()

        with Client(shared_cluster().address, set_as_default=False) as client:
            tasks = LoopTasks(client.loop.asyncio_loop)
            watch = ClusterLink(
                client,
                tasks,
                {"topic-of-a-test": fail("event")},
                fail("disconnect"),
                fail("reconnect"),
                look_around,
            )
            helpers.wait_until(lambda: heard.count("look") >= 2)
            for times in (1, 2):
                client.log_event("topic-of-a-test", times)
                helpers.wait_until(lambda times=times: heard.count("event") == times)
            client.loop.add_callback(client.scheduler_comm.abort)
            helpers.wait_until(lambda: "reconnect" in heard)
            assert heard.count("disconnect") == 1
            client.log_event("topic-of-a-test", 3)
            helpers.wait_until(lambda: heard.count("event") == 3)
            watch.close()
            tasks.close()

    def test_what_cannot_be_handled_fails_its_job_and_stops_its_run(
        self,
        engine: JobEngine,
        executor: DaskExecutor,
        tmp_path: Path,
        monkeypatch: pytest.MonkeyPatch,
    ) -> None:
        def apply(folder: Path, message: object) -> None:
            raise ValueError("a name that this system does not take")

        monkeypatch.setattr(file_transfer, "apply", apply)
        job = engine.submit(WritesAndHolds(str(tmp_path / "kept")))
        error = job.exception(TIMEOUT)
        assert isinstance(error, RuntimeError)
        assert "could not be handled" in str(error)
        assert "a name that this system does not take" in str(error)
        assert engine.run(chores.add, 1.0).result(TIMEOUT) == 2.0  # on the only worker

    def test_a_message_that_the_engine_refuses(
        self, executor: DaskExecutor, tmp_path: Path
    ) -> None:
        """Its run is stopped, and the others' messages come."""
        told: list[Message] = []

        def refuse(message: Message) -> None:
            told.append(message)
            if len(told) == 1:
                raise ValueError("no such transition")

        executor.start(Run("refused", FunctionTask(chores.hold), refuse))
        others: list[Message] = []
        executor.start(Run("other", FunctionTask(chores.add, (1.0,)), others.append))
        helpers.wait_until(lambda: others and isinstance(others[-1], Succeeded))
        assert "no such transition" in str(told[1].error)  # type: ignore[attr-defined]
        assert len(told) == 2

    def test_a_cancel_callback_that_raises(self, engine: JobEngine) -> None:
        pid = engine.run(chores.my_pid).result(TIMEOUT)
        recorder = Recorder(engine)
        job = engine.run(hold_with_a_bad_callback)
        recorder.wait_for(job, S.RUNNING)
        recorder.wait(lambda: bool(recorder.partials(job)))
        job.cancel()
        assert recorder.wait_for_end(job)[-1] is S.CANCELLED
        assert engine.run(chores.my_pid).result(TIMEOUT) == pid


@pytest.mark.alone
class TestAWorkerThatLeftUnnoticed:
    """Between a client's subscription and its first question a worker may die."""

    def test_holds_no_job(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(DaskExecutor, "_on_cluster_event", lambda executor, event: None)
        engine = JobEngine(executor := DaskExecutor(shared_cluster().address))
        worker = executor._table.members.all()[0]
        with contextlib.suppress(KeyError):  # an earlier test's: it has left already
            executor._client.run(kill_worker, nanny=True, workers=[worker.address])
        jobs = [engine.run(chores.add, float(number)) for number in range(4)]
        assert [job.result(TIMEOUT) for job in jobs] == [1.0, 2.0, 3.0, 4.0]
        assert engine.shutdown(timeout=TIMEOUT)


class TestTheEventLoopIsNotHeldUp:
    def test_by_a_slow_engine(self, executor: DaskExecutor) -> None:
        is_free = threading.Event()
        told: list[Message] = []

        def tell(message: Message) -> None:  # as one whose store is locked
            assert is_free.wait(TIMEOUT)
            told.append(message)

        executor.start(Run("slow", FunctionTask(chores.count_slowly, (5,)), tell))
        assert worst_lag(executor, 1.0) < LAG
        is_free.set()
        helpers.wait_until(lambda: told and isinstance(told[-1], Succeeded))

    @pytest.mark.parametrize(
        "task",
        [FunctionTask(ignore, (SlowToPickle(),)), FunctionTask(give_slow)],
        ids=["pickling", "unpickling"],
    )
    def test_by_the_users_code(self, engine: JobEngine, executor: DaskExecutor, task: Any) -> None:
        engine.run(chores.add, 1.0).result(TIMEOUT)
        job = engine.submit(task)
        assert worst_lag(executor, 1.5) < LAG
        assert job.result(TIMEOUT) in (None, "at last")

    def test_a_task_that_is_pickled_for_ever_can_be_cancelled(
        self, engine: JobEngine, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        is_free = threading.Event()
        monkeypatch.setattr(NeverPickled, "gate", is_free)
        job = engine.submit(FunctionTask(ignore, (NeverPickled(),)))
        helpers.wait_until(lambda: job.handle is not None)
        job.cancel()
        try:
            assert engine.wait(TIMEOUT)
            assert job.state is S.CANCELLED
            assert engine.run(chores.add, 1.0).result(TIMEOUT) == 2.0
        finally:
            is_free.set()


class NeverPickled:
    """Something whose pickling waits for a gate."""

    gate = threading.Event()

    def __reduce__(self) -> tuple[type, tuple[()]]:
        self.gate.wait(TIMEOUT)
        return NeverPickled, ()


class WritesAndHolds:
    """Writes a file into its folder, and holds."""

    def __init__(self, folder: str) -> None:
        self.folder = folder

    def run(self, context: TaskContext) -> None:
        path = context.folder(self.folder) / "one"
        path.write_bytes(b"1")
        context.kept(path)
        chores.hold(context)


def hold_with_a_bad_callback(context: TaskContext) -> None:
    """Hold, with a callback for a cancellation that raises."""

    def stop_the_solver() -> None:
        raise ValueError("the solver cannot be stopped")

    context.token.on_cancel(stop_the_solver)
    context.partial("ready")
    chores.hold(context)
