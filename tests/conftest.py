"""What the tests share."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import settings

# No deadline: a busy machine is no fault. The gate tries the same examples every time, so that it
# judges the change and not its luck; whoever runs the tests by hand tries others.
settings.register_profile("rheojobs", deadline=None, derandomize="CI" in os.environ)
settings.load_profile("rheojobs")


@pytest.fixture(scope="session")
def shared_data() -> Path:
    """The folder of measured data, which is no part of the project (see its SOURCES.md)."""
    given = os.environ.get("RHEOJOBS_DATA")
    folder = Path(given) if given else Path(__file__).parents[2] / "shared" / "data"
    if not folder.is_dir():
        pytest.skip(f"no measured data: {folder} is not a folder; set RHEOJOBS_DATA")
    return folder


@pytest.fixture(scope="session", autouse=True)
def _own_state(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """Keep the jobs and samplings of the tests away from the user's own."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("RHEOJOBS_STATE_DIR", str(tmp_path_factory.mktemp("state")))
        yield
