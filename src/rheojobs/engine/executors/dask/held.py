"""A run on a worker of a Dask cluster: what it says, and what its application must be told again.

An application may be killed and come back: the newest of what its run has said is kept here until
then, and the ending until it is acknowledged. Runs inside the cluster's workers.
"""

from __future__ import annotations

import itertools
import pickle
import shutil
import threading
import time
from collections import OrderedDict
from collections.abc import Mapping
from pathlib import Path
from typing import Any, NamedTuple

import cloudpickle

from rheojobs.engine import messages
from rheojobs.engine.executors.dask import file_transfer, folders
from rheojobs.engine.task import TaskContext

__all__ = ["HeldRun", "Holdings", "Whereabouts", "job_of", "pickled"]

IN_AN_EVENT = 64 * 1024
"""Bytes that travel in an event: the scheduler keeps events, so larger ones are called for."""

OUTBOX = 64
"""Large messages of a run that wait to be called for: an application that is gone calls none."""

HELD_ENDINGS = 256
HELD_BYTES = 256 * 2**20
"""What is kept of the endings that nobody has acknowledged."""

_RETOLD = {
    messages.Progressed: "progress",
    messages.Partial: "partial",
    messages.Checkpointed: "checkpoint",
    messages.Stoppable: "stoppable",
    messages.Paused: "pause",
    messages.Resumed: "pause",
}
"""Of which messages the newest is told again, under which heading."""


def pickled(message: messages.Message) -> bytes:
    """Write a message as bytes."""
    return bytes(cloudpickle.dumps(message, protocol=pickle.HIGHEST_PROTOCOL))


def job_of(key: str) -> str:
    """Give the id of the job whose attempt a key names."""
    return key.partition(".")[0]


class Whereabouts(NamedTuple):
    """What an application that comes to the cluster learns of a run there.

    Attributes
    ----------
    key : str
        Names the attempt.
    begun : float
        When it began (seconds since the epoch).
    has_ended : bool
        Whether it has ended.
    is_of_use : bool
        Whether its job may be gone on with there: nobody has asked it to stop.
    """

    key: str
    begun: float
    has_ended: bool
    is_of_use: bool


class HeldRun:
    """One attempt at a job, on this worker.

    Parameters
    ----------
    worker : distributed.Worker
        Where it runs.
    topic : str
        What its application listens to.
    key : str
        The id of the job and, after a full stop, what tells this attempt from others.
    restored : bytes or None
        The state to go on from.
    files : mapping of str to bytes
        What is in the task's folder.

    Attributes
    ----------
    context : TaskContext
        What the task sees.
    ending : bytes or None
        How it ended.
    topic : str
        As above; another's since the run was adopted.
    is_cut_off : bool
        Whether it was stopped because its worker leaves the cluster.
    """

    def __init__(
        self,
        worker: Any,
        topic: str,
        key: str,
        restored: bytes | None,
        files: Mapping[str, bytes],
    ) -> None:
        self.key = key
        self.topic = topic
        self._begun = time.time()
        self.ending: bytes | None = None
        self.is_cut_off = False
        self.context = TaskContext(
            self.tell, restored=restored, is_tidied=True, scratch=self._open_folder
        )
        self._worker = worker
        self._files = files
        self._folder: Path | None = None
        self._is_adopted = False
        self._numbers = itertools.count()
        self._lock = threading.RLock()
        self._newest: OrderedDict[str, bytes] = OrderedDict()
        self._outbox: OrderedDict[int, bytes] = OrderedDict()

    def _open_folder(self) -> Path:
        with self._lock:
            if self._folder is None:
                self._folder = folders.open_folder(self._worker, self.key, self._files)
                self._files = {}
            return self._folder

    def tell(self, message: messages.Message) -> None:
        """Send a message to whoever listens, after all that were told before."""
        data = pickled(message)
        heading = _RETOLD.get(type(message))
        with self._lock:
            if heading is not None:
                self._newest[heading] = data
                self._newest.move_to_end(heading)
            if isinstance(message, messages.Checkpointed) and len(data) > IN_AN_EVENT:
                # Called for, and so lost with this process, but for what is on its disk.
                folders.keep_state(self._open_folder(), message.state)
            self._send(data)

    def _send(self, data: bytes, is_ending: bool = False) -> None:
        number = next(self._numbers)
        event: dict[str, Any] = {"run": self.key, "ends": is_ending}
        if len(data) <= IN_AN_EVENT:
            event["message"] = data
        else:
            self._outbox[number] = data
            event["number"] = number
            while len(self._outbox) > OUTBOX:
                self._outbox.popitem(last=False)
        self._worker.log_event(self.topic, event)

    def take(self, number: int) -> bytes | None:
        """Give a message that was too large for an event; once."""
        with self._lock:
            return self._outbox.pop(number, None)

    def end(self, ending: bytes) -> None:
        """Keep how the run ended; an application that came back has no other way to hear of it."""
        with self._lock:
            self.ending = ending
            if self._is_adopted:
                self._send(ending, is_ending=True)

    def adopt(self, topic: str, there: Mapping[str, str]) -> None:
        """Tell all that matters to an application that came back, and from now on the rest too.

        Parameters
        ----------
        topic : str
            What it listens to.
        there : mapping of str to str
            What it has of the task's folder: checksums by name.
        """
        with self._lock:
            self.topic, self._is_adopted = topic, True
            self._outbox.clear()
            self._send(pickled(messages.Started()))
            if self._folder is not None:
                for message in file_transfer.differences(self._folder, there):
                    self._send(pickled(message))
            for data in self._newest.values():
                self._send(data)
            if self.ending is not None:
                self._send(self.ending, is_ending=True)

    def whereabouts(self) -> Whereabouts:
        """Say how the run stands."""
        has_ended = self.ending is not None
        return Whereabouts(self.key, self._begun, has_ended, not self.context.token.is_cancelled())

    def close(self) -> None:
        """Remove the files of the run."""
        with self._lock:
            if self._folder is not None:
                shutil.rmtree(self._folder, ignore_errors=True)
                self._folder = None


class Holdings:
    """The runs of this worker that have not ended, and those whose end nobody has acknowledged."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._runs: OrderedDict[str, HeldRun] = OrderedDict()

    def add(self, run: HeldRun) -> None:
        """Hold a run that begins."""
        with self._lock:
            self._runs[run.key] = run

    def get(self, key: str) -> HeldRun | None:
        """Give a run, where it is held."""
        with self._lock:
            return self._runs.get(key)

    def active(self) -> list[HeldRun]:
        """Give the runs that have not ended."""
        with self._lock:
            return [run for run in self._runs.values() if run.ending is None]

    def drop(self, keys: list[str]) -> None:
        """Hold runs no more whose end is known; one that has not ended stays."""
        with self._lock:
            ended = [run for key in keys if (run := self._runs.get(key)) and run.ending is not None]
            for run in ended:
                del self._runs[run.key]
        for run in ended:
            run.close()

    def limit(self) -> None:
        """Let go of the oldest endings, where there are too many."""
        with self._lock:
            ended = [run for run in self._runs.values() if run.ending is not None]
        size, surplus = 0, []
        for number, run in enumerate(reversed(ended)):
            size += len(run.ending or b"")
            if number >= HELD_ENDINGS or (number and size > HELD_BYTES):
                surplus.append(run.key)
        self.drop(surplus)

    def whereabouts(self, topic: str) -> list[Whereabouts]:
        """Give each run that is held for others than those who listen to a topic."""
        with self._lock:
            return [run.whereabouts() for run in self._runs.values() if run.topic != topic]
