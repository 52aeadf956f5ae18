"""What is particular to tasks on threads."""

from __future__ import annotations

import concurrent.futures
import threading
from pathlib import Path

import pytest
from tests.engine import chores, helpers
from tests.engine.helpers import TIMEOUT, Recorder

from rheojobs.engine import FunctionTask, JobEngine, JobState, ThreadExecutor, messages
from rheojobs.engine.executors import Run


def test_runs_in_this_process_and_off_this_thread() -> None:
    with JobEngine("threads") as engine:
        thread, daemon = engine.submit(
            lambda: (threading.get_ident(), threading.current_thread().daemon)
        ).result(TIMEOUT)
    assert thread != threading.get_ident()
    assert daemon


def test_a_task_that_never_checks_outlives_the_shutdown_but_still_ends(tmp_path: Path) -> None:
    gate = tmp_path / "gate"
    engine = JobEngine("threads", max_workers=1)
    recorder = Recorder(engine)
    job = engine.run(chores.hold_deaf, gate)
    recorder.wait_for(job, JobState.RUNNING)
    assert not engine.shutdown(timeout=0.1)
    assert not engine.shutdown(timeout=0.1)
    assert not job.done()
    gate.touch()
    with pytest.raises(concurrent.futures.CancelledError):
        job.result(TIMEOUT)
    assert recorder.wait_for_end(job)[-1] is JobState.CANCELLED
    helpers.wait_until(
        lambda: not (engine._bus._thread.is_alive() or engine._dispatcher.is_alive())
    )
    assert engine.shutdown(timeout=TIMEOUT)


def test_no_thread_to_be_had(monkeypatch: pytest.MonkeyPatch) -> None:
    with JobEngine("threads", max_workers=1) as engine:
        start = threading.Thread.start

        def refuse(thread: threading.Thread) -> None:
            if thread.name.startswith("rheojobs-task"):
                raise RuntimeError("can't start new thread")
            start(thread)

        with monkeypatch.context() as patch:
            patch.setattr(threading.Thread, "start", refuse)
            error = engine.submit(chores.nothing).exception(TIMEOUT)
        assert str(error) == "can't start new thread"
        assert engine.run(chores.add, 1.0).result(TIMEOUT) == 2.0


def test_number_of_workers() -> None:
    with pytest.raises(ValueError, match="greater than 0, got 0"):
        ThreadExecutor(0)


def test_an_ending_that_cannot_be_taken_in() -> None:
    """It fails its job; the executor, and the thread that brought it, end as always."""
    executor = ThreadExecutor(1)
    told: list[messages.Message] = []

    def take(message: messages.Message) -> None:
        if isinstance(message, messages.Succeeded):
            raise RuntimeError("the table is broken")
        told.append(message)

    executor.start(Run("a run", FunctionTask(chores.nothing), take))
    helpers.wait_until(lambda: told and isinstance(told[-1], messages.Failed))
    assert executor.shutdown(TIMEOUT)


def test_no_thread_to_inspect_in(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The newest partial result has to do."""
    with JobEngine("threads", max_workers=1) as engine:
        job = engine.run(chores.hold_inspected, "of the present", tmp_path / "gate")
        helpers.wait_until(lambda: job.partial == "so far" and job.handle is not None)

        def refuse(thread: threading.Thread) -> None:
            raise RuntimeError("can't start new thread")

        with monkeypatch.context() as patch:
            patch.setattr(threading.Thread, "start", refuse)
            assert job.inspect(TIMEOUT) == "so far"
        (tmp_path / "gate").touch()
        job.result(TIMEOUT)
