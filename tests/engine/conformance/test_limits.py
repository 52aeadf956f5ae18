"""Limits of time, and what cannot be kept, on every executor."""

from __future__ import annotations

import gc
import time
import weakref
from pathlib import Path

import pytest
from tests.engine import chores, helpers
from tests.engine.helpers import TIMEOUT, Recorder

from rheojobs.engine import FunctionTask, JobEngine, JobState, JobTimeoutError, TaskContext
from rheojobs.errors import InputError

S = JobState


def finish_late(context: TaskContext, told: str) -> str:
    """Give a result all the same, once it was told to stop."""
    context.partial("so far")
    while not context.token.is_cancelled():
        time.sleep(0.002)
    chores.touch(told)
    return "whole"


class TestTimeout:
    def test_a_job_that_checks_fails_and_keeps_what_it_has(
        self, engine: JobEngine, recorder: Recorder
    ) -> None:
        task = FunctionTask(chores.partials, (["best so far"], ""))
        job = engine.submit(task, timeout=0.2)
        assert recorder.wait_for_end(job) == [S.QUEUED, S.RUNNING, S.FAILED]
        assert isinstance(job.exception(TIMEOUT), JobTimeoutError)
        assert job.message == "ran longer than the 0.2 s it was given"
        assert job.partial == "best so far"
        assert engine.run(chores.add, 1.0).result(TIMEOUT) == 2.0

    def test_one_that_ends_in_time(self, engine: JobEngine) -> None:
        job = engine.submit(chores.nothing, timeout=TIMEOUT)
        assert job.result(TIMEOUT) is None

    def test_a_forgotten_limit_holds_no_result(self, engine: JobEngine) -> None:
        job = engine.submit(chores.big, timeout=3600.0)
        watch = weakref.ref(job.result(TIMEOUT))
        engine.wait(TIMEOUT)
        job.forget()
        del job

        def is_freed() -> bool:
            gc.collect()
            return watch() is None

        helpers.wait_until(is_freed, timeout=5.0)

    def test_one_that_is_done_when_it_hears_of_it(
        self, engine: JobEngine, recorder: Recorder, tmp_path: Path
    ) -> None:
        told = tmp_path / "told"
        job = engine.submit(FunctionTask(finish_late, (str(told),)), timeout=0.1)
        assert recorder.wait_for_end(job)[-1] is S.FAILED
        assert told.exists()
        assert job.partial == "whole"

    @pytest.mark.slow
    def test_neither_waiting_nor_pausing_counts(
        self, engine: JobEngine, recorder: Recorder, tmp_path: Path
    ) -> None:
        gates = [tmp_path / str(i) for i in range(3)]
        busy = [engine.run(chores.hold, gate) for gate in gates[:2]]
        for other in busy:
            recorder.wait_for(other, S.RUNNING)
        job = engine.submit(FunctionTask(chores.hold, (gates[2],)), timeout=1.5)
        time.sleep(1.6)  # what must not count
        gates[0].touch()
        recorder.wait_for(job, S.RUNNING)
        job.pause()
        recorder.wait_for(job, S.PAUSED)
        time.sleep(1.6)
        assert job.state is S.PAUSED
        gates[2].touch()
        job.resume()
        assert job.result(TIMEOUT) == "through"
        gates[1].touch()

    def test_cancelled_is_not_failed(self, engine: JobEngine, recorder: Recorder) -> None:
        job = engine.submit(chores.hold, timeout=TIMEOUT)
        recorder.wait_for(job, S.RUNNING)
        job.cancel()
        assert recorder.wait_for_end(job)[-1] is S.CANCELLED

    @pytest.mark.promise("one-line-errors")
    @pytest.mark.parametrize("timeout", [0, -1, float("nan"), "10 s"])
    def test_nonsense(self, engine: JobEngine, timeout: object) -> None:
        with pytest.raises(InputError, match="number of seconds above 0"):
            engine.submit(chores.nothing, timeout=timeout)  # type: ignore[arg-type]


class TestMemory:
    def test_kept_by_processes_or_refused(self, executor_name: str, engine: JobEngine) -> None:
        if executor_name.startswith("threads"):
            with pytest.raises(InputError, match="a memory limit needs worker processes"):
                engine.submit(chores.nothing, memory="2 GiB")
        else:
            assert engine.executor.limits_memory

    @pytest.mark.promise("one-line-errors")
    @pytest.mark.parametrize("memory", ["2 gigs", "", "-1 GiB", 0, float("nan"), []])
    def test_nonsense(self, engine: JobEngine, memory: object) -> None:
        with pytest.raises(InputError, match="memory must be like '2 GiB'"):
            engine.submit(chores.nothing, memory=memory)  # type: ignore[arg-type]
