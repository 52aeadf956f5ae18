"""What the workers of a cluster were started with: who may go where, and what nobody can have."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.engine import chores, helpers
from tests.engine.cluster import Cluster
from tests.engine.helpers import TIMEOUT, Recorder

from rheojobs.engine import FunctionTask, JobEngine, JobState
from rheojobs.engine.executors import ThreadExecutor
from rheojobs.engine.executors.base import Run
from rheojobs.engine.executors.dask.executor import DaskExecutor
from rheojobs.engine.executors.dask.members import ClusterWorker, Members
from rheojobs.engine.messages import Message
from rheojobs.errors import InputError

S = JobState


@pytest.fixture(scope="module")
def cluster() -> Iterator[Cluster]:
    """Two workers, one of which declares a GPU and a licence."""
    cluster = Cluster(workers=1, resources="GPU=1 licence=2")
    cluster.add_worker(resources="")
    helpers.wait_until(lambda: cluster.log.count("Registered to:") == 2)
    yield cluster
    cluster.close()


@pytest.fixture
def engine(cluster: Cluster) -> Iterator[JobEngine]:
    engine = JobEngine(DaskExecutor(cluster.address))
    yield engine
    engine.cancel_all()
    assert engine.shutdown(timeout=TIMEOUT)


def test_a_job_goes_where_its_resources_are(engine: JobEngine, tmp_path: Path) -> None:
    recorder = Recorder(engine)
    gate = tmp_path / "gate"
    task = FunctionTask(chores.hold_telling_pid, (gate,))
    first = engine.submit(task, resources={"gpu": 1})
    recorder.wait(lambda: bool(recorder.partials(first)))
    second = engine.submit(task, resources={"gpu": 1})
    other = engine.submit(task)
    recorder.wait(lambda: bool(recorder.partials(other)))  # the second does not stand in its way
    assert second.state is S.QUEUED
    gate.touch()
    assert second.result(TIMEOUT) == first.result(TIMEOUT) != other.result(TIMEOUT)


def test_more_than_the_cluster_has(engine: JobEngine) -> None:
    with pytest.raises(InputError, match="needs 2 of 'gpu', there is 1"):
        engine.submit(chores.nothing, resources={"gpu": 2})
    with pytest.raises(InputError, match="unknown resource 'gpus'"):
        engine.submit(chores.nothing, resources={"gpus": 1})


def test_dask_sets_it_aside_too(cluster: Cluster, engine: JobEngine, tmp_path: Path) -> None:
    """Whoever else asks the same scheduler for the GPU has to wait."""
    from distributed import Client

    recorder = Recorder(engine)
    gate = tmp_path / "gate"
    job = engine.submit(FunctionTask(chores.hold_telling_pid, (gate,)), resources={"gpu": 1})
    recorder.wait(lambda: bool(recorder.partials(job)))
    with Client(cluster.address, set_as_default=False) as client:
        info = client.run_on_scheduler(_used)
        assert sum(used.get("GPU", 0) for used in info) == 1
        assert client.run_on_scheduler(_priorities) == [(0,)]
        gate.touch()
        job.result(TIMEOUT)


def _used(dask_scheduler: object) -> list[dict[str, float]]:
    return [dict(worker.used_resources) for worker in dask_scheduler.workers.values()]  # type: ignore[attr-defined]


def _priorities(dask_scheduler: object) -> list[tuple[float, ...]]:
    tasks = dask_scheduler.tasks.values()  # type: ignore[attr-defined]
    return [task.priority[:1] for task in tasks if task.key.startswith("rheojobs")]


def test_a_higher_priority_comes_first_in_dask(
    cluster: Cluster, engine: JobEngine, tmp_path: Path
) -> None:
    from distributed import Client

    recorder = Recorder(engine)
    gate = tmp_path / "gate"
    job = engine.submit(FunctionTask(chores.hold_telling_pid, (gate,)), priority=7)
    recorder.wait(lambda: bool(recorder.partials(job)))
    with Client(cluster.address, set_as_default=False) as client:
        assert client.run_on_scheduler(_priorities) == [(-7,)]  # the lowest number goes first
    gate.touch()
    job.result(TIMEOUT)


def run(needs: dict[str, float], memory: int | None = None) -> Run:
    def tell(message: Message) -> None:
        raise AssertionError(message)

    return Run("id", FunctionTask(chores.nothing), tell, None, memory, needs)


@pytest.mark.parametrize(
    ("needs", "memory", "words"),
    [
        ({"gpu": 2.0}, None, ""),
        ({"gpu": 3.0}, None, "no worker of the cluster has 3 gpu (the most is 2)"),
        ({"gpu": 1.0, "memory": 2.0**34}, None, ""),
        (
            {"gpu": 1.0, "memory": 2.0**36},
            None,
            "no worker of the cluster has 64.0 GiB memory (the most is 32.0 GiB)",
        ),
        (
            {"gpu": 1.0, "memory": 2.0**35},
            None,
            "no worker of the cluster has 1 gpu and 32.0 GiB memory together",
        ),
        ({}, 2**33, ""),
        ({}, 2**34, "no worker of the cluster has 16.0 GiB of memory: the most is 8.0 GiB"),
        ({"worker": 1.0, "tag:x": 1.0, "the engine's own": 5.0}, None, ""),
    ],
)
def test_what_no_worker_has_is_said_in_a_line(
    needs: dict[str, float], memory: int | None, words: str
) -> None:
    members = Members()
    members.update(
        {
            "a": {"resources": {"GPU": 2, "MEMORY": 2**34}, "memory_limit": 2**33},
            "b": {"resources": {"MEMORY": 2**35}, "memory_limit": 2**32},
        }
    )
    assert members.unmet_need(run(needs, memory)) == words
    assert members.totals() == {"gpu": 2, "memory": 2**34 + 2**35}


def test_a_worker_that_is_being_replaced_is_reckoned_with() -> None:
    members = Members()
    members.update({"a": {"resources": {"GPU": 2}}, "b": {}})
    members.remove("a")
    assert members.unmet_need(run({"gpu": 1.0})) == ""
    assert members.choose(run({"gpu": 1.0}), "") is None
    members.update({"c": {"resources": {"GPU": 2}}})
    chosen = members.choose(run({"gpu": 1.0}), "")
    assert chosen is not None
    assert chosen.address == "c"


def test_what_it_claims_is_named_as_dask_knows_it() -> None:
    worker = ClusterWorker("a", {"resources": {"GPU": 2, "MEMORY": 8}})
    assert worker.claims(run({"worker": 1.0, "gpu": 1.0})) == {"GPU": 1.0}


def test_workers_without_a_limit_take_any(engine: JobEngine) -> None:
    job = engine.submit(chores.nothing, memory="900 GiB")
    assert job.result(TIMEOUT) is None


def test_an_engine_that_moves_there_has_what_the_workers_declare(cluster: Cluster) -> None:
    with JobEngine("threads", max_workers=1, resources={"licence": 1}) as engine:
        with pytest.raises(InputError, match="unknown resource 'gpu'"):
            engine.submit(chores.nothing, resources={"gpu": 1})
        engine.move_to(DaskExecutor(cluster.address))
        job = engine.submit(chores.my_pid, resources={"gpu": 1})
        assert job.result(TIMEOUT) != os.getpid()
        with pytest.raises(InputError, match="needs 2 of 'licence', there is 1"):  # as was said
            engine.submit(chores.nothing, resources={"licence": 2})
        # What waits for it cannot go where there is none, and nothing asks for it there.
        engine.pause_queue()
        waiting = engine.submit(chores.nothing, resources={"gpu": 1}, name="greedy")
        with pytest.raises(InputError, match="'greedy' needs 1 of 'gpu', there is 0 there"):
            engine.move_to(ThreadExecutor(1))
        engine.resume_queue()
        assert waiting.result(TIMEOUT) is None
        assert engine.wait(TIMEOUT)
        engine.move_to(ThreadExecutor(1))
        with pytest.raises(InputError, match="needs 1 of 'gpu', there is 0"):
            engine.submit(chores.nothing, resources={"gpu": 1})
