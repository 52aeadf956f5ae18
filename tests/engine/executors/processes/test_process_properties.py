"""The promises under any sequence of calls while workers are killed: a machine plays them."""

from __future__ import annotations

import contextlib
import itertools
import os
import signal
import tempfile
from collections import Counter
from pathlib import Path
from typing import Any
from unittest import mock

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import Bundle, RuleBasedStateMachine, invariant, rule
from tests.engine import chores
from tests.engine.executors import worker_tasks as tasks
from tests.engine.helpers import TIMEOUT, Recorder, wait_until
from tests.engine.test_engine_properties import states_as_promised

from rheojobs.engine import FunctionTask, Job, JobEngine, JobState, ResultOf
from rheojobs.engine.policy import retry
from rheojobs.engine.policy.retry import QUARANTINE

S = JobState

pytestmark = [
    pytest.mark.skipif(os.name != "posix", reason="signals"),
    pytest.mark.promise("one-terminal-event", "crash-harms-one"),
    pytest.mark.alone,
]


class Machine(RuleBasedStateMachine):
    """An engine with two worker processes, whose tasks end when their gate opens."""

    jobs: Bundle[Job] = Bundle("jobs")

    def __init__(self) -> None:
        super().__init__()
        self.patch = mock.patch.object(retry, "BACK_OFF", 0.01)
        self.patch.start()
        self.folder = tempfile.TemporaryDirectory()
        self.path = Path(self.folder.name)
        self.engine = JobEngine("processes", max_workers=2)
        self.recorder = Recorder(self.engine)
        self.all: list[Job] = []
        self.numbers = itertools.count()

    def _submit(self, function: Any, *args: Any, **options: Any) -> Job:
        job = self.engine.submit(FunctionTask(function, args), **options)
        self.all.append(job)
        return job

    @rule(target=jobs, priority=st.integers(-1, 1), max_attempts=st.sampled_from([1, 2, 9]))
    def submit_held(self, priority: int, max_attempts: int) -> Job:
        number = str(next(self.numbers))
        log, gate = self.path / "log", self.path / number
        return self._submit(
            tasks.hold_and_note,
            str(gate),
            str(log),
            number,
            priority=priority,
            max_attempts=max_attempts,
            name=number,
        )

    @rule(target=jobs)
    def submit_quick(self) -> Job:
        return self._submit(chores.add, 1.0)

    @rule(target=jobs, dependency=jobs, other=jobs)
    def submit_after(self, dependency: Job, other: Job) -> Job:
        return self._submit(str, ResultOf(dependency), after_any=[other])

    @rule(target=jobs)
    def submit_a_killer(self) -> Job:
        return self._submit(tasks.kill_myself, max_attempts=9)

    @rule(number=st.integers(0, 3))
    def kill_a_worker(self, number: int) -> None:
        pids = self.engine.executor.worker_pids()  # type: ignore[attr-defined]
        if number < len(pids):
            with contextlib.suppress(ProcessLookupError):  # it has just died
                os.kill(pids[number], signal.SIGKILL)

    @rule(job=jobs)
    def cancel(self, job: Job) -> None:
        job.cancel()

    @rule(job=jobs)
    def pause(self, job: Job) -> None:
        job.pause()

    @rule(job=jobs)
    def resume(self, job: Job) -> None:
        job.resume()

    @rule(job=jobs, priority=st.integers(-2, 2))
    def prioritise(self, job: Job, priority: int) -> None:
        self.engine.set_priority(job, priority)

    @rule(job=jobs)
    def let_go(self, job: Job) -> None:
        (self.path / job.name).touch()

    @rule(job=jobs)
    def wait_until_it_runs_or_has_ended(self, job: Job) -> None:
        if job.state is S.QUEUED and self.engine.active_count() <= 2:
            wait_until(lambda: job.state is not S.QUEUED)

    @invariant()
    def promises(self) -> None:
        with self.recorder._news:
            events = list(self.recorder.events)
        states = states_as_promised(events)
        active = (S.RUNNING, S.PAUSED, S.CANCELLING)
        assert sum(state in active for state in states.values()) <= 2

    def teardown(self) -> None:
        try:
            self._let_all_end()
        finally:
            assert self.engine.shutdown(timeout=TIMEOUT)
            self.patch.stop()
            self.folder.cleanup()

    def _let_all_end(self) -> None:
        for job in self.all:
            (self.path / job.name).touch()

        def all_done() -> bool:
            for job in self.all:
                job.resume()
            return all(job.done() for job in self.all)

        wait_until(all_done)
        finished = Counter(chores.lines(self.path / "log"))
        for job in self.all:
            assert self.recorder.wait_for_end(job)[-1] is job.state
            assert self.recorder.states(job).count(job.state) == 1
            assert job.attempts <= job.max_attempts
            assert job.deaths <= QUARANTINE
            if job.name.isdigit() and job.state is S.SUCCEEDED:
                # A worker may die between the end of its work and the telling.
                assert 1 <= finished[job.name] <= job.attempts
        assert self.engine._table.scheduler.free == self.engine._table.scheduler.total
        self.promises()


TestMachine = Machine.TestCase
TestMachine.settings = settings(
    max_examples=8,
    stateful_step_count=15,
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow],
)
