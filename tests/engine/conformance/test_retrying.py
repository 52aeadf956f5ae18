"""Starting again after an error, and not before a given time, on every executor."""

from __future__ import annotations

import time
from collections.abc import Callable
from datetime import datetime, timedelta
from pathlib import Path

import pytest
from tests.engine import chores
from tests.engine.helpers import TIMEOUT, Recorder

from rheojobs.engine import FunctionTask, JobEngine, JobState, RetryPolicy, TaskContext
from rheojobs.errors import InputError

S = JobState


def fail_at_first(context: TaskContext, trace: str, failures: int) -> list[str]:
    """Fail so many times with an `OSError`, then return what was restored each time."""
    chores.note(trace, str(context.restored()))
    attempt = len(chores.lines(trace))
    context.checkpoint(f"after {attempt}")
    if attempt <= failures:
        raise ConnectionError(f"attempt {attempt}")
    return chores.lines(trace)


class TestErrors:
    def test_it_continues_from_its_checkpoint(
        self, engine: JobEngine, recorder: Recorder, tmp_path: Path
    ) -> None:
        retry = RetryPolicy(OSError, attempts=3, delay=0.05)
        trace = str(tmp_path / "trace")
        job = engine.submit(FunctionTask(fail_at_first, (trace, 2)), retry=retry)
        assert job.result(TIMEOUT) == ["None", "after 1", "after 2"]
        assert job.attempts == 3
        again = [S.RUNNING, S.INTERRUPTED, S.QUEUED]
        assert recorder.wait_for_end(job) == [S.QUEUED, *again, *again, S.RUNNING, S.SUCCEEDED]
        if engine.store is not None:
            why = [why for _, state, why in engine.store.history(job.id) if state is S.INTERRUPTED]
            assert why[1] == "failed, and is tried again in 0.1 s: ConnectionError: attempt 2"

    def test_so_often_and_no_more(self, engine: JobEngine, tmp_path: Path) -> None:
        retry = RetryPolicy(OSError, attempts=2, delay=0.01)
        trace = str(tmp_path / "trace")
        job = engine.submit(FunctionTask(fail_at_first, (trace, 9)), retry=retry)
        assert isinstance(job.exception(TIMEOUT), ConnectionError)
        assert job.attempts == 2

    def test_other_errors_end_it(self, engine: JobEngine) -> None:
        job = engine.submit(chores.fail, retry=RetryPolicy(OSError, delay=0.01))
        assert job.exception(TIMEOUT) is not None
        assert job.attempts == 1

    def test_cancelled_while_it_waits(
        self, engine: JobEngine, recorder: Recorder, tmp_path: Path
    ) -> None:
        retry = RetryPolicy(OSError, delay=1000.0)
        trace = str(tmp_path / "trace")
        job = engine.submit(FunctionTask(fail_at_first, (trace, 9)), retry=retry)
        recorder.wait_for(job, S.INTERRUPTED)
        assert job.cancel()
        assert recorder.wait_for_end(job)[-1] is S.CANCELLED

    def test_anything_but_a_policy_is_refused(self, engine: JobEngine) -> None:
        with pytest.raises(InputError, match="retry takes a RetryPolicy"):
            engine.submit(chores.nothing, retry=3)  # type: ignore[arg-type]


class TestNotBefore:
    def test_it_waits_for_its_time(self, engine: JobEngine, recorder: Recorder) -> None:
        begin = time.time()
        late = engine.submit(chores.nothing, not_before=begin + 0.4, priority=10)
        early = engine.submit(chores.nothing)
        assert early.result(TIMEOUT) is None
        assert late.state is S.QUEUED
        assert late.result(TIMEOUT) is None
        assert time.time() >= begin + 0.4
        assert recorder.wait_for_end(late) == [S.QUEUED, S.RUNNING, S.SUCCEEDED]

    def test_a_datetime(self, engine: JobEngine) -> None:
        tonight = datetime.now() + timedelta(hours=10)
        job = engine.submit(chores.nothing, not_before=tonight)
        past = engine.submit(chores.nothing, not_before=datetime(2020, 1, 1))
        assert past.result(TIMEOUT) is None
        assert job.state is S.QUEUED
        assert job.not_before == tonight.timestamp()
        if engine.store is not None:
            assert engine.store.find(job.id).not_before == tonight.timestamp()
        assert job.cancel()
        assert engine.wait(TIMEOUT)

    @pytest.mark.parametrize("when", ["tonight", float("nan"), True, float("inf")])
    def test_nonsense_is_refused(self, engine: JobEngine, when: object) -> None:
        with pytest.raises(InputError, match="not_before must be a datetime"):
            engine.submit(chores.nothing, not_before=when)  # type: ignore[arg-type]

    def test_it_is_kept_in_the_store(
        self, new_engine: Callable[..., JobEngine], executor_name: str, tmp_path: Path
    ) -> None:
        if not executor_name.endswith("stored"):
            pytest.skip("it has no store")
        engine = new_engine(1)
        retry = RetryPolicy(OSError, attempts=5)
        when = time.time() + 1000.0
        job = engine.submit(chores.nothing, not_before=when, retry=retry)
        engine.shutdown(timeout=TIMEOUT, leave=True)
        heir = new_engine(1)
        (again,) = heir.take_queued()
        assert (again.id, again.not_before, again.retry) == (job.id, when, retry)
        assert again.state is S.QUEUED
        assert again.cancel()
