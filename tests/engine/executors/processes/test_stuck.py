"""Tasks that hear no request to stop, that end with their worker, and what cannot cross a pipe."""

from __future__ import annotations

import os
import signal
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from tests.engine import chores, helpers
from tests.engine.executors import worker_tasks as tasks
from tests.engine.executors.processes.helpers import (
    ANY_TASK,
    is_alive,
    pids,
)
from tests.engine.helpers import TIMEOUT, Recorder

from rheojobs.engine import (
    JobEngine,
    JobState,
    ProcessExecutor,
    RemoteTaskError,
    WorkerDiedError,
    messages,
)
from rheojobs.engine.executors.processes import pool, worker_handle

S = JobState


pytestmark = pytest.mark.skipif(os.name != "posix", reason="signals and process groups")


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
        other = engine.run(chores.hold_telling_pid, gate)
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
        assert engine.submit(chores.my_pid).result(TIMEOUT) in pids(engine)

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
        job = engine.run(chores.hold_telling_pid, "")
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
            job = engine.run(chores.hold_deaf, gate)
            helpers.wait_until(lambda: job.state is S.RUNNING)
            others = [engine.run(chores.add, float(x)) for x in range(5)]
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
        assert chores.lines(trace) == ["0", "1", "2", "3", "4", "5"]  # no step twice

    def test_as_often_as_was_said(self, engine: JobEngine, recorder: Recorder) -> None:
        job = engine.submit(tasks.kill_myself, max_attempts=3)
        assert isinstance(job.exception(TIMEOUT), WorkerDiedError)
        assert job.attempts == 3
        history = recorder.wait_for_end(job)
        assert history.count(S.RUNNING) == 3
        assert history[-1] is S.FAILED
        # The workers that it has used are given back.
        held = [engine.submit(chores.hold) for _ in range(2)]
        for other in held:
            recorder.wait_for(other, S.RUNNING)

    def test_only_for_death(self, engine: JobEngine) -> None:
        job = engine.submit(chores.fail, max_attempts=3)
        assert isinstance(job.exception(TIMEOUT), chores.CustomError)
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
        job = engine.submit(lambda context: chores.hold_telling_pid(context, ""), max_attempts=2)
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
        assert engine.run(chores.add, 1.0).result(TIMEOUT) == 2.0
