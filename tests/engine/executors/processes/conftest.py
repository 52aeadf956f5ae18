"""An engine on worker processes, and the recorder of its events."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from tests.engine.helpers import TIMEOUT, Recorder

from rheojobs.engine import (
    JobEngine,
)


@pytest.fixture
def engine() -> Iterator[JobEngine]:
    """An engine with two worker processes of the test's own."""
    engine = JobEngine("processes", max_workers=2)
    yield engine
    assert engine.shutdown(timeout=TIMEOUT)


@pytest.fixture
def recorder(engine: JobEngine) -> Recorder:
    """What the engine tells."""
    return Recorder(engine)
