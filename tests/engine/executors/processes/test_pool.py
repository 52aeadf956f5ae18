"""What is particular to worker processes: they stay warm, they may die, and they leave no trace."""

from __future__ import annotations

import concurrent.futures
import errno
import os
import signal
import subprocess
import sys
import textwrap
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import psutil
import pytest
from tests.engine import helpers
from tests.engine.executors import worker_tasks as tasks
from tests.engine.helpers import TIMEOUT, Recorder

from rheojobs.engine import (
    FunctionTask,
    Job,
    JobEngine,
    JobState,
    ProcessExecutor,
    RemoteTaskError,
    WorkerDiedError,
    messages,
)
from rheojobs.engine.executors import Run
from rheojobs.engine.executors.processes import pool, worker_handle

S = JobState
ROOT = Path(__file__).parents[4]

ANY_TASK = 2.0 + 1.5
"""Seconds in which any task at all is stopped: promised are 2, the rest is for a busy machine."""

pytestmark = pytest.mark.skipif(os.name != "posix", reason="signals and process groups")


@pytest.fixture
def engine() -> Iterator[JobEngine]:
    """An engine with two worker processes of the test's own."""
    engine = JobEngine("processes", max_workers=2)
    yield engine
    assert engine.shutdown(timeout=TIMEOUT)


@pytest.fixture
def recorder(engine: JobEngine) -> Recorder:
    """What the engine tells."""
    return Recorder(engine)


def pids(engine: JobEngine) -> list[int]:
    assert isinstance(engine.executor, ProcessExecutor)
    return engine.executor.worker_pids()


def is_alive(pid: int) -> bool:
    try:
        return psutil.Process(pid).status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False


class TestWarmWorkers:
    def test_used_again_and_again(self, engine: JobEngine) -> None:
        used = [engine.submit(helpers.my_pid).result(TIMEOUT) for _ in range(10)]
        assert len(set(used)) == 1
        assert used[0] != os.getpid()

    def test_survives_a_cooperative_cancel(self, engine: JobEngine, recorder: Recorder) -> None:
        before = engine.submit(helpers.my_pid).result(TIMEOUT)
        job = engine.run(helpers.hold_telling_pid, "")
        recorder.wait(lambda: bool(recorder.partials(job)))
        job.cancel()
        recorder.wait_for_end(job)
        after = engine.submit(helpers.my_pid).result(TIMEOUT)
        assert before == recorder.partials(job)[0] == after

    def test_survives_a_failure(self, engine: JobEngine) -> None:
        before = engine.submit(helpers.my_pid).result(TIMEOUT)
        engine.submit(helpers.fail).exception(TIMEOUT)
        engine.submit(helpers.leave).exception(TIMEOUT)
        assert engine.submit(helpers.my_pid).result(TIMEOUT) == before

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
        jobs = [engine.run(helpers.hold, tmp_path / "gate") for _ in range(2)]
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
        jobs = [engine.run(helpers.hold, tmp_path / "gate") for _ in range(2)]
        for job in jobs:
            recorder.wait_for(job, S.RUNNING)
        helpers.wait_until(lambda: len(pids(engine)) == 3)
        (tmp_path / "gate").touch()

    def test_affinity(self, engine: JobEngine, recorder: Recorder, tmp_path: Path) -> None:
        # Two workers get to know one affinity each; then either finds its own again.
        gate = tmp_path / "gate"
        holding = engine.run(helpers.hold_telling_pid, gate)
        recorder.wait(lambda: bool(recorder.partials(holding)))
        maxwell = engine.submit(tasks.WithAffinity("maxwell")).result(TIMEOUT)
        gate.touch()
        zener = holding.result(TIMEOUT)
        assert maxwell != zener
        engine.submit(helpers.my_pid).result(TIMEOUT)
        for _ in range(3):
            assert engine.submit(helpers.my_pid).result(TIMEOUT) in (maxwell, zener)
            assert engine.submit(tasks.WithAffinity("maxwell")).result(TIMEOUT) == maxwell

    def test_an_affinity_that_fails(self, engine: JobEngine) -> None:
        error = engine.submit(tasks.BadAffinity()).exception(TIMEOUT)
        assert str(error) == "no affinity to be had"
        assert engine.run(helpers.add, 1.0).result(TIMEOUT) == 2.0

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
            assert engine.run(helpers.add, 1.0).result(TIMEOUT) == 2.0

    def test_number_of_workers(self) -> None:
        with pytest.raises(ValueError, match="greater than 0, got 0"):
            ProcessExecutor(0)


class TestPreload:
    def test_called_before_the_first_task(self) -> None:
        preload = [f"{tasks.__name__}:preload"]
        with JobEngine("processes", max_workers=1, preload=preload) as engine:
            (called_in,) = engine.submit(tasks.preloaded).result(TIMEOUT)
            assert called_in == engine.submit(helpers.my_pid).result(TIMEOUT)
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
            job = engine.submit(helpers.nothing)
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
            first = engine.submit(helpers.nothing)
            assert isinstance(first.exception(TIMEOUT), WorkerDiedError)
            helpers.wait_until(lambda: not pids(engine))
            tried = len(helpers.lines(starts))
            assert 3 <= tried <= 6
            # Whatever was missing may be there by now: a new job is another try, and ends too.
            second = engine.submit(helpers.nothing)
            assert isinstance(second.exception(TIMEOUT), WorkerDiedError)
            helpers.wait_until(lambda: not pids(engine))
            assert tried < len(helpers.lines(starts)) <= 2 * 6
        assert not any(is_alive(int(pid)) for pid in helpers.lines(starts))

    def test_no_process_to_be_had(self, engine: JobEngine, monkeypatch: pytest.MonkeyPatch) -> None:
        (worker,) = pids(engine)
        engine.submit(helpers.nothing).result(TIMEOUT)

        def refuse(*args: Any, **options: Any) -> None:
            raise OSError(errno.EAGAIN, "Resource temporarily unavailable")

        with monkeypatch.context() as patch:
            patch.setattr(worker_handle.subprocess, "Popen", refuse)
            for pid in pids(engine):
                os.kill(pid, signal.SIGKILL)
            helpers.wait_until(lambda: not pids(engine))
            open_files = psutil.Process().num_fds()
            error = engine.submit(helpers.nothing).exception(TIMEOUT)
            assert isinstance(error, WorkerDiedError)
            assert "Resource temporarily unavailable" in str(error)
            assert psutil.Process().num_fds() <= open_files
        assert engine.submit(helpers.my_pid).result(TIMEOUT) != worker


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
        other = engine.run(helpers.hold_telling_pid, gate)
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
        assert engine.run(helpers.add, 1.0).result(TIMEOUT) == 2.0

    def test_killed_from_outside(self, engine: JobEngine, recorder: Recorder) -> None:
        job = engine.run(helpers.hold_telling_pid, "")
        recorder.wait(lambda: bool(recorder.partials(job)))
        (pid,) = recorder.partials(job)
        os.kill(pid, signal.SIGKILL)
        assert isinstance(job.exception(TIMEOUT), WorkerDiedError)
        assert "SIGKILL" in job.message
        assert pid not in pids(engine)
        assert engine.submit(helpers.my_pid).result(TIMEOUT) != pid

    def test_of_an_idle_worker(self, engine: JobEngine) -> None:
        first = engine.submit(helpers.my_pid).result(TIMEOUT)
        for pid in pids(engine):
            os.kill(pid, signal.SIGKILL)
        helpers.wait_until(lambda: first not in pids(engine))
        helpers.wait_until(lambda: pids(engine))
        assert engine.submit(helpers.my_pid).result(TIMEOUT) != first

    def test_of_one_after_another(self, engine: JobEngine) -> None:
        for _ in range(5):
            assert isinstance(engine.submit(tasks.kill_myself).exception(TIMEOUT), WorkerDiedError)
        assert engine.run(helpers.add, 1.0).result(TIMEOUT) == 2.0

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


@pytest.mark.promise("cancel-in-time")
@pytest.mark.alone
class TestStuckTasks:
    @pytest.mark.parametrize(
        "function",
        [tasks.loop_forever, tasks.hold_the_lock, tasks.ignore_cancellation],
        ids=lambda function: function.__name__,
    )
    def test_cancelled_and_its_worker_replaced(
        self, engine: JobEngine, recorder: Recorder, tmp_path: Path, function: Any
    ) -> None:
        gate, trace = tmp_path / "gate", tmp_path / "trace"
        other = engine.run(helpers.hold_telling_pid, gate)
        recorder.wait(lambda: bool(recorder.partials(other)))
        before = set(pids(engine))
        job = engine.run(function, str(trace))
        helpers.wait_until(trace.exists)
        assert job.cancel()
        history = recorder.wait_for_end(job, timeout=ANY_TASK)
        assert history == [S.QUEUED, S.RUNNING, S.CANCELLING, S.CANCELLED]
        assert job.cancelled()
        gate.touch()
        assert other.result(TIMEOUT) == recorder.partials(other)[0]
        assert len(before - set(pids(engine))) == 1
        assert engine.submit(helpers.my_pid).result(TIMEOUT) in pids(engine)

    @pytest.mark.promise("nothing-left-behind")
    def test_what_a_killed_task_has_started_goes_too(
        self, engine: JobEngine, recorder: Recorder, tmp_path: Path
    ) -> None:
        trace = tmp_path / "trace"
        job = engine.run(tasks.start_child, str(trace))
        helpers.wait_until(lambda: trace.exists() and trace.read_text())
        child = int(trace.read_text())
        assert is_alive(child)
        job.cancel()
        recorder.wait_for_end(job, timeout=ANY_TASK)
        helpers.wait_until(lambda: not is_alive(child))

    def test_paused_is_not_stuck(self, engine: JobEngine, recorder: Recorder) -> None:
        job = engine.run(helpers.hold_telling_pid, "")
        recorder.wait(lambda: bool(recorder.partials(job)))
        job.pause()
        recorder.wait_for(job, S.PAUSED)
        job.cancel()
        recorder.wait_for_end(job)
        assert recorder.partials(job)[0] in pids(engine)

    def test_one_that_ends_as_it_is_killed_takes_no_other_along(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """The last word of a task may be on its way while its worker is being killed."""
        executor = ProcessExecutor(1, spares=0)
        (worker,) = executor._workers
        arrived = threading.Event()
        kill, on_message = worker_handle.WorkerHandle.kill, executor._on_message

        def kill_late(worker: worker_handle.WorkerHandle) -> None:
            assert arrived.wait(TIMEOUT)
            kill(worker)

        def on_last_word(worker: worker_handle.WorkerHandle, run_id: str, message: Any) -> None:
            if isinstance(message, messages.Succeeded | messages.Cancelled):
                arrived.set()
            on_message(worker, run_id, message)

        gate = tmp_path / "gate"
        with JobEngine(executor) as engine:
            job = engine.run(helpers.hold_deaf, gate)
            helpers.wait_until(lambda: job.state is S.RUNNING)
            others = [engine.run(helpers.add, float(x)) for x in range(5)]
            with monkeypatch.context() as patch:
                patch.setattr(pool, "CANCEL_GRACE", 0.0)
                patch.setattr(worker_handle.WorkerHandle, "kill", kill_late)
                patch.setattr(worker, "_on_message", on_last_word)
                job.cancel()
                gate.touch()
                assert [other.result(TIMEOUT) for other in others] == [1.0, 2.0, 3.0, 4.0, 5.0]
            assert job.cancelled()

    def test_shutdown_does_not_wait_for_them(self, tmp_path: Path) -> None:
        engine = JobEngine("processes", max_workers=2)
        traces = [tmp_path / "a", tmp_path / "b"]
        engine.run(tasks.loop_forever, str(traces[0]))
        engine.run(tasks.hold_the_lock, str(traces[1]))
        helpers.wait_until(lambda: all(trace.exists() for trace in traces))
        started = pids(engine)
        assert engine.shutdown(timeout=TIMEOUT)
        assert not any(is_alive(pid) for pid in started)


class TestAttempts:
    def test_goes_on_from_its_checkpoint(
        self, engine: JobEngine, recorder: Recorder, tmp_path: Path
    ) -> None:
        trace = tmp_path / "trace"
        task = lambda context: tasks.checkpointing(context, str(trace), 6, 2)  # noqa: E731
        job = engine.submit(task, max_attempts=2)
        assert job.result(TIMEOUT) == [0, 1, 2, 3, 4, 5]
        assert recorder.wait_for_end(job) == [
            S.QUEUED,
            S.RUNNING,
            S.INTERRUPTED,
            S.QUEUED,
            S.RUNNING,
            S.SUCCEEDED,
        ]
        assert job.attempts == 2
        assert helpers.lines(trace) == ["0", "1", "2", "3", "4", "5"]  # no step twice

    def test_as_often_as_was_said(self, engine: JobEngine, recorder: Recorder) -> None:
        job = engine.submit(tasks.kill_myself, max_attempts=3)
        assert isinstance(job.exception(TIMEOUT), WorkerDiedError)
        assert job.attempts == 3
        history = recorder.wait_for_end(job)
        assert history.count(S.RUNNING) == 3
        assert history[-1] is S.FAILED
        # The workers that it has used are given back.
        held = [engine.submit(helpers.hold) for _ in range(2)]
        for other in held:
            recorder.wait_for(other, S.RUNNING)

    def test_only_for_death(self, engine: JobEngine) -> None:
        job = engine.submit(helpers.fail, max_attempts=3)
        assert isinstance(job.exception(TIMEOUT), helpers.CustomError)
        assert job.attempts == 1

    def test_cancelled_between(self, engine: JobEngine, recorder: Recorder, tmp_path: Path) -> None:
        stop = engine.subscribe(
            lambda event: (
                engine.job(event.job_id).cancel()
                if getattr(event, "state", None) is S.INTERRUPTED
                else None
            )
        )
        job = engine.submit(tasks.kill_myself, max_attempts=100)
        assert recorder.wait_for_end(job)[-1] is S.CANCELLED
        assert job.attempts < 100
        stop()

    def test_the_wish_to_pause_outlives_the_worker(
        self, engine: JobEngine, recorder: Recorder
    ) -> None:
        job = engine.submit(lambda context: helpers.hold_telling_pid(context, ""), max_attempts=2)
        recorder.wait(lambda: bool(recorder.partials(job)))
        job.pause()
        recorder.wait_for(job, S.PAUSED)
        os.kill(recorder.partials(job)[0], signal.SIGKILL)
        recorder.wait(lambda: recorder.states(job).count(S.PAUSED) == 2)
        assert recorder.states(job) == [
            S.QUEUED,
            *[S.RUNNING, S.PAUSED, S.INTERRUPTED, S.QUEUED],
            *[S.RUNNING, S.PAUSED],
        ]
        assert job.resume()
        recorder.wait(lambda: recorder.states(job)[-1] is S.RUNNING)


@pytest.mark.alone
class TestWhatCannotCross:
    def test_an_argument(self, engine: JobEngine, recorder: Recorder) -> None:
        job = engine.run(tasks.length, tasks.NotPicklable())
        error = job.exception(TIMEOUT)
        assert isinstance(error, TypeError)
        assert "cannot be sent to another process" in str(error)
        assert "a NotPicklable stays where it is" in str(error)
        assert recorder.wait_for_end(job) == [S.QUEUED, S.FAILED]

    def test_an_argument_that_does_not_arrive(self, engine: JobEngine) -> None:
        error = engine.run(tasks.length, tasks.NotUnpicklable()).exception(TIMEOUT)
        assert isinstance(error, ValueError)
        assert str(error) == "cannot be rebuilt here"

    def test_a_result(self, engine: JobEngine) -> None:
        error = engine.submit(tasks.give_not_picklable).exception(TIMEOUT)
        assert isinstance(error, RemoteTaskError)
        assert "the result cannot be sent back" in str(error)
        assert "a NotPicklable stays where it is" in str(error)

    def test_a_result_that_does_not_arrive(self, engine: JobEngine) -> None:
        error = engine.submit(tasks.give_not_unpicklable).exception(TIMEOUT)
        assert isinstance(error, TypeError)
        assert "the result cannot be read in this process: cannot be rebuilt here" in str(error)

    def test_a_partial_result(self, engine: JobEngine) -> None:
        error = engine.submit(tasks.partial_not_picklable).exception(TIMEOUT)
        assert isinstance(error, TypeError)
        assert "a NotPicklable stays where it is" in str(error)

    @pytest.mark.parametrize(
        ("function", "message"),
        [
            (tasks.raise_not_picklable, "NotPicklableError: it broke"),
            (tasks.raise_two_arguments, "TwoArgumentsError: row 7: no number"),
        ],
    )
    def test_an_error(self, engine: JobEngine, function: Any, message: str) -> None:
        error = engine.submit(function).exception(TIMEOUT)
        assert isinstance(error, RemoteTaskError)
        assert str(error) == message
        assert f"in {function.__name__}" in error.remote_traceback  # type: ignore[attr-defined]

    @pytest.fixture(autouse=True)
    def _goes_on(self, engine: JobEngine) -> Iterator[None]:
        yield
        assert engine.run(helpers.add, 1.0).result(TIMEOUT) == 2.0


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
            task = FunctionTask(helpers.hold, (tmp_path / "gate",))
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
        idle = engine.submit(helpers.my_pid).result(TIMEOUT)
        os.kill(idle, signal.SIGSTOP)
        stuck = engine.run(tasks.length, b"x" * 1_000_000)
        helpers.wait_until(lambda: stuck.dispatched)
        assert engine.run(helpers.add, 1.0).result(TIMEOUT) == 2.0
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


# ---------------------------------------------------------------- applications


def wait_for_error(job: Job) -> BaseException | None:
    try:
        return job.exception(ANY_TASK)
    except concurrent.futures.CancelledError as error:
        return error


class Application:
    """A script in a process of its own, which tells of itself line by line."""

    def __init__(self, folder: Path, source: str) -> None:
        script = folder / "application.py"
        script.write_text(textwrap.dedent(source))
        path = os.pathsep.join([str(ROOT), os.environ.get("PYTHONPATH", "")])
        self.process = subprocess.Popen(
            [sys.executable, str(script)],
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            stdin=subprocess.PIPE,
            env={**os.environ, "PYTHONPATH": path},
            cwd=folder,
            text=True,
            start_new_session=True,
        )

    def line(self) -> str:
        """Wait for the next line of its output."""
        assert self.process.stdout is not None
        line = self.process.stdout.readline()
        if not line:
            assert self.process.stderr is not None
            pytest.fail(f"the application has ended: {self.process.stderr.read()}")
        return line.strip()

    def workers(self) -> list[int]:
        """Read the process ids that it prints, on one line."""
        found = [int(word) for word in self.line().split()]
        assert found
        assert all(is_alive(pid) for pid in found)
        return found

    def end(self) -> tuple[int, str, str]:
        """Wait for its end; gives its status, and what else it wrote."""
        out, err = self.process.communicate(timeout=TIMEOUT)
        return self.process.returncode, out, err


@pytest.fixture
def applications(tmp_path: Path) -> Iterator[Any]:
    """Start scripts, and see to it that none is left."""
    started: list[Application] = []

    def start(source: str) -> Application:
        started.append(Application(tmp_path, source))
        return started[-1]

    yield start
    for application in started:
        application.process.kill()
        application.process.communicate()


HEAD = """
    import os, signal, sys, time
    from pathlib import Path
    from rheojobs.engine import JobEngine
    from tests.engine import helpers
    from tests.engine.executors import worker_tasks as tasks

    engine = JobEngine("processes", max_workers=2)
    def working(function, *args):
        trace = f"trace-{function.__name__}"
        job = engine.run(function, trace, *args)
        helpers.wait_until(lambda: os.path.exists(trace))
        return job
    def tell_workers():  # unbuffered: a Ctrl-C within a flush would have it written twice
        os.write(1, (" ".join(map(str, engine.executor.worker_pids())) + chr(10)).encode())
"""

WORK = {
    "idle": "engine.run(helpers.add, 1.0).result(30)",
    "looping": "working(tasks.loop_forever)",
    "holding the lock": "working(tasks.hold_the_lock)",
}


@pytest.mark.promise("nothing-left-behind")
@pytest.mark.alone
class TestNoOrphans:
    @pytest.mark.parametrize("work", WORK.values(), ids=WORK)
    def test_application_killed(self, applications: Any, work: str) -> None:
        application = applications(f"{HEAD}\n    {work}\n    tell_workers()\n    time.sleep(60)\n")
        workers = application.workers()
        application.process.kill()
        helpers.wait_until(lambda: not any(is_alive(pid) for pid in workers), timeout=10.0)

    def test_application_killed_while_its_workers_are_stopped(self, applications: Any) -> None:
        """A signal that can wait would do so in vain; and what a task has started goes too."""
        application = applications(f"""{HEAD}
    working(tasks.start_child)
    helpers.wait_until(lambda: "starting" not in [w.state for w in engine.executor.workers()])
    tell_workers()
    time.sleep(60)
""")
        workers = application.workers()
        children = [child.pid for pid in workers for child in psutil.Process(pid).children()]
        assert children
        for pid in workers:
            os.kill(pid, signal.SIGSTOP)
        application.process.kill()
        helpers.wait_until(lambda: not any(map(is_alive, workers + children)), timeout=10.0)

    @pytest.mark.parametrize("work", WORK.values(), ids=WORK)
    def test_application_leaves_through_the_back_door(self, applications: Any, work: str) -> None:
        application = applications(f"{HEAD}\n    {work}\n    tell_workers()\n    os._exit(4)\n")
        line = application.line()
        assert application.process.wait(TIMEOUT) == 4
        workers = [int(word) for word in line.split()]
        assert workers
        helpers.wait_until(lambda: not any(is_alive(pid) for pid in workers), timeout=10.0)

    def test_killed_while_workers_are_starting(self, applications: Any) -> None:
        application = applications(f"{HEAD}\n    tell_workers()\n    time.sleep(60)\n")
        workers = [int(word) for word in application.line().split()]
        application.process.kill()
        helpers.wait_until(lambda: not any(is_alive(pid) for pid in workers), timeout=10.0)


ENDINGS = {
    "without a job": "",
    "after a job": "engine.run(helpers.add, 1.0).result(30)",
    "with a job running": "job = engine.run(helpers.hold, '')\n    helpers.wait_until(job.running)",
    "with a paused job": "job = engine.run(helpers.hold, '')\n"
    "    helpers.wait_until(job.running)\n    job.pause()\n"
    "    helpers.wait_until(lambda: job.state == 'paused')",
    "with a stuck job": "working(tasks.loop_forever)",
    "with a job that holds the lock": "working(tasks.hold_the_lock)",
    "with jobs waiting": "[engine.run(helpers.hold, '') for _ in range(5)]",
    "with threads too": "threads = JobEngine('threads')\n"
    "    job = threads.run(helpers.hold, '')\n    helpers.wait_until(job.running)",
    "with a deaf thread": "threads = JobEngine('threads')\n"
    "    job = threads.run(helpers.hold_deaf, 'never')\n    helpers.wait_until(job.running)",
    "after shutdown": "engine.run(helpers.hold, '')\n    engine.shutdown()",
    "while shutting down": "engine.run(helpers.hold, '')\n    engine.shutdown(wait=False)",
}


@pytest.mark.promise("nothing-left-behind")
@pytest.mark.alone
class TestInterpreterExit:
    @pytest.mark.parametrize("ending", ENDINGS.values(), ids=ENDINGS)
    def test_clean(self, applications: Any, ending: str) -> None:
        application = applications(f"{HEAD}\n    {ending}\n    tell_workers()\n")
        workers = [int(word) for word in application.line().split()]
        status, out, err = application.end()
        assert (status, out, err) == (0, "", "")
        helpers.wait_until(lambda: not any(is_alive(pid) for pid in workers), timeout=10.0)

    def test_quick(self, applications: Any) -> None:
        application = applications(
            f"{HEAD}\n    working(tasks.loop_forever)\n    print('bye', flush=True)\n"
        )
        assert application.line() == "bye"
        application.process.wait(5.0)

    def test_main_functions_and_classes(self, applications: Any) -> None:
        application = applications("""
            from dataclasses import dataclass
            from rheojobs.engine import JobEngine

            print("imported", flush=True)  # a worker that imported this again would say so

            @dataclass
            class Point:
                x: float

            class OddError(Exception):
                pass

            def move(point, by):
                if by < 0:
                    raise OddError("backwards")
                return Point(point.x + by)

            engine = JobEngine("processes", max_workers=1)
            result = engine.run(move, Point(1.0), 2.0).result(30)
            print(result, type(result) is Point)
            print(type(engine.run(move, Point(1.0), -2.0).exception(30)) is OddError)
        """)
        assert application.end() == (0, "imported\nPoint(x=3.0) True\nTrue\n", "")


class TestCtrlC:
    def test_is_for_the_application(self, applications: Any) -> None:
        application = applications(f"""{HEAD}
    # Tests that were started in the background have Ctrl-C ignored, and so has what they start.
    signal.signal(signal.SIGINT, signal.default_int_handler)
    job = engine.run(helpers.hold_telling_pid, "gate")
    helpers.wait_until(lambda: job.partial)
    try:
        tell_workers()  # Ctrl-C may come before this has returned
        time.sleep(60)
    except KeyboardInterrupt:
        print("interrupted", flush=True)
    Path("gate").touch()
    assert job.result(30) == job.partial
    tell_workers()
    sys.stdin.read()
    """)
        workers = application.workers()
        os.killpg(application.process.pid, signal.SIGINT)
        assert application.line() == "interrupted"
        assert application.workers() == workers
        assert application.end() == (0, "", "")

    def test_that_reaches_a_worker_all_the_same(
        self, engine: JobEngine, recorder: Recorder, tmp_path: Path
    ) -> None:
        gate = tmp_path / "gate"
        job = engine.run(helpers.hold_telling_pid, gate)
        recorder.wait(lambda: bool(recorder.partials(job)))
        os.kill(recorder.partials(job)[0], signal.SIGINT)
        gate.touch()
        assert job.result(TIMEOUT) == recorder.partials(job)[0]


@pytest.mark.promise("nothing-left-behind")
@pytest.mark.alone
class TestShutdown:
    def test_leaves_no_process_and_no_file(self) -> None:
        process = psutil.Process()
        children, files = set(process.children(recursive=True)), process.num_fds()
        engine = JobEngine("processes", max_workers=2)
        engine.run(helpers.add, 1.0).result(TIMEOUT)
        job = engine.submit(helpers.hold)
        helpers.wait_until(lambda: job.state is S.RUNNING)
        started = set(process.children(recursive=True)) - children
        assert {child.pid for child in started} == set(pids(engine))
        assert engine.shutdown(timeout=TIMEOUT)
        assert set(process.children(recursive=True)) <= children
        helpers.wait_until(lambda: process.num_fds() <= files, timeout=5.0)

    def test_while_workers_are_starting(self) -> None:
        for _ in range(3):
            engine = JobEngine("processes", max_workers=2)
            started = pids(engine)
            job = engine.submit(helpers.nothing)
            assert engine.shutdown(timeout=TIMEOUT)
            assert job.done()
            assert not any(is_alive(pid) for pid in started)


def test_a_task_whose_worker_dies_before_it_begins_goes_to_another(engine):
    """The worker is stopped, so that the task is sent to it but never begun, and then killed."""
    idle = engine.run(os.getpid).result(TIMEOUT)
    os.kill(idle, signal.SIGSTOP)
    job = engine.run(os.getpid)
    helpers.wait_until(lambda: job.dispatched)
    os.kill(idle, signal.SIGKILL)
    assert job.result(TIMEOUT) != idle
    assert job.attempts == 1
