"""Applications and schedulers that are killed while a cluster works: nothing lost, nothing twice.

A real cluster, and real applications in processes of their own.
"""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import psutil
import pytest
from tests.engine import application, chores, helpers
from tests.engine.cluster import Cluster, kill
from tests.engine.helpers import Recorder

from rheojobs.engine import (
    FunctionTask,
    JobEngine,
    JobState,
    JobStore,
    StoredJob,
    WorkerDiedError,
)
from rheojobs.engine.executors.dask.executor import DaskExecutor
from rheojobs.engine.serialization import pack_state
from rheojobs.errors import InputError

S = JobState
PATIENCE = 120.0
"""Seconds: whole clusters are started here, on a machine that may be busy."""

ROOT = Path(__file__).parents[4]


@pytest.fixture(autouse=True)
def _patience_of_the_client(monkeypatch: pytest.MonkeyPatch) -> None:
    """So long it looks for a scheduler, and for another under its address."""
    monkeypatch.setattr("rheojobs.engine.executors.dask.connection.CONNECT_TIMEOUT", PATIENCE)


@pytest.fixture
def cluster() -> Iterator[Cluster]:
    """A cluster of one worker, to be harmed."""
    cluster = Cluster(workers=1)
    yield cluster
    cluster.close()


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "jobs.sqlite3"


@pytest.fixture
def left(cluster: Cluster, path: Path, tmp_path: Path) -> StoredJob:
    """A job that an application has left on the cluster, which was killed meanwhile."""
    process = start_application("work_on_a_cluster", path, tmp_path, cluster)
    try:
        wait_until(lambda: _steps(tmp_path) == ["1", "2", "3"] or process.poll() is not None)
        with JobStore(path) as store:
            job_id = store.jobs()[0].id
            wait_until(lambda: store.checkpoint(job_id) == pack_state({"step": 3}))
    finally:
        process.kill()
        process.wait()
    with JobStore(path) as store:
        store.recover()
        [stored] = store.jobs()
    assert stored.state is S.INTERRUPTED
    return stored


def start_application(
    verb: str, path: Path, folder: Path, cluster: Cluster
) -> subprocess.Popen[bytes]:
    return subprocess.Popen(
        [
            *(sys.executable, "-m", "tests.engine.application", verb),
            *(path, folder, cluster.address),
        ],
        env=os.environ | {"PYTHONPATH": os.pathsep.join([str(ROOT), *sys.path])},
    )


def wait_until(predicate: Callable[[], object]) -> None:
    helpers.wait_until(predicate, PATIENCE)


class PatientRecorder(Recorder):
    """A recorder that waits for as long as it takes to start a cluster."""

    def wait(self, predicate: Callable[[], bool], timeout: float = PATIENCE) -> None:
        super().wait(predicate, max(timeout, PATIENCE))


def _steps(tmp_path: Path) -> list[str]:
    return chores.lines(tmp_path / "trace")


@pytest.fixture
def come_back(path: Path) -> Iterator[Callable[[str], JobEngine]]:
    """Start an engine on a cluster with the store of the one before."""
    engines: list[JobEngine] = []

    def start(address: str) -> JobEngine:
        engines.append(JobEngine(DaskExecutor(address), store=path))
        return engines[-1]

    yield start
    for engine in engines:
        assert engine.shutdown(timeout=PATIENCE)


@pytest.mark.promise("on-disk-when-submitted")
class TestTheApplicationIsKilled:
    def test_it_finds_what_still_runs(
        self,
        cluster: Cluster,
        left: StoredJob,
        come_back: Callable[[str], JobEngine],
        tmp_path: Path,
    ) -> None:
        engine = come_back(cluster.address)
        recorder = PatientRecorder(engine)
        job = engine.resume_job(left.id)
        recorder.wait(lambda: bool(recorder.progress(job)))
        assert recorder.progress(job)[-1].current == 3
        (tmp_path / "gate").touch()
        assert job.result(PATIENCE) == [0, 6]  # it has begun at the beginning, and only once
        assert _steps(tmp_path) == ["1", "2", "3", "4", "5", "6"]
        assert recorder.wait_for_end(job) == [S.QUEUED, S.RUNNING, S.SUCCEEDED]
        # The worker is free again.
        assert engine.run(chores.add, 1.0).result(PATIENCE) == 2.0

    def test_it_takes_the_result_of_what_has_ended(
        self,
        cluster: Cluster,
        left: StoredJob,
        come_back: Callable[[str], JobEngine],
        tmp_path: Path,
    ) -> None:
        (tmp_path / "gate").touch()
        wait_until(lambda: len(_steps(tmp_path)) == 6)
        job = come_back(cluster.address).resume_job(left.id)
        assert job.result(PATIENCE) == [0, 6]
        assert len(_steps(tmp_path)) == 6

    def test_it_can_stop_what_still_runs(
        self,
        cluster: Cluster,
        left: StoredJob,
        come_back: Callable[[str], JobEngine],
        tmp_path: Path,
    ) -> None:
        engine = come_back(cluster.address)
        recorder = PatientRecorder(engine)
        job = engine.resume_job(left.id)
        recorder.wait_for(job, S.RUNNING)
        job.cancel()
        assert recorder.wait_for_end(job)[-1] is S.CANCELLED
        assert engine.run(chores.add, 1.0).result(PATIENCE) == 2.0

    @pytest.mark.parametrize("is_resumed", [True, False])
    def test_it_finds_what_was_paused(
        self,
        cluster: Cluster,
        path: Path,
        tmp_path: Path,
        come_back: Callable[[str], JobEngine],
        is_resumed: bool,
    ) -> None:
        """And resumed, or not yet: the run continues either way, and is done once."""
        process = start_application("pause_on_a_cluster", path, tmp_path, cluster)
        try:
            wait_until((tmp_path / "paused").exists)
            if is_resumed:
                (tmp_path / "resume").touch()
                wait_until((tmp_path / "resumed").exists)
        finally:
            process.kill()
            process.wait()
        engine = come_back(cluster.address)
        recorder = PatientRecorder(engine)
        [stored] = engine.recover()
        job = engine.resume_job(stored.id)
        recorder.wait_for(job, S.RUNNING)
        (tmp_path / "gate").touch()
        if not is_resumed:
            recorder.wait_for(job, S.PAUSED)
            assert job.resume()
        assert job.result(PATIENCE) == [0, 6]
        assert _steps(tmp_path) == ["1", "2", "3", "4", "5", "6"]
        pause = [] if is_resumed else [S.PAUSED, S.RUNNING]
        assert recorder.wait_for_end(job) == [S.QUEUED, S.RUNNING, *pause, S.SUCCEEDED]

    def test_its_worker_died_meanwhile(
        self,
        cluster: Cluster,
        left: StoredJob,
        come_back: Callable[[str], JobEngine],
        tmp_path: Path,
    ) -> None:
        """Then the job goes on from the checkpoint that had come to the application's store."""
        kill(cluster.nannies[0])
        cluster.add_worker()
        wait_until(lambda: cluster.log.count("Registered to:") == 2)
        (tmp_path / "gate").touch()
        assert come_back(cluster.address).resume_job(left.id).result(PATIENCE) == [3, 6]
        assert _steps(tmp_path) == ["1", "2", "3", "4", "5", "6"]

    def test_what_may_still_run_there_is_not_begun_elsewhere(
        self, cluster: Cluster, left: StoredJob, path: Path, tmp_path: Path
    ) -> None:
        assert left.cluster_address == cluster.address
        with JobEngine("threads", store=path) as engine:
            with pytest.raises(InputError, match=f"may still run on {cluster.address}"):
                engine.resume_job(left.id)
            kill(cluster.nannies[0])
            (tmp_path / "gate").touch()
            assert engine.resume_job(left.id, elsewhere=True).result(PATIENCE) == [3, 6]

    def test_before_it_could_note_that_it_had_sent_the_job(
        self,
        cluster: Cluster,
        path: Path,
        tmp_path: Path,
        come_back: Callable[[str], JobEngine],
    ) -> None:
        """The job is not begun elsewhere, where it would be done twice, and is found again."""
        process = start_application("die_as_it_begins", path, tmp_path, cluster)
        assert process.wait(PATIENCE) == -signal.SIGKILL
        with JobEngine("threads", store=path) as engine:
            [stored] = engine.recover()
            assert (stored.state, stored.attempts) == (S.QUEUED, 0)
            assert engine.take_queued() == []
            with pytest.raises(InputError, match=f"may still run on {cluster.address}"):
                engine.resume_job(stored.id)
        (tmp_path / "gate").touch()
        [job] = come_back(cluster.address).take_queued()
        assert job.id == stored.id
        assert job.result(PATIENCE) == [0, 6]
        assert _steps(tmp_path) == ["1", "2", "3", "4", "5", "6"]

    def test_what_others_do_there_is_waited_for(
        self,
        cluster: Cluster,
        left: StoredJob,
        come_back: Callable[[str], JobEngine],
        tmp_path: Path,
    ) -> None:
        """A worker that is still at the job of a lost application is not free for another."""
        engine = come_back(cluster.address)
        job = engine.run(chores.my_pid)
        assert not engine.wait(1.0)
        assert job.state is S.QUEUED
        (tmp_path / "gate").touch()
        assert job.result(PATIENCE) > 0


class TestTheSchedulerIsKilled:
    def test_the_job_is_interrupted_and_goes_on_under_another(
        self,
        cluster: Cluster,
        path: Path,
        tmp_path: Path,
        come_back: Callable[[str], JobEngine],
        monkeypatch: pytest.MonkeyPatch,
    ) -> None:
        monkeypatch.setattr("rheojobs.engine.executors.dask.connection.CONNECT_TIMEOUT", 5.0)
        engine = come_back(cluster.address)
        recorder = PatientRecorder(engine)
        job = engine.run(
            application.count_on, 6, str(tmp_path / "trace"), str(tmp_path / "gate"), 3
        )
        waiting = engine.run(chores.add, 1.0)
        recorder.wait(lambda: any(p.current == 3 for p in recorder.progress(job)))
        workers = psutil.Process(cluster.nannies[0].pid).children(recursive=True)
        kill(cluster.scheduler)
        assert isinstance(job.exception(PATIENCE), WorkerDiedError)
        assert f"the connection to the scheduler {cluster.address} is lost" in job.message
        assert f"rheojobs jobs resume {job.id[:8]}" in job.message
        assert isinstance(waiting.exception(PATIENCE), WorkerDiedError)
        assert engine.wait(PATIENCE)
        with JobStore(path) as store:
            assert [each.state for each in store.jobs()] == [S.INTERRUPTED, S.QUEUED]
            assert all(each.can_be_taken for each in store.jobs())
        # Who worked under it does not go on.
        _, alive = psutil.wait_procs(workers, PATIENCE)
        assert not alive
        (tmp_path / "gate").touch()
        assert _steps(tmp_path) == ["1", "2", "3"]
        other = Cluster(workers=1)
        try:
            again = come_back(other.address)
            assert again.resume_job(job.id).result(PATIENCE) == [3, 6]
            [rest] = again.take_queued()
            assert rest.result(PATIENCE) == 2.0
        finally:
            again.shutdown(timeout=PATIENCE)
            other.close()

    def test_one_that_may_be_tried_again_waits_for_the_next_under_its_address(
        self, cluster: Cluster, tmp_path: Path
    ) -> None:
        port = int(cluster.address.rpartition(":")[2])
        trace, gate = str(tmp_path / "trace"), str(tmp_path / "gate")
        with JobEngine(DaskExecutor(cluster.address)) as engine:
            recorder = PatientRecorder(engine)
            task = FunctionTask(application.count_on, (6, trace, gate, 3))
            job = engine.submit(task, max_attempts=2)
            recorder.wait(lambda: any(p.current == 3 for p in recorder.progress(job)))
            workers = psutil.Process(cluster.nannies[0].pid).children(recursive=True)
            kill(cluster.scheduler)
            recorder.wait_for(job, S.INTERRUPTED)
            psutil.wait_procs(workers, PATIENCE)
            (tmp_path / "gate").touch()
            other = Cluster(workers=1, port=port)
            try:
                assert job.result(PATIENCE) == [3, 6]
                assert _steps(tmp_path) == ["1", "2", "3", "4", "5", "6"]
                assert engine.shutdown(timeout=PATIENCE)
            finally:
                other.close()


def test_a_cluster_of_the_tests_ends_with_them(tmp_path: Path) -> None:
    """Also where the tests are killed outright."""
    code = (
        "import sys, time; from tests.engine.cluster import Cluster;"
        "c = Cluster(1); print(c.scheduler.pid, c.nannies[0].pid, flush=True); time.sleep(60)"
    )
    process = subprocess.Popen(
        [sys.executable, "-c", code],
        stdout=subprocess.PIPE,
        text=True,
        env=os.environ | {"PYTHONPATH": os.pathsep.join([str(ROOT), *sys.path])},
    )
    assert process.stdout is not None
    pids = [int(word) for word in process.stdout.readline().split()]
    family = [psutil.Process(pid) for pid in pids]
    family += [child for parent in family for child in parent.children(recursive=True)]
    assert len(family) >= 3
    os.kill(process.pid, signal.SIGKILL)
    process.communicate()
    _, alive = psutil.wait_procs(family, PATIENCE)
    assert not alive
