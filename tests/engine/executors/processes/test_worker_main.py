"""The worker's side of the pipe: which of its threads reads, and that no task is lost between."""

from __future__ import annotations

import os
import queue
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from tests.engine import chores, helpers
from tests.engine.helpers import TIMEOUT

from rheojobs.engine import FunctionTask, messages
from rheojobs.engine.executors.pickling import pickle_task
from rheojobs.engine.executors.processes.channel import Channel, ChannelClosedError
from rheojobs.engine.executors.processes.worker_main import LOOK, QUIET, Worker

LONG = FunctionTask(time.sleep, (5 * LOOK,))
SHORT = FunctionTask(chores.nothing)


class Guest(Worker):
    """Shares the process of the tests, which must not end when its pipe is closed."""

    def _leave(self, status: int = 0) -> None:
        assert status == 0


class Dawdler(Guest):
    """Takes its time between the end of a task and the next, in which it does not read."""

    def _tell(self, run_id: str, ending: messages.Message) -> None:
        super()._tell(run_id, ending)
        time.sleep(5 * LOOK)


class Application:
    """The other side of the pipe."""

    def __init__(self, kind: type[Guest], later: Iterator[object] | None = None) -> None:
        (their_in, our_out), (our_in, their_out) = os.pipe(), os.pipe()
        self._channel = Channel(os.fdopen(our_in, "rb"), os.fdopen(our_out, "wb"))
        theirs = Channel(os.fdopen(their_in, "rb"), os.fdopen(their_out, "wb"))
        self.worker = threading.Thread(target=kind(theirs, later or iter(())).serve, daemon=True)
        self._heard: queue.SimpleQueue[tuple[str, Any]] = queue.SimpleQueue()
        self.worker.start()
        threading.Thread(target=self._listen, daemon=True).start()
        assert self.hear()[0] == "ready"

    def _listen(self) -> None:
        try:
            while True:
                self._heard.put(self._channel.receive())
        except ChannelClosedError:
            return

    def send(self, *words: object) -> None:
        self._channel.send(words)

    def run(self, run_id: str, task: FunctionTask) -> None:
        self.send("run", run_id, pickle_task(task), None)

    def hear(self) -> tuple[str, Any]:
        return self._heard.get(timeout=TIMEOUT)

    def end(self) -> None:
        self.send("exit")
        self.worker.join(TIMEOUT)
        assert not self.worker.is_alive()


@pytest.fixture(params=[Guest, Dawdler])
def application(request: pytest.FixtureRequest) -> Iterator[Application]:
    application = Application(request.param)
    yield application
    application.end()


def test_every_task_is_run_whoever_reads(application: Application) -> None:
    tasks = [SHORT, LONG, LONG, SHORT, SHORT, LONG, SHORT]
    for number, task in enumerate(tasks):
        run_id = f"task {number}"
        application.run(run_id, task)
        assert application.hear() == (run_id, messages.Started())
        assert application.hear() == (run_id, messages.Succeeded(None))


def test_a_task_is_cancelled_whoever_reads(application: Application) -> None:
    for number in range(3):
        application.run(f"short {number}", SHORT)
        assert application.hear()[1] == messages.Started()
        assert application.hear()[1] == messages.Succeeded(None)
        run_id = f"stopped {number}"
        application.run(run_id, FunctionTask(chores.hold))
        application.send("cancel", run_id)  # with the task in one go, perhaps
        assert application.hear() == (run_id, messages.Started())
        assert application.hear() == (run_id, messages.Cancelled())


def test_a_callback_that_raises_when_cancelled(application: Application, tmp_path: Path) -> None:
    """It harms neither thread, whichever of them reads."""
    for number in range(3):
        run_id = f"stopped {number}"
        trace = tmp_path / run_id
        application.run(run_id, FunctionTask(chores.hold_with_bad_callbacks, (str(trace),)))
        assert application.hear() == (run_id, messages.Started())
        time.sleep(number * 2 * LOOK)
        application.send("cancel", run_id)
        assert application.hear() == (run_id, messages.Cancelled())
        helpers.wait_until(trace.exists)  # its callbacks run in another thread
        application.run("after", SHORT)
        assert application.hear() == ("after", messages.Started())
        assert application.hear() == ("after", messages.Succeeded(None))


def test_a_word_that_is_not_known(application: Application) -> None:
    application.run("a task", FunctionTask(chores.hold))
    assert application.hear() == ("a task", messages.Started())
    for verb in ("dance", "cancel"):
        application.send(verb, "a task")
    assert application.hear() == ("a task", messages.Cancelled())


def test_after_a_long_rest(application: Application) -> None:
    application.run("before", LONG)
    for _ in range(2):
        application.hear()
    time.sleep(1.5 * QUIET * LOOK)
    application.run("after", FunctionTask(chores.hold))
    assert application.hear() == ("after", messages.Started())
    application.send("cancel", "after")
    assert application.hear() == ("after", messages.Cancelled())


def test_tasks_go_before_preparations() -> None:
    steps: list[int] = []

    def later() -> Iterator[None]:
        for number in range(1000):
            time.sleep(0.01)
            steps.append(number)
            yield

    application = Application(Guest, later())
    for number in range(3):
        helpers.wait_until(lambda number=number: len(steps) > number)
        for task in (SHORT, LONG, SHORT):
            application.run("a task", task)
            assert application.hear() == ("a task", messages.Started())
            assert application.hear() == ("a task", messages.Succeeded(None))
    assert len(steps) < 500, "the rest is for later"
    application.end()
    application.send("exit")
    application.worker.join(TIMEOUT)
    assert not application.worker.is_alive()
