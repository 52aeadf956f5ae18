"""What a task tells while it runs, on every executor: progress, partial results, generators."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from tests.engine import chores, helpers
from tests.engine.helpers import TIMEOUT, Recorder

from rheojobs.engine import JobEngine, JobState, StateChanged
from rheojobs.engine.progress.throttle import MAX_EVENTS_PER_SECOND

S = JobState


@pytest.mark.promise("progress-in-order")
class TestProgress:
    def test_all_fields_arrive(self, engine: JobEngine, recorder: Recorder) -> None:
        def report(context: object) -> None:
            context.progress(  # type: ignore[attr-defined]
                3, 10, "chain 2", stage="warmup", loss=0.5, draws=[1, 2]
            )

        job = engine.submit(report)
        recorder.wait_for_end(job)
        (progress,) = recorder.progress(job)
        assert (progress.current, progress.total) == (3, 10)
        assert (progress.message, progress.stage) == ("chain 2", "warmup")
        assert progress.metrics == {"loss": 0.5, "draws": [1, 2]}
        assert job.latest_progress == progress

    def test_in_order_and_the_last_is_never_dropped(
        self, engine: JobEngine, recorder: Recorder, executor_name: str
    ) -> None:
        for steps in (1, 2, 50, 3000):
            job = engine.run(chores.count_slowly, steps)
            assert job.result(TIMEOUT) == steps
            recorder.wait_for_end(job)
            seen = [progress.current for progress in recorder.progress(job)]
            assert seen == sorted(set(seen))
            # On its way from a cluster, what is superseded gives way to what is newer.
            assert seen[0] == 1 or executor_name == "dask"
            assert seen[-1] == steps
            assert recorder.progress(job)[-1].metrics == {"loss": 1.0 / steps}

    def test_comes_between_start_and_end(self, engine: JobEngine, recorder: Recorder) -> None:
        job = engine.run(chores.count_slowly, 20, 0.005)
        recorder.wait_for_end(job)
        kinds = [
            event.state if isinstance(event, StateChanged) else "progress"
            for event in recorder.of(job)
        ]
        assert kinds[:2] == [S.QUEUED, S.RUNNING]
        assert kinds[-1] is S.SUCCEEDED
        assert set(kinds[2:-1]) == {"progress"}

    def test_throttled(self, engine: JobEngine, recorder: Recorder) -> None:
        job = engine.run(chores.count_for, 0.5)
        reports, duration = job.result(TIMEOUT)
        recorder.wait_for_end(job)
        events = len(recorder.progress(job))
        assert reports > 100
        # One at the start, and the last one, come on top of the rate.
        assert events <= MAX_EVENTS_PER_SECOND * duration + 2
        assert events >= 3  # thinned out, but not silenced

    def test_what_waits_is_passed_on_by_itself(
        self, engine: JobEngine, recorder: Recorder, tmp_path: Path
    ) -> None:
        gate = tmp_path / "gate"

        def report_twice_then_hold(context: object) -> None:
            context.progress(1, 2)  # type: ignore[attr-defined]
            context.progress(2, 2)  # type: ignore[attr-defined]
            chores.hold(context, gate)

        job = engine.submit(report_twice_then_hold)
        recorder.wait(lambda: [p.current for p in recorder.progress(job)] == [1, 2])
        assert job.state is S.RUNNING
        gate.touch()
        job.result(TIMEOUT)

    def test_each_stage_ends_with_its_last_value(
        self, engine: JobEngine, recorder: Recorder
    ) -> None:
        job = engine.run(chores.two_stages, 200)
        recorder.wait_for_end(job)
        seen = recorder.progress(job)
        stages = [progress.stage for progress in seen]
        assert stages == sorted(stages, key=["warmup", "sampling"].index)
        for stage in ("warmup", "sampling"):
            values = [progress.current for progress in seen if progress.stage == stage]
            assert values == sorted(values)
            assert values[-1] == 200

    def test_never_goes_back(self, engine: JobEngine, recorder: Recorder) -> None:
        job = engine.submit(chores.going_back)
        recorder.wait_for_end(job)
        seen = recorder.progress(job)
        values = [progress.current for progress in seen]
        assert values == sorted(values)
        assert values[-1] == 9
        assert seen[-1].message == "at 2"  # the words are the newest all the same

    def test_stages_that_take_turns(self, engine: JobEngine, recorder: Recorder) -> None:
        job = engine.run(chores.stages_in_turns, 0.5)
        duration = job.result(TIMEOUT)
        recorder.wait_for_end(job)
        seen = recorder.progress(job)
        # The first and the last of each stage come on top of the rate.
        assert len(seen) <= MAX_EVENTS_PER_SECOND * duration + 4
        for stage in ("chain 1", "chain 2"):
            values = [progress.current for progress in seen if progress.stage == stage]
            assert len(values) >= 3
            assert values == sorted(values)
            assert values[-1] == 10**9

    def test_odd_numbers(self, engine: JobEngine, recorder: Recorder) -> None:
        job = engine.submit(chores.odd_numbers)
        job.result(TIMEOUT)
        recorder.wait_for_end(job)
        seen = [(progress.current, progress.total) for progress in recorder.progress(job)]
        assert seen == [(250, 1000), (0, 10), (3, 0), (100, 100), (0, 0)]

    def test_what_is_no_number(self, engine: JobEngine) -> None:
        error = engine.submit(lambda context: context.progress("half", 1)).exception(TIMEOUT)
        assert isinstance(error, TypeError)
        assert str(error) == "progress takes numbers, got current = 'half'"

    def test_up_to_date_when_cancelled(self, engine: JobEngine, recorder: Recorder) -> None:
        def count_then_hold(context: object) -> None:
            for step in range(1, 101):
                context.progress(step, 100)  # type: ignore[attr-defined]
            context.partial("ready")  # type: ignore[attr-defined]
            chores.hold(context)

        job = engine.submit(count_then_hold)
        recorder.wait(lambda: bool(recorder.partials(job)))
        job.cancel()
        recorder.wait_for_end(job)
        assert recorder.progress(job)[-1].current == 100


class TestPartialResults:
    def test_each_is_told_and_the_newest_kept(
        self, engine: JobEngine, recorder: Recorder, tmp_path: Path
    ) -> None:
        gate = tmp_path / "gate"
        job = engine.run(chores.partials, [{"G0": 1.0}, {"G0": 2.0}], gate)
        recorder.wait(lambda: len(recorder.partials(job)) == 2)
        assert recorder.partials(job) == [{"G0": 1.0}, {"G0": 2.0}]
        assert job.partial == {"G0": 2.0}
        gate.touch()
        assert job.result(TIMEOUT) == "whole"

    def test_a_flood_is_thinned_out_and_the_last_is_kept(
        self, engine: JobEngine, recorder: Recorder
    ) -> None:
        job = engine.run(chores.flood_of_partials, 0.5)
        number, duration = job.result(TIMEOUT)
        recorder.wait_for_end(job)
        seen = recorder.partials(job)
        assert number > 1000
        assert len(seen) <= MAX_EVENTS_PER_SECOND * (1.0 + duration) + 1
        assert seen == sorted(seen)
        assert seen[-1] == job.partial == number

    def test_kept_when_the_job_fails(self, engine: JobEngine, recorder: Recorder) -> None:
        def give_then_fail(context: object) -> None:
            context.partial("something")  # type: ignore[attr-defined]
            chores.fail()

        job = engine.submit(give_then_fail)
        assert recorder.wait_for_end(job)[-1] is S.FAILED
        assert job.partial == "something"


class TestGenerators:
    def test_yields_are_partial_and_the_return_is_the_result(
        self, engine: JobEngine, recorder: Recorder, tmp_path: Path
    ) -> None:
        trace = tmp_path / "closed"
        job = engine.run(chores.generator, 4, "", str(trace))
        assert job.result(TIMEOUT) == "returned"
        recorder.wait_for_end(job)
        assert recorder.partials(job) == [0, 1, 2, 3]
        assert trace.exists()

    def test_closed_on_cancel(self, engine: JobEngine, recorder: Recorder, tmp_path: Path) -> None:
        trace = tmp_path / "closed"
        job = engine.run(chores.generator, 4, str(tmp_path / "never"), str(trace))
        recorder.wait(lambda: bool(recorder.partials(job)))
        assert not trace.exists()
        job.cancel()
        assert recorder.wait_for_end(job)[-1] is S.CANCELLED
        assert trace.exists()

    def test_paused_between_yields(
        self, engine: JobEngine, recorder: Recorder, tmp_path: Path
    ) -> None:
        gate = tmp_path / "gate"
        job = engine.run(chores.generator, 3, str(gate), "")
        recorder.wait(lambda: bool(recorder.partials(job)))
        job.pause()
        recorder.wait_for(job, S.PAUSED)
        seen = len(recorder.partials(job))
        gate.touch()
        recorder.flush()
        assert len(recorder.partials(job)) == seen
        job.resume()
        assert job.result(TIMEOUT) == "returned"

    def test_with_context(self, engine: JobEngine, recorder: Recorder) -> None:
        job = engine.run(chores.generator_with_context, 3)
        assert job.result(TIMEOUT) is None
        recorder.wait_for_end(job)
        assert recorder.partials(job) == [0, 1, 2]
        assert recorder.progress(job)[-1].current == 3


class TestContextArgument:
    def test_only_a_first_argument_of_that_name(self, engine: JobEngine) -> None:
        def second(x: int, context: str) -> tuple[int, str]:
            return x, context

        def first(context: object, x: int) -> tuple[str, int]:
            return type(context).__name__, x

        assert engine.run(second, 1, "mine").result(TIMEOUT) == (1, "mine")
        assert engine.run(first, 1).result(TIMEOUT) == ("TaskContext", 1)

    def test_built_in_functions(self, engine: JobEngine) -> None:
        assert engine.run(max, 3, 7).result(TIMEOUT) == 7
        assert engine.run(int, "42").result(TIMEOUT) == 42


class TestTimeRemaining:
    def test_from_others_of_its_kind_then_from_its_progress(
        self, new_engine: Callable[..., JobEngine], tmp_path: Path
    ) -> None:
        engine = new_engine(1)
        first = engine.run(chores.hold_deaf, tmp_path / "first")  # reports nothing
        assert first.time_remaining() is None
        (tmp_path / "first").touch()
        first.result(TIMEOUT)
        assert first.time_remaining() is None
        engine.durations.add("hold", 1000.0)
        job = engine.run(chores.hold, tmp_path / "gate")
        left = job.time_remaining()
        assert left is not None
        assert 0.0 < left.low < left.seconds <= 1000.0 < left.high
        counting = engine.run(chores.count_and_hold, 50, 100, tmp_path / "gate")
        (tmp_path / "gate").touch()
        assert job.result(TIMEOUT) == "through"
        (tmp_path / "gate").unlink()
        helpers.wait_until(lambda: counting.latest_progress is not None)
        helpers.wait_until(lambda: counting.latest_progress.current == 50)
        left = counting.time_remaining()
        assert left is not None
        assert left.seconds > 0.0
        (tmp_path / "gate").touch()
        counting.result(TIMEOUT)
        assert counting.time_remaining() is None
        assert engine.durations.left("hold_deaf") is not None
