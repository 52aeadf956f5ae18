"""The pool of worker processes: warm workers, preloading and death."""

from __future__ import annotations

import errno
import os
import signal
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import psutil
import pytest
from tests.engine import chores, helpers
from tests.engine.executors import worker_tasks as tasks
from tests.engine.executors.processes.helpers import (
    is_alive,
    pids,
)
from tests.engine.helpers import TIMEOUT, Recorder

from rheojobs.engine import (
    JobEngine,
    JobState,
    ProcessExecutor,
    WorkerDiedError,
)
from rheojobs.engine.executors.processes import worker_handle

S = JobState


pytestmark = pytest.mark.skipif(os.name != "posix", reason="signals and process groups")


class TestWarmWorkers:
    def test_used_again_and_again(self, engine: JobEngine) -> None:
        used = [engine.submit(chores.my_pid).result(TIMEOUT) for _ in range(10)]
        assert len(set(used)) == 1
        assert used[0] != os.getpid()

    def test_survives_a_cooperative_cancel(self, engine: JobEngine, recorder: Recorder) -> None:
        before = engine.submit(chores.my_pid).result(TIMEOUT)
        job = engine.run(chores.hold_telling_pid, "")
        recorder.wait(lambda: bool(recorder.partials(job)))
        job.cancel()
        recorder.wait_for_end(job)
        after = engine.submit(chores.my_pid).result(TIMEOUT)
        assert before == recorder.partials(job)[0] == after

    def test_survives_a_failure(self, engine: JobEngine) -> None:
        before = engine.submit(chores.my_pid).result(TIMEOUT)
        engine.submit(chores.fail).exception(TIMEOUT)
        engine.submit(chores.leave).exception(TIMEOUT)
        assert engine.submit(chores.my_pid).result(TIMEOUT) == before

    def test_warm_before_the_first_task(self) -> None:
        executor = ProcessExecutor(1)
        try:
            assert executor.wait_until_warm(TIMEOUT)
            assert len(executor.worker_pids()) == 1
        finally:
            assert executor.shutdown(TIMEOUT)
        assert not executor.wait_until_warm(0.01)

    def test_whether_a_task_would_start_at_once(
        self, engine: JobEngine, recorder: Recorder, tmp_path: Path
    ) -> None:
        executor = engine.executor
        assert isinstance(executor, ProcessExecutor)
        assert executor.wait_until_warm(TIMEOUT)
        assert not executor.has_idle_worker(), "a spare would have to be started with it"
        jobs = [engine.run(chores.hold, tmp_path / "gate") for _ in range(2)]
        for job in jobs:
            recorder.wait_for(job, S.RUNNING)
        (tmp_path / "gate").touch()
        helpers.wait_until(executor.has_idle_worker)
        with ThreadPoolExecutor(1) as other, executor._lock:
            # As while a worker is being started: who submits does not wait for it.
            assert not other.submit(executor.has_idle_worker).result(TIMEOUT)
        engine.shutdown(timeout=TIMEOUT)
        assert not executor.has_idle_worker()

    def test_a_spare_is_kept_behind_the_busy(
        self, engine: JobEngine, recorder: Recorder, tmp_path: Path
    ) -> None:
        jobs = [engine.run(chores.hold, tmp_path / "gate") for _ in range(2)]
        for job in jobs:
            recorder.wait_for(job, S.RUNNING)
        helpers.wait_until(lambda: len(pids(engine)) == 3)
        (tmp_path / "gate").touch()

    def test_affinity(self, engine: JobEngine, recorder: Recorder, tmp_path: Path) -> None:
        # Two workers get to know one affinity each; then either finds its own again.
        gate = tmp_path / "gate"
        holding = engine.run(chores.hold_telling_pid, gate)
        recorder.wait(lambda: bool(recorder.partials(holding)))
        maxwell = engine.submit(tasks.WithAffinity("maxwell")).result(TIMEOUT)
        gate.touch()
        zener = holding.result(TIMEOUT)
        assert maxwell != zener
        engine.submit(chores.my_pid).result(TIMEOUT)
        for _ in range(3):
            assert engine.submit(chores.my_pid).result(TIMEOUT) in (maxwell, zener)
            assert engine.submit(tasks.WithAffinity("maxwell")).result(TIMEOUT) == maxwell

    def test_an_affinity_that_fails(self, engine: JobEngine) -> None:
        error = engine.submit(tasks.BadAffinity()).exception(TIMEOUT)
        assert str(error) == "no affinity to be had"
        assert engine.run(chores.add, 1.0).result(TIMEOUT) == 2.0

    def test_an_idle_worker_keeps_no_result(self, engine: JobEngine) -> None:
        engine.submit(tasks.give_watched).result(TIMEOUT)
        assert engine.submit(tasks.watched_is_free).result(TIMEOUT)

    def test_not_misled_by_the_working_folder(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        for name in ("json", "struct", "queue", "faulthandler"):
            (tmp_path / f"{name}.py").write_text("raise ImportError('not the real one')")
        monkeypatch.chdir(tmp_path)
        monkeypatch.setattr(sys, "path", [entry for entry in sys.path if entry] + [tmp_path])
        with JobEngine("processes", max_workers=1) as engine:
            assert engine.run(chores.add, 1.0).result(TIMEOUT) == 2.0

    def test_number_of_workers(self) -> None:
        with pytest.raises(ValueError, match="greater than 0, got 0"):
            ProcessExecutor(0)


class TestPreload:
    def test_called_before_the_first_task(self) -> None:
        preload = [f"{tasks.__name__}:preload"]
        with JobEngine("processes", max_workers=1, preload=preload) as engine:
            (called_in,) = engine.submit(tasks.preloaded).result(TIMEOUT)
            assert called_in == engine.submit(chores.my_pid).result(TIMEOUT)
        assert tasks.PRELOADED == []  # in the workers only

    def test_what_can_wait_is_done_when_there_is_nothing_to_do(self) -> None:
        preload = [f"{tasks.__name__}:preload_in_steps"]
        with JobEngine("processes", max_workers=1, preload=preload) as engine:
            # The job waits already when the worker becomes ready.
            assert engine.submit(tasks.steps_taken).result(TIMEOUT) == ["before"]

            def prepared() -> bool:
                return engine.submit(tasks.steps_taken).result(TIMEOUT) == ["before", "later"]

            helpers.wait_until(lambda: bool(time.sleep(0.5)) or prepared())
            time.sleep(0.5)  # the step that fails
            assert prepared()

    @pytest.mark.parametrize(
        ("preload", "words"),
        [
            (f"{tasks.__name__}:preload_that_fails", "the licence has expired"),
            ("no_such_package:function", "no_such_package"),
            (f"{tasks.__name__}:no_such_function", "no_such_function"),
        ],
    )
    def test_that_fails(self, preload: str, words: str) -> None:
        with JobEngine("processes", max_workers=2, preload=[preload]) as engine:
            recorder = Recorder(engine)
            job = engine.submit(chores.nothing)
            error = job.exception(TIMEOUT)
            assert isinstance(error, WorkerDiedError)
            assert words in str(error)
            assert "cannot start" in str(error)
            assert recorder.wait_for_end(job)[-1] is S.FAILED

    def test_no_endless_respawn(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        starts = tmp_path / "starts"
        monkeypatch.setenv("RHEOJOBS_TEST_STARTS", str(starts))
        preload = [f"{tasks.__name__}:preload_counting_failures"]
        with JobEngine("processes", max_workers=2, preload=preload) as engine:
            first = engine.submit(chores.nothing)
            assert isinstance(first.exception(TIMEOUT), WorkerDiedError)
            helpers.wait_until(lambda: not pids(engine))
            tried = len(chores.lines(starts))
            assert 3 <= tried <= 6
            # Whatever was missing may be there by now: a new job is another try, and ends too.
            second = engine.submit(chores.nothing)
            assert isinstance(second.exception(TIMEOUT), WorkerDiedError)
            helpers.wait_until(lambda: not pids(engine))
            assert tried < len(chores.lines(starts)) <= 2 * 6
        assert not any(is_alive(int(pid)) for pid in chores.lines(starts))

    def test_no_process_to_be_had(self, engine: JobEngine, monkeypatch: pytest.MonkeyPatch) -> None:
        (worker,) = pids(engine)
        engine.submit(chores.nothing).result(TIMEOUT)

        def refuse(*args: Any, **options: Any) -> None:
            raise OSError(errno.EAGAIN, "Resource temporarily unavailable")

        with monkeypatch.context() as patch:
            patch.setattr(worker_handle.subprocess, "Popen", refuse)
            for pid in pids(engine):
                os.kill(pid, signal.SIGKILL)
            helpers.wait_until(lambda: not pids(engine))
            open_files = psutil.Process().num_fds()
            error = engine.submit(chores.nothing).exception(TIMEOUT)
            assert isinstance(error, WorkerDiedError)
            assert "Resource temporarily unavailable" in str(error)
            assert psutil.Process().num_fds() <= open_files
        assert engine.submit(chores.my_pid).result(TIMEOUT) != worker


@pytest.mark.promise("crash-harms-one")
class TestDeath:
    @pytest.mark.parametrize(
        ("function", "args", "words"),
        [
            (tasks.kill_myself, (), "SIGKILL"),
            (tasks.segfault, (), "SIGSEGV"),
            (tasks.segfault, (), "Segmentation fault"),
            (tasks.exit_at_once, (7,), "exit status 7"),
            (tasks.exit_at_once, (0,), "exit status 0"),
        ],
    )
    def test_harms_its_own_job_alone(
        self,
        engine: JobEngine,
        recorder: Recorder,
        tmp_path: Path,
        function: Any,
        args: tuple[int, ...],
        words: str,
    ) -> None:
        gate = tmp_path / "gate"
        other = engine.run(chores.hold_telling_pid, gate)
        recorder.wait_for(other, S.RUNNING)
        job = engine.run(function, *args)
        error = job.exception(TIMEOUT)
        assert isinstance(error, WorkerDiedError)
        assert words in str(error)
        assert words in job.message
        assert recorder.wait_for_end(job) == [S.QUEUED, S.RUNNING, S.FAILED]
        gate.touch()
        assert other.result(TIMEOUT) == recorder.partials(other)[0]
        assert recorder.wait_for_end(other) == [S.QUEUED, S.RUNNING, S.SUCCEEDED]
        assert engine.run(chores.add, 1.0).result(TIMEOUT) == 2.0

    def test_killed_from_outside(self, engine: JobEngine, recorder: Recorder) -> None:
        job = engine.run(chores.hold_telling_pid, "")
        recorder.wait(lambda: bool(recorder.partials(job)))
        (pid,) = recorder.partials(job)
        os.kill(pid, signal.SIGKILL)
        assert isinstance(job.exception(TIMEOUT), WorkerDiedError)
        assert "SIGKILL" in job.message
        assert pid not in pids(engine)
        assert engine.submit(chores.my_pid).result(TIMEOUT) != pid

    def test_of_an_idle_worker(self, engine: JobEngine) -> None:
        first = engine.submit(chores.my_pid).result(TIMEOUT)
        for pid in pids(engine):
            os.kill(pid, signal.SIGKILL)
        helpers.wait_until(lambda: first not in pids(engine))
        helpers.wait_until(lambda: pids(engine))
        assert engine.submit(chores.my_pid).result(TIMEOUT) != first

    def test_of_one_after_another(self, engine: JobEngine) -> None:
        for _ in range(5):
            assert isinstance(engine.submit(tasks.kill_myself).exception(TIMEOUT), WorkerDiedError)
        assert engine.run(chores.add, 1.0).result(TIMEOUT) == 2.0

    def test_a_forked_child_does_not_hide_it(self, engine: JobEngine, tmp_path: Path) -> None:
        pid_file = tmp_path / "pid"
        job = engine.run(tasks.fork_and_die, str(pid_file))
        error = job.exception(10.0)
        assert "exit status 9" in str(error)
        # The group goes with its leader.
        helpers.wait_until(lambda: not is_alive(int(pid_file.read_text())))

    def test_a_forked_child_cannot_speak_for_the_task(
        self, engine: JobEngine, recorder: Recorder
    ) -> None:
        job = engine.submit(tasks.fork_and_report)
        assert job.result(TIMEOUT) in pids(engine)
        recorder.wait_for_end(job)
        assert recorder.partials(job) == []


def test_a_task_whose_worker_dies_before_it_begins_goes_to_another(engine):
    """The worker is stopped, so that the task is sent to it but never begun, and then killed."""
    idle = engine.run(os.getpid).result(TIMEOUT)
    os.kill(idle, signal.SIGSTOP)
    job = engine.run(os.getpid)
    helpers.wait_until(lambda: job.dispatched)
    os.kill(idle, signal.SIGKILL)
    assert job.result(TIMEOUT) != idle
    assert job.attempts == 1
