"""Cancelling, on every executor: before the start, while running, while paused, by token."""

from __future__ import annotations

import concurrent.futures
import os
import threading
import time
from collections.abc import Callable
from pathlib import Path

import pytest
from tests.engine import chores, helpers
from tests.engine.executors import worker_tasks
from tests.engine.helpers import TIMEOUT, Recorder

from rheojobs.engine import CancellationError, CancellationToken, FunctionTask, JobEngine, JobState

S = JobState

SLOW = 6.0
"""Seconds that a job takes to be pickled or checked, in the tests of what others notice of it."""

ANY_TASK = 2.0 + 1.0
"""Seconds in which any task at all is stopped: promised are 2, the rest is for a busy machine."""

COOPERATIVE = 2.0
"""Seconds for a task that checks to have stopped: promised are 0.25, on a machine at leisure."""


class TestCancel:
    def test_before_the_start(self, engine: JobEngine, recorder: Recorder, tmp_path: Path) -> None:
        gate, trace = tmp_path / "gate", tmp_path / "trace"
        busy = [engine.run(chores.hold, gate) for _ in range(2)]
        for job in busy:
            recorder.wait_for(job, S.RUNNING)
        waiting = engine.run(chores.touch, trace)
        assert waiting.cancel()
        assert recorder.wait_for_end(waiting, COOPERATIVE) == [S.QUEUED, S.CANCELLED]
        gate.touch()
        assert [job.result(TIMEOUT) for job in busy] == ["through", "through"]
        recorder.flush()
        assert not trace.exists()

    @pytest.mark.promise("cancel-in-time")
    def test_while_running(self, engine: JobEngine, recorder: Recorder) -> None:
        job = engine.submit(chores.hold)
        recorder.wait_for(job, S.RUNNING)
        assert job.cancel()
        history = recorder.wait_for_end(job, COOPERATIVE)
        assert history == [S.QUEUED, S.RUNNING, S.CANCELLING, S.CANCELLED]
        assert job.cancelled()
        assert job.done()
        assert not job.running()

    def test_result_of_a_cancelled_job(self, engine: JobEngine) -> None:
        job = engine.submit(chores.hold)
        job.cancel()
        with pytest.raises(concurrent.futures.CancelledError):
            job.result(TIMEOUT)
        with pytest.raises(concurrent.futures.CancelledError):
            job.exception(TIMEOUT)

    def test_while_paused(self, engine: JobEngine, recorder: Recorder) -> None:
        job = engine.submit(chores.hold)
        recorder.wait_for(job, S.RUNNING)
        job.pause()
        recorder.wait_for(job, S.PAUSED)
        assert job.cancel()
        assert recorder.wait_for_end(job, COOPERATIVE) == [
            S.QUEUED,
            S.RUNNING,
            S.PAUSED,
            S.CANCELLING,
            S.CANCELLED,
        ]

    def test_twice(self, engine: JobEngine, recorder: Recorder) -> None:
        job = engine.submit(chores.hold)
        recorder.wait_for(job, S.RUNNING)
        assert job.cancel()
        job.cancel()
        assert recorder.wait_for_end(job).count(S.CANCELLING) == 1

    def test_too_late(self, engine: JobEngine, recorder: Recorder) -> None:
        job = engine.run(chores.add, 1.0)
        job.result(TIMEOUT)
        recorder.wait_for_end(job)
        assert not job.cancel()
        assert job.result(0) == 2.0
        assert recorder.states(job)[-1] is S.SUCCEEDED

    @pytest.mark.promise("cancel-in-time")
    def test_returns_at_once(self, engine: JobEngine, tmp_path: Path) -> None:
        gate = tmp_path / "gate"
        job = engine.run(chores.hold_deaf, gate)
        helpers.wait_until(job.running)
        assert job.cancel()
        assert not job.done()  # nothing but the gate, or a kill, can end it
        gate.touch()
        with pytest.raises(concurrent.futures.CancelledError):
            job.result(TIMEOUT)

    def test_the_partial_result_is_kept(self, engine: JobEngine, recorder: Recorder) -> None:
        job = engine.run(chores.partials, ["worse", "better"], "")
        recorder.wait(lambda: len(recorder.partials(job)) == 2)
        job.cancel()
        recorder.wait_for_end(job)
        assert job.partial == "better"

    def test_a_caller_that_waits_takes_what_there_is(
        self, engine: JobEngine, recorder: Recorder
    ) -> None:
        assert engine.run(chores.add, 1.0).result_or_partial(timeout=TIMEOUT) == (2.0, False)
        token = CancellationToken()
        job = engine.run(chores.partials, ["worse", "better"], "")
        recorder.wait(lambda: len(recorder.partials(job)) == 2)
        threading.Timer(0.1, token.cancel).start()
        assert job.result_or_partial(token, TIMEOUT) == ("better", True)
        # Of a token that is cancelled already; there is nothing to take.
        with pytest.raises(CancellationError):
            engine.submit(chores.hold).result_or_partial(token, TIMEOUT)
        token.reset()
        later = engine.submit(chores.hold)
        with pytest.raises(TimeoutError):
            later.result_or_partial(token, 0.0)
        token.cancel()
        assert not later.cancelled()  # the token has been let go
        later.cancel()

    def test_a_task_done_before_it_heard_of_it(
        self, engine: JobEngine, recorder: Recorder, tmp_path: Path
    ) -> None:
        gate = tmp_path / "gate"
        job = engine.run(chores.hold_deaf, gate)
        recorder.wait_for(job, S.RUNNING)
        job.cancel()
        gate.touch()
        assert recorder.wait_for_end(job)[-1] is S.CANCELLED
        assert job.partial == "through"

    def test_a_callback_that_raises(
        self, engine: JobEngine, recorder: Recorder, tmp_path: Path
    ) -> None:
        """Of a user's solver, say: the job ends, its worker continues, and so do all others."""
        traces = [tmp_path / "first", tmp_path / "second"]
        jobs = [engine.run(chores.hold_with_bad_callbacks, str(trace)) for trace in traces]
        for job in jobs:
            recorder.wait_for(job, S.RUNNING)
        for job in jobs:
            helpers.wait_until(lambda job=job: job.handle is not None)
        assert engine.cancel_all() == 2
        for job, trace in zip(jobs, traces, strict=True):
            assert recorder.wait_for_end(job, COOPERATIVE)[-1] is S.CANCELLED
            helpers.wait_until(trace.exists)
        for x in range(3):
            assert engine.run(chores.add, float(x)).result(TIMEOUT) == x + 1.0

    def test_all(self, engine: JobEngine, recorder: Recorder) -> None:
        jobs = [engine.submit(chores.hold) for _ in range(5)]
        recorder.wait_for(jobs[0], S.RUNNING)
        recorder.wait_for(jobs[1], S.RUNNING)
        assert engine.cancel_all() == 5
        assert engine.wait(TIMEOUT)
        assert all(job.cancelled() for job in jobs)
        for job in jobs[2:]:
            assert recorder.wait_for_end(job) == [S.QUEUED, S.CANCELLED]
        assert engine.cancel_all() == 0

    @pytest.mark.promise("cancel-in-time")
    def test_others_do_not_notice(
        self, engine: JobEngine, recorder: Recorder, tmp_path: Path
    ) -> None:
        gate = tmp_path / "gate"
        other = engine.run(chores.hold, gate)
        job = engine.submit(chores.hold)
        recorder.wait_for(other, S.RUNNING)
        recorder.wait_for(job, S.RUNNING)
        job.cancel()
        recorder.wait_for_end(job)
        gate.touch()
        assert other.result(TIMEOUT) == "through"
        assert recorder.wait_for_end(other) == [S.QUEUED, S.RUNNING, S.SUCCEEDED]


class TestToken:
    def test_cancels_its_job(self, engine: JobEngine, recorder: Recorder) -> None:
        token = CancellationToken()
        job = engine.submit(chores.hold, cancel_token=token)
        recorder.wait_for(job, S.RUNNING)
        token.cancel()
        assert recorder.wait_for_end(job, COOPERATIVE)[-1] is S.CANCELLED
        assert token.get_error() is None

    def test_cancelled_before_submit(
        self, engine: JobEngine, recorder: Recorder, tmp_path: Path
    ) -> None:
        token = CancellationToken()
        token.cancel()
        trace = tmp_path / "trace"
        jobs = [engine.submit(lambda: trace.touch(), cancel_token=token) for _ in range(20)]
        for job in jobs:
            assert recorder.wait_for_end(job) == [S.QUEUED, S.CANCELLED]
        recorder.flush()
        assert not trace.exists()

    def test_shared_by_two_jobs(self, engine: JobEngine, recorder: Recorder) -> None:
        token = CancellationToken()
        jobs = [engine.submit(chores.hold, cancel_token=token) for _ in range(2)]
        for job in jobs:
            recorder.wait_for(job, S.RUNNING)
        token.cancel()
        assert [recorder.wait_for_end(job)[-1] for job in jobs] == [S.CANCELLED] * 2

    def test_reset_and_used_again(self, engine: JobEngine, recorder: Recorder) -> None:
        token = CancellationToken()
        first = engine.submit(chores.hold, cancel_token=token)
        token.cancel()
        recorder.wait_for_end(first)
        token.reset()
        second = engine.submit(chores.hold, cancel_token=token)
        recorder.wait_for(second, S.RUNNING)
        assert not second.done()
        token.cancel()
        assert recorder.wait_for_end(second)[-1] is S.CANCELLED

    def test_gets_the_error(self, engine: JobEngine) -> None:
        for _ in range(20):
            token = CancellationToken()
            job = engine.submit(chores.fail, cancel_token=token)
            error = job.exception(TIMEOUT)
            assert token.get_error() is error
            assert not token.is_cancelled()

    def test_knows_nothing_of_jobs_that_have_ended(self, engine: JobEngine) -> None:
        token = CancellationToken()
        ended = engine.submit(chores.nothing, cancel_token=token)
        ended.result(TIMEOUT)
        token.cancel()
        stillborn = engine.submit(chores.nothing, cancel_token=token)
        assert engine.wait(TIMEOUT)
        assert token._callbacks == []
        assert ended.state is S.SUCCEEDED
        assert stillborn.state is S.CANCELLED


class TestBusyEngine:
    def test_a_thousand_waiting_jobs(
        self, new_engine: Callable[..., JobEngine], tmp_path: Path
    ) -> None:
        engine = new_engine(1)
        gate = tmp_path / "gate"
        engine.run(chores.hold, gate)
        jobs = [engine.submit(chores.nothing) for _ in range(1000)]
        assert engine.cancel_all() == 1001
        assert engine.wait(TIMEOUT)
        assert all(job.cancelled() for job in jobs)


class TestInspect:
    @pytest.mark.parametrize("answer", ["of the present", "raises", "cannot be sent"])
    def test_is_answered_whatever_the_look_does(
        self, engine: JobEngine, recorder: Recorder, tmp_path: Path, executor_name: str, answer: str
    ) -> None:
        job = engine.run(chores.hold_inspected, answer, tmp_path / "gate")
        recorder.wait(lambda: bool(recorder.partials(job)))
        time.sleep(0.05)  # until the look is offered
        found = job.inspect(TIMEOUT)
        if answer == "of the present":
            assert found == answer
        elif answer == "raises" or not executor_name.startswith("threads"):
            assert found == "so far"
        (tmp_path / "gate").touch()
        job.result(TIMEOUT)


@pytest.mark.promise("cancel-in-time", "ui-never-held")
@pytest.mark.alone
@pytest.mark.skipif(os.name != "posix", reason="process groups")
class TestWhileAnotherIsSlowToStart:
    """Pickling and checking may take long: no thread that others need does it."""

    @pytest.mark.parametrize("slow", ["to pickle", "to check"])
    def test_a_stuck_job_ends_in_time(self, tmp_path: Path, slow: str) -> None:
        """The stuck job goes to the worker whose result has let the slow job start."""
        trace, stuck_trace = tmp_path / "slow", tmp_path / "stuck"
        with JobEngine("processes", max_workers=2) as engine:
            recorder = Recorder(engine)
            for _ in range(2):  # the workers are warm, and there is a spare
                engine.submit(chores.nothing).result(TIMEOUT)
            first = engine.run(chores.hold, tmp_path / "gate")
            recorder.wait_for(first, S.RUNNING)
            if slow == "to pickle":
                argument = chores.SlowToPickle(trace, SLOW)
                task = FunctionTask(chores.pickled_slowly, (argument,))
            else:
                task = chores.SlowToCheck(trace, SLOW)
            waiting = engine.submit(task, after=[first])
            (tmp_path / "gate").touch()
            helpers.wait_until(trace.exists)
            began = time.monotonic()
            light = engine.run(chores.add, 1.0)
            assert light.result(TIMEOUT) == 2.0
            assert time.monotonic() - began < ANY_TASK
            stuck = engine.run(worker_tasks.loop_forever, str(stuck_trace))
            helpers.wait_until(stuck_trace.exists)
            cancelled = time.monotonic()
            stuck.cancel()
            recorder.wait_for_end(stuck)
            assert time.monotonic() - cancelled < ANY_TASK
            assert not waiting.done()
            assert waiting.result(TIMEOUT) is not None
