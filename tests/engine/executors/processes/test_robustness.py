"""What goes wrong around a worker costs its own run at most: no thread of the pool ends by it."""

from __future__ import annotations

import errno
import itertools
import os
import signal
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import psutil
import pytest
from tests.engine import chores
from tests.engine.executors import worker_tasks as tasks
from tests.engine.executors.processes.helpers import ANY_TASK
from tests.engine.helpers import TIMEOUT, wait_until

from rheojobs.engine import (
    FunctionTask,
    JobEngine,
    JobState,
    ProcessExecutor,
    WorkerDiedError,
    messages,
)
from rheojobs.engine.executors import Run
from rheojobs.engine.executors.processes import sending, worker_handle

S = JobState

pytestmark = pytest.mark.skipif(os.name != "posix", reason="signals and process groups")


@pytest.fixture
def executor() -> Iterator[ProcessExecutor]:
    """A pool of one worker, warm, without a spare."""
    executor = ProcessExecutor(1, spares=0)
    assert executor.wait_until_warm(TIMEOUT)
    yield executor
    assert executor.shutdown(TIMEOUT)


class Told:
    """Takes the messages of a run; may refuse some."""

    def __init__(self, *refused: type[messages.Message]) -> None:
        self.all: list[messages.Message] = []
        self._refused = refused

    def __call__(self, message: messages.Message) -> None:
        if isinstance(message, self._refused):
            raise RuntimeError("the table is broken")
        self.all.append(message)

    def ending(self) -> messages.Message:
        wait_until(lambda: self.all and isinstance(self.all[-1], messages.ENDINGS))
        return self.all[-1]


def start(
    executor: ProcessExecutor, function: Callable[..., Any], *args: Any, **options: Any
) -> tuple[Told, Any]:
    told = options.pop("told", None) or Told()
    run_id = f"run {time.monotonic()}"
    return told, executor.start(Run(run_id, FunctionTask(function, args), told, **options))


def works(executor: ProcessExecutor) -> bool:
    return start(executor, chores.add, 1.0)[0].ending() == messages.Succeeded(2.0)


def refuse_processes(patch: pytest.MonkeyPatch) -> list[float]:
    """Have no process start any more; gives the times at which one was wanted."""
    times: list[float] = []

    def refuse(*args: Any, **options: Any) -> None:
        times.append(time.monotonic())
        raise OSError(errno.EAGAIN, "Resource temporarily unavailable")

    patch.setattr(worker_handle.subprocess, "Popen", refuse)
    return times


def refuse_threads(patch: pytest.MonkeyPatch, name: str = "") -> None:
    begin = threading.Thread.start

    def refuse(thread: threading.Thread) -> None:
        if thread.name.startswith(name):
            raise RuntimeError("can't start new thread")
        begin(thread)

    patch.setattr(threading.Thread, "start", refuse)


@pytest.mark.promise("crash-harms-one", "no-loop-ends")
class TestMessages:
    @pytest.mark.parametrize("is_light", [True, False])
    def test_an_ending_that_cannot_be_taken_in(
        self, executor: ProcessExecutor, is_light: bool
    ) -> None:
        (pid,) = executor.worker_pids()
        told = Told(messages.Succeeded)
        start(executor, chores.add, 1.0, told=told, is_light=is_light)
        ending = told.ending()
        assert isinstance(ending, messages.Failed)
        assert str(ending.error) == "the table is broken"
        assert works(executor)
        assert executor.worker_pids() == [pid]

    def test_nothing_can_be_taken_in(self, executor: ProcessExecutor) -> None:
        told = Told(messages.Message)
        start(executor, chores.add, 1.0, told=told)
        assert works(executor)
        assert told.all == []

    def test_a_fault_of_the_pool(self, executor: ProcessExecutor) -> None:
        """Which costs the worker and its run, and neither the thread nor the pool."""
        (worker,) = executor._workers

        def fail(*args: object) -> None:
            raise KeyError("no such run")

        worker._on_message = fail  # type: ignore[method-assign]
        told, _ = start(executor, chores.add, 1.0)
        ending = told.ending()
        assert isinstance(ending, messages.Failed)
        assert str(ending.error) == (
            "a message of its worker process cannot be processed: KeyError: 'no such run'"
        )
        assert works(executor)
        assert worker.process.pid not in executor.worker_pids()


@pytest.mark.alone
class TestPickling:
    def test_cancelled_meanwhile(self, executor: ProcessExecutor, tmp_path: Path) -> None:
        """Nothing has begun yet: the run ends at once, and its worker is free."""
        (pid,) = executor.worker_pids()
        trace = tmp_path / "trace"
        told, control = start(executor, chores.pickled_slowly, chores.SlowToPickle(trace, 3.0))
        wait_until(trace.exists)
        began = time.monotonic()
        control.cancel()
        assert told.all == [messages.Cancelled()]
        assert works(executor)
        assert time.monotonic() - began < 2.0
        time.sleep(3.0)  # what was pickled in vain is not sent
        assert told.all == [messages.Cancelled()]
        assert executor.worker_pids() == [pid]

    def test_ctrl_c(self, executor: ProcessExecutor, monkeypatch: pytest.MonkeyPatch) -> None:
        def interrupt(task: object) -> bytes:
            raise KeyboardInterrupt

        told = Told()
        with monkeypatch.context() as patch:
            patch.setattr(sending, "pickle_task", interrupt)
            with pytest.raises(KeyboardInterrupt):
                start(executor, chores.add, 1.0, told=told, is_light=True)
        assert isinstance(told.ending(), messages.Failed)
        assert works(executor)

    def test_ctrl_c_while_it_is_sent(
        self, executor: ProcessExecutor, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        (worker,) = executor._workers

        def interrupt(message: object) -> None:
            raise KeyboardInterrupt

        told = Told()
        monkeypatch.setattr(worker.channel, "send", interrupt)
        with pytest.raises(KeyboardInterrupt):
            start(executor, chores.add, 1.0, told=told, is_light=True)
        told.ending()
        assert works(executor)  # on another worker: half a message may be in that one's pipe
        assert worker.process.pid not in executor.worker_pids()

    def test_it_leaves_the_interpreter(self, executor: ProcessExecutor) -> None:
        told, _ = start(executor, str, tasks.LeavesWhenPickled())
        ending = told.ending()
        assert isinstance(ending, messages.Failed)
        assert isinstance(ending.error, SystemExit)
        assert works(executor)

    def test_light_but_more_than_the_pipe_holds(self, executor: ProcessExecutor) -> None:
        (pid,) = executor.worker_pids()
        os.kill(pid, signal.SIGSTOP)
        began = time.monotonic()
        told, _ = start(executor, tasks.length, b"x" * 1_000_000, is_light=True)
        assert time.monotonic() - began < 2.0
        os.kill(pid, signal.SIGCONT)
        assert told.ending() == messages.Succeeded(1_000_000)


class TestNoThread:
    @pytest.mark.promise("cancel-in-time")
    @pytest.mark.alone
    def test_a_stuck_job_is_stopped(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        with JobEngine("processes", max_workers=1) as engine:
            trace = tmp_path / "trace"
            job = engine.run(tasks.loop_forever, str(trace))
            wait_until(trace.exists)
            wait_until(lambda: job.handle is not None and job.state is S.RUNNING)
            with monkeypatch.context() as patch:
                refuse_threads(patch)
                job.cancel()
                wait_until(job.done, ANY_TASK)
            assert job.cancelled()
            assert engine.run(chores.add, 1.0).result(TIMEOUT) == 2.0

    def test_to_read_from_a_worker(
        self, executor: ProcessExecutor, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """A start that failed: no process is left, and it is tried again."""
        (first,) = executor.worker_pids()
        before = set(psutil.Process().children())  # other tests' engines have theirs
        with monkeypatch.context() as patch:
            refuse_threads(patch, "rheojobs-worker")
            os.kill(first, signal.SIGKILL)
            wait_until(lambda: executor._starts.failures > 0)
            assert set(psutil.Process().children()) <= before
        assert executor.wait_until_warm(TIMEOUT)
        assert works(executor)

    def test_to_pickle_or_to_inspect(
        self, executor: ProcessExecutor, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        with monkeypatch.context() as patch:
            refuse_threads(patch)
            assert works(executor)


@pytest.mark.alone
class TestFailedStarts:
    """Whatever is missing may be there again: runs that wait are neither forgotten nor failed."""

    @pytest.fixture
    def busy(self, tmp_path: Path) -> Iterator[tuple[ProcessExecutor, Any]]:
        """A pool of two, one of which is busy for good, and a run for which no other starts."""
        executor = ProcessExecutor(2, spares=0)
        assert executor.wait_until_warm(TIMEOUT)
        _, control = start(executor, chores.hold_deaf, tmp_path / "never")
        yield executor, control
        assert executor.shutdown(TIMEOUT)

    def test_starts_work_again(
        self, busy: tuple[ProcessExecutor, Any], monkeypatch: pytest.MonkeyPatch
    ) -> None:
        executor, _ = busy
        with monkeypatch.context() as patch:
            times = refuse_processes(patch)
            told, _ = start(executor, chores.add, 1.0)
            wait_until(lambda: len(times) == 5)
            pauses = [b - a for a, b in itertools.pairwise(times)]
            assert pauses == sorted(pauses)
            assert pauses[-1] >= 0.7
            assert told.all == []
        assert told.ending() == messages.Succeeded(2.0)

    def test_starts_work_again_when_the_last_worker_dies(
        self, busy: tuple[ProcessExecutor, Any], monkeypatch: pytest.MonkeyPatch
    ) -> None:
        executor, control = busy
        with monkeypatch.context() as patch:
            times = refuse_processes(patch)
            told, _ = start(executor, chores.add, 1.0)
            wait_until(lambda: len(times) == 4)
        began = time.monotonic()
        control.cancel()
        assert told.ending() == messages.Succeeded(2.0)
        assert time.monotonic() - began < 10.0

    def test_starts_fail_when_no_worker_is_left(
        self, busy: tuple[ProcessExecutor, Any], monkeypatch: pytest.MonkeyPatch
    ) -> None:
        executor, _ = busy
        with monkeypatch.context() as patch:
            times = refuse_processes(patch)
            told, _ = start(executor, chores.add, 1.0)
            wait_until(lambda: len(times) == 4)
            os.kill(executor.worker_pids()[0], signal.SIGKILL)
            ending = told.ending()
            assert isinstance(ending, messages.Failed)
            assert isinstance(ending.error, WorkerDiedError)
            assert str(ending.error) == (
                "worker processes cannot start: "
                "BlockingIOError: [Errno 11] Resource temporarily unavailable"
            )
            assert len(times) >= 4 + 3  # what failed before says nothing of now
        assert works(executor)


class TestKilling:
    def test_no_group_after_the_end(
        self, executor: ProcessExecutor, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """Its number may be another's by then."""
        (worker,) = executor._workers
        killed: list[int] = []
        kill = os.killpg

        def note(group: int, sig: int) -> None:
            killed.append(worker.process.returncode)
            kill(group, sig)

        monkeypatch.setattr(os, "killpg", note)
        worker.kill()
        assert worker.join(TIMEOUT)
        worker.kill()
        assert killed == [None] * len(killed)
        assert len(killed) == 2  # here, and by the thread that reads


class TestInspect:
    def test_of_a_run_whose_worker_is_dead(self, executor: ProcessExecutor, tmp_path: Path) -> None:
        told, control = start(executor, chores.hold, tmp_path / "gate")
        wait_until(lambda: told.all)
        (worker,) = executor._workers
        with worker._reaping:  # nobody has noticed yet
            os.killpg(worker.process.pid, signal.SIGSTOP)
            worker.channel._writer.close()
            control.inspect()
        assert told.all == [messages.Started(), messages.Inspected(None)]
        worker.kill()
        assert isinstance(told.ending(), messages.Died)
        control.inspect()
        assert told.all[-1] == messages.Inspected(None)

    def test_many_ask_at_once(self, executor: ProcessExecutor, tmp_path: Path) -> None:
        """More than fits into the pipe of a worker that is stopped: nobody is held up."""
        told, control = start(executor, chores.hold, tmp_path / "gate")
        wait_until(lambda: told.all)
        (pid,) = executor.worker_pids()
        os.kill(pid, signal.SIGSTOP)
        asking = threading.Thread(target=lambda: [control.inspect() for _ in range(10_000)])
        asking.start()
        asking.join(10.0)
        was_held_up = asking.is_alive()
        os.kill(pid, signal.SIGCONT)
        assert not was_held_up
        wait_until(lambda: messages.Inspected(None) in told.all)
        before = len(told.all)
        control.inspect()
        wait_until(lambda: len(told.all) > before)
        (tmp_path / "gate").touch()
        assert told.ending() == messages.Succeeded("through")
