"""Jobs outlive their application: killed, raced, locked out or on a full disk."""

from __future__ import annotations

import concurrent.futures
import itertools
import logging
import os
import random
import shutil
import signal
import sqlite3
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from tests.engine import application, helpers
from tests.engine.helpers import TIMEOUT, wait_until

from rheojobs.engine import (
    EngineClosedError,
    FunctionTask,
    JobEngine,
    JobState,
    JobStore,
    JobTimeoutError,
    Progress,
    ResultOf,
    StateChanged,
    StoreError,
    WorkerDiedError,
)
from rheojobs.engine.policy import retry
from rheojobs.engine.serialization import record_of
from rheojobs.engine.store import maintenance, schema
from rheojobs.errors import InputError

S = JobState
ROOT = Path(__file__).parents[2]


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "jobs.sqlite3"


@pytest.fixture
def engine(path: Path) -> Iterator[JobEngine]:
    engine = JobEngine("threads", max_workers=2, store=path)
    yield engine
    assert engine.shutdown(timeout=TIMEOUT)


@pytest.fixture
def start(path: Path, tmp_path: Path) -> Iterator[Callable[..., subprocess.Popen[str]]]:
    """Start an application in a process of its own."""
    started: list[subprocess.Popen[str]] = []

    def start(verb: str, *more: str) -> subprocess.Popen[str]:
        command = [sys.executable, "-m", "tests.engine.application", verb, path, tmp_path, *more]
        environment = os.environ | {"PYTHONPATH": os.pathsep.join([str(ROOT), *sys.path])}
        process = subprocess.Popen(
            [str(word) for word in command],
            env=environment,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        started.append(process)
        return process

    yield start
    for process in started:
        process.kill()
        process.communicate()


class TestOnDisk:
    @pytest.mark.promise("on-disk-when-submitted")
    def test_a_submitted_job_is_on_disk(self, engine: JobEngine, path: Path) -> None:
        with JobStore(path) as other:
            for number in range(20):
                job = engine.run(helpers.add, float(number))
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
                assert engine.run(helpers.add, float(number)).result(TIMEOUT) == number + 1
            engine.run(helpers.fail)
            engine.wait(TIMEOUT)
            wait_until(lambda: len(found) == 21)
        assert found == [(S.SUCCEEDED, number + 1.0) for number in range(20)] + [(S.FAILED, None)]

    def test_the_end_is_there_when_the_result_is(self, engine: JobEngine, path: Path) -> None:
        with JobStore(path) as other:
            for number in range(100):
                job = engine.run(helpers.add, float(number))
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
            submitted = threads.submit(engine.submit, helpers.Adder(1.0, 1.0))
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
        job = engine.run(helpers.touch, str(trace))
        with JobStore(path) as other:
            assert other.find(job.id).task_type, "it is on disk when submit returns"
            job.result(TIMEOUT)
            entered = [state for _, state, _ in other.history(job.id)]
        assert entered == [S.QUEUED, S.RUNNING, S.SUCCEEDED]
        wait_until(lambda: told == entered)

    def test_jobs_that_others_write(self, engine: JobEngine, path: Path) -> None:
        """Whoever brings a result may come before the thread that submits the job."""
        with concurrent.futures.ThreadPoolExecutor(4) as threads:
            jobs = list(threads.map(engine.run, [helpers.add] * 200, map(float, range(200))))
        assert [job.result(TIMEOUT) for job in jobs] == [number + 1.0 for number in range(200)]
        with JobStore(path) as other:
            assert other.counts() == {S.SUCCEEDED: 200}
            assert all(other.find(job.id).attempts == 1 for job in jobs)

    def test_progress_error_and_partial_result(self, engine: JobEngine, path: Path) -> None:
        counted = engine.run(helpers.count_slowly, 40)
        counted.result(TIMEOUT)
        failed = engine.run(helpers.fail, "dried out")
        failed.exception(TIMEOUT)
        gate = path.parent / "gate"
        stopped = engine.run(helpers.partials, [{"best": 1}, {"best": 2}], str(gate))
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
        job = engine.submit(FunctionTask(helpers.partials_and_fail, ({"best": 3}, gate)), **options)
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
        job = engine.submit(lambda: helpers.Big())
        assert isinstance(job.result(TIMEOUT), helpers.Big)
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
        first = engine.run(helpers.hold, str(gate), 2.5)
        last = engine.run(helpers.add, ResultOf(first), b=1.0)
        assert "takes the result of another job" in store.find(last.id).not_durable_because
        gate.touch()
        assert last.result(TIMEOUT) == 3.5
        assert last.is_durable
        assert store.find(last.id).not_durable_because == ""
        task = store.task(last.id)
        assert (task.name, task.args, task.kwargs) == ("add", (2.5,), {"b": 1.0})

    def test_without_a_store(self) -> None:
        with JobEngine("threads") as engine:
            job = engine.run(helpers.add, 1.0)
            assert job.result(TIMEOUT) == 2.0
            assert (job.is_durable, job.not_durable_because) == (False, "its engine has no store")
            assert (engine.store, engine.store_problem) == (None, "")
            assert engine.recover() == engine.take_queued() == []
            with pytest.raises(InputError, match="has no store"):
                engine.resume_job(job.id)

    def test_prewarming_is_no_job(self, engine: JobEngine) -> None:
        engine.prewarm(helpers.nothing)
        engine.run(helpers.add, 1.0).result(TIMEOUT)
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
        job = engine.submit(FunctionTask(helpers.add, (1.0,)), priority=number, max_attempts=number)
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
        job = engine.run(helpers.hold)
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
        job = engine.run(helpers.add, 1.0)
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
        job = engine.run(helpers.add, 1.0)
        with JobStore(path) as other:
            with other.transaction():
                other._db.execute("UPDATE jobs SET request = 'explain' WHERE id = ?", (job.id,))
            wait_until(lambda: other.find(job.id).request == "")
        wait_until(lambda: "the request 'explain'" in caplog.text)
        engine.resume_queue()
        assert job.result(TIMEOUT) == 2.0
        assert engine.store_problem == ""


class TestTakingUp:
    def test_a_cancelled_job_goes_on_as_a_new_one(self, engine: JobEngine, tmp_path: Path) -> None:
        trace, gate = tmp_path / "trace", tmp_path / "gate"
        job = engine.run(application.count_on, 6, str(trace), str(gate), 3)
        wait_until(lambda: helpers.lines(trace) == ["1", "2", "3"])
        job.cancel()
        engine.wait(TIMEOUT)
        gate.touch()
        again = engine.resume_job(job.id[:10])
        assert again.id != job.id
        assert again.result(TIMEOUT) == [3, 6]
        assert helpers.lines(trace) == ["1", "2", "3", "4", "5", "6"]
        with pytest.raises(InputError, match="has succeeded"):
            engine.resume_job(again.id)

    @pytest.mark.skipif(os.name != "posix", reason="signals")
    def test_a_quarantined_job_goes_on_where_somebody_wishes(
        self, path: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(retry, "BACK_OFF", 0.01)
        trace, gate = tmp_path / "trace", tmp_path / "gate"
        task = FunctionTask(application.count_and_die, (6, str(trace), str(gate), 4))
        with JobEngine("processes", max_workers=1, store=path) as engine:
            job = engine.submit(task, max_attempts=9, name="deadly", priority=2)
            assert isinstance(job.exception(TIMEOUT), WorkerDiedError)
            assert job.message.endswith("its worker has died 3 times, and it is not started again")
            gate.touch()
            again = engine.resume_job(job.id)
            assert again.id != job.id
            assert (again.name, again.priority, again.max_attempts) == ("deadly", 2, 9)
            assert again.result(TIMEOUT) == 3, "it has gone on from its checkpoint"
            assert helpers.lines(trace) == ["1", "2", "3", "4", "5", "6"]
            assert engine.store is not None
            assert engine.store.find(job.id).state is S.FAILED

    @pytest.mark.skipif(os.name != "posix", reason="signals")
    def test_one_that_failed_with_its_only_worker_goes_on_in_another_application(
        self, path: Path, tmp_path: Path
    ) -> None:
        trace, gate = tmp_path / "trace", tmp_path / "gate"
        with JobEngine("processes", max_workers=1, store=path) as engine:
            job = engine.run(application.count_and_die, 6, str(trace), str(gate), 3)
            assert isinstance(job.exception(TIMEOUT), WorkerDiedError)
        gate.touch()
        with JobEngine("threads", store=path) as engine:
            assert engine.recover() == [], "it is not taken up of itself"
            assert engine.take_queued() == []
            assert engine.resume_job(job.id).result(TIMEOUT) == 2

    def test_one_that_ran_too_long_goes_on(self, engine: JobEngine, tmp_path: Path) -> None:
        trace, gate = tmp_path / "trace", tmp_path / "gate"
        task = FunctionTask(application.count_on, (6, str(trace), str(gate), 3))
        job = engine.submit(task, timeout=0.2)
        assert isinstance(job.exception(TIMEOUT), JobTimeoutError)
        gate.touch()
        assert engine.resume_job(job.id).result(TIMEOUT) == [3, 6]

    def test_one_that_failed_of_itself_does_not(self, engine: JobEngine) -> None:
        job = engine.run(helpers.fail)
        engine.wait(TIMEOUT)
        with pytest.raises(
            InputError, match=r"failed through its own error \(CustomError: the sample has"
        ):
            engine.resume_job(job.id)

    @pytest.mark.skipif(os.name != "posix", reason="signals")
    def test_workers_that_died_elsewhere_count(
        self, path: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """Two have died, and an application was killed while the job stood in line again."""
        trace, gate = tmp_path / "trace", tmp_path / "gate"
        task = FunctionTask(application.count_and_die, (6, str(trace), str(gate), 2))
        with JobStore(path) as gone:
            gone.join()
            gone.add("aaa", "deadly", record_of(task), max_attempts=9)
            for _ in range(2):
                gone.move("aaa", S.RUNNING)
                gone.move("aaa", S.INTERRUPTED, "the worker process died: killed by SIGKILL")
                gone.move("aaa", S.QUEUED)
            gone.leave()
        with JobEngine("processes", max_workers=1, store=path) as engine:
            (job,) = engine.take_queued()
            assert isinstance(job.exception(TIMEOUT), WorkerDiedError)
            assert (job.attempts, job.deaths) == (3, 3)
            assert job.message.endswith("its worker has died 3 times, and it is not started again")

    def test_what_it_needs_must_be_done(self, path: Path) -> None:
        with JobStore(path) as gone:
            gone.join()
            gate = path.with_name("gate")
            gone.add("aaa", "first", record_of(FunctionTask(helpers.hold, (str(gate),))))
            record = record_of(FunctionTask(helpers.add, (1.0,)))
            gone.add("bbb", "second", record, after=["aaa"], state=S.BLOCKED)
            gone.leave()
        with JobEngine("threads", store=path) as engine:
            with pytest.raises(InputError, match=r"needs job aaa \(first\), which is queued"):
                engine.resume_job("bbb")
            first, second = engine.take_queued()
            assert (first.id, second.id) == ("aaa", "bbb")
            assert second.after == (first,)
            gate.touch()
            assert second.result(TIMEOUT) == 2.0
            assert engine.store is not None
            history = [state for _, state, _ in engine.store.history("bbb")]
            assert history == [S.BLOCKED, S.QUEUED, S.RUNNING, S.SUCCEEDED]

    def test_limits_tags_and_priority_are_kept(self, path: Path, tmp_path: Path) -> None:
        def engine(**options: object) -> JobEngine:
            return JobEngine("threads", max_workers=1, store=path, **options)  # type: ignore[arg-type]

        with engine(limits={"gpu": 1}, resources={"tokens": 4}) as first:
            holding = first.run(helpers.hold)
            task = FunctionTask(helpers.add, (1.0,))
            options = {"tags": ("gpu",), "timeout": 50.0, "resources": {"tokens": 3}}
            job = first.submit(task, priority=2, after_any=[holding], **options)
            first.set_priority(job, 7)
            first.cancel(job)
        with engine(resources={"tokens": 1}) as poor, pytest.raises(InputError, match="tokens"):
            poor.resume_job(job.id)
        with engine(limits={"gpu": 1}, resources={"tokens": 4}) as second:
            again = second.resume_job(job.id)
            assert (again.priority, again.tags, again.timeout) == (7, ("gpu",), 50.0)
            assert again.needs == job.needs
            assert again.result(TIMEOUT) == 2.0

    def test_not_after_shutdown(self, path: Path) -> None:
        engine = JobEngine("threads", store=path)
        engine.shutdown(timeout=TIMEOUT)
        with pytest.raises(EngineClosedError):
            engine.run(helpers.add, 1.0)
        with pytest.raises(
            StoreError, match=r"cannot be used: Cannot operate on a closed database"
        ):
            engine.recover()


class TestProcesses:
    @pytest.mark.promise("on-disk-when-submitted")
    def test_two_applications_race(
        self, path: Path, tmp_path: Path, start: Callable[..., subprocess.Popen[str]]
    ) -> None:
        with JobStore(path) as store:
            store.join()
            for number in range(50):
                task = FunctionTask(helpers.note, (str(tmp_path / "trace"), str(number)))
                store.add(f"job-{number:02d}", "note", record_of(task))
            store.leave()
            racers = [start("race", name) for name in ("one", "two")]
            wait_until(lambda: all((tmp_path / f"ready {n}").exists() for n in ("one", "two")))
            (tmp_path / "go").touch()
            outputs = [racer.communicate(timeout=60) for racer in racers]
            assert sorted(helpers.lines(tmp_path / "trace"), key=int) == list(map(str, range(50)))
            assert sum(int(out) for out, _ in outputs) == 50, outputs
            assert store.counts() == {S.SUCCEEDED: 50}
            assert {job.attempts for job in store.jobs()} == {1}

    @pytest.mark.promise("on-disk-when-submitted")
    @pytest.mark.parametrize("executor", ["threads", "processes"])
    def test_an_application_is_killed(
        self,
        path: Path,
        tmp_path: Path,
        start: Callable[..., subprocess.Popen[str]],
        executor: str,
    ) -> None:
        killed = start("work", executor)
        trace = tmp_path / "trace"
        wait_until(lambda: (tmp_path / "submitted").exists() and len(helpers.lines(trace)) == 3)
        with JobStore(path) as store:
            first, second, third, fourth = store.jobs()
            wait_until(lambda: store.checkpoint(first.id) == b'j{"step": 3}')
            killed.send_signal(signal.SIGKILL)
            killed.wait()
        with JobEngine("threads", store=path) as engine:
            store = engine.store
            assert store is not None
            waiting = engine.recover()
            assert [(job.id, job.state) for job in waiting] == [
                (first.id, S.INTERRUPTED),
                (second.id, S.QUEUED),
                (fourth.id, S.QUEUED),
            ]
            lost = store.find(third.id)
            assert lost.state is S.CANCELLED
            assert "cannot be run again" in lost.message
            assert not (tmp_path / "second").exists()
            (tmp_path / "gate").touch()
            job = engine.resume_job(first.id)
            assert job.id == first.id
            assert job.result(TIMEOUT) == [3, 6], "it has gone on from its checkpoint"
            assert [job.id for job in engine.take_queued()] == [second.id, fourth.id]
            assert engine.wait(TIMEOUT)
            assert helpers.lines(trace) == ["1", "2", "3", "4", "5", "6"]
            assert helpers.lines(tmp_path / "second") == ["ran"]
            assert engine.recover() == []
            history = [state for _, state, _ in store.history(first.id)]
            assert history == [S.QUEUED, S.RUNNING, S.INTERRUPTED, S.QUEUED, S.RUNNING, S.SUCCEEDED]
            assert store.find(first.id).attempts == 2

    @pytest.mark.promise("on-disk-when-submitted")
    def test_killed_again_and_again(
        self, path: Path, tmp_path: Path, start: Callable[..., subprocess.Popen[str]]
    ) -> None:
        moments = random.Random(7)
        submitted = tmp_path / "submitted"
        for number in range(8):
            before = len(helpers.lines(submitted))
            process = start("churn", str(number))
            wait_until(lambda before=before: len(helpers.lines(submitted)) > before)
            time.sleep(moments.uniform(0.0, 0.3))  # in the midst of whatever it does then
            process.kill()
            process.wait()
        with JobEngine("threads", max_workers=8, store=path) as engine:
            store = engine.store
            assert store is not None
            left = engine.recover()
            assert {job.state for job in left} <= {S.QUEUED, S.INTERRUPTED}
            for job in left:
                engine.resume_job(job.id)
            assert engine.wait(TIMEOUT)
            jobs = {job.id: job for job in store.jobs()}
            assert set(helpers.lines(submitted)) <= set(jobs), "each that was submitted is there"
            assert {job.state for job in jobs.values()} == {S.SUCCEEDED, S.CANCELLED}
            for job in jobs.values():
                history = [state for _, state, _ in store.history(job.id)]
                assert sum(state.is_terminal for state in history) == 1
                assert store.result(job.id) == (5 if job.state is S.SUCCEEDED else None)
        for trace in tmp_path.glob("steps *"):
            steps = list(map(int, helpers.lines(trace)))
            # What was done after the last checkpoint is done again, and nothing is left out.
            assert steps[:1] in ([], [1])
            assert all(later - earlier <= 1 for earlier, later in itertools.pairwise(steps))

    def test_a_full_disk(self, start: Callable[..., subprocess.Popen[str]]) -> None:
        out, err = start("fill_the_disk").communicate(timeout=120)
        problem, kept = out.splitlines()
        assert "the disk is full" in problem
        assert kept == "62 {'succeeded'}", "what could not be written at first was written later"
        *lines, last = err.splitlines()
        assert f"{problem}; the jobs continue, in memory" in lines
        assert last.endswith("works again")
        assert "Traceback" not in err

    def test_a_folder_that_may_not_be_written(self) -> None:
        folder = Path(tempfile.mkdtemp())  # pytest's own folders are closed to others
        path = folder / "jobs.sqlite3"
        JobStore(path).close()
        path.chmod(0o444)
        folder.chmod(0o555)
        command = [sys.executable, "-m", "tests.engine.application", "may_not_write", path, folder]
        environment = os.environ | {"PYTHONPATH": os.pathsep.join([str(ROOT), *sys.path])}
        try:
            ran = subprocess.run(
                list(map(str, command)), env=environment, capture_output=True, text=True
            )
        finally:
            folder.chmod(0o755)
            shutil.rmtree(folder)
        problem, result = ran.stdout.splitlines()
        assert "jobs.sqlite3 may not be written" in problem or "cannot be opened" in problem
        assert result == "2.0"
        assert ran.stderr == f"{problem}; the jobs are only in memory\n"


class TestBadStores:
    def test_locked_at_the_start(
        self, path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
    ) -> None:
        monkeypatch.setattr(schema, "BUSY_SECONDS", 0.05)
        holder = JobStore(path)
        with holder.transaction(), JobEngine("threads", store=path) as engine:
            assert "held by another program" in engine.store_problem
            assert engine.run(helpers.add, 1.0).result(TIMEOUT) == 2.0
        holder.close()
        warnings = [record for record in caplog.records if record.levelno >= logging.WARNING]
        assert len(warnings) == 1
        assert "the jobs are only in memory" in warnings[0].getMessage()

    def test_locked_for_a_while(
        self, path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
    ) -> None:
        monkeypatch.setattr(schema, "BUSY_SECONDS", 0.05)
        monkeypatch.setattr(maintenance, "RENEWAL", 0.05)
        with JobStore(path) as holder, JobEngine("threads", store=path) as engine:
            before = engine.run(helpers.add, 1.0)
            before.result(TIMEOUT)
            with holder.transaction():
                job = engine.run(helpers.add, 2.0)
                assert job.result(TIMEOUT) == 3.0
                assert "held by another program" in engine.store_problem
                assert [one.id for one in holder.jobs()] == [before.id]
            wait_until(lambda: not engine.store_problem)
            wait_until(lambda: holder.counts() == {S.SUCCEEDED: 2})
            assert holder.result(job.id) == 3.0
        warnings = [record for record in caplog.records if record.levelno >= logging.WARNING]
        assert len(warnings) == 2, "that it does not work, and that it works again"

    def test_damaged_while_in_use(self, path: Path, caplog: pytest.LogCaptureFixture) -> None:
        with JobEngine("threads", store=path) as engine:
            engine.run(helpers.add, 1.0).result(TIMEOUT)
            with sqlite3.connect(path) as vandal:
                vandal.execute("DROP TABLE parts")
            vandal.close()
            assert engine.run(sorted, [2.0, 1.0]).result(TIMEOUT) == [1.0, 2.0]  # a part of its own
            assert engine.run(helpers.add, 3.0).result(TIMEOUT) == 4.0
            assert "is damaged" in engine.store_problem
        warnings = [record for record in caplog.records if record.levelno >= logging.WARNING]
        assert len(warnings) == 1

    @pytest.mark.parametrize("content", [b"no database" * 1000, b"SQLite format 3\x00"])
    def test_no_database(self, path: Path, content: bytes) -> None:
        path.write_bytes(content)
        with JobEngine("threads", store=path) as engine:
            assert "damaged" in engine.store_problem
            assert engine.run(helpers.add, 1.0).result(TIMEOUT) == 2.0
            assert engine.store is None
        assert path.read_bytes() == content
