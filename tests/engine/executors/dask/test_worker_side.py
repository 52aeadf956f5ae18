"""What must not break on a worker: one run's fault harms no other, and no thread of ours ends."""

from __future__ import annotations

import os
import signal
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from rheojobs.engine import messages
from rheojobs.engine.executors.dask import folders, worker_side
from rheojobs.engine.executors.dask.held import MAX_EVENT_BYTES, HeldRun, HeldRuns


class Worker:
    """A Dask worker, as far as our side of it needs one."""

    def __init__(self, folder: Path) -> None:
        self.local_directory = str(folder / "worker")
        self.events: list[dict[str, Any]] = []
        self.looks = 0
        self.looks_left = 3

    def log_event(self, topic: str, event: dict[str, Any]) -> None:
        self.events.append(event)

    @property
    def status(self) -> SimpleNamespace:
        self.looks += 1
        return SimpleNamespace(name="running" if self.looks <= self.looks_left else "closing")


@pytest.fixture
def worker(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Worker]:
    monkeypatch.setattr(worker_side, "_held", HeldRuns())
    monkeypatch.setattr(worker_side, "_limits", {})
    monkeypatch.setattr(worker_side, "MEMORY_INTERVAL", 0.0)
    monkeypatch.setattr(worker_side, "CUT_OFF_GRACE", 0.02)
    return Worker(tmp_path)


def hold(worker: Worker, key: str) -> HeldRun:
    run = HeldRun(worker, "topic", key, None, {})
    worker_side._held.add(run)
    return run


def raise_error() -> None:
    raise ValueError("the user's solver cannot be stopped")


def test_a_cancel_callback_that_raises(worker: Worker) -> None:
    run = hold(worker, "a.1")
    run.context.token.on_cancel(raise_error)
    worker_side.handle_request("a.1", "cancel")
    assert run.context.token.is_cancelled()


def test_a_request_that_nobody_knows(worker: Worker) -> None:
    hold(worker, "a.1")
    worker_side.handle_request("a.1", "fly")


@pytest.mark.promise("no-loop-ends")
def test_the_watch_outlives_a_fault_and_kills_what_does_not_stop(
    worker: Worker, monkeypatch: pytest.MonkeyPatch
) -> None:
    killed: list[tuple[int, int]] = []
    monkeypatch.setattr(os, "kill", lambda *args: killed.append(args))
    checked: list[str] = []

    def check(run: HeldRun) -> None:
        checked.append(run.key)
        raise OSError("no /proc")

    monkeypatch.setattr(worker_side, "_check_memory", check)
    worker_side._limits["a.1"] = 1
    runs = [hold(worker, key) for key in ("a.1", "b.1")]
    runs[0].context.token.on_cancel(raise_error)
    worker_side._watch(worker)
    assert checked == ["a.1", "b.1"] * worker.looks_left
    assert all(run.is_cut_off and run.context.token.is_cancelled() for run in runs)
    assert killed == [(os.getpid(), signal.SIGKILL)]


def test_a_full_disk_on_a_worker_does_not_end_the_task(
    worker: Worker, monkeypatch: pytest.MonkeyPatch
) -> None:
    def save_state(folder: Path, state: bytes) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(folders, "save_state", save_state)
    run = hold(worker, "a.1")
    run.send(messages.Checkpointed(bytes(MAX_EVENT_BYTES + 1)))
    assert run.take_message(worker.events[-1]["number"]) is not None  # it is sent all the same


@pytest.mark.parametrize(
    ("sent", "replayed"),
    [
        ([messages.Paused()], [messages.Started(), messages.Paused()]),
        ([messages.Paused(), messages.Resumed()], [messages.Started()]),
        (
            [messages.Paused(), messages.Resumed(), messages.Paused()],
            [messages.Started(), messages.Paused()],
        ),
    ],
)
def test_a_pause_that_is_over_is_not_sent_again(
    worker: Worker, sent: list[messages.Message], replayed: list[messages.Message]
) -> None:
    import pickle

    run = hold(worker, "a.1")
    for message in sent:
        run.send(message)
    worker.events.clear()
    run.attach("another", {})
    assert [pickle.loads(event["message"]) for event in worker.events] == replayed
