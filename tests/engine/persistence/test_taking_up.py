"""Jobs outlive their application: another takes them up."""

from __future__ import annotations

import itertools
import os
import random
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from tests.engine import application, chores
from tests.engine.helpers import TIMEOUT, wait_until

from rheojobs.engine import (
    EngineClosedError,
    FunctionTask,
    JobEngine,
    JobState,
    JobStore,
    JobTimeoutError,
    StoreError,
    WorkerDiedError,
)
from rheojobs.engine.policy import retry
from rheojobs.engine.serialization import record_of
from rheojobs.errors import InputError

S = JobState
ROOT = Path(__file__).parents[3]


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


class TestTakingUp:
    def test_a_cancelled_job_goes_on_as_a_new_one(self, engine: JobEngine, tmp_path: Path) -> None:
        trace, gate = tmp_path / "trace", tmp_path / "gate"
        job = engine.run(application.count_on, 6, str(trace), str(gate), 3)
        wait_until(lambda: chores.lines(trace) == ["1", "2", "3"])
        job.cancel()
        engine.wait(TIMEOUT)
        gate.touch()
        again = engine.resume_job(job.id[:10])
        assert again.id != job.id
        assert again.result(TIMEOUT) == [3, 6]
        assert chores.lines(trace) == ["1", "2", "3", "4", "5", "6"]
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
            assert chores.lines(trace) == ["1", "2", "3", "4", "5", "6"]
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
        job = engine.run(chores.fail)
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
            gone.add("aaa", "first", record_of(FunctionTask(chores.hold, (str(gate),))))
            record = record_of(FunctionTask(chores.add, (1.0,)))
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
            holding = first.run(chores.hold)
            task = FunctionTask(chores.add, (1.0,))
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
            engine.run(chores.add, 1.0)
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
                task = FunctionTask(chores.note, (str(tmp_path / "trace"), str(number)))
                store.add(f"job-{number:02d}", "note", record_of(task))
            store.leave()
            racers = [start("race", name) for name in ("one", "two")]
            wait_until(lambda: all((tmp_path / f"ready {n}").exists() for n in ("one", "two")))
            (tmp_path / "go").touch()
            outputs = [racer.communicate(timeout=60) for racer in racers]
            assert sorted(chores.lines(tmp_path / "trace"), key=int) == list(map(str, range(50)))
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
        wait_until(lambda: (tmp_path / "submitted").exists() and len(chores.lines(trace)) == 3)
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
            assert chores.lines(trace) == ["1", "2", "3", "4", "5", "6"]
            assert chores.lines(tmp_path / "second") == ["ran"]
            assert engine.recover() == []
            history = [state for _, state, _ in store.history(first.id)]
            assert history == [S.QUEUED, S.RUNNING, S.INTERRUPTED, S.QUEUED, S.RUNNING, S.SUCCEEDED]
            assert store.find(first.id).attempts == 2

    @pytest.mark.slow
    @pytest.mark.promise("on-disk-when-submitted")
    def test_killed_again_and_again(
        self, path: Path, tmp_path: Path, start: Callable[..., subprocess.Popen[str]]
    ) -> None:
        moments = random.Random(7)
        submitted = tmp_path / "submitted"
        for number in range(8):
            before = len(chores.lines(submitted))
            process = start("churn", str(number))
            wait_until(lambda before=before: len(chores.lines(submitted)) > before)
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
            assert set(chores.lines(submitted)) <= set(jobs), "each that was submitted is there"
            assert {job.state for job in jobs.values()} == {S.SUCCEEDED, S.CANCELLED}
            for job in jobs.values():
                history = [state for _, state, _ in store.history(job.id)]
                assert sum(state.is_terminal for state in history) == 1
                assert store.result(job.id) == (5 if job.state is S.SUCCEEDED else None)
        for trace in tmp_path.glob("steps *"):
            steps = list(map(int, chores.lines(trace)))
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
