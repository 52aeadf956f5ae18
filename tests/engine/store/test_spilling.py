"""Results that are read from the store when they are asked for, so that memory does not grow."""

from __future__ import annotations

import asyncio
import gc
import weakref
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar, Self

import pytest
from tests.engine import chores
from tests.engine.helpers import TIMEOUT

from rheojobs.engine import JobEngine, JobStore, ResultOf
from rheojobs.errors import InputError


@dataclass(eq=False)
class Curve:
    """A result that is kept as bytes."""

    is_result: ClassVar[bool] = True

    values: bytes

    def to_record(self) -> tuple[Any, Mapping[str, bytes]]:
        return None, {"values": self.values}

    @classmethod
    def from_record(cls, content: Any, blobs: Mapping[str, bytes]) -> Self:
        return cls(blobs["values"])


def curve(size: int) -> Curve:
    return Curve(bytes(size))


def length(made: Curve) -> int:
    return len(made.values)


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "jobs.sqlite3"


@pytest.fixture
def engine(path: Path) -> Iterator[JobEngine]:
    with JobEngine("threads", max_workers=2, store=path, spill="10 kB") as engine:
        yield engine


def test_a_large_result_is_not_kept_in_memory(engine: JobEngine) -> None:
    seen: list[weakref.ref[Curve]] = []

    def look(size: int) -> Curve:
        made = curve(size)
        seen.append(weakref.ref(made))
        return made

    job = engine.run(look, 100_000)
    small = engine.run(look, 100)
    assert engine.wait(TIMEOUT)
    assert length(job.result()) == 100_000
    assert length(small.result()) == 100
    gc.collect()
    large_one, small_one = sorted(seen, key=lambda ref: ref() is not None)
    assert large_one() is None
    assert small_one() is small.result()


def test_whoever_waits_gets_the_result_itself(engine: JobEngine) -> None:
    async def wait() -> Curve:
        return await engine.run(curve, 50_000)

    assert length(asyncio.run(wait())) == 50_000
    job = engine.run(curve, 50_000)
    assert engine.run(length, ResultOf(job)).result(TIMEOUT) == 50_000
    assert job.inspect(TIMEOUT).values == bytes(50_000)
    assert [length(made) for made in engine.map(curve, [20_000, 30_000])] == [20_000, 30_000]


def test_what_cannot_be_kept_on_disk_stays_in_memory(engine: JobEngine) -> None:
    made = engine.run(lambda: {"a": {1, 2}, "b": bytes(100_000)}).result(TIMEOUT)
    assert made["a"] == {1, 2}


def test_it_can_be_read_when_the_engine_is_gone(path: Path) -> None:
    with JobEngine("threads", store=path, spill="10 kB") as engine:
        job = engine.run(curve, 50_000)
        assert engine.wait(TIMEOUT)
    assert length(job.result()) == 50_000
    with JobStore(path) as store:
        store.remove(job.id)
    with pytest.raises(InputError, match="there is no job"):
        job.result()


def test_without_a_store_nothing_is_spilled() -> None:
    with JobEngine("threads", spill="1 kB") as engine:
        job = engine.run(chores.big)
        assert job.result(TIMEOUT) is job.result(TIMEOUT)
