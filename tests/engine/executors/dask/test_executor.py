"""What is particular to a cluster: workers that are killed, replaced or late, and who may listen.

A real scheduler and real workers, each with a nanny, started from the command line.
"""

from __future__ import annotations

import logging
import os
import signal
import subprocess
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import psutil
import pytest
from tests.engine import application, chores, helpers
from tests.engine.cluster import Cluster, shared_cluster
from tests.engine.executors import worker_tasks as tasks
from tests.engine.helpers import TIMEOUT, Recorder

from rheojobs.engine import (
    FunctionTask,
    JobEngine,
    JobState,
    MemoryLimitError,
    WorkerDiedError,
)
from rheojobs.engine.executors.dask.executor import DaskExecutor
from rheojobs.engine.task import TaskContext
from rheojobs.errors import InputError

S = JobState

COOPERATIVE = 1.0 + 1.0
STUCK = 5.0 + 2.0
"""Seconds to stop in: promised are 1 and 5, the rest is for a busy machine."""


@pytest.fixture
def engine() -> Iterator[JobEngine]:
    """An engine on two workers of the cluster that all tests share."""
    engine = JobEngine(DaskExecutor(shared_cluster().address, max_workers=2))
    yield engine
    engine.cancel_all()
    assert engine.shutdown(timeout=TIMEOUT)


@pytest.fixture
def recorder(engine: JobEngine) -> Recorder:
    return Recorder(engine)


@pytest.fixture
def own_cluster() -> Iterator[Cluster]:
    """A cluster of one worker, to be harmed."""
    cluster = Cluster(workers=1)
    yield cluster
    cluster.close()


def tell_much(context: TaskContext, sizes: list[int]) -> None:
    """Give partial results, small and large by turns, each of which says which it is."""
    for number, size in enumerate(sizes):
        context.partial((number, bytes(size)))
        context.progress(number + 1, len(sizes))


def count_and_die(context: TaskContext, trace: str, steps: int, die_at: int) -> list[int]:
    """Count with a checkpoint at each step; die once, when the last one is known to be away."""
    done = context.restored() or []
    for step in range(len(done), steps):
        chores.note(trace, str(step))
        done.append(step)
        context.checkpoint(done)
        if step == die_at:
            time.sleep(0.5)  # Dask sends in batches
            chores.note(trace, "died")
            os.kill(os.getpid(), signal.SIGKILL)
    return done


@dataclass
class KeepsAndDies:
    """Keeps a large file in its folder and a large state, and dies before anybody can ask."""

    folder: str
    max_attempts = 2

    def run(self, context: TaskContext) -> tuple[bytes, list[str]]:
        here = context.folder(self.folder)
        if (state := context.restored()) is not None:
            return (here / "large").read_bytes(), state
        for name in ("large", "gone"):
            (here / name).write_bytes(name.encode() * 100_000)
            context.kept(here / name)
        (here / "gone").unlink()
        context.kept(here / "gone")
        (here / ".half").write_bytes(b"not whole yet")
        context.checkpoint(["word"] * 50_000)
        os.kill(os.getpid(), signal.SIGKILL)
        raise AssertionError


@pytest.mark.promise("cancel-in-time")
@pytest.mark.alone
class TestStopping:
    def test_a_task_that_checks(self, engine: JobEngine, recorder: Recorder) -> None:
        job = engine.submit(chores.hold)
        recorder.wait_for(job, S.RUNNING)
        job.cancel()
        assert recorder.wait_for_end(job, COOPERATIVE)[-1] is S.CANCELLED

    @pytest.mark.parametrize("task", [tasks.loop_forever, tasks.hold_the_lock])
    def test_a_stuck_one_loses_its_worker_and_others_go_on(
        self, engine: JobEngine, recorder: Recorder, tmp_path: Path, task: object
    ) -> None:
        gate, trace = tmp_path / "gate", tmp_path / "trace"
        other = engine.run(chores.hold_telling_pid, gate)
        stuck = engine.run(task, str(trace))
        helpers.wait_until(trace.exists)
        recorder.wait(lambda: len(recorder.partials(other)) == 1)
        stuck.cancel()
        assert recorder.wait_for_end(stuck, STUCK)[-1] is S.CANCELLED
        assert other.state is S.RUNNING
        gate.touch()
        assert other.result(TIMEOUT) == recorder.partials(other)[0]
        # Two at a time again: the worker was replaced.
        both = [engine.run(chores.hold_telling_pid, tmp_path / "second") for _ in range(2)]
        for job in both:
            recorder.wait_for(job, S.RUNNING)
        (tmp_path / "second").touch()
        assert len({job.result(TIMEOUT) for job in both}) == 2

    def test_memory(self, engine: JobEngine, recorder: Recorder) -> None:
        job = engine.submit(FunctionTask(tasks.hoard, (600 * 2**20,)), memory="400 MiB")
        assert recorder.wait_for_end(job, TIMEOUT)[-1] is S.FAILED
        assert isinstance(job.exception(TIMEOUT), MemoryLimitError)
        assert "of the 400.0 MiB it was given" in job.message
        assert engine.run(chores.add, 1.0).result(TIMEOUT) == 2.0


class TestDeath:
    def test_it_is_told(self, engine: JobEngine, recorder: Recorder) -> None:
        job = engine.run(chores.hold_telling_pid, "")
        recorder.wait(lambda: len(recorder.partials(job)) == 1)
        os.kill(recorder.partials(job)[0], signal.SIGKILL)
        assert recorder.wait_for_end(job)[-1] is S.FAILED
        assert isinstance(job.exception(TIMEOUT), WorkerDiedError)
        assert engine.run(chores.add, 1.0).result(TIMEOUT) == 2.0

    def test_it_goes_on_elsewhere_from_its_checkpoint(
        self, engine: JobEngine, tmp_path: Path
    ) -> None:
        trace = str(tmp_path / "trace")
        job = engine.submit(FunctionTask(count_and_die, (trace, 6, 3)), max_attempts=3)
        assert job.result(TIMEOUT) == list(range(6))
        first, second = "".join(chores.lines(trace)).split("died")
        assert first == "0123"
        assert second == "45"

    def test_a_worker_that_is_told_to_leave(self, own_cluster: Cluster, tmp_path: Path) -> None:
        """As SLURM does when its time is up: nobody has cancelled the job, which goes on."""
        trace, gate = tmp_path / "trace", tmp_path / "gate"
        task = FunctionTask(application.count_on, (6, str(trace), str(gate), 3))
        with JobEngine(DaskExecutor(own_cluster.address)) as engine:
            job = engine.submit(task, max_attempts=2)
            helpers.wait_until(lambda: len(chores.lines(trace)) == 3)
            own_cluster.add_worker()
            helpers.wait_until(lambda: own_cluster.log.count("Registered to:") == 2)
            own_cluster.nannies[0].terminate()
            recorder = Recorder(engine)
            recorder.wait_for(job, S.INTERRUPTED)
            gate.touch()
            assert job.result(TIMEOUT) == [3, 6]
            assert chores.lines(trace) == ["1", "2", "3", "4", "5", "6"]

    def test_what_is_large_and_was_not_sent_yet_comes_from_its_machine(
        self, own_cluster: Cluster, tmp_path: Path
    ) -> None:
        """The nanny outlives its worker, and so do the files."""
        folder = tmp_path / "kept"
        with JobEngine(DaskExecutor(own_cluster.address)) as engine:
            content, state = engine.submit(KeepsAndDies(str(folder))).result(TIMEOUT)
            assert content == b"large" * 100_000
            assert state == ["word"] * 50_000
            assert [path.name for path in folder.iterdir()] == ["large"]
            # Nothing is left there: neither of the dead one, nor of the one that ended.
            engine.executor.shutdown(TIMEOUT)
            helpers.wait_until(lambda: not list(own_cluster.folder.rglob("rheojobs-run-*")))

    def test_before_the_task_begins_is_no_attempt(self, own_cluster: Cluster) -> None:
        engine = JobEngine(DaskExecutor(own_cluster.address))
        pid = engine.run(chores.my_pid).result(TIMEOUT)
        os.kill(pid, signal.SIGSTOP)
        job = engine.run(chores.my_pid)
        helpers.wait_until(lambda: job.handle is not None)
        os.kill(pid, signal.SIGKILL)
        assert job.result(TIMEOUT) != pid
        assert (job.attempts, job.deaths) == (1, 1)
        assert engine.shutdown(timeout=TIMEOUT)

    def test_of_the_scheduler(self, own_cluster: Cluster) -> None:
        engine = JobEngine(DaskExecutor(own_cluster.address))
        recorder = Recorder(engine)
        job = engine.submit(chores.hold)
        recorder.wait_for(job, S.RUNNING)
        os.killpg(own_cluster.scheduler.pid, signal.SIGKILL)
        assert recorder.wait_for_end(job, TIMEOUT)[-1] is S.FAILED
        assert isinstance(job.exception(TIMEOUT), WorkerDiedError)
        assert engine.shutdown(timeout=TIMEOUT)


def test_what_is_large_comes_whole_and_in_order(engine: JobEngine, recorder: Recorder) -> None:
    sizes = [10, 3_000_000, 20, 200_000, 5, 1_000_000]
    job = engine.run(tell_much, sizes)
    assert job.result(TIMEOUT) is None
    recorder.wait_for_end(job)
    told = [(number, len(data)) for number, data in recorder.partials(job)]
    assert told == list(enumerate(sizes))
    assert recorder.progress(job)[-1].current == len(sizes)


@pytest.mark.parametrize("is_told", [True, False])
def test_a_worker_that_comes_later_is_used(
    own_cluster: Cluster, tmp_path: Path, is_told: bool
) -> None:
    """Also by an engine that has counted them before."""
    engine = JobEngine(DaskExecutor(own_cluster.address, max_workers=2 if is_told else None))
    recorder = Recorder(engine)
    gate = tmp_path / "gate"
    jobs = [engine.run(chores.hold_telling_pid, gate) for _ in range(2)]
    recorder.wait_for(jobs[0], S.RUNNING)
    own_cluster.add_worker()
    recorder.wait(lambda: all(recorder.partials(job) for job in jobs))
    gate.touch()
    assert len({job.result(TIMEOUT) for job in jobs}) == 2
    assert engine.shutdown(timeout=TIMEOUT)


def test_preload(own_cluster: Cluster) -> None:
    preload = [f"{tasks.__name__}:preload"]
    engine = JobEngine(DaskExecutor(own_cluster.address, preload=preload))
    deadline = time.monotonic() + TIMEOUT
    while not (marks := engine.run(tasks.preloaded).result(TIMEOUT)):
        assert time.monotonic() < deadline
    assert marks == [engine.run(chores.my_pid).result(TIMEOUT)]
    assert engine.shutdown(timeout=TIMEOUT)


@pytest.mark.promise("nothing-left-behind")
def test_nothing_is_left_in_this_process() -> None:
    before = {thread.id for thread in psutil.Process().threads()}
    with JobEngine(DaskExecutor(shared_cluster().address, max_workers=1)) as engine:
        assert engine.run(chores.add, 1.0).result(TIMEOUT) == 2.0
        assert engine.executor.workers()[0].resident > 0
    after = {thread.id for thread in psutil.Process().threads()}
    assert len(after - before) <= 4  # Dask's own pools, which live as long as the process


class TestConnecting:
    def test_nobody_there(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr("rheojobs.engine.executors.dask.connection.CONNECT_TIMEOUT", 0.5)
        with pytest.raises(InputError, match=r"no Dask scheduler answers at tcp://127\.0\.0\.1:9"):
            DaskExecutor("tcp://127.0.0.1:9")

    def test_no_worker(self) -> None:
        cluster = Cluster(workers=0)
        with pytest.raises(InputError, match="has no worker"):
            DaskExecutor(cluster.address)
        cluster.close()

    def test_nonsense(self) -> None:
        with pytest.raises(InputError, match="no Dask scheduler answers"):
            DaskExecutor("gopher://nowhere")

    def test_the_same_versions(self, engine: JobEngine) -> None:
        assert isinstance(engine.executor, DaskExecutor)
        assert engine.executor.version_problems == []

    def test_another_version(
        self, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
    ) -> None:
        here = dict.fromkeys(("python", "jax"), "0.0.1")
        monkeypatch.setattr("rheojobs.engine.executors.dask.connection.installed", lambda: here)
        with caplog.at_level(logging.WARNING):
            executor = DaskExecutor(shared_cluster().address, max_workers=1)
        assert executor.version_problems
        assert "(here 0.0.1)" in executor.version_problems[0]
        assert executor.version_problems[0] in caplog.text
        executor.shutdown(TIMEOUT)

    def test_without_encryption(
        self, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
    ) -> None:
        monkeypatch.setattr("rheojobs.engine.executors.dask.connection.CONNECT_TIMEOUT", 0.2)
        with caplog.at_level(logging.WARNING), pytest.raises(InputError):
            DaskExecutor("tcp://192.0.2.1:8786")  # an address that is nobody's (RFC 5737)
        assert "tcp://192.0.2.1:8786 is not encrypted" in caplog.text

    def test_with_certificates(self, tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
        from distributed.security import Security

        certificate, key = tmp_path / "cert.pem", tmp_path / "key.pem"
        subprocess.run(
            [
                *("openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2"),
                *("-subj", "/CN=localhost", "-keyout", str(key), "-out", str(certificate)),
            ],
            check=True,
            capture_output=True,
        )
        files = {"tls-ca-file": certificate, "tls-cert": certificate, "tls-key": key}
        cluster = Cluster(workers=1, certificates=files)
        security = Security(
            tls_ca_file=str(certificate),
            tls_client_cert=str(certificate),
            tls_client_key=str(key),
            require_encryption=True,
        )
        assert cluster.address.startswith("tls://")
        with caplog.at_level(logging.WARNING):
            engine = JobEngine(DaskExecutor(cluster.address, security=security))
        assert "encrypted" not in caplog.text
        assert engine.run(chores.add, 1.0).result(TIMEOUT) == 2.0
        assert engine.shutdown(timeout=TIMEOUT)
        cluster.close()
