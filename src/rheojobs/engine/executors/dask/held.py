"""Worker side: the runs on a worker, and what an application that reconnects must be sent again.

An application may be killed and come back: the newest of what its run has reported is held here
until then, and the ending until it is acknowledged.
"""

from __future__ import annotations

import itertools
import logging
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

__all__ = ["HeldRun", "HeldRunInfo", "HeldRuns", "job_of", "pickled"]

logger = logging.getLogger(__name__)

MAX_EVENT_BYTES = 64 * 1024
"""Larger messages do not travel in events, which the scheduler keeps; they are fetched."""

MAX_UNFETCHED = 64
"""Large messages of a run that wait to be fetched: an application that is gone fetches none."""

MAX_ENDINGS = 256
MAX_ENDING_BYTES = 256 * 2**20
"""How many endings that nobody has acknowledged are held, and how large they may be together."""

_PLAIN = (messages.Started, messages.Paused, messages.Resumed, messages.Stoppable)
"""Messages that hold nothing of the user's: unpickling them runs no code of the user's."""

_REPLAYED = {
    messages.Progressed: "progress",
    messages.Partial: "partial",
    messages.Checkpointed: "checkpoint",
    messages.Stoppable: "stoppable",
    messages.Paused: "pause",
}
"""The types of message of which the newest is sent again, under a name; a pause until it ends."""


def pickled(message: messages.Message) -> bytes:
    """Return a message as bytes."""
    return bytes(cloudpickle.dumps(message, protocol=pickle.HIGHEST_PROTOCOL))


def job_of(key: str) -> str:
    """Return the id of the job whose attempt a key names."""
    return key.partition(".")[0]


class HeldRunInfo(NamedTuple):
    """What an application that connects learns of a run on a worker.

    Attributes
    ----------
    key : str
        Names the attempt.
    topic : str
        Under which its application gets its events.
    started_at : float
        When it began (seconds since the epoch).
    has_ended : bool
        Whether it has ended.
    can_continue : bool
        Whether its job may continue there: its cancellation was not requested.
    """

    key: str
    topic: str
    started_at: float
    has_ended: bool
    can_continue: bool


class HeldRun:
    """One attempt at a job, on this worker.

    Parameters
    ----------
    worker : distributed.Worker
        Where it runs.
    topic : str
        Under which its application gets its events.
    key : str
        The id of the job and, after a full stop, what tells this attempt from others.
    restored : bytes or None
        The state to continue from.
    files : mapping of str to bytes
        What is in the task's folder.

    Attributes
    ----------
    context : TaskContext
        What the task sees.
    ending : bytes or None
        How it ended.
    topic : str
        As above; another application's after `attach`.
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
        self._started_at = time.time()
        self.ending: bytes | None = None
        self.is_cut_off = False
        self.context = TaskContext(
            self.send, restored=restored, is_tidied=True, scratch=self._open_folder
        )
        self._worker = worker
        self._files = files
        self._folder: Path | None = None
        self._was_attached = False
        self._numbers = itertools.count()
        self._lock = threading.RLock()
        self._newest: OrderedDict[str, bytes] = OrderedDict()
        self._unfetched: OrderedDict[int, bytes] = OrderedDict()

    def _open_folder(self) -> Path:
        with self._lock:
            if self._folder is None:
                self._folder = folders.open_folder(self._worker, self.key, self._files)
                self._files = {}
            return self._folder

    def send(self, message: messages.Message) -> None:
        """Send a message to the application, after all that were sent before."""
        data = pickled(message)
        name = _REPLAYED.get(type(message))
        with self._lock:
            if isinstance(message, messages.Resumed):
                self._newest.pop("pause", None)  # that the run was started says enough
            if name is not None:
                self._newest[name] = data
                self._newest.move_to_end(name)
            if isinstance(message, messages.Checkpointed) and len(data) > MAX_EVENT_BYTES:
                # It is fetched, and so lost with this process but for what is on its disk.
                self._save_state(message.state)
            self._send_event(data, is_plain=isinstance(message, _PLAIN))

    def _save_state(self, state: bytes) -> None:
        try:
            folders.save_state(self._open_folder(), state)
        except OSError as error:  # a full disk here: the application gets the state all the same
            logger.warning("the checkpoint of run %s is not on this disk: %s", self.key, error)

    def _send_event(self, data: bytes, *, is_ending: bool = False, is_plain: bool = False) -> None:
        number = next(self._numbers)
        event: dict[str, Any] = {"run": self.key, "ends": is_ending, "plain": is_plain}
        if len(data) <= MAX_EVENT_BYTES:
            event["message"] = data
        else:
            self._unfetched[number] = data
            event["number"] = number
            while len(self._unfetched) > MAX_UNFETCHED:
                self._unfetched.popitem(last=False)
        self._worker.log_event(self.topic, event)

    def take_message(self, number: int) -> bytes | None:
        """Return a message that was too large for an event; once."""
        with self._lock:
            return self._unfetched.pop(number, None)

    def end(self, ending: bytes) -> None:
        """Hold the ending; an application that was attached gets it by an event alone."""
        with self._lock:
            self.ending = ending
            if self._was_attached:
                self._send_event(ending, is_ending=True)

    def attach(self, topic: str, digests: Mapping[str, str]) -> None:
        """Send an application that reconnects all that matters, and from now on the rest too.

        Parameters
        ----------
        topic : str
            Under which it gets events.
        digests : mapping of str to str
            What it has of the task's folder: checksums by name.
        """
        with self._lock:
            self.topic, self._was_attached = topic, True
            self._unfetched.clear()
            self._send_event(pickled(messages.Started()))
            if self._folder is not None:
                for message in file_transfer.differences(self._folder, digests):
                    self._send_event(pickled(message))
            for data in self._newest.values():
                self._send_event(data)
            if self.ending is not None:
                self._send_event(self.ending, is_ending=True)

    def info(self) -> HeldRunInfo:
        """Return what is to be known about the run from outside."""
        return HeldRunInfo(
            self.key,
            self.topic,
            self._started_at,
            self.ending is not None,
            not self.context.token.is_cancelled(),
        )

    def close(self) -> None:
        """Remove the files of the run."""
        with self._lock:
            if self._folder is not None:
                shutil.rmtree(self._folder, ignore_errors=True)
                self._folder = None


class HeldRuns:
    """The runs of this worker that have not ended, or whose ending nobody has acknowledged."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._runs: OrderedDict[str, HeldRun] = OrderedDict()

    def add(self, run: HeldRun) -> None:
        """Hold a run that begins."""
        with self._lock:
            self._runs[run.key] = run

    def get(self, key: str) -> HeldRun | None:
        """Return a run, or None if it is not held."""
        with self._lock:
            return self._runs.get(key)

    def active(self) -> list[HeldRun]:
        """Return the runs that have not ended."""
        with self._lock:
            return [run for run in self._runs.values() if run.ending is None]

    def drop(self, keys: list[str]) -> None:
        """Drop runs whose ending is known to their application; one that has not ended stays."""
        with self._lock:
            ended = [run for key in keys if (run := self._runs.get(key)) and run.ending is not None]
            for run in ended:
                del self._runs[run.key]
        for run in ended:
            run.close()

    def limit(self) -> None:
        """Drop the oldest endings if there are too many."""
        with self._lock:
            ended = [run for run in self._runs.values() if run.ending is not None]
        size, surplus = 0, []
        for number, run in enumerate(reversed(ended)):
            size += len(run.ending or b"")
            if number >= MAX_ENDINGS or (number and size > MAX_ENDING_BYTES):
                surplus.append(run.key)
        self.drop(surplus)

    def infos(self) -> list[HeldRunInfo]:
        """Return what is to be known about each run that is held."""
        with self._lock:
            return [run.info() for run in self._runs.values()]
