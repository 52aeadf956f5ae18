"""Who runs when, on every executor: priorities, dependencies, resources."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from tests.engine import chores, helpers
from tests.engine.helpers import ABOVE_EXECUTORS, TIMEOUT, Recorder

from rheojobs.engine import FunctionTask, JobEngine, JobState, PriorityChanged, StateChanged
from rheojobs.errors import InputError

S = JobState


class TestPriorities:
    def test_high_first_then_first_come(
        self, new_engine: Callable[..., JobEngine], tmp_path: Path
    ) -> None:
        engine = new_engine(1)
        gate, log = tmp_path / "gate", str(tmp_path / "log")
        blocker = engine.run(chores.hold, gate)
        helpers.wait_until(lambda: blocker.state is S.RUNNING)
        for text, priority in [("a", 0), ("b", 5), ("c", -1), ("d", 5), ("e", 0)]:
            engine.submit(lambda text=text: chores.note(log, text), priority=priority)
        gate.touch()
        assert engine.wait(TIMEOUT)
        assert chores.lines(log) == ["b", "d", "a", "e", "c"]

    def test_no_more_at_a_time_than_there_are_workers(
        self, engine: JobEngine, recorder: Recorder, tmp_path: Path
    ) -> None:
        gate = tmp_path / "gate"
        jobs = [engine.run(chores.hold, str(gate)) for _ in range(12)]
        # However long the second worker takes to start.
        recorder.wait(lambda: sum(S.RUNNING in recorder.states(job) for job in jobs) == 2)
        gate.touch()
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


@ABOVE_EXECUTORS
class TestDependencies:
    def test_starts_after_all_have_succeeded(
        self, engine: JobEngine, recorder: Recorder, tmp_path: Path
    ) -> None:
        gates = [tmp_path / "a", tmp_path / "b"]
        first, second = (engine.run(chores.hold, gate) for gate in gates)
        last = engine.submit(chores.nothing, after=[first, second])
        assert last.state is S.BLOCKED
        gates[0].touch()
        first.result(TIMEOUT)
        recorder.flush()
        assert last.state is S.BLOCKED
        gates[1].touch()
        last.result(TIMEOUT)
        assert recorder.wait_for_end(last) == [S.BLOCKED, S.QUEUED, S.RUNNING, S.SUCCEEDED]

    def test_after_one_that_has_ended(self, engine: JobEngine, recorder: Recorder) -> None:
        first = engine.submit(chores.nothing)
        first.result(TIMEOUT)
        last = engine.run(chores.add, 1.0)
        last = engine.submit(chores.nothing, after=[first, last])
        assert last.result(TIMEOUT) is None

    def test_cancelled_when_it_fails(self, engine: JobEngine, recorder: Recorder) -> None:
        bad = engine.submit(chores.fail, name="bad fit")
        middle = engine.submit(chores.nothing, after=[bad], name="middle")
        last = engine.submit(chores.nothing, after=[middle])
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
        bad = engine.submit(chores.fail)
        bad.exception(TIMEOUT)
        late = engine.submit(chores.nothing, after=[bad])
        assert recorder.wait_for_end(late) == [S.BLOCKED, S.CANCELLED]

    def test_cancelled_while_blocked(
        self, engine: JobEngine, recorder: Recorder, tmp_path: Path
    ) -> None:
        gate = tmp_path / "gate"
        first = engine.run(chores.hold, gate)
        last = engine.submit(chores.nothing, after=[first])
        assert last.cancel()
        assert recorder.wait_for_end(last) == [S.BLOCKED, S.CANCELLED]
        gate.touch()
        assert first.result(TIMEOUT) == "through"

    def test_the_dependency_may_be_forgotten(self, engine: JobEngine, tmp_path: Path) -> None:
        first = engine.submit(chores.nothing)
        first.result(TIMEOUT)
        engine.wait(TIMEOUT)
        first.forget()
        assert engine.submit(chores.nothing, after=[first]).result(TIMEOUT) is None

    def test_only_jobs_of_this_engine(self, engine: JobEngine) -> None:
        with JobEngine("threads", max_workers=1) as other:
            stranger = other.submit(chores.nothing)
            with pytest.raises(InputError, match="after"):
                engine.submit(chores.nothing, after=[stranger])
            with pytest.raises(InputError, match="after"):
                engine.submit(chores.nothing, after=[stranger.id])  # type: ignore[list-item]
        assert engine.active_count() == 0


class TestResources:
    def test_no_more_than_there_is(
        self, engine: JobEngine, recorder: Recorder, tmp_path: Path
    ) -> None:
        gate = tmp_path / "gate"
        first = engine.submit(lambda: chores.hold_deaf(gate), resources={"gpu": 1})
        recorder.wait_for(first, S.RUNNING)
        second = engine.submit(chores.nothing, resources={"gpu": 1})
        other = engine.submit(chores.nothing)
        assert other.result(TIMEOUT) is None  # one worker is free, and it needs no GPU
        assert second.state is S.QUEUED
        gate.touch()
        assert second.result(TIMEOUT) is None

    def test_fractions_add_up(self, engine: JobEngine, recorder: Recorder, tmp_path: Path) -> None:
        """0.3 and 0.6 taken from 1 and given back leave 0.9999999999999999."""
        gates = [tmp_path / "a", tmp_path / "b"]
        jobs = []
        for share, gate in zip([0.3, 0.6], gates, strict=True):
            task = FunctionTask(chores.hold, (gate,))
            jobs.append(engine.submit(task, resources={"gpu": share}))
            recorder.wait_for(jobs[-1], S.RUNNING)
        for job, gate in zip(jobs, gates, strict=True):
            gate.touch()
            recorder.wait_for_end(job)
        assert engine.submit(chores.nothing, resources={"gpu": 1}).result(TIMEOUT) is None

    def test_given_back_however_the_job_ends(self, engine: JobEngine) -> None:
        everything = {"gpu": 1, "memory": 8}
        for _ in range(2):
            assert engine.submit(chores.fail, resources=everything).exception(TIMEOUT)
            assert engine.submit(chores.Refused(""), resources=everything).exception(TIMEOUT)
            held = engine.submit(chores.hold, resources=everything)
            helpers.wait_until(lambda held=held: held.state is S.RUNNING)
            held.cancel()
            waiting = engine.submit(chores.nothing, resources=everything)
            waiting.cancel()
        assert engine.submit(chores.nothing, resources=everything).result(TIMEOUT) is None

    @pytest.mark.promise("one-line-errors")
    def test_unknown(self, engine: JobEngine) -> None:
        with pytest.raises(InputError, match="did you mean 'memory'"):
            engine.submit(chores.nothing, resources={"memroy": 1})

    @pytest.mark.promise("one-line-errors")
    @pytest.mark.parametrize("amount", [9, -1, float("nan"), float("inf")])
    def test_impossible(self, engine: JobEngine, amount: float) -> None:
        with pytest.raises(InputError, match=r"'memory', there is 8$"):
            engine.submit(chores.nothing, resources={"memory": amount})


@ABOVE_EXECUTORS
class TestChangingPriorities:
    def test_while_queued(self, new_engine: Callable[..., JobEngine], tmp_path: Path) -> None:
        engine = new_engine(1)
        recorder = Recorder(engine)
        gate, log = tmp_path / "gate", str(tmp_path / "log")
        blocker = engine.run(chores.hold, gate)
        recorder.wait_for(blocker, S.RUNNING)
        jobs = {text: engine.run(chores.note, log, text) for text in "abcd"}
        jobs["c"].priority = 3
        assert engine.set_priority(jobs["d"], 1)
        jobs["a"].priority = -1
        assert jobs["c"].priority == 3
        gate.touch()
        assert engine.wait(TIMEOUT)
        assert chores.lines(log) == ["c", "d", "b", "a"]
        recorder.wait_for_end(jobs["a"])
        told = [e for e in recorder.events if isinstance(e, PriorityChanged)]
        assert [(e.job_id, e.priority) for e in told] == [
            (jobs["c"].id, 3),
            (jobs["d"].id, 1),
            (jobs["a"].id, -1),
        ]

    def test_while_blocked(self, new_engine: Callable[..., JobEngine], tmp_path: Path) -> None:
        engine = new_engine(1)
        gate, log = tmp_path / "gate", str(tmp_path / "log")
        first = engine.run(chores.hold, gate)
        tasks = [FunctionTask(chores.note, (log, text)) for text in "abc"]
        jobs = [engine.submit(task, after=[first]) for task in tasks]
        jobs[2].priority = 1
        gate.touch()
        assert engine.wait(TIMEOUT)
        assert chores.lines(log) == ["c", "a", "b"]

    def test_too_late(self, engine: JobEngine) -> None:
        job = engine.submit(chores.nothing)
        job.result(TIMEOUT)
        assert not engine.set_priority(job, 1)
        with pytest.raises(InputError, match="has ended"):
            job.priority = 1

    @pytest.mark.parametrize("priority", [1.5, "high", None])
    def test_nonsense(self, engine: JobEngine, priority: object) -> None:
        with pytest.raises(InputError, match="priority must be a whole number"):
            engine.submit(chores.nothing, priority=priority)  # type: ignore[arg-type]
        assert engine.active_count() == 0


class TestTags:
    def test_no_more_of_a_tag_than_its_limit(
        self, new_engine: Callable[..., JobEngine], tmp_path: Path
    ) -> None:
        engine = new_engine(3, limits={"heavy": 1})
        recorder = Recorder(engine)
        gates = [tmp_path / str(i) for i in range(2)]
        heavy = [
            engine.submit(FunctionTask(chores.hold, (gate,)), tags=("heavy", "mine"))
            for gate in gates
        ]
        recorder.wait_for(heavy[0], S.RUNNING)
        # Two workers are free, and only untagged jobs, or those of a tag without a limit, start.
        for tags in [(), ("mine",)]:
            assert engine.submit(chores.nothing, tags=tags).result(TIMEOUT) is None
        assert heavy[1].state is S.QUEUED
        gates[0].touch()
        recorder.wait_for(heavy[1], S.RUNNING)
        assert heavy[0].state is S.SUCCEEDED
        gates[1].touch()
        assert heavy[1].result(TIMEOUT) == "through"

    def test_nonsense(self, engine: JobEngine) -> None:
        with pytest.raises(InputError, match=r'tags=\("heavy",\)'):
            engine.submit(chores.nothing, tags="heavy")
        with pytest.raises(InputError, match="whole number above 0, got 0"):
            JobEngine("threads", limits={"heavy": 0})
        with pytest.raises(InputError, match="unknown resource 'tag:heavy'"):
            engine.submit(chores.nothing, resources={"tag:heavy": 1})


class TestAmountsOfMemory:
    def test_as_people_write_them(
        self, new_engine: Callable[..., JobEngine], tmp_path: Path
    ) -> None:
        engine = new_engine(2, resources={"memory": "4 GiB"})
        gate = tmp_path / "gate"
        first = engine.submit(FunctionTask(chores.hold, (gate,)), resources={"memory": "3 GiB"})
        second = engine.submit(chores.nothing, resources={"memory": "2GiB"})
        helpers.wait_until(lambda: first.state is S.RUNNING)
        engine.submit(chores.nothing).result(TIMEOUT)
        assert second.state is S.QUEUED
        gate.touch()
        assert second.result(TIMEOUT) is None
        with pytest.raises(InputError, match=r"needs 5\.0 GiB of 'memory', there is 4\.0 GiB$"):
            engine.submit(chores.nothing, resources={"memory": "5 GiB"})
        with pytest.raises(InputError, match=r"'2 GiB'.*got 'plenty'"):
            engine.submit(chores.nothing, resources={"memory": "plenty"})
