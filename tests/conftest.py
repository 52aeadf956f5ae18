"""What the tests share."""

from __future__ import annotations

import os
from pathlib import Path

import pytest


@pytest.fixture(scope="session")
def shared_data() -> Path:
    """The folder of measured data, which is no part of the project (see its SOURCES.md)."""
    given = os.environ.get("RHEOJOBS_DATA")
    folder = Path(given) if given else Path(__file__).parents[2] / "shared" / "data"
    if not folder.is_dir():
        pytest.skip(f"no measured data: {folder} is not a folder; set RHEOJOBS_DATA")
    return folder
