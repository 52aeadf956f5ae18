"""Who runs when, on every executor: priorities, dependencies, resources."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from tests.engine import helpers
from tests.engine.helpers import TIMEOUT, Recorder

from rheojobs.engine import FunctionTask, JobEngine, JobState, StateChanged
from rheojobs.errors import InputError

S = JobState


class TestPriorities:
    def test_high_first_then_first_come(
        self, new_engine: Callable[..., JobEngine], tmp_path: Path
    ) -> None:
        engine = new_engine(1)
        gate, log = tmp_path / "gate", str(tmp_path / "log")
        blocker = engine.run(helpers.hold, gate)
        helpers.wait_until(lambda: blocker.state is S.RUNNING)
        for text, priority in [("a", 0), ("b", 5), ("c", -1), ("d", 5), ("e", 0)]:
            engine.submit(lambda text=text: helpers.note(log, text), priority=priority)
        gate.touch()
        assert engine.wait(TIMEOUT)
        assert helpers.lines(log) == ["b", "d", "a", "e", "c"]

    def test_no_more_at_a_time_than_there_are_workers(
        self, engine: JobEngine, recorder: Recorder
    ) -> None:
        jobs = [engine.run(helpers.count_slowly, 2, 0.005) for _ in range(12)]
        assert engine.wait(TIMEOUT)
        for job in jobs:
            recorder.wait_for_end(job)
        running: set[str] = set()
        most = 0
        for event in list(recorder.events):
            if isinstance(event, StateChanged) and event.state is S.RUNNING:
                running.add(event.job_id)
            elif isinstance(event, StateChanged) and event.state.is_terminal:
                running.discard(event.job_id)
            most = max(most, len(running))
        assert most == 2


class TestDependencies:
    def test_starts_after_all_have_succeeded(
        self, engine: JobEngine, recorder: Recorder, tmp_path: Path
    ) -> None:
        gates = [tmp_path / "a", tmp_path / "b"]
        first, second = (engine.run(helpers.hold, gate) for gate in gates)
        last = engine.submit(helpers.nothing, after=[first, second])
        assert last.state is S.BLOCKED
        gates[0].touch()
        first.result(TIMEOUT)
        recorder.flush()
        assert last.state is S.BLOCKED
        gates[1].touch()
        last.result(TIMEOUT)
        assert recorder.wait_for_end(last) == [S.BLOCKED, S.QUEUED, S.RUNNING, S.SUCCEEDED]

    def test_after_one_that_has_ended(self, engine: JobEngine, recorder: Recorder) -> None:
        first = engine.submit(helpers.nothing)
        first.result(TIMEOUT)
        last = engine.run(helpers.add, 1.0)
        last = engine.submit(helpers.nothing, after=[first, last])
        assert last.result(TIMEOUT) is None

    def test_cancelled_when_it_fails(self, engine: JobEngine, recorder: Recorder) -> None:
        bad = engine.submit(helpers.fail, name="bad fit")
        middle = engine.submit(helpers.nothing, after=[bad], name="middle")
        last = engine.submit(helpers.nothing, after=[middle])
        assert recorder.wait_for_end(middle) == [S.BLOCKED, S.CANCELLED]
        assert recorder.wait_for_end(last) == [S.BLOCKED, S.CANCELLED]
        assert "'bad fit'" in middle.message
        assert bad.id[:8] in middle.message
        assert middle.message.endswith("failed")
        assert "'middle'" in last.message
        assert last.message.endswith("was cancelled")
        told = recorder.of(middle)[-1]
        assert isinstance(told, StateChanged)
        assert told.message == middle.message
        assert middle.cancelled()

    def test_after_one_that_failed_long_since(self, engine: JobEngine, recorder: Recorder) -> None:
        bad = engine.submit(helpers.fail)
        bad.exception(TIMEOUT)
        late = engine.submit(helpers.nothing, after=[bad])
        assert recorder.wait_for_end(late) == [S.BLOCKED, S.CANCELLED]

    def test_cancelled_while_blocked(
        self, engine: JobEngine, recorder: Recorder, tmp_path: Path
    ) -> None:
        gate = tmp_path / "gate"
        first = engine.run(helpers.hold, gate)
        last = engine.submit(helpers.nothing, after=[first])
        assert last.cancel()
        assert recorder.wait_for_end(last) == [S.BLOCKED, S.CANCELLED]
        gate.touch()
        assert first.result(TIMEOUT) == "through"

    def test_the_dependency_may_be_forgotten(self, engine: JobEngine, tmp_path: Path) -> None:
        first = engine.submit(helpers.nothing)
        first.result(TIMEOUT)
        engine.wait(TIMEOUT)
        first.forget()
        assert engine.submit(helpers.nothing, after=[first]).result(TIMEOUT) is None

    def test_only_jobs_of_this_engine(self, engine: JobEngine) -> None:
        with JobEngine("threads", max_workers=1) as other:
            stranger = other.submit(helpers.nothing)
            with pytest.raises(InputError, match="after"):
                engine.submit(helpers.nothing, after=[stranger])
            with pytest.raises(InputError, match="after"):
                engine.submit(helpers.nothing, after=[stranger.id])  # type: ignore[list-item]
        assert engine.active_count() == 0


class TestResources:
    def test_no_more_than_there_is(
        self, engine: JobEngine, recorder: Recorder, tmp_path: Path
    ) -> None:
        gate = tmp_path / "gate"
        first = engine.submit(lambda: helpers.hold_deaf(gate), resources={"gpu": 1})
        recorder.wait_for(first, S.RUNNING)
        second = engine.submit(helpers.nothing, resources={"gpu": 1})
        other = engine.submit(helpers.nothing)
        assert other.result(TIMEOUT) is None  # one worker is free, and it needs no GPU
        assert second.state is S.QUEUED
        gate.touch()
        assert second.result(TIMEOUT) is None

    def test_fractions_add_up(self, engine: JobEngine, recorder: Recorder, tmp_path: Path) -> None:
        """0.3 and 0.6 taken from 1 and given back leave 0.9999999999999999."""
        gates = [tmp_path / "a", tmp_path / "b"]
        jobs = []
        for share, gate in zip([0.3, 0.6], gates, strict=True):
            task = FunctionTask(helpers.hold, (gate,))
            jobs.append(engine.submit(task, resources={"gpu": share}))
            recorder.wait_for(jobs[-1], S.RUNNING)
        for job, gate in zip(jobs, gates, strict=True):
            gate.touch()
            recorder.wait_for_end(job)
        assert engine.submit(helpers.nothing, resources={"gpu": 1}).result(TIMEOUT) is None

    def test_given_back_however_the_job_ends(self, engine: JobEngine) -> None:
        everything = {"gpu": 1, "memory": 8}
        for _ in range(2):
            assert engine.submit(helpers.fail, resources=everything).exception(TIMEOUT)
            assert engine.submit(helpers.Refused(""), resources=everything).exception(TIMEOUT)
            held = engine.submit(helpers.hold, resources=everything)
            helpers.wait_until(lambda held=held: held.state is S.RUNNING)
            held.cancel()
            waiting = engine.submit(helpers.nothing, resources=everything)
            waiting.cancel()
        assert engine.submit(helpers.nothing, resources=everything).result(TIMEOUT) is None

    def test_unknown(self, engine: JobEngine) -> None:
        with pytest.raises(InputError, match="did you mean 'memory'"):
            engine.submit(helpers.nothing, resources={"memroy": 1})

    @pytest.mark.parametrize("amount", [9, -1, float("nan"), float("inf")])
    def test_impossible(self, engine: JobEngine, amount: float) -> None:
        with pytest.raises(InputError, match=r"'memory', there is 8$"):
            engine.submit(helpers.nothing, resources={"memory": amount})
