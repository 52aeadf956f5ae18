"""Engines with and without a store."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from rheojobs import JobEngine


@pytest.fixture
def engine() -> Iterator[JobEngine]:
    with JobEngine("threads", max_workers=2) as engine:
        yield engine


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "jobs.sqlite3"


@pytest.fixture
def stored(path: Path) -> Iterator[JobEngine]:
    with JobEngine("threads", max_workers=1, store=path) as engine:
        yield engine
