"""Samplings on a cluster whose machines fail: the draws are those of an undisturbed run."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from tests.engine.cluster import Cluster, kill
from tests.engine.helpers import Recorder, wait_until
from tests.inference.helpers import decay_data, same_draws

from rheojobs.engine import JobEngine, JobState, JobStore, TaskContext
from rheojobs.engine.executors.dask.executor import DaskExecutor
from rheojobs.engine.executors.dask.held import MAX_EVENT_BYTES
from rheojobs.inference.comparison.leave_one_out import ScoredSampling
from rheojobs.inference.results.bayesian_result import BayesianResult
from rheojobs.inference.sampling import chains, continuation
from rheojobs.inference.sampling.sample import sample
from rheojobs.inference.sampling.task import SampleTask

pytestmark = [pytest.mark.promise("same-draws"), pytest.mark.alone]

LONG = 120.0
ROOT = Path(__file__).parents[3]
COUNTS = {"num_warmup": 150, "num_samples": 250, "num_chains": 2}


@dataclass
class SlowSampling(SampleTask):
    """A sampling that keeps what it has many times, and waits halfway for a gate: a file."""

    def run(self, context: TaskContext) -> BayesianResult:
        continuation.CHECKPOINT_SECONDS = 0.05
        chains.CHUNK_SECONDS = 0.0
        check = context.check

        def check_and_wait() -> None:
            check()
            time.sleep(0.003)
            while not gate_of(self.checkpoint).exists() and self._has_drawn(context):
                check()
                time.sleep(0.01)

        context.check = check_and_wait  # type: ignore[method-assign]
        return super().run(context)

    def _has_drawn(self, context: TaskContext) -> bool:
        return len(list(context.folder(self.checkpoint or "").glob("[0-9]*"))) >= 6


@dataclass
class DyingSampling(SampleTask):
    """A sampling whose worker dies as soon as a large file is kept, but for the second time."""

    def _sampled(self, context: TaskContext) -> Any:
        continuation.CHECKPOINT_SECONDS = 0.1
        begun, died = Path(f"{self.checkpoint}.begun"), Path(f"{self.checkpoint}.died")
        begun.write_text("\n".join(segments(context.folder(self.checkpoint or ""))))
        kept = context.kept

        def keep_and_die(path: Path) -> None:
            kept(path)
            if not died.exists() and path.stat().st_size > MAX_EVENT_BYTES:
                died.write_text(path.name)
                os.kill(os.getpid(), signal.SIGKILL)

        context.kept = keep_and_die  # type: ignore[method-assign]
        return super()._sampled(context)


def gate_of(folder: object) -> Path:
    return Path(f"{folder}.gate")


@pytest.fixture(scope="module")
def undisturbed() -> BayesianResult:
    return sample(decay_data(), "maxwell", **COUNTS)


@pytest.fixture
def cluster() -> Iterator[Cluster]:
    cluster = Cluster(workers=1)
    yield cluster
    cluster.close()


def task(folder: Path) -> SlowSampling:
    return SlowSampling("maxwell", decay_data(), **COUNTS, checkpoint=str(folder))


def segments(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.glob("[0-9]*.npz"))


def test_a_worker_is_killed_with_its_nanny(
    cluster: Cluster, undisturbed: BayesianResult, tmp_path: Path
) -> None:
    folder = tmp_path / "kept"
    with JobEngine(DaskExecutor(cluster.address)) as engine:
        recorder = Recorder(engine)
        job = engine.submit(task(folder))
        wait_until(lambda: len(segments(folder)) >= 6, LONG)
        cluster.add_worker()
        wait_until(lambda: cluster.log.count("Registered to:") == 2, LONG)
        steps_before = max(sum(p.metrics.get("chains", [0])) for p in recorder.progress(job))
        count = len(recorder.of(job))
        kill(cluster.nannies[0])
        gate_of(folder).touch()
        result = job.result(LONG)
        assert same_draws(result, undisturbed)
        assert JobState.INTERRUPTED in recorder.states(job)
        assert engine.wait(LONG)
        # It went on: what it first told of its chains was no beginning.
        later = [e.progress for e in recorder.of(job)[count:] if hasattr(e, "progress")]
        first = next(sum(p.metrics["chains"]) for p in later if p.metrics.get("chains"))
        assert steps_before > 0
        assert first > 50
        assert not folder.exists()  # tidied up here, where the result is kept


@pytest.mark.parametrize("is_scored", [False, True])
def test_a_worker_dies_before_its_last_checkpoint_was_sent(
    cluster: Cluster, tmp_path: Path, is_scored: bool
) -> None:
    """It goes on from there all the same, since the nanny can read it: with the same draws."""
    counts = COUNTS | {"num_samples": 40_000}  # far more than until the first checkpoint
    folder = tmp_path / "kept"
    with JobEngine(DaskExecutor(cluster.address)) as engine:
        recorder = Recorder(engine)
        dying = DyingSampling("maxwell", decay_data(), **counts, checkpoint=str(folder))
        job = engine.submit(ScoredSampling(dying) if is_scored else dying)
        found = job.result(LONG)
        result = found.posterior if is_scored else found
        assert JobState.INTERRUPTED in recorder.states(job)
    last = Path(f"{folder}.died").read_text()
    assert last in Path(f"{folder}.begun").read_text().splitlines()
    assert same_draws(result, sample(decay_data(), "maxwell", **counts))


def sample_until_killed(address: str, store: Path, folder: Path) -> None:
    """Run the sampling of this module in an application of its own."""
    with JobEngine(DaskExecutor(address), store=store) as engine:
        engine.submit(task(folder))
        engine.wait()


def test_its_application_is_killed_then_its_worker(
    cluster: Cluster, undisturbed: BayesianResult, tmp_path: Path
) -> None:
    """What came while nobody listened is fetched, and a later death goes on from there."""
    folder, path = tmp_path / "kept", tmp_path / "jobs.sqlite3"
    code = (
        f"import sys; from pathlib import Path; from {__name__} import sample_until_killed;"
        "sample_until_killed(sys.argv[1], *map(Path, sys.argv[2:]))"
    )
    application = subprocess.Popen(
        [sys.executable, "-c", code, cluster.address, path, folder],
        env=os.environ | {"PYTHONPATH": os.pathsep.join([str(ROOT), *sys.path])},
    )
    try:
        wait_until(lambda: segments(folder) or application.poll() is not None, LONG)
    finally:
        application.kill()
        application.wait()
    before = segments(folder)
    with JobEngine(DaskExecutor(cluster.address), store=path) as engine:
        recorder = Recorder(engine)
        [stored] = engine.recover()
        job = engine.resume_job(stored.id)
        recorder.wait_for(job, JobState.RUNNING)
        wait_until(lambda: len(segments(folder)) >= 6, LONG)
        assert len(segments(folder)) > len(before)
        cluster.add_worker()
        wait_until(lambda: cluster.log.count("Registered to:") == 2, LONG)
        kill(cluster.nannies[0])
        gate_of(folder).touch()
        assert same_draws(job.result(LONG), undisturbed)
        assert JobState.INTERRUPTED in recorder.states(job)
    with JobStore(path) as store:
        assert store.find(stored.id).state is JobState.SUCCEEDED
