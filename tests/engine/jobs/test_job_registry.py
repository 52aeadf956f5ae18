"""What a task leaves, and a task that fails to say so."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from tests.engine.helpers import TIMEOUT

from rheojobs.engine import JobEngine, TaskContext


class Scratch:
    """A file that goes when the result is kept."""

    def __init__(self, path: Path) -> None:
        self._path = path

    def tidy(self) -> None:
        self._path.unlink()


class Leaves:
    def __init__(self, path: Path) -> None:
        self._path = path

    def run(self, context: TaskContext) -> int:
        self._path.touch()
        return 1

    @property
    def leftover(self) -> Scratch:
        return Scratch(self._path)


class SaysNothing(Leaves):
    @property
    def leftover(self) -> Any:
        raise RuntimeError("no idea")


@pytest.mark.parametrize("has_store", [True, False])
def test_what_a_task_leaves_is_removed(tmp_path: Path, has_store: bool) -> None:
    store = tmp_path / "jobs.sqlite3" if has_store else None
    with JobEngine("threads", store=store) as engine:
        assert engine.submit(Leaves(tmp_path / "left")).result(TIMEOUT) == 1
        assert engine.wait(TIMEOUT)
        assert not (tmp_path / "left").exists()
        assert engine.store is None or engine.store.untidied() == []


def test_one_that_does_not_say_what_it_leaves_ends_well(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    with JobEngine("threads") as engine:
        assert engine.submit(SaysNothing(tmp_path / "left")).result(TIMEOUT) == 1
        assert engine.wait(TIMEOUT)
    assert "no idea" in caplog.text
