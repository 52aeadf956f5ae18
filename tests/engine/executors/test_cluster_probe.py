"""Whether a cluster may still be at a job: what an address tells, and what the store keeps."""

from __future__ import annotations

import socket
from pathlib import Path

import pytest
from tests.engine import chores
from tests.engine.helpers import TIMEOUT

from rheojobs.engine import JobState, JobStore
from rheojobs.engine.executors.cluster_probe import is_gone
from rheojobs.engine.serialization import PLAIN, Record


def test_somebody_listens() -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        address = f"tcp://127.0.0.1:{server.getsockname()[1]}"
        assert not is_gone(address)
    assert is_gone(address)


@pytest.mark.parametrize(
    "address", ["", "nonsense", "tcp://", "tcp://head", "tcp://127.0.0.1:port"]
)
def test_what_is_no_address_tells_nothing(address: str) -> None:
    assert not is_gone(address)


def test_only_what_was_sent_may_still_run_there(tmp_path: Path) -> None:
    record = Record(PLAIN, None)
    with JobStore(tmp_path / "jobs.sqlite3") as store:
        store.join()
        for name in ("begun", "waiting"):
            store.add(name, name, record)
        store.put_cluster_address("begun", "tcp://head:8786")
        # It is not known to run yet, but it may.
        assert store.find("begun").cluster_address == "tcp://head:8786"
        store.move("begun", JobState.RUNNING)
        assert store.find("begun").cluster_address == "tcp://head:8786"
        assert store.find("waiting").cluster_address == ""
        store.put_cluster_address("begun", "tcp://other:8786")
        assert store.find("begun").cluster_address == "tcp://other:8786"
        assert store.give_away("begun", "the scheduler is gone")
        assert store.give_away("waiting", "the scheduler is gone")
        assert not store.give_away("begun", "it is nobody's by now")
        begun, waiting = store.jobs()
        assert (begun.state, begun.message) == (JobState.INTERRUPTED, "the scheduler is gone")
        assert waiting.state is JobState.QUEUED
        assert begun.can_be_taken
        assert waiting.can_be_taken
        assert begun.cluster_address == "tcp://other:8786"
        store.take("begun")
        store.move("begun", JobState.RUNNING)
        store.move("begun", JobState.SUCCEEDED)
        assert store.find("begun").cluster_address == ""


def test_a_job_that_was_never_on_a_cluster_has_no_cluster_address(tmp_path: Path) -> None:
    from rheojobs.engine import JobEngine

    with JobEngine("threads", store=tmp_path / "jobs.sqlite3") as engine:
        job = engine.run(chores.add, 1.0)
        job.result(TIMEOUT)
        assert job.cluster_address == ""
        assert engine.store is not None
        assert engine.store.find(job.id).cluster_address == ""
