"""The thread that delivers messages to the engine: in order, one fault harms one job."""

from __future__ import annotations

import threading
from collections.abc import Iterator

import pytest
from tests.engine import chores
from tests.engine.helpers import TIMEOUT

from rheojobs.engine import FunctionTask, Progress, messages
from rheojobs.engine.executors.base import Run
from rheojobs.engine.executors.dask.delivery import DeliveryThread
from rheojobs.engine.executors.dask.run import DaskRun


class Engine:
    """What takes in the messages of runs; it may be slow, or unable to."""

    def __init__(self) -> None:
        self.told: list[tuple[str, messages.Message]] = []
        self.stopped: list[str] = []
        self.is_free = threading.Event()
        self.is_free.set()
        self.is_busy = threading.Event()
        self.delivery = DeliveryThread(lambda run: self.stopped.append(run.run.id))

    def run(self, name: str, *bad: type[messages.Message]) -> DaskRun:
        """Make a run, for whose messages of some types there is an exception."""

        def tell(message: messages.Message) -> None:
            self.is_busy.set()
            assert self.is_free.wait(TIMEOUT)
            if isinstance(message, bad):
                raise ValueError("no such transition")
            self.told.append((name, message))

        return DaskRun(None, Run(name, FunctionTask(chores.nothing), tell))


@pytest.fixture
def engine() -> Iterator[Engine]:
    engine = Engine()
    yield engine
    engine.is_free.set()
    assert engine.delivery.close(TIMEOUT)


def progress(current: int, stage: str = "") -> messages.Progressed:
    return messages.Progressed(Progress(current, 10, stage=stage))


def test_in_order_and_nothing_after_the_end(engine: Engine) -> None:
    one, other = engine.run("one"), engine.run("other")
    for control in (one, other):
        engine.delivery.put(control, messages.Started())
    engine.delivery.put(one, messages.Succeeded(1))
    engine.delivery.put(one, messages.Cancelled())
    engine.delivery.put(other, messages.Partial(2))
    assert engine.delivery.close(TIMEOUT)
    assert engine.told == [
        ("one", messages.Started()),
        ("other", messages.Started()),
        ("one", messages.Succeeded(1)),
        ("other", messages.Partial(2)),
    ]


def test_what_is_superseded_does_not_wait(engine: Engine) -> None:
    engine.is_free.clear()
    control, other = engine.run("one"), engine.run("other")
    engine.delivery.put(control, messages.Started())
    assert engine.is_busy.wait(TIMEOUT)
    for step in range(1000):
        engine.delivery.put(control, progress(step, "warm-up"))
        engine.delivery.put(control, messages.Checkpointed(bytes([step % 256])))
        if step == 500:
            engine.delivery.put(control, messages.Partial("half"))
            engine.delivery.put(other, progress(step))
    engine.delivery.put(control, progress(1, "sampling"))
    engine.delivery.put(control, messages.Succeeded(None))
    engine.is_free.set()
    assert engine.delivery.close(TIMEOUT)
    assert engine.told == [
        ("one", messages.Started()),
        ("one", messages.Partial("half")),
        ("other", progress(500)),
        ("one", progress(999, "warm-up")),
        ("one", messages.Checkpointed(bytes([999 % 256]))),
        ("one", progress(1, "sampling")),
        ("one", messages.Succeeded(None)),
    ]


def test_a_message_that_cannot_be_taken_in_fails_its_job_alone(engine: Engine) -> None:
    one, other = engine.run("one", messages.Resumed), engine.run("other")
    for control in (one, other):
        for message in (messages.Started(), messages.Resumed(), messages.Succeeded(1)):
            engine.delivery.put(control, message)
    assert engine.delivery.close(TIMEOUT)
    assert [told for name, told in engine.told if name == "other"] == [
        messages.Started(),
        messages.Resumed(),
        messages.Succeeded(1),
    ]
    started, failed = (told for name, told in engine.told if name == "one")
    assert started == messages.Started()
    assert isinstance(failed, messages.Failed)
    assert "could not be handled: " in str(failed.error)
    assert "no such transition" in str(failed.error)
    assert engine.stopped == ["one"]


@pytest.mark.promise("no-loop-ends")
def test_an_engine_that_takes_in_nothing_ends_no_thread(engine: Engine) -> None:
    engine.delivery.put(engine.run("one", messages.Message), messages.Started())
    engine.delivery.call(lambda: 1 / 0)
    engine.delivery.put(engine.run("other"), messages.Started())
    assert engine.delivery.close(TIMEOUT)
    assert engine.told == [("other", messages.Started())]


def test_after_the_end_messages_are_still_delivered(engine: Engine) -> None:
    assert engine.delivery.close(TIMEOUT)
    engine.delivery.put(engine.run("late"), messages.Cancelled())
    assert engine.told == [("late", messages.Cancelled())]
