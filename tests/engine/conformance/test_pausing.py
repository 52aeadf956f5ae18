"""Pausing and resuming, on every executor."""

from __future__ import annotations

from pathlib import Path

from tests.engine import chores, helpers
from tests.engine.helpers import TIMEOUT, Recorder

from rheojobs.engine import JobEngine, JobState, StateChanged, TaskContext

S = JobState


class TestPause:
    def test_history(self, engine: JobEngine, recorder: Recorder, tmp_path: Path) -> None:
        gate = tmp_path / "gate"
        job = engine.run(chores.hold, gate)
        recorder.wait_for(job, S.RUNNING)
        for times in (1, 2):
            assert job.pause()
            recorder.wait(lambda times=times: recorder.states(job).count(S.PAUSED) == times)
            assert job.running()
            assert not job.done()
            assert job.resume()
            recorder.wait(lambda times=times: recorder.states(job).count(S.RUNNING) == times + 1)
        gate.touch()
        assert job.result(TIMEOUT) == "through"
        pauses = [S.RUNNING, S.PAUSED] * 2
        assert recorder.wait_for_end(job) == [S.QUEUED, *pauses, S.RUNNING, S.SUCCEEDED]

    def test_a_paused_task_stands_still(
        self, engine: JobEngine, recorder: Recorder, tmp_path: Path
    ) -> None:
        gate = tmp_path / "gate"
        job = engine.run(chores.hold, gate)
        recorder.wait_for(job, S.RUNNING)
        job.pause()
        recorder.wait_for(job, S.PAUSED)
        gate.touch()  # a task that did not stand still would now end
        for _ in range(5):
            recorder.flush()
        assert recorder.states(job)[-1] is S.PAUSED
        job.resume()
        assert job.result(TIMEOUT) == "through"

    def test_asked_for_by_whoever_hears_of_the_start(self, engine: JobEngine) -> None:
        """The job is running as soon as it is said to be: no pause may be lost."""
        answers: list[bool] = []

        def pause_at_once(event: object) -> None:
            if isinstance(event, StateChanged) and event.state is S.RUNNING and not answers:
                answers.append(engine.job(event.job_id).pause())

        for _ in range(20):
            answers.clear()
            unsubscribe = engine.subscribe(pause_at_once)
            job = engine.submit(chores.hold)
            helpers.wait_until(lambda job=job: job.state is S.PAUSED, timeout=5.0)
            unsubscribe()
            assert answers == [True]
            job.cancel()
            helpers.wait_until(job.done)

    def test_taken_back_before_it_took_hold(
        self, engine: JobEngine, recorder: Recorder, tmp_path: Path
    ) -> None:
        gate = tmp_path / "gate"

        def deaf_then_checking(context: TaskContext) -> str:
            chores.hold_deaf(gate)
            return chores.hold(context, gate, "never stuck")

        job = engine.submit(deaf_then_checking)
        recorder.wait_for(job, S.RUNNING)
        assert job.pause()
        assert job.resume()
        gate.touch()
        assert job.result(TIMEOUT) == "never stuck"

    def test_what_does_not_run_cannot_be_paused(
        self, engine: JobEngine, recorder: Recorder, tmp_path: Path
    ) -> None:
        gate = tmp_path / "gate"
        busy = [engine.run(chores.hold, gate) for _ in range(2)]
        for job in busy:
            recorder.wait_for(job, S.RUNNING)
        waiting = engine.submit(chores.nothing)
        assert not waiting.pause()
        assert not waiting.resume()
        gate.touch()
        assert engine.wait(TIMEOUT)
        assert not waiting.pause()
        assert not waiting.resume()
        recorder.wait_for_end(waiting)
        assert recorder.states(waiting) == [S.QUEUED, S.RUNNING, S.SUCCEEDED]

    def test_what_is_being_cancelled_cannot_be_paused(
        self, engine: JobEngine, recorder: Recorder, tmp_path: Path
    ) -> None:
        gate = tmp_path / "gate"
        job = engine.run(chores.hold_deaf, gate)
        recorder.wait_for(job, S.RUNNING)
        job.cancel()
        assert not job.pause()
        assert not job.resume()
        gate.touch()
        recorder.wait_for_end(job)

    def test_progress_is_up_to_date_in_a_pause(
        self, engine: JobEngine, recorder: Recorder, tmp_path: Path
    ) -> None:
        gate = tmp_path / "gate"

        def count(context: TaskContext) -> int:
            step = 0
            while not gate.exists():
                step += 1
                context.progress(step)
                context.check()
            return step

        job = engine.submit(count)
        recorder.wait_for(job, S.RUNNING)
        job.pause()
        recorder.wait_for(job, S.PAUSED)
        seen = recorder.progress(job)[-1].current
        gate.touch()
        job.resume()
        assert job.result(TIMEOUT) == seen
