"""Values that SQLite, UTF-8 or JSON cannot hold: stored as well as can be, or refused alone."""

from __future__ import annotations

import os
import uuid
from collections.abc import Callable
from typing import Any

import pytest
from tests.engine import chores

from rheojobs.engine import FunctionTask, JobState, JobStore, Progress
from rheojobs.engine.errors import EntryError
from rheojobs.engine.serialization import Record, record_of
from rheojobs.engine.store.stored_job import StoredJob

S = JobState
TASK = record_of(FunctionTask(chores.add, (1.0,)))
NAME = os.fsdecode(b"m\xfc.csv")
"""The name of a file of an old instrument."""


def new(store: JobStore, **options: Any) -> str:
    job_id = str(uuid.uuid4())
    store.add(job_id, options.pop("name", "job"), options.pop("record", TASK), **options)
    return job_id


def test_text_that_is_not_utf_8(store: JobStore) -> None:
    job_id = new(store, name=NAME, limits={"tags": [NAME]})
    why = new(store, record=None, not_durable_because=NAME)
    assert store.move(job_id, S.RUNNING, NAME)
    store.put_cluster_address(job_id, NAME)
    assert store.put_progress(job_id, Progress(1, 2, NAME, NAME, {NAME: NAME}))
    assert store.put(job_id, "partial", Record("json", {NAME: NAME}))
    job = store.find(job_id)
    assert job.name == job.message == job.cluster_address == "m\\udcfc.csv"
    assert job.progress == Progress(1, 2, NAME, NAME, {NAME: NAME})
    assert store.find(why).not_durable_because == "m\\udcfc.csv"
    assert [found.id for found in store.tagged(NAME)] == [job_id]
    assert store.result(job_id, "partial") == {NAME: NAME}
    assert store.give_away(job_id, NAME)
    assert store.history(job_id)[-1][2] == "m\\udcfc.csv"
    with pytest.raises(ValueError, match="no job"):
        store.find(NAME)


def test_texts_of_tasks(store: JobStore) -> None:
    """One record that SQLite's functions cannot read does not hide those of the others."""
    contents: list[Any] = [
        {"model": "maxwell", "low": float("-inf"), "high": float("inf")},
        {"model": NAME},
        {"model": "zener"},
        {"model": 3},
        {"model": "nan", "x": float("nan"), "rest": "x" * 1000},
        ["no mapping", float("nan")],
    ]
    numbers = [store.find(new(store, record=Record("x:Y", content))).number for content in contents]
    words = store.task_words(numbers, "model")
    found = [words.get(number) for number in numbers]
    assert found == ["maxwell", "m\\udcfc.csv", "zener", None, "nan", None]
    assert store.task_words(numbers, "model", "deeper") == {}


@pytest.mark.parametrize(
    "options",
    [
        {"priority": 10**20},
        {"max_attempts": -(10**20)},
        {"needs": {"memory": float("nan")}},
        {"limits": {"timeout": float("inf")}},
        {"priority": object()},
        {"name": None},
        {"when": "now"},
        {"retry": {"types": {1, 2}}},
        {"not_before": 10**400},
    ],
    ids=lambda options: next(iter(options)),
)
def test_a_job_that_cannot_be_stored(store: JobStore, options: dict[str, Any]) -> None:
    with pytest.raises((EntryError, AttributeError)) as caught:
        new(store, **options)
    if options != {"name": None}:
        assert isinstance(caught.value, EntryError)
        assert not caught.value.is_lasting
        assert "\n" not in str(caught.value)
    assert store.jobs() == []
    assert new(store), "others can"


@pytest.mark.parametrize(
    "write",
    [
        lambda store, job: store.put_priority(job, 10**20),
        lambda store, job: store.put_progress(job, Progress(10**5000, 0, "", "", {})),
        lambda store, job: store.put(job, "partial", Record("json", 10**5000)),
        lambda store, job: store.put(job, "partial", Record("json", object())),
        lambda store, job: store.put(job, "partial", Record("\udcfc", 1)),
        lambda store, job: store.add(job, "the same", TASK),
        lambda store, job: store.move(job, S.RUNNING, "", "now"),
    ],
)
def test_a_change_that_cannot_be_stored(
    store: JobStore, write: Callable[[JobStore, str], object]
) -> None:
    job_id = new(store)
    before = store.find(job_id)
    with pytest.raises(EntryError) as caught:
        write(store, job_id)
    assert not caught.value.is_lasting
    with pytest.raises(EntryError), store.transaction():
        write(store, job_id)
    assert store.find(job_id) == before
    assert store.move(job_id, S.RUNNING)


def test_metrics_that_cannot_be_stored_are_left_out(store: JobStore) -> None:
    job_id = new(store)
    metrics = {"loss": float("nan"), "digits": 10**5000, "holds itself": [], "x": object()}
    metrics["holds itself"].append(metrics["holds itself"])  # type: ignore[union-attr]
    assert store.put_progress(job_id, Progress(1, 2, "", "", metrics))
    progress = store.find(job_id).progress
    assert progress is not None
    assert list(progress.metrics) == ["loss"]


def test_when_a_job_may_start_and_start_again(store: JobStore) -> None:
    job_id = new(store, not_before=12.5, retry={"most": 3, "errors": ["OSError"]})
    plain = store.find(new(store))
    job: StoredJob = store.find(job_id)
    assert (job.not_before, job.retry) == (12.5, {"most": 3, "errors": ["OSError"]})
    assert (plain.not_before, plain.retry) == (None, None)


def test_the_address_of_a_cluster(store: JobStore) -> None:
    job_id = new(store, limits={"tags": ["a"]})
    store.put_cluster_address(job_id, "tcp://10.0.0.1:8786")
    job = store.find(job_id)
    assert (job.cluster_address, job.limits) == ("tcp://10.0.0.1:8786", {"tags": ["a"]})
    store.untag(job_id)
    assert store.find(job_id).limits == {}
    store.move(job_id, S.CANCELLED)
    assert store.find(job_id).cluster_address == "", "it runs there no more"


def test_damaged_parts(store: JobStore) -> None:
    job_id = new(store)
    for part in ("checkpoint", "partial", "error"):
        store.put(job_id, part, Record("json", "x"))
    deep = "[" * 100_000
    for text in ("no JSON", deep, "9" * 5000):
        store._db.execute("UPDATE parts SET content = ?", (text.encode(),))
        for read in (
            lambda: store.checkpoint(job_id),
            lambda: store.result(job_id, "partial"),
            lambda: store.error(job_id),
        ):
            with pytest.raises(OSError, match="is damaged"):
                read()
    store._db.execute("UPDATE parts SET content = ?", (b"[1]",))
    with pytest.raises(OSError, match=r"checkpoint of job .* is damaged"):
        store.checkpoint(job_id)
    assert store.error(job_id) == {}
