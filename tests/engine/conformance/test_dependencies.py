"""Jobs that need others, or their results, on every executor."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from tests.engine import chores
from tests.engine.helpers import ABOVE_EXECUTORS, TIMEOUT, Recorder

from rheojobs.engine import FunctionTask, JobEngine, JobState, ResultOf, TaskContext
from rheojobs.errors import InputError

S = JobState


@dataclass
class Fitted:
    """A result with a part that another job wants."""

    parameters: dict[str, float]


def fit(value: float) -> Fitted:
    """Give a result."""
    return Fitted({"G0": value})


def fit_to_mapping(value: float) -> dict[str, Any]:
    """Give the same as a mapping."""
    return {"parameters": {"G0": value}}


def collect(*values: Any, **named: Any) -> tuple[Any, ...]:
    """Give what was given."""
    return (*values, named)


@dataclass(frozen=True)
class Sampled:
    """A task with a field that another job's result goes to; checked before it is sent."""

    warm_start: Any
    name: str = "sampled"

    def validate(self) -> None:
        if not isinstance(self.warm_start, dict):
            raise InputError("warm_start must be a mapping")

    def run(self, context: TaskContext) -> Any:
        return self.warm_start


class Hidden:
    """An object that a placeholder is not looked for in."""

    def __init__(self, content: Any) -> None:
        self.content = content


@ABOVE_EXECUTORS
class TestAfterAny:
    def test_starts_however_the_others_have_ended(
        self, engine: JobEngine, recorder: Recorder, tmp_path: Path
    ) -> None:
        gate = tmp_path / "gate"
        bad, held = engine.submit(chores.fail), engine.submit(chores.hold)
        last = engine.submit(chores.nothing, after_any=[bad, held], after=[])
        good = engine.run(chores.hold, gate)
        both = engine.submit(chores.nothing, after=[good], after_any=[bad])
        recorder.wait_for(held, S.RUNNING)
        assert last.state is S.BLOCKED
        held.cancel()
        assert last.result(TIMEOUT) is None
        assert both.state is S.BLOCKED
        gate.touch()
        assert both.result(TIMEOUT) is None
        assert recorder.wait_for_end(last) == [S.BLOCKED, S.QUEUED, S.RUNNING, S.SUCCEEDED]

    def test_only_jobs_of_this_engine(self, engine: JobEngine) -> None:
        with pytest.raises(InputError, match="after takes jobs of this engine"):
            engine.submit(chores.nothing, after_any=["a"])  # type: ignore[list-item]


class TestResultOf:
    @pytest.mark.parametrize("function", [fit, fit_to_mapping])
    def test_a_part_as_an_argument(
        self, engine: JobEngine, recorder: Recorder, function: Callable[..., Any]
    ) -> None:
        first = engine.run(function, 2.0)
        last = engine.run(collect, ResultOf(first, "parameters"), x=ResultOf(first, "parameters"))
        assert last.after == (first,)
        assert last.result(TIMEOUT) == ({"G0": 2.0}, {"x": {"G0": 2.0}})
        assert recorder.wait_for_end(last) == [S.BLOCKED, S.QUEUED, S.RUNNING, S.SUCCEEDED]

    def test_whole_and_inside_containers(self, engine: JobEngine) -> None:
        jobs = [engine.run(chores.square, float(x)) for x in range(3)]
        wanted = [ResultOf(job) for job in jobs]
        last = engine.run(collect, wanted, (wanted[1], "kept"), {"two": wanted[2]})
        assert last.result(TIMEOUT) == ([0.0, 1.0, 4.0], (1.0, "kept"), {"two": 4.0}, {})

    def test_of_a_job_that_ended_long_since(self, engine: JobEngine) -> None:
        first = engine.run(chores.square, 3.0)
        first.result(TIMEOUT)
        engine.wait(TIMEOUT)
        first.forget()
        assert engine.run(chores.add, ResultOf(first)).result(TIMEOUT) == 10.0

    def test_a_field_of_a_task_filled_in_before_it_is_checked(self, engine: JobEngine) -> None:
        task = Sampled(ResultOf(engine.run(fit, 3.0), "parameters"))
        job = engine.submit(task)
        assert job.result(TIMEOUT) == {"G0": 3.0}
        assert job.name == "sampled"
        assert isinstance(task.warm_start, ResultOf)  # the caller's own is left as it was
        assert job.task.warm_start == {"G0": 3.0}  # type: ignore[attr-defined]

    def test_a_part_that_is_not_there(self, engine: JobEngine, recorder: Recorder) -> None:
        first = engine.submit(FunctionTask(fit, (2.0,)), name="my fit")
        last = engine.run(collect, ResultOf(first, "parametres"))
        assert recorder.wait_for_end(last)[-1] is S.FAILED
        assert last.message == "the result of 'my fit', a Fitted, has no 'parametres'"

    def test_of_one_that_fails(self, engine: JobEngine, recorder: Recorder) -> None:
        bad = engine.submit(chores.fail, name="bad fit")
        last = engine.run(collect, ResultOf(bad))
        assert recorder.wait_for_end(last) == [S.BLOCKED, S.CANCELLED]
        assert "'bad fit'" in last.message

    def test_of_another_engine(self, engine: JobEngine) -> None:
        with JobEngine("threads", max_workers=1) as other:
            stranger = other.submit(chores.nothing)
            with pytest.raises(InputError, match="jobs of this engine"):
                engine.run(collect, ResultOf(stranger))

    def test_where_it_is_not_looked_for(self, executor_name: str, engine: JobEngine) -> None:
        first = engine.run(fit, 2.0)
        last = engine.run(collect, Hidden(ResultOf(first)))
        if executor_name.startswith("threads"):
            pytest.skip("on a thread nothing is pickled, so the task meets the placeholder itself")
        assert "this one is elsewhere" in str(last.exception(TIMEOUT))


@ABOVE_EXECUTORS
class TestNoCircles:
    """A job names older jobs alone, once: there is no way to close a circle."""

    def test_what_it_waits_for_is_fixed(self, engine: JobEngine) -> None:
        first = engine.submit(chores.nothing)
        second = engine.submit(chores.nothing, after=[first])
        with pytest.raises(AttributeError):
            first.after = (second,)  # type: ignore[misc]
        with pytest.raises(AttributeError):
            first.after_any = (second,)  # type: ignore[misc]
        assert second.result(TIMEOUT) is None

    @pytest.mark.promise("one-terminal-event")
    def test_every_job_ends_whatever_hangs_on_what(self, engine: JobEngine) -> None:
        jobs = [engine.submit(chores.nothing)]
        for number in range(1, 40):
            needed = {jobs[number // 2], jobs[number * 7 % number], jobs[-1]}
            jobs.append(engine.submit(chores.nothing, after=needed))
        assert engine.wait(TIMEOUT)
        assert all(job.state is S.SUCCEEDED for job in jobs)


@ABOVE_EXECUTORS
class TestLongChains:
    def test_a_failure_goes_all_the_way(self, engine: JobEngine) -> None:
        """Deeper than the interpreter's stack."""
        chain = [engine.submit(chores.fail)]
        for _ in range(3000):
            chain.append(engine.submit(chores.nothing, after=[chain[-1]]))
        assert engine.wait(TIMEOUT)
        assert all(job.state is S.CANCELLED for job in chain[1:])
        assert chain[-2].id[:8] in chain[-1].message
