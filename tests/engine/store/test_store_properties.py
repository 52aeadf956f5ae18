"""Whatever happens to a store, in whatever order: nothing is lost, and no job has two owners."""

from __future__ import annotations

import itertools
import shutil
import tempfile
import uuid
from pathlib import Path

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule
from tests.engine import chores

from rheojobs.engine import FunctionTask, JobState, JobStore
from rheojobs.engine.serialization import Record, pack_state, record_of
from rheojobs.engine.states import STATES
from rheojobs.errors import InputError

pytestmark = pytest.mark.promise("on-disk-when-submitted")

S = JobState
TASK = record_of(FunctionTask(chores.add, (1.0,)))
ENGINES = st.integers(0, 2)
PICK = st.integers(0, 10**6)


class StoreMachine(RuleBasedStateMachine):
    """Three engines on one store, and a model of what must be there."""

    def __init__(self) -> None:
        super().__init__()
        self.folder = Path(tempfile.mkdtemp())
        self.known: set[str] = set()
        self.locked: set[str] = set()
        self.stores = [self._open() for _ in range(3)]
        self.state: dict[str, JobState] = {}
        self.owner: dict[str, str | None] = {}
        self.durable: dict[str, bool] = {}
        self.results: dict[str, int] = {}

    def _open(self) -> JobStore:
        store = JobStore(self.folder / "jobs.sqlite3")
        store.join()
        self._is_here(store)
        return store

    def _is_here(self, store: JobStore) -> None:
        self.known.add(store.owner.id)
        self.locked.add(store.owner.id)

    def teardown(self) -> None:
        for store in self.stores:
            store.close()
        shutil.rmtree(self.folder)

    def _pick(self, number: int) -> str:
        return list(self.state)[number % len(self.state)]

    @rule(engine=ENGINES, durable=st.booleans())
    def add(self, engine: int, durable: bool) -> None:
        job_id = str(uuid.uuid4())
        store = self.stores[engine]
        if store.owner.id not in self.known:
            self._is_here(store)
        why = "" if durable else "a lambda"
        store.add(job_id, "job", TASK if durable else None, not_durable_because=why)
        self.state[job_id], self.owner[job_id] = S.QUEUED, store.owner.id
        self.durable[job_id] = durable

    @precondition(lambda self: self.state)
    @rule(engine=ENGINES, pick=PICK, to=st.sampled_from(S))
    def move(self, engine: int, pick: int, to: JobState) -> None:
        job_id, store = self._pick(pick), self.stores[engine]
        mine = self.owner[job_id] == store.owner.id
        if mine and to not in STATES[self.state[job_id]].successors:
            return
        if mine and to is S.SUCCEEDED:
            self.results[job_id] = pick
            assert store.put(job_id, "result", Record("json", pick))
        assert store.move(job_id, to) == mine
        if mine:
            self.state[job_id] = to
            if to.is_terminal:
                self.owner[job_id] = None

    @precondition(lambda self: self.state)
    @rule(engine=ENGINES, pick=PICK)
    def checkpoint(self, engine: int, pick: int) -> None:
        job_id, store = self._pick(pick), self.stores[engine]
        kept = store.put_checkpoint(job_id, pack_state(pick))
        assert kept == (self.owner[job_id] == store.owner.id)

    @precondition(lambda self: self.state)
    @rule(engine=ENGINES, pick=PICK)
    def take(self, engine: int, pick: int) -> None:
        job_id, store = self._pick(pick), self.stores[engine]
        free = self.owner[job_id] is None and self.durable[job_id]
        waits = self.state[job_id] in (S.QUEUED, S.INTERRUPTED)
        assert (store.take(job_id) is S.QUEUED) == (free and waits)
        if free and waits:
            self._is_here(store)
            self.state[job_id], self.owner[job_id] = S.QUEUED, store.owner.id

    @rule(engine=ENGINES)
    def lose_the_lock(self, engine: int) -> None:
        """A person, or a program that tidies up, removes the file of a lock."""
        owner = self.stores[engine].owner.id
        (self.folder / "jobs.sqlite3.files" / "locks" / f"{owner}.lock").unlink(missing_ok=True)
        self.locked.discard(owner)

    @rule(engine=ENGINES)
    def renew(self, engine: int) -> None:
        self.stores[engine].renew()
        self._is_here(self.stores[engine])

    @rule(engine=ENGINES)
    def recover(self, engine: int) -> None:
        gone = self.known - self.locked - {self.stores[engine].owner.id}
        freed = self.stores[engine].recover()
        assert sorted(freed) == sorted(job for job, owner in self.owner.items() if owner in gone)
        for owner in gone:
            self._free(owner)

    def _free(self, owner: str) -> None:
        self.known.discard(owner)
        for job_id in [job_id for job_id, whose in self.owner.items() if whose == owner]:
            self.owner[job_id] = None
            state, durable = self.state[job_id], self.durable[job_id]
            if state is S.CANCELLING:
                self.state[job_id] = S.CANCELLED
            elif not durable:
                self.state[job_id] = S.FAILED
            elif state in (S.RUNNING, S.PAUSED):
                self.state[job_id] = S.INTERRUPTED

    @rule(engine=ENGINES, leaves=st.booleans())
    def reopen(self, engine: int, leaves: bool) -> None:
        store = self.stores[engine]
        if leaves:
            store.leave()
            self._free(store.owner.id)
        store.close()  # an engine that has not left is gone
        self.locked.discard(store.owner.id)
        self.stores[engine] = self._open()

    @precondition(lambda self: self.state)
    @rule(engine=ENGINES, pick=PICK)
    def cancel(self, engine: int, pick: int) -> None:
        job_id, store = self._pick(pick), self.stores[engine]
        if self.state[job_id].is_terminal or self.owner[job_id] is not None:
            return
        assert store.request(job_id, "cancel")
        self.state[job_id] = S.CANCELLED

    @precondition(lambda self: self.state)
    @rule(engine=ENGINES, pick=PICK)
    def remove(self, engine: int, pick: int) -> None:
        job_id = self._pick(pick)
        try:
            self.stores[engine].remove(job_id)
        except InputError:
            assert not self.state[job_id].is_terminal
        else:
            assert self.state.pop(job_id).is_terminal
            self.results.pop(job_id, None)
            del self.owner[job_id], self.durable[job_id]

    @invariant()
    def nothing_is_lost_and_all_agree(self) -> None:
        jobs = {job.id: job for job in self.stores[0].jobs()}
        assert {job_id: job.state for job_id, job in jobs.items()} == self.state
        assert {job_id: job.owner for job_id, job in jobs.items()} == self.owner
        for job_id, job in jobs.items():
            history = [state for _, state, _ in self.stores[1].history(job_id)]
            assert history[-1] is job.state
            for before, after in itertools.pairwise(history):
                assert after in STATES[before].successors
            if job.state is S.SUCCEEDED:
                assert self.stores[2].result(job_id) == self.results[job_id]


StoreMachine.TestCase.settings = settings(max_examples=25, stateful_step_count=40, deadline=None)
TestStore = StoreMachine.TestCase
