"""In which thread a job starts: a light one where it is submitted, any other elsewhere."""

from __future__ import annotations

import os
import threading
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pytest
from tests.engine import chores, helpers
from tests.engine.helpers import TIMEOUT

from rheojobs.engine import JobEngine, TaskContext, ThreadExecutor
from rheojobs.engine.executors.base import Run, RunHandle


class Noting(ThreadExecutor):
    """Notes which thread starts each run."""

    def __init__(self) -> None:
        super().__init__(1)
        self.starters: list[threading.Thread] = []

    def start(self, run: Run) -> RunHandle:
        self.starters.append(threading.current_thread())
        return super().start(run)


@dataclass(frozen=True)
class Checked:
    """A task whose check may take long."""

    def validate(self) -> None:
        pass

    def run(self, context: TaskContext) -> None:
        pass


HERE = threading.main_thread


@pytest.mark.parametrize("stored", [False, True])
def test_a_light_job_starts_where_it_is_submitted(stored: bool, tmp_path: Path) -> None:
    executor = Noting()
    with JobEngine(executor, store=tmp_path / "jobs.sqlite3" if stored else None) as engine:
        for number in range(5):
            assert engine.run(chores.add, float(number)).result(TIMEOUT) == number + 1
            assert engine.wait(TIMEOUT)
        assert executor.starters == [HERE()] * 5


@pytest.mark.parametrize(
    "submit",
    [
        lambda engine: engine.submit(Checked()),
        lambda engine: engine.run(len, [0.0] * 5000),
        lambda engine: engine.run(os.path.basename, "x" * 5000),
        lambda engine: engine.submit(lambda: None),
    ],
    ids=["checked", "a list", "long", "by value"],
)
def test_any_other_starts_elsewhere(submit: Callable[[JobEngine], object]) -> None:
    executor = Noting()
    with JobEngine(executor) as engine:
        submit(engine)
        assert engine.wait(TIMEOUT)
        assert len(executor.starters) == 1
        assert executor.starters[0] is not HERE()


def test_a_light_job_waits_behind_others(tmp_path: Path) -> None:
    executor = Noting()
    gate = tmp_path / "gate"
    with JobEngine(executor) as engine:
        engine.run(chores.hold, str(gate))
        jobs = [engine.submit(Checked()), engine.submit(chores.nothing)]
        engine.pause_queue()
        gate.touch()
        helpers.wait_until(lambda: engine.active_count() == 2)
        last = engine.submit(chores.nothing)
        assert not last.done()
        engine.resume_queue()
        assert engine.wait(TIMEOUT)
        assert executor.starters[0] is HERE()
        assert HERE() not in executor.starters[1:]
        assert all(job.done() for job in [*jobs, last])


def test_the_next_job_starts_before_the_result_is_told(tmp_path: Path) -> None:
    # To start a job is to give way to other threads: who gets a result is to be alone with it.
    told: list[bool] = []

    class Watching(Noting):
        def start(self, run: Run) -> RunHandle:
            if self.starters:
                told.append(first.done())
            return super().start(run)

    with JobEngine(Watching()) as engine:
        first = engine.run(chores.hold, tmp_path / "gate")
        second = engine.run(chores.add, 1.0)
        (tmp_path / "gate").touch()
        assert second.result(TIMEOUT) == 2.0
        assert first.result(TIMEOUT) == "through"
    assert told == [False]
