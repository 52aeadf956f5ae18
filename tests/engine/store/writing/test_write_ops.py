"""What is written of one job: the newest of each slot, and what cannot be kept with a reason."""

from __future__ import annotations

import math
from pathlib import Path
from typing import Any

import pytest
from tests.engine import chores

from rheojobs.engine import FunctionTask, JobState, JobStore
from rheojobs.engine.recorder import NewJob, Outcome
from rheojobs.engine.serialization import pack_state, record_of
from rheojobs.engine.store.writing.write_ops import Change, JobWrites

S = JobState
JOB = "00000abc-0000-4000-8000-000000000000"


def new(**fields: Any) -> JobWrites:
    writes = JobWrites(JOB)
    record = record_of(FunctionTask(chores.add, (1.0,)))
    writes.new = NewJob(JOB, lambda: record, lambda: {"name": "a job", **fields}, print)
    return writes


def write(store: JobStore, writes: JobWrites) -> bool:
    writes.encode()
    writes.prepare(store)
    with store.transaction():
        return writes.apply(store)


def changes(*states: JobState) -> list[Change]:
    return [Change(state, "", float(when)) for when, state in enumerate(states)]


def test_start_and_end_are_one_statement(store: JobStore) -> None:
    write(store, new())
    writes = JobWrites(JOB)
    writes.changes = changes(S.RUNNING, S.SUCCEEDED)
    writes.keep_outcome(Outcome(result=1.5))
    writes.encode()
    assert writes.is_one_statement
    assert writes.apply(store)
    assert [entry[:2] for entry in store.history(JOB)][1:] == [(0.0, S.RUNNING), (1.0, S.SUCCEEDED)]
    assert store.result(JOB) == 1.5


@pytest.mark.parametrize("between", [S.PAUSED, S.CANCELLING, S.INTERRUPTED])
def test_what_lies_between_is_written(store: JobStore, between: JobState) -> None:
    writes = new()
    end = [] if between is S.INTERRUPTED else [S.CANCELLED if between is S.CANCELLING else S.FAILED]
    writes.changes = changes(S.RUNNING, between, *end)
    assert write(store, writes)
    assert [state for _, state, _ in store.history(JOB)] == [S.QUEUED, S.RUNNING, between, *end]


def test_only_the_newest_checkpoint_waits(store: JobStore) -> None:
    waiting = new()
    waiting.changes = changes(S.RUNNING)
    waiting.encode()
    for count in range(50):
        later = JobWrites(JOB)
        later.keep_checkpoint(pack_state({"count": count, "text": "x" * 400_000}))
        later.encode()
        later.prepare(store)  # its file is on disk
        waiting.absorb(later, store)
    assert waiting.weight < 10_000
    folder = store.path.with_name(store.path.name + ".files") / JOB
    assert len(list(folder.iterdir())) == 1, "the files of those before are removed"
    assert write(store, waiting)
    assert store.checkpoint(JOB) == pack_state({"count": 49, "text": "x" * 400_000})


@pytest.mark.parametrize(
    "result",
    [math.factorial(2000), object(), {1: 2}, float("nan"), "\ud800" * 2000],
    ids=["5,000 digits", "object", "key", "nan", "surrogates"],
)
def test_a_result_that_cannot_be_kept_says_why(store: JobStore, result: object) -> None:
    reasons: list[str] = []
    writes = new()
    writes.changes = changes(S.RUNNING, S.SUCCEEDED)
    writes.keep_outcome(Outcome(result=result, on_unkept=reasons.append))
    assert write(store, writes)
    assert store.find(JOB).state is S.SUCCEEDED
    assert reasons or not isinstance(result, int)
    assert all("\n" not in reason for reason in reasons)


def test_a_record_that_raises_spoils_nothing_else(store: JobStore) -> None:
    class Raises:
        def to_record(self) -> Any:
            raise ZeroDivisionError("no record today")

        @classmethod
        def from_record(cls, content: Any, blobs: Any) -> Any:
            raise AssertionError

    reasons: list[str] = []
    writes = new()
    writes.changes = changes(S.RUNNING, S.SUCCEEDED)
    writes.keep_checkpoint(pack_state({"at": 3}))
    writes.keep_outcome(Outcome(result=Raises(), on_unkept=reasons.append))
    assert write(store, writes)
    assert store.find(JOB).state is S.SUCCEEDED
    assert reasons


def test_another_engines_job_is_not_written(store: JobStore, tmp_path: Path) -> None:
    write(store, new())
    with JobStore(store.path) as other:
        other.join()
        writes = JobWrites(JOB)
        writes.changes = changes(S.RUNNING)
        assert not write(other, writes)
        assert other.is_taken(JOB)
        assert not other.is_taken(JOB[:-1] + "1"), "nobody has a job that is not there"
        other.leave()
