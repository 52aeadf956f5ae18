"""The engines that the tests run on."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from tests.engine.helpers import EXECUTORS, TIMEOUT, Recorder, store_for

from rheojobs.engine import JobEngine


@pytest.fixture(scope="session", params=EXECUTORS)
def executor_name(request: pytest.FixtureRequest) -> str:
    """The name of the executor under test."""
    return request.param


@pytest.fixture(scope="session")
def _shared_engine(
    executor_name: str, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[JobEngine]:
    store = store_for(executor_name, tmp_path_factory.mktemp("state"))
    engine = JobEngine(EXECUTORS[executor_name](2), resources={"gpu": 1, "memory": 8}, store=store)
    yield engine
    assert engine.shutdown(timeout=TIMEOUT)
    assert not engine.store_problem


@pytest.fixture
def engine(_shared_engine: JobEngine) -> Iterator[JobEngine]:
    """An engine with two workers, shared by all tests that leave it as they found it."""
    yield _shared_engine
    _shared_engine.cancel_all()
    assert _shared_engine.wait(TIMEOUT), "the test left a job that does not stop"
    for job in _shared_engine.jobs():
        job.forget()


@pytest.fixture
def new_engine(executor_name: str, tmp_path: Path) -> Iterator[Callable[..., JobEngine]]:
    """Make an engine of the test's own: with its number of workers, or to be shut down."""
    engines: list[JobEngine] = []

    def make(max_workers: int = 2, **options: object) -> JobEngine:
        store = store_for(executor_name, tmp_path)
        engines.append(JobEngine(EXECUTORS[executor_name](max_workers), store=store, **options))
        return engines[-1]

    yield make
    for engine in engines:
        assert engine.shutdown(timeout=TIMEOUT)


@pytest.fixture
def recorder(engine: JobEngine) -> Iterator[Recorder]:
    """What the shared engine tells."""
    recorder = Recorder(engine)
    yield recorder
    recorder.unsubscribe()
