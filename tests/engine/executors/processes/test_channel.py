"""The channel between an application and a worker."""

from __future__ import annotations

import concurrent.futures
import os
import signal
import threading
from pathlib import Path

import pytest
from tests.engine import chores, helpers
from tests.engine.executors import worker_tasks as tasks
from tests.engine.executors.processes.helpers import (
    is_alive,
    wait_for_error,
)
from tests.engine.helpers import TIMEOUT, Recorder

from rheojobs.engine import (
    FunctionTask,
    JobEngine,
    JobState,
    ProcessExecutor,
    messages,
)
from rheojobs.engine.executors import Run

S = JobState


pytestmark = pytest.mark.skipif(os.name != "posix", reason="signals and process groups")


class TestChannel:
    def test_prints_do_not_get_between(self, engine: JobEngine, recorder: Recorder) -> None:
        job = engine.run(tasks.print_a_lot, 200)
        assert job.result(TIMEOUT) is True
        recorder.wait_for_end(job)
        assert recorder.progress(job)[-1].current == 200

    def test_large_result_and_argument(self, engine: JobEngine) -> None:
        size = 50 * 1024 * 1024
        data = engine.run(tasks.large, size).result(TIMEOUT)
        assert len(data) == size
        assert data[:256] == data[-256:] == bytes(range(256))
        assert engine.run(tasks.length, data).result(TIMEOUT) == size

    @pytest.mark.alone
    @pytest.mark.parametrize("verb", ["cancel", "pause"])
    def test_while_a_task_is_on_its_way(self, verb: str, tmp_path: Path) -> None:
        """A large task takes its time through the pipe: none waits for it, no word is lost."""
        executor = ProcessExecutor(1, spares=0)
        told: list[messages.Message] = []
        (worker,) = executor._workers
        with worker.channel._lock:  # held as by a send that takes its time
            task = FunctionTask(chores.hold, (tmp_path / "gate",))
            control = executor.start(Run("large", task, told.append))
            helpers.wait_until(lambda: control.is_sending)
            caller = threading.Thread(target=getattr(control, verb))
            caller.start()
            caller.join(5.0)
            was_held_up = caller.is_alive()
        last = {"cancel": messages.Cancelled, "pause": messages.Paused}[verb]
        helpers.wait_until(lambda: told and isinstance(told[-1], last))
        assert not was_held_up
        if verb == "pause":
            (tmp_path / "gate").touch()
            control.resume()
            helpers.wait_until(lambda: told[-1] == messages.Succeeded("through"))
        assert executor.worker_pids() == [worker.process.pid]  # it was not killed for it
        assert executor.shutdown(TIMEOUT)

    def test_to_a_worker_that_does_not_listen(self, engine: JobEngine) -> None:
        """More than a pipe holds, to one that is stopped: others go on, and it can be cancelled."""
        idle = engine.submit(chores.my_pid).result(TIMEOUT)
        os.kill(idle, signal.SIGSTOP)
        stuck = engine.run(tasks.length, b"x" * 1_000_000)
        helpers.wait_until(lambda: stuck.dispatched)
        assert engine.run(chores.add, 1.0).result(TIMEOUT) == 2.0
        assert stuck.cancel()
        assert isinstance(wait_for_error(stuck), concurrent.futures.CancelledError)
        assert not is_alive(idle)
        again = engine.run(tasks.length, b"x" * 1_000_000)
        assert again.result(TIMEOUT) == 1_000_000

    def test_closures_over_anything(self, engine: JobEngine) -> None:
        table = {"G0": 1.0}

        class Local:
            def __init__(self, x: float) -> None:
                self.x = x

        result = engine.submit(lambda: Local(table["G0"])).result(TIMEOUT)
        assert result.x == 1.0
