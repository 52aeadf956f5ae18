"""How a job ends, on every executor: its history, its result or error, and nothing after."""

from __future__ import annotations

import asyncio
import gc
import random
import time
import traceback
import uuid
import weakref
from pathlib import Path

import pytest
from tests.engine import chores, helpers
from tests.engine.helpers import TIMEOUT, Recorder

from rheojobs.engine import Job, JobEngine, JobState, StateChanged

S = JobState


class TestSuccess:
    def test_history(self, engine: JobEngine, recorder: Recorder) -> None:
        job = engine.run(chores.add, 2.0, b=3.0)
        assert job.result(TIMEOUT) == 5.0
        assert recorder.wait_for_end(job) == [S.QUEUED, S.RUNNING, S.SUCCEEDED]

    def test_each_event_names_the_state_before(self, engine: JobEngine, recorder: Recorder) -> None:
        job = engine.submit(chores.nothing)
        recorder.wait_for_end(job)
        events = [event for event in recorder.of(job) if isinstance(event, StateChanged)]
        assert [event.previous for event in events] == [None, S.QUEUED, S.RUNNING]
        times = [event.time for event in events]
        assert times == sorted(times)
        assert abs(times[-1] - time.time()) < TIMEOUT

    def test_the_future_is_done_when_the_end_is_told(self, engine: JobEngine) -> None:
        seen: list[object] = []
        unsubscribe = engine.subscribe(
            lambda event: (
                seen.append(engine.job(event.job_id).result(0))
                if isinstance(event, StateChanged) and event.state.is_terminal
                else None
            )
        )
        job = engine.run(chores.add, 1.0)
        job.result(TIMEOUT)
        helpers.wait_until(lambda: seen)
        unsubscribe()
        assert seen == [2.0]

    def test_wait_means_done(self, engine: JobEngine) -> None:
        for _ in range(30):
            jobs = [engine.run(chores.add, 1.0) for _ in range(3)]
            assert engine.wait(TIMEOUT)
            assert [job.done() for job in jobs] == [True] * 3

    def test_task_object(self, engine: JobEngine, recorder: Recorder) -> None:
        job = engine.submit(chores.Adder(1.0, 2.0))
        assert job.result(TIMEOUT) == 3.0
        assert job.name == "adder"
        recorder.wait_for_end(job)
        assert [progress.current for progress in recorder.progress(job)] == [1]

    def test_names(self, engine: JobEngine) -> None:
        assert engine.submit(chores.nothing).name == "nothing"
        assert engine.submit(chores.nothing, name="frequency sweep 7").name == "frequency sweep 7"

    def test_ids_are_uuid4(self, engine: JobEngine) -> None:
        ids = [engine.submit(chores.nothing).id for _ in range(5)]
        assert len(set(ids)) == 5
        for job_id in ids:
            assert uuid.UUID(job_id).version == 4
            assert str(uuid.UUID(job_id)) == job_id
            assert engine.job(job_id).id == job_id

    def test_a_lambda_runs(self, engine: JobEngine) -> None:
        factor = 7
        assert engine.submit(lambda: 6 * factor).result(TIMEOUT) == 42

    def test_what_is_no_task_is_refused(self, engine: JobEngine) -> None:
        with pytest.raises(TypeError, match="run"):
            engine.submit("fit")  # type: ignore[arg-type]

    def test_a_forgotten_job_frees_its_result(self, engine: JobEngine) -> None:
        job = engine.submit(chores.big)
        watch = weakref.ref(job.result(TIMEOUT))
        engine.wait(TIMEOUT)
        job.forget()
        assert job not in engine.jobs()
        del job

        def is_freed() -> bool:
            gc.collect()
            return watch() is None

        helpers.wait_until(is_freed, timeout=5.0)

    def test_an_open_job_is_not_forgotten(self, engine: JobEngine) -> None:
        job = engine.submit(chores.hold)
        job.forget()
        assert engine.job(job.id) is job


class TestFailure:
    def test_type_and_message(self, engine: JobEngine, recorder: Recorder) -> None:
        job = engine.submit(chores.fail)
        error = job.exception(TIMEOUT)
        assert type(error) is chores.CustomError
        assert str(error) == "the sample has dried out"
        assert error.code == 42
        assert recorder.wait_for_end(job) == [S.QUEUED, S.RUNNING, S.FAILED]
        assert job.message == "CustomError: the sample has dried out"

    def test_result_raises_it(self, engine: JobEngine) -> None:
        with pytest.raises(chores.CustomError, match="dried out"):
            engine.submit(chores.fail).result(TIMEOUT)

    def test_the_event_carries_the_message(self, engine: JobEngine, recorder: Recorder) -> None:
        job = engine.run(chores.fail, "first line\nsecond line")
        recorder.wait_for_end(job)
        last = recorder.of(job)[-1]
        assert isinstance(last, StateChanged)
        assert last.message == "CustomError: first line second line"

    def test_where_it_was_raised_can_be_seen(self, engine: JobEngine, executor_name: str) -> None:
        error = engine.submit(chores.fail).exception(TIMEOUT)
        assert error is not None
        if executor_name.startswith("threads"):
            assert error.__traceback__ is not None
            frame = error.__traceback__
            while frame.tb_next is not None:
                frame = frame.tb_next
            assert frame.tb_frame.f_code.co_name == "fail"
        else:
            assert "in fail" in error.remote_traceback  # type: ignore[attr-defined]
            assert "chores.py" in error.remote_traceback  # type: ignore[attr-defined]

    @pytest.mark.parametrize(
        ("error_type", "args"),
        [
            (ValueError, ("no",)),
            (chores.FrozenError, ("no",)),
            (chores.FarError, ("row 7", "no number")),
        ],
        ids=lambda value: getattr(value, "__name__", ""),
    )
    def test_its_traceback_is_that_of_the_task(
        self, engine: JobEngine, error_type: type[Exception], args: tuple[str, ...]
    ) -> None:
        """As with the standard library's pools: through every door."""

        async def awaited(job: Job) -> None:
            await job

        errors = [engine.run(chores.fail_within, error_type, *args).exception(TIMEOUT)]
        doors = [
            lambda: engine.run(chores.fail_within, error_type, *args).result(TIMEOUT),
            lambda: (
                engine.as_executor().submit(chores.fail_within, error_type, *args).result(TIMEOUT)
            ),
            lambda: asyncio.run(awaited(engine.run(chores.fail_within, error_type, *args))),
        ]
        for door in doors:
            with pytest.raises(Exception) as caught:  # noqa: PT011 - its text is looked at below
                door()
            errors.append(caught.value)
        for error in errors:
            assert error is not None
            text = "".join(traceback.format_exception(error))
            assert "in fail_within" in text
            assert "KeyError: 'missing'" in text
            assert str(args[-1]) in str(error)

    def test_a_last_report_that_cannot_be_sent(self, engine: JobEngine, executor_name: str) -> None:
        job = engine.submit(chores.report_what_cannot_be_sent)
        if executor_name.startswith("threads"):
            assert job.result(TIMEOUT) == "done"
        else:
            error = job.exception(TIMEOUT)
            assert isinstance(error, TypeError)
            assert "lock" in str(error)
        assert engine.run(chores.add, 1.0).result(TIMEOUT) == 2.0

    def test_an_error_without_words(self, engine: JobEngine, recorder: Recorder) -> None:
        job = engine.submit(chores.fail_unspeakably)
        assert recorder.wait_for_end(job)[-1] is S.FAILED
        assert "UnspeakableError" in job.message

    def test_sys_exit_is_a_failure(self, engine: JobEngine, recorder: Recorder) -> None:
        job = engine.submit(chores.leave)
        assert recorder.wait_for_end(job)[-1] is S.FAILED
        assert job.message == "SystemExit: 3"
        assert engine.run(chores.add, 1.0).result(TIMEOUT) == 2.0

    def test_a_task_may_stop_of_its_own_accord(self, engine: JobEngine, recorder: Recorder) -> None:
        job = engine.submit(chores.give_up)
        assert recorder.wait_for_end(job) == [S.QUEUED, S.RUNNING, S.CANCELLING, S.CANCELLED]

    def test_validation_fails_without_running(
        self, engine: JobEngine, recorder: Recorder, tmp_path: Path
    ) -> None:
        trace = tmp_path / "ran"
        job = engine.submit(chores.Refused(str(trace)))
        assert str(job.exception(TIMEOUT)) == "x has 3 values, y has 4"
        assert recorder.wait_for_end(job) == [S.QUEUED, S.RUNNING, S.FAILED]
        assert not trace.exists()
        assert engine.run(chores.add, 1.0).result(TIMEOUT) == 2.0

    def test_validation_that_leaves(self, engine: JobEngine, recorder: Recorder) -> None:
        class Leaving(chores.Refused):
            def validate(self) -> None:
                raise SystemExit("gone")

        job = engine.submit(Leaving(""))
        assert recorder.wait_for_end(job)[-1] is S.FAILED
        assert engine.run(chores.add, 1.0).result(TIMEOUT) == 2.0


@pytest.mark.promise("one-terminal-event")
class TestTheEnd:
    def test_nothing_follows(self, engine: JobEngine, recorder: Recorder, tmp_path: Path) -> None:
        gate, trace = tmp_path / "gate", tmp_path / "trace"
        job = engine.run(chores.straggler, str(gate), str(trace))
        recorder.wait_for_end(job)
        gate.touch()
        helpers.wait_until(trace.exists)
        recorder.flush()
        last = recorder.of(job)[-1]
        assert isinstance(last, StateChanged)
        assert last.state is S.SUCCEEDED

    def test_one_end_however_it_is_raced_for(self, engine: JobEngine, recorder: Recorder) -> None:
        dice = random.Random(1)
        jobs = []
        for _ in range(60):
            job = engine.run(chores.count_slowly, 3)
            jobs.append(job)
            time.sleep(dice.choice([0.0, 0.0005, 0.001, 0.002]))
            job.cancel()
        for job in jobs:
            recorder.wait_for_end(job)
        recorder.flush()
        for job in jobs:
            states = recorder.states(job)
            assert sum(state.is_terminal for state in states) == 1
            last = recorder.of(job)[-1]
            assert isinstance(last, StateChanged)
            assert last.state.is_terminal
            assert job.cancelled() == (last.state is S.CANCELLED)
        assert engine.active_count() == 0
