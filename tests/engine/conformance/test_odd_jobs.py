"""Jobs with something odd about them: each ends as it should, and all others too."""

from __future__ import annotations

import math
import os
import threading
from pathlib import Path
from typing import Any

import pytest
from tests.engine import chores, helpers
from tests.engine.helpers import TIMEOUT, Recorder

from rheojobs.engine import CancellationToken, JobEngine, JobState
from rheojobs.errors import InputError

S = JobState


def nested(depth: int) -> list[Any]:
    """Return lists within lists."""
    value: list[Any] = []
    for _ in range(depth):
        value = [value]
    return value


def itself() -> list[Any]:
    """Return a list that holds itself."""
    value: list[Any] = []
    value.append(value)
    return value


def of_files() -> str:
    """Return the name of a file that no encoding fits."""
    return os.fsdecode(b"m\xfc.csv")


ODD = {
    "5,000 digits": (math.factorial, 1800),
    "nested 300 deep": (nested, 300),
    "itself": (itself,),
    "undecodable": (of_files,),
}


@pytest.mark.promise("crash-harms-one")
@pytest.mark.parametrize("odd", ODD)
def test_an_odd_result(engine: JobEngine, recorder: Recorder, odd: str) -> None:
    before = engine.run(chores.add, 1.0)
    job = engine.run(*ODD[odd])
    after = [engine.run(chores.add, float(number)) for number in range(5)]
    result = job.result(TIMEOUT)
    assert result if odd != "itself" else result[0] is result
    assert recorder.wait_for_end(job)[-1] is S.SUCCEEDED
    assert before.result(TIMEOUT) == 2.0
    assert [other.result(TIMEOUT) for other in after] == [1.0, 2.0, 3.0, 4.0, 5.0]
    assert engine.wait(TIMEOUT)
    assert not engine.store_problem
    if engine.store is not None:
        assert engine.store.find(job.id).state is S.SUCCEEDED
        if job.result_not_kept_because:
            assert "\n" not in job.result_not_kept_because
            with pytest.raises(InputError, match="it was not kept on disk"):
                engine.store.result(job.id)
        else:
            assert engine.store.result(job.id) == result


@pytest.mark.promise("crash-harms-one")
def test_a_result_nested_3000_deep(engine: JobEngine, executor_name: str) -> None:
    """Pickle itself takes no more than a thousand or so: the job says so, or has its result."""
    job = engine.run(nested, 3000)
    after = engine.run(chores.add, 1.0)
    error = job.exception(TIMEOUT)
    assert error is None or "cannot be sent" in str(error)
    assert executor_name.startswith(("processes", "dask")) or error is None
    assert after.result(TIMEOUT) == 2.0
    assert engine.wait(TIMEOUT)
    if engine.store is not None and error is None:
        assert job.result_not_kept_because


@pytest.mark.parametrize("name", [os.fsdecode(b"m\xfc.csv"), "\ud800", "\0", "η₀" * 500])
def test_an_odd_name(engine: JobEngine, name: str) -> None:
    job = engine.submit(chores.nothing, name=name)
    assert job.result(TIMEOUT) is None
    assert engine.wait(TIMEOUT)
    assert job.state is S.SUCCEEDED
    job.name.encode("utf-8")
    if engine.store is not None:
        assert engine.store.find(job.id).state is S.SUCCEEDED
        assert engine.store.find(job.id).name == job.name


@pytest.mark.parametrize("priority", [10**20, -(10**20)])
def test_an_odd_priority(engine: JobEngine, priority: int) -> None:
    jobs = [
        engine.submit(chores.nothing, priority=priority),
        engine.run(chores.add, 1.0),
    ]
    assert engine.wait(TIMEOUT)
    assert [job.state for job in jobs] == [S.SUCCEEDED] * 2
    if engine.store is not None:
        assert engine.store.find(jobs[0].id).state is S.SUCCEEDED


def test_a_token_with_a_callback_that_raises(engine: JobEngine) -> None:
    token, called = CancellationToken(), []
    token.on_cancel(lambda: 1 / 0)
    token.on_cancel(lambda: called.append(1))
    job = engine.submit(chores.hold, cancel_token=token)
    helpers.wait_until(job.running)
    token.cancel()
    helpers.wait_until(lambda: job.state is S.CANCELLED)
    assert called == [1]
    assert engine.run(chores.add, 1.0).result(TIMEOUT) == 2.0


@pytest.mark.promise("ui-never-held")
def test_a_slow_callback_holds_up_neither_subscribers_nor_other_jobs(
    engine: JobEngine, recorder: Recorder, tmp_path: Path
) -> None:
    go = threading.Event()
    # Of a job that has ended already, the callback would be called here.
    first = engine.run(chores.hold, tmp_path / "gate")
    first.add_done_callback(lambda _: go.wait(TIMEOUT))
    (tmp_path / "gate").touch()
    second = engine.run(chores.add, 1.0)
    called = threading.Event()
    second.add_done_callback(lambda _: called.set())
    assert second.result(TIMEOUT) == 2.0
    recorder.wait_for_end(second)
    assert called.wait(TIMEOUT)
    go.set()
