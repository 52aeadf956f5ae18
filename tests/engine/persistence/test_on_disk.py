"""What an engine with a store keeps on disk, and requests that come through it."""

from __future__ import annotations

import concurrent.futures
import threading
import time
from pathlib import Path
from typing import Any

import pytest
from tests.engine import chores, helpers
from tests.engine.helpers import TIMEOUT, wait_until

from rheojobs.engine import (
    FunctionTask,
    JobEngine,
    JobState,
    JobStore,
    Progress,
    ResultOf,
    StateChanged,
)
from rheojobs.errors import InputError

S = JobState


class TestOnDisk:
    @pytest.mark.promise("on-disk-when-submitted")
    def test_a_submitted_job_is_on_disk(self, engine: JobEngine, path: Path) -> None:
        with JobStore(path) as other:
            for number in range(20):
                job = engine.run(chores.add, float(number))
                assert job.is_durable
                assert other.find(job.id).name == "add"

    def test_the_end_and_the_result_are_there_when_they_are_told(
        self, engine: JobEngine, path: Path
    ) -> None:
        found: list[tuple[JobState, object]] = []
        with JobStore(path) as other:

            def look(event: object) -> None:
                if isinstance(event, StateChanged) and event.state.is_terminal:
                    found.append((other.find(event.job_id).state, other.result(event.job_id)))

            engine.subscribe(look)
            for number in range(20):
                assert engine.run(chores.add, float(number)).result(TIMEOUT) == number + 1
            engine.run(chores.fail)
            engine.wait(TIMEOUT)
            wait_until(lambda: len(found) == 21)
        assert found == [(S.SUCCEEDED, number + 1.0) for number in range(20)] + [(S.FAILED, None)]

    def test_the_end_is_there_when_the_result_is(self, engine: JobEngine, path: Path) -> None:
        with JobStore(path) as other:
            for number in range(100):
                job = engine.run(chores.add, float(number))
                job.result(TIMEOUT)
                assert other.find(job.id).state is S.SUCCEEDED

    @pytest.mark.promise("on-disk-when-submitted")
    def test_a_job_that_comes_while_the_engine_closes(
        self, path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        engine = JobEngine("threads", store=path)
        store = engine.store
        assert store is not None
        writing, go_on, add = threading.Event(), threading.Event(), store.add

        def add_slowly(*args: Any, **kwargs: Any) -> None:
            writing.set()
            assert go_on.wait(TIMEOUT)
            add(*args, **kwargs)

        monkeypatch.setattr(store, "add", add_slowly)
        with concurrent.futures.ThreadPoolExecutor(2) as threads:
            submitted = threads.submit(engine.submit, chores.Adder(1.0, 1.0))
            assert writing.wait(TIMEOUT)
            closed = threads.submit(engine.shutdown, timeout=TIMEOUT)
            wait_until(lambda: engine._table.closed)
            go_on.set()
            job = submitted.result(TIMEOUT)
            assert closed.result(TIMEOUT)
        assert job.cancelled()
        with JobStore(path) as other:
            assert other.find(job.id).state is S.CANCELLED

    def test_a_light_job_runs_while_it_is_written(
        self, engine: JobEngine, path: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        store = engine.store
        assert store is not None
        trace, add = tmp_path / "trace", store.add
        told: list[JobState] = []

        def add_late(*args: Any, **kwargs: Any) -> None:
            wait_until(trace.exists)
            time.sleep(0.05)  # its end is there to be written by now
            assert not told
            add(*args, **kwargs)

        def look(event: object) -> None:
            if isinstance(event, StateChanged):
                told.append(event.state)

        monkeypatch.setattr(store, "add", add_late)
        engine.subscribe(look)
        job = engine.run(chores.touch, str(trace))
        with JobStore(path) as other:
            assert other.find(job.id).task_type, "it is on disk when submit returns"
            job.result(TIMEOUT)
            entered = [state for _, state, _ in other.history(job.id)]
        assert entered == [S.QUEUED, S.RUNNING, S.SUCCEEDED]
        wait_until(lambda: told == entered)

    def test_jobs_that_others_write(self, engine: JobEngine, path: Path) -> None:
        """Whoever brings a result may come before the thread that submits the job."""
        with concurrent.futures.ThreadPoolExecutor(4) as threads:
            jobs = list(threads.map(engine.run, [chores.add] * 200, map(float, range(200))))
        assert [job.result(TIMEOUT) for job in jobs] == [number + 1.0 for number in range(200)]
        with JobStore(path) as other:
            assert other.counts() == {S.SUCCEEDED: 200}
            assert all(other.find(job.id).attempts == 1 for job in jobs)

    def test_progress_error_and_partial_result(self, engine: JobEngine, path: Path) -> None:
        counted = engine.run(chores.count_slowly, 40)
        counted.result(TIMEOUT)
        failed = engine.run(chores.fail, "dried out")
        failed.exception(TIMEOUT)
        gate = path.parent / "gate"
        stopped = engine.run(chores.partials, [{"best": 1}, {"best": 2}], str(gate))
        wait_until(lambda: stopped.partial == {"best": 2})
        stopped.cancel()
        engine.wait(TIMEOUT)
        store = engine.store
        assert store is not None
        assert store.find(counted.id).progress == Progress(
            40, 40, "step 40", "", {"loss": 1.0 / 40}
        )
        assert store.find(failed.id).message == "CustomError: dried out"
        assert "in fail" in store.result(failed.id, "error")["traceback"]
        assert store.result(stopped.id) is None
        assert store.result(stopped.id, "partial") == {"best": 2}

    @pytest.mark.parametrize("options", [{}, {"timeout": 0.2}], ids=["failed", "timed out"])
    def test_the_partial_result_of_one_that_failed(
        self, engine: JobEngine, path: Path, options: dict[str, Any]
    ) -> None:
        gate = "" if options else str(path)  # which is there already
        job = engine.submit(FunctionTask(chores.partials_and_fail, ({"best": 3}, gate)), **options)
        assert job.exception(TIMEOUT) is not None
        engine.wait(TIMEOUT)
        with JobStore(path) as store:
            assert store.find(job.id).state is S.FAILED
            assert store.result(job.id, "partial") == {"best": 3}
            assert "Error" in store.result(job.id, "error")["type"]
            assert store.result(job.id) is None

    def test_what_cannot_be_kept_runs_and_says_so(self, engine: JobEngine) -> None:
        store = engine.store
        assert store is not None
        job = engine.submit(lambda: chores.Big())
        assert isinstance(job.result(TIMEOUT), chores.Big)
        assert not job.is_durable
        assert "no import path" in job.not_durable_because
        assert store.find(job.id).not_durable_because == job.not_durable_because
        with pytest.raises(InputError, match="not kept on disk: a Big"):
            store.result(job.id)
        with pytest.raises(InputError, match=r"cannot be run again.*no import path"):
            engine.resume_job(job.id)

    def test_what_waits_for_a_result_is_kept_when_it_has_it(
        self, engine: JobEngine, tmp_path: Path
    ) -> None:
        store, gate = engine.store, tmp_path / "gate"
        assert store is not None
        first = engine.run(chores.hold, str(gate), 2.5)
        last = engine.run(chores.add, ResultOf(first), b=1.0)
        assert "takes the result of another job" in store.find(last.id).not_durable_because
        gate.touch()
        assert last.result(TIMEOUT) == 3.5
        assert last.is_durable
        assert store.find(last.id).not_durable_because == ""
        task = store.task(last.id)
        assert (task.name, task.args, task.kwargs) == ("add", (2.5,), {"b": 1.0})

    def test_without_a_store(self) -> None:
        with JobEngine("threads") as engine:
            job = engine.run(chores.add, 1.0)
            assert job.result(TIMEOUT) == 2.0
            assert (job.is_durable, job.not_durable_because) == (False, "its engine has no store")
            assert (engine.store, engine.store_problem) == (None, "")
            assert engine.recover() == engine.take_queued() == []
            with pytest.raises(InputError, match="has no store"):
                engine.resume_job(job.id)

    def test_prewarming_is_no_job(self, engine: JobEngine) -> None:
        engine.prewarm(chores.nothing)
        engine.run(chores.add, 1.0).result(TIMEOUT)
        assert engine.store is not None
        assert [job.name for job in engine.store.jobs()] == ["add"]

    def test_a_number_that_is_no_plain_one_is_kept_as_what_it_counts(
        self, engine: JobEngine, path: Path
    ) -> None:
        class Three:
            def __index__(self) -> int:
                return 3

            __int__ = __index__

        engine.pause_queue()
        number: Any = Three()
        job = engine.submit(FunctionTask(chores.add, (1.0,)), priority=number, max_attempts=number)
        assert engine.set_priority(job, number)
        engine.resume_queue()
        assert job.result(TIMEOUT) == 2.0
        assert engine.store_problem == ""
        with JobStore(path) as store:
            stored = store.find(job.id)
        assert (stored.priority, stored.max_attempts) == (3, 3)


class TestRequests:
    def test_another_process_pauses_resumes_and_cancels(
        self, engine: JobEngine, path: Path
    ) -> None:
        recorder = helpers.Recorder(engine)
        job = engine.run(chores.hold)
        recorder.wait_for(job, S.RUNNING)
        with JobStore(path) as other:
            for request, state in (
                ("pause", S.PAUSED),
                ("resume", S.RUNNING),
                ("cancel", S.CANCELLED),
            ):
                wait_until(lambda: other.find(job.id).state is job.state)
                other.request(job.id, request)
                wait_until(lambda state=state: job.state is state)
            wait_until(lambda: other.find(job.id).state is S.CANCELLED)
        with pytest.raises(concurrent.futures.CancelledError):
            job.result(TIMEOUT)

    def test_another_process_changes_whose_turn_it_is(self, engine: JobEngine, path: Path) -> None:
        engine.pause_queue()
        job = engine.run(chores.add, 1.0)
        with JobStore(path) as other:
            other.request_priority(job.id, 4)
            wait_until(lambda: job.priority == 4)
            wait_until(lambda: other.find(job.id).priority == 4)
            assert other.find(job.id).request == ""
        engine.resume_queue()
        assert job.result(TIMEOUT) == 2.0

    def test_a_request_of_a_newer_program_harms_nothing(
        self, engine: JobEngine, path: Path, caplog: pytest.LogCaptureFixture
    ) -> None:
        engine.pause_queue()
        job = engine.run(chores.add, 1.0)
        with JobStore(path) as other:
            with other.transaction():
                other._db.execute("UPDATE jobs SET request = 'explain' WHERE id = ?", (job.id,))
            wait_until(lambda: other.find(job.id).request == "")
        wait_until(lambda: "the request 'explain'" in caplog.text)
        engine.resume_queue()
        assert job.result(TIMEOUT) == 2.0
        assert engine.store_problem == ""
