"""What is done about workers: their memory, their environment, those that idle, those that die."""

from __future__ import annotations

import os
import re
import signal
from pathlib import Path
from typing import Any

import pytest
from tests.engine import chores, helpers
from tests.engine.executors import worker_tasks as tasks
from tests.engine.helpers import TIMEOUT, Recorder, wait_until

from rheojobs.engine import (
    FunctionTask,
    Job,
    JobEngine,
    JobState,
    JobTimeoutError,
    MemoryLimitError,
    ProcessExecutor,
    WorkerDiedError,
)
from rheojobs.engine.executors.environment import worker_environment
from rheojobs.engine.policy import retry
from rheojobs.errors import InputError

S = JobState
MIB = 1 << 20

pytestmark = pytest.mark.skipif(os.name != "posix", reason="signals and process groups")


class TestMemoryLimit:
    @pytest.mark.promise("crash-harms-one")
    @pytest.mark.alone
    @pytest.mark.parametrize("function", [tasks.hoard, tasks.hoard_in_a_child])
    def test_a_job_beyond_it_fails_alone(self, tmp_path: Path, function: Any) -> None:
        gate = tmp_path / "gate"
        with JobEngine("processes", max_workers=2) as engine:
            recorder = Recorder(engine)
            other = engine.submit(FunctionTask(chores.hold_telling_pid, (gate,)), memory="1 GiB")
            recorder.wait(lambda: bool(recorder.partials(other)))
            task = FunctionTask(function, (300 * MIB,))
            job = engine.submit(task, memory="200 MiB", max_attempts=3)
            assert recorder.wait_for_end(job) == [S.QUEUED, S.RUNNING, S.FAILED]
            assert isinstance(job.exception(TIMEOUT), MemoryLimitError)
            used = re.fullmatch(r"used (\d+\.\d) MiB of the 200\.0 MiB it was given", job.message)
            assert used is not None
            assert float(used[1]) > 200.0
            gate.touch()
            assert other.result(TIMEOUT) == recorder.partials(other)[0]
            assert engine.run(chores.add, 1.0).result(TIMEOUT) == 2.0

    def test_it_counts_as_what_the_job_takes_of_the_engines_memory(self, tmp_path: Path) -> None:
        with JobEngine("processes", max_workers=2, resources={"memory": "3 GiB"}) as engine:
            gate = tmp_path / "gate"
            first = engine.submit(FunctionTask(chores.hold, (gate,)), memory="2 GiB")
            second = engine.submit(chores.nothing, memory="2 GiB")
            helpers.wait_until(lambda: first.state is S.RUNNING)
            engine.submit(chores.nothing).result(TIMEOUT)
            assert second.state is S.QUEUED
            with pytest.raises(InputError, match=r"needs 4\.0 GiB of 'memory'"):
                engine.submit(chores.nothing, memory="4 GiB")
            gate.touch()
            assert second.result(TIMEOUT) is None


def _killed_before_it_begins(
    engine: JobEngine,
    times: int,
    function: Any = chores.add,
    args: Any = (1.0,),
    **options: Any,
) -> Job:
    """Submit a job, and kill so many workers to which it was sent and that were stopped before."""
    executor = engine.executor
    assert isinstance(executor, ProcessExecutor)
    engine.pause_queue()
    job = engine.submit(FunctionTask(function, args), **options)
    for time in range(1, times + 1):
        wait_until(lambda: {worker.state for worker in executor.workers()} == {"idle"})
        for pid in executor.worker_pids():
            os.kill(pid, signal.SIGSTOP)
        engine.resume_queue()
        wait_until(lambda: any(worker.state == "busy" for worker in executor.workers()))
        engine.pause_queue()
        for worker in executor.workers():
            os.kill(worker.pid, signal.SIGKILL if worker.state == "busy" else signal.SIGCONT)
        wait_until(lambda time=time: job.deaths == time)
    engine.resume_queue()
    return job


class TestTimeLimit:
    @pytest.mark.parametrize("function", [tasks.loop_forever, tasks.ignore_cancellation])
    def test_a_stuck_job_is_killed(self, tmp_path: Path, function: Any) -> None:
        with JobEngine("processes", max_workers=1) as engine:
            recorder = Recorder(engine)
            task = FunctionTask(function, (str(tmp_path / "trace"),))
            job = engine.submit(task, timeout=0.2, max_attempts=3)
            assert recorder.wait_for_end(job) == [S.QUEUED, S.RUNNING, S.FAILED]
            assert isinstance(job.exception(TIMEOUT), JobTimeoutError)
            assert job.message == "ran longer than the 0.2 s it was given"
            assert engine.run(chores.add, 1.0).result(TIMEOUT) == 2.0


class TestRetries:
    def test_wait_longer_each_time(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(retry, "BACK_OFF", 0.2)
        with JobEngine("processes", max_workers=1) as engine:
            recorder = Recorder(engine)
            job = engine.submit(tasks.kill_myself, max_attempts=3)
            recorder.wait_for_end(job)
            times = {S.INTERRUPTED: [], S.QUEUED: []}
            for event in recorder.of(job):
                times.get(event.state, []).append(event.time)
            waits = [q - i for q, i in zip(times[S.QUEUED][1:], times[S.INTERRUPTED], strict=True)]
            assert len(waits) == 2
            assert waits[0] >= 0.19
            assert waits[1] >= 0.39

    def test_none_for_one_that_takes_three_workers_along(
        self, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(retry, "BACK_OFF", 0.01)
        with JobEngine("processes", max_workers=1) as engine:
            recorder = Recorder(engine)
            job = engine.submit(tasks.kill_myself, max_attempts=100)
            assert isinstance(job.exception(TIMEOUT), WorkerDiedError)
            assert job.attempts == 3
            assert recorder.wait_for_end(job).count(S.RUNNING) == 3
            assert "SIGKILL" in job.message
            assert job.message.endswith("its worker has died 3 times, and it is not started again")

    def test_killed_before_the_task_begins_is_no_attempt(
        self, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(retry, "BACK_OFF", 0.01)
        with JobEngine("processes", max_workers=1) as engine:
            recorder = Recorder(engine)
            job = _killed_before_it_begins(engine, 2)
            assert job.result(TIMEOUT) == 2.0
            assert (job.attempts, job.deaths) == (1, 2)
            assert recorder.wait_for_end(job) == [S.QUEUED, S.RUNNING, S.SUCCEEDED]

    def test_killed_three_times_before_the_task_begins(
        self, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(retry, "BACK_OFF", 0.01)
        with JobEngine("processes", max_workers=1) as engine:
            recorder = Recorder(engine)
            job = _killed_before_it_begins(engine, 3, max_attempts=100)
            assert recorder.wait_for_end(job) == [S.QUEUED, S.FAILED]
            assert (job.attempts, job.deaths) == (0, 3)
            assert job.message.endswith("its worker has died 3 times, and it is not started again")
            assert engine.run(chores.add, 1.0).result(TIMEOUT) == 2.0

    def test_none_for_one_that_kills_three_workers_in_its_unpickling(
        self, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
    ) -> None:
        monkeypatch.setattr(retry, "BACK_OFF", 0.01)
        trace = tmp_path / "trace"
        with JobEngine("processes", max_workers=1) as engine:
            job = engine.run(str, tasks.KillsWhenUnpickled(str(trace)))
            assert isinstance(job.exception(TIMEOUT), WorkerDiedError)
            assert len(set(chores.lines(trace))) == 3
            assert job.message.endswith("its worker has died 3 times, and it is not started again")

    def test_deaths_before_and_after_the_begin_count_together(
        self, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(retry, "BACK_OFF", 0.01)
        with JobEngine("processes", max_workers=1) as engine:
            job = _killed_before_it_begins(engine, 1, tasks.kill_myself, (), max_attempts=100)
            assert isinstance(job.exception(TIMEOUT), WorkerDiedError)
            assert (job.attempts, job.deaths) == (2, 3)

    def test_a_job_that_waits_after_a_death_before_its_begin_can_be_cancelled(
        self, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(retry, "BACK_OFF", 1000.0)
        with JobEngine("processes", max_workers=1) as engine:
            recorder = Recorder(engine)
            job = _killed_before_it_begins(engine, 1)
            assert engine.run(chores.add, 3.0).result(TIMEOUT) == 4.0  # nobody else waits
            assert job.cancel()
            assert recorder.wait_for_end(job) == [S.QUEUED, S.CANCELLED]
            assert engine.wait(TIMEOUT)

    def test_one_that_only_prepares_is_not_tried_again(self) -> None:
        with JobEngine("processes", max_workers=1) as engine:
            executor = engine.executor
            assert executor.wait_until_warm(TIMEOUT)
            (pid,) = executor.worker_pids()
            os.kill(pid, signal.SIGSTOP)
            job = engine.prewarm(chores.nothing)
            wait_until(lambda: job.dispatched)
            os.kill(pid, signal.SIGKILL)
            assert isinstance(job.exception(TIMEOUT), WorkerDiedError)
            assert engine.run(chores.add, 3.0).result(TIMEOUT) == 4.0

    def test_cancelled_while_it_waits(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(retry, "BACK_OFF", 1000.0)
        with JobEngine("processes", max_workers=1) as engine:
            recorder = Recorder(engine)
            job = engine.submit(tasks.kill_myself, max_attempts=2)
            recorder.wait_for(job, S.INTERRUPTED)
            assert engine.run(chores.add, 1.0).result(TIMEOUT) == 2.0  # nobody else waits
            assert job.cancel()
            assert recorder.wait_for_end(job)[-2:] == [S.INTERRUPTED, S.CANCELLED]
            assert engine.wait(TIMEOUT)


class TestIdleWorkers:
    def test_leave_when_they_are_not_needed(self, tmp_path: Path) -> None:
        executor = ProcessExecutor(3, idle_seconds=0.3)
        with JobEngine(executor) as engine:
            gate = tmp_path / "gate"
            jobs = [engine.run(chores.hold_telling_pid, gate) for _ in range(3)]
            helpers.wait_until(lambda: len(executor.worker_pids()) == 4)  # with the spare
            gate.touch()
            for job in jobs:
                job.result(TIMEOUT)
            helpers.wait_until(lambda: len(executor.worker_pids()) == 1)
            (left,) = executor.worker_pids()
            assert engine.submit(chores.my_pid).result(TIMEOUT) == left

    def test_stay_while_they_may_be_needed_soon(self, tmp_path: Path) -> None:
        executor = ProcessExecutor(2, idle_seconds=1000.0)
        with JobEngine(executor) as engine:
            gate = tmp_path / "gate"
            jobs = [engine.run(chores.hold_telling_pid, gate) for _ in range(2)]
            helpers.wait_until(lambda: all(job.state is S.RUNNING for job in jobs))
            gate.touch()
            used = {job.result(TIMEOUT) for job in jobs}
            engine.submit(chores.nothing).result(TIMEOUT)
            assert used <= set(executor.worker_pids())


class TestWorkers:
    def test_what_they_do_and_hold(self, tmp_path: Path) -> None:
        executor = ProcessExecutor(1, spares=0)
        with JobEngine(executor) as engine:
            assert executor.wait_until_warm(TIMEOUT)
            (idle,) = executor.workers()
            assert idle.state == "idle"
            gate = tmp_path / "gate"
            job = engine.run(tasks.hoard_and_hold, 100 * MIB, str(gate))
            helpers.wait_until(lambda: job.partial is not None)
            (busy,) = executor.workers()
            assert busy.state == "busy"
            assert busy.pid == idle.pid == job.partial
            assert busy.resident >= idle.resident + 90 * MIB
            os.kill(busy.pid, signal.SIGKILL)
            assert isinstance(job.exception(TIMEOUT), WorkerDiedError)
        assert executor.workers() == []


class TestEnvironment:
    def test_of_all_workers(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setenv("RHEOJOBS_TEST_KEPT", "kept")
        executor = ProcessExecutor(1, env=worker_environment(threads=3))
        with JobEngine(executor) as engine:
            for name, value in [("OMP_NUM_THREADS", "3"), ("NPROC", "3")]:
                assert engine.run(os.getenv, name).result(TIMEOUT) == value
            assert engine.run(os.getenv, "RHEOJOBS_TEST_KEPT").result(TIMEOUT) == "kept"

    def test_spread_over_the_workers(self, tmp_path: Path) -> None:
        envs = [worker_environment(gpus=[n], gpu_memory=0.25) for n in (0, 1)]
        executor = ProcessExecutor(2, env=envs, spares=0)
        with JobEngine(executor) as engine:
            recorder = Recorder(engine)
            gate = tmp_path / "gate"
            jobs = [engine.run(tasks.environment_and_hold, str(gate)) for _ in range(2)]
            recorder.wait(lambda: all(recorder.partials(job) for job in jobs))
            assert {recorder.partials(job)[0][0] for job in jobs} == {"0", "1"}
            # A replacement gets the device of the one that it replaces.
            (first,) = (job for job in jobs if recorder.partials(job)[0][0] == "0")
            last = engine.run(tasks.environment_and_hold, str(gate))
            os.kill(recorder.partials(first)[0][1], signal.SIGKILL)
            recorder.wait(lambda: bool(recorder.partials(last)))
            assert recorder.partials(last)[0][0] == "0"
            gate.touch()

    def test_names(self) -> None:
        assert worker_environment(gpus=(), gpu_memory=0.5) == {
            "CUDA_VISIBLE_DEVICES": "",
            "XLA_CLIENT_MEM_FRACTION": "0.5",
        }
        assert worker_environment(gpus=["GPU-a", 1])["CUDA_VISIBLE_DEVICES"] == "GPU-a,1"
        assert worker_environment(device="cuda:1") == {"RHEOJOBS_DEVICE": "cuda:1"}

    def test_nonsense(self) -> None:
        with pytest.raises(InputError, match="threads must be"):
            worker_environment(threads=0)
        with pytest.raises(InputError, match="share above 0"):
            worker_environment(gpu_memory=1.5)
        with pytest.raises(InputError, match="text alone, got 'NPROC': 1"):
            ProcessExecutor(1, env={"NPROC": 1})  # type: ignore[dict-item]
