"""An engine that keeps its jobs in a store of the test."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.engine.helpers import TIMEOUT

from rheojobs.engine import JobEngine


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "jobs.sqlite3"


@pytest.fixture
def engine(path: Path) -> Iterator[JobEngine]:
    engine = JobEngine("threads", max_workers=2, store=path)
    yield engine
    assert engine.shutdown(timeout=TIMEOUT)
