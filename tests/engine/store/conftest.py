"""A store of the test."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from rheojobs.engine import JobStore


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "state" / "jobs.sqlite3"


@pytest.fixture
def store(path: Path) -> Iterator[JobStore]:
    with JobStore(path) as store:
        store.join()
        yield store
