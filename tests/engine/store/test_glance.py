"""`StoreGlance`: what is new in a store since the last look."""

from __future__ import annotations

import uuid
from collections.abc import Iterator

import pytest
from tests.engine import chores

from rheojobs.engine import FunctionTask, JobState, JobStore
from rheojobs.engine.serialization import record_of
from rheojobs.engine.store.glance import Glance, StoreGlance

S = JobState


@pytest.fixture
def glance(store: JobStore) -> Iterator[StoreGlance]:
    made = StoreGlance(store.path, owner="of nobody there")
    yield made
    made.close()


def add(store: JobStore, name: str) -> str:
    job_id = str(uuid.uuid4())
    store.add(job_id, name, record_of(FunctionTask(chores.add, (1.0,))))
    return job_id


def names(glance: Glance) -> list[str]:
    return [seen.stored.name for seen in glance.news]


def test_the_first_look_gives_all_the_oldest_first(store: JobStore, glance: StoreGlance) -> None:
    ended = add(store, "ended")
    store.move(ended, S.CANCELLED)
    add(store, "waits")
    assert names(glance.look()) == ["ended", "waits"]


def test_a_look_at_an_unchanged_store_gives_nothing(store: JobStore, glance: StoreGlance) -> None:
    add(store, "waits")
    glance.look()
    assert glance.look() == Glance()


def test_later_looks_give_what_has_changed(store: JobStore, glance: StoreGlance) -> None:
    first, second = add(store, "first"), add(store, "second")
    glance.look()
    store.move(first, S.RUNNING)
    (seen,) = glance.look().news
    assert (seen.stored.id, seen.stored.state) == (first, S.RUNNING)
    assert seen.started is not None
    store.move(first, S.SUCCEEDED)
    assert names(glance.look()) == ["first"]
    add(store, "third")
    assert names(glance.look()) == ["third"]
    store.move(second, S.CANCELLED)
    assert names(glance.look()) == ["second"]


def test_a_job_that_begins_and_ends_between_two_looks_is_seen(
    store: JobStore, glance: StoreGlance
) -> None:
    glance.look()
    store.move(add(store, "quick"), S.CANCELLED)
    (seen,) = glance.look().news
    assert (seen.stored.name, seen.stored.state) == ("quick", S.CANCELLED)


def test_removed_jobs_are_gone(store: JobStore, glance: StoreGlance) -> None:
    job_id = add(store, "waits")
    glance.look()
    store.move(job_id, S.CANCELLED)
    store.remove(job_id)
    assert glance.look() == Glance(gone=(job_id,))


def test_the_jobs_of_the_owner_are_left_out_until_they_end(store: JobStore) -> None:
    glance = StoreGlance(store.path, store.owner.id)
    job_id = add(store, "own")
    assert names(glance.look()) == []
    store.move(job_id, S.CANCELLED)
    assert names(glance.look()) == ["own"]
    glance.close()


def test_a_job_tells_its_model_and_data(store: JobStore, glance: StoreGlance) -> None:
    add(store, "a sum")
    (seen,) = glance.look().news
    assert (seen.model, seen.data) == ("", "")
    assert not seen.is_elsewhere, "it is this process's"
