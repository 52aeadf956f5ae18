"""Promises 1 and 2 of the design, under whatever sequence of calls: a machine plays them."""

from __future__ import annotations

import itertools
import threading
import time
from collections import defaultdict
from typing import Any

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import Bundle, RuleBasedStateMachine, invariant, precondition, rule
from tests.engine.helpers import TIMEOUT, Recorder, wait_until

from rheojobs.engine import (
    CancellationToken,
    FunctionTask,
    Job,
    JobEngine,
    JobEvent,
    JobState,
    ProgressMade,
    ResultOf,
    StateChanged,
    TaskContext,
)
from rheojobs.engine.states import STATES

pytestmark = pytest.mark.promise("one-terminal-event", "progress-in-order")

S = JobState


def states_as_promised(events: list[JobEvent]) -> dict[str, JobState | None]:
    """Check what was told, and give the last state of each job."""
    state: dict[str, JobState | None] = defaultdict(lambda: None)
    current: dict[str, int] = defaultdict(int)
    for event in events:
        before = state[event.job_id]
        assert before is None or not before.is_terminal, f"{event} after the end"
        if isinstance(event, StateChanged):
            assert event.previous is before
            assert before is None or event.state in STATES[before].successors
            state[event.job_id] = event.state
        elif isinstance(event, ProgressMade):
            assert before in (S.RUNNING, S.PAUSED, S.CANCELLING)
            assert event.progress.current >= current[event.job_id]
            current[event.job_id] = event.progress.current
    return state


class Machine(RuleBasedStateMachine):
    """An engine with two threads, whose tasks end when they are let go."""

    jobs: Bundle[Job] = Bundle("jobs")

    def __init__(self) -> None:
        super().__init__()
        self.engine = JobEngine("threads", max_workers=2, resources={"gpu": 1}, limits={"heavy": 1})
        self.recorder = Recorder(self.engine)
        self.all: list[Job] = []
        self.gates: dict[str, threading.Event] = {}
        self.token = CancellationToken()
        self.heavy: set[str] = set()

    def _submit(self, work: Any, gate: threading.Event | None = None, **options: Any) -> Job:
        job = self.engine.submit(work, **options)
        self.all.append(job)
        if gate is not None:
            self.gates[job.id] = gate
        return job

    @rule(
        target=jobs,
        priority=st.integers(-1, 1),
        outcome=st.sampled_from(["result", "error", "progress"]),
        gpu=st.sampled_from([0.0, 0.5, 1.0]),
    )
    def submit_quick(self, priority: int, outcome: str, gpu: float) -> Job:
        def work(context: TaskContext) -> str:
            if outcome == "error":
                raise ValueError("no")
            if outcome == "progress":
                for step in (1, 2, 5, 3, 10):
                    context.check()
                    context.progress(step, 10)
            return outcome

        return self._submit(work, priority=priority, resources={"gpu": gpu})

    @rule(target=jobs, priority=st.integers(-1, 1), tied=st.booleans(), heavy=st.booleans())
    def submit_held(self, priority: int, tied: bool, heavy: bool) -> Job:
        gate = threading.Event()

        def work(context: TaskContext) -> int:
            step = 0
            while not gate.wait(0.001):
                context.check()
                step += 1
                context.progress(step)
            context.progress(step + 1)
            return step + 1

        token = self.token if tied else None
        tags = ("heavy",) if heavy else ()
        job = self._submit(work, gate, priority=priority, cancel_token=token, tags=tags)
        if heavy:
            self.heavy.add(job.id)
        return job

    @rule(target=jobs, dependency=jobs)
    def submit_after(self, dependency: Job) -> Job:
        return self._submit(lambda: "after", after=[dependency])

    @rule(target=jobs, dependency=jobs, other=jobs)
    def submit_after_any(self, dependency: Job, other: Job) -> Job:
        return self._submit(lambda: "after", after_any=[dependency], after=[other])

    @rule(target=jobs, dependency=jobs)
    def submit_with_its_result(self, dependency: Job) -> Job:
        return self._submit(FunctionTask(lambda x: ("got", x), (ResultOf(dependency),)))

    @rule(target=jobs)
    def submit_for_a_moment(self) -> Job:
        def work(context: TaskContext) -> None:
            while True:
                context.check()
                time.sleep(0.001)

        return self._submit(work, timeout=0.01)

    @rule(job=jobs, priority=st.integers(-2, 2))
    def prioritise(self, job: Job, priority: int) -> None:
        if self.engine.set_priority(job, priority):
            assert job.priority == priority

    @rule(running=st.booleans())
    def pause_the_queue(self, running: bool) -> None:
        self.engine.pause_queue(running=running)

    @rule()
    def resume_the_queue(self) -> None:
        self.engine.resume_queue()

    @rule(job=jobs)
    def cancel(self, job: Job) -> None:
        ended = job.state.is_terminal
        assert not (job.cancel() and ended)

    @rule(job=jobs)
    def pause(self, job: Job) -> None:
        job.pause()

    @rule(job=jobs)
    def resume(self, job: Job) -> None:
        job.resume()

    @rule(job=jobs)
    def let_go(self, job: Job) -> None:
        if job.id in self.gates:
            self.gates[job.id].set()

    @rule(job=jobs)
    def wait_if_it_ends(self, job: Job) -> None:
        if job.state is S.CANCELLING or job.cancel_wanted:
            wait_until(job.done)

    @rule()
    def cancel_by_token(self) -> None:
        self.token.cancel()

    @precondition(lambda self: self.token.is_cancelled())
    @rule()
    def reset_the_token(self) -> None:
        self.token.reset()

    @rule()
    def cancel_all(self) -> None:
        self.engine.cancel_all()

    @invariant()
    def promises(self) -> None:
        """One end at most, nothing after it, legal steps alone, progress that never goes back."""
        with self.recorder._news:
            events = list(self.recorder.events)
        state = states_as_promised(events)
        active = (S.RUNNING, S.PAUSED, S.CANCELLING)
        running = [job_id for job_id, s in state.items() if s in active]
        assert len(running) <= 2
        assert len(self.heavy.intersection(running)) <= 1

    def teardown(self) -> None:
        try:
            self._let_all_end()
        finally:
            assert self.engine.shutdown(timeout=TIMEOUT)

    def _let_all_end(self) -> None:
        for gate in self.gates.values():
            gate.set()

        self.engine.resume_queue()

        def all_done() -> bool:
            for job in self.all:
                job.resume()
            return all(job.done() for job in self.all)

        wait_until(all_done)
        for job in self.all:
            last = self.recorder.wait_for_end(job)[-1]
            assert last is job.state
            assert job.cancelled() == (last is S.CANCELLED)
            assert (last is S.FAILED) == (not job.cancelled() and job.exception(0) is not None)
            succeeded = [other.state is S.SUCCEEDED for other in job.after]
            if not all(succeeded):
                assert last is S.CANCELLED
            if isinstance(job.task, FunctionTask) and job.task.args and last is S.SUCCEEDED:
                assert job.result(0) == ("got", job.after[0].result(0))
            if last is S.SUCCEEDED and job.id in self.gates:
                assert self.recorder.progress(job)[-1].current == job.result(0)
        self.promises()
        assert self.engine.active_count() == 0
        assert self.engine._table.scheduler.free == self.engine._table.scheduler.total
        for job in self.all:
            states = self.recorder.states(job)
            assert sum(state.is_terminal for state in states) == 1
            for before, after in itertools.pairwise(states):
                assert after in STATES[before].successors


TestMachine = Machine.TestCase
TestMachine.settings = settings(
    max_examples=60,
    stateful_step_count=30,
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow],
)
