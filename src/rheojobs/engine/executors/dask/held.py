"""Worker side: the runs on a worker, and the messages that a reconnecting application needs.

An application may be killed and restarted: the newest messages of its runs are held here until
then, and an ending until it is acknowledged.
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
"""Bytes above which a message is fetched, not sent as an event, since the scheduler keeps those."""

MAX_UNFETCHED = 64
"""The most large messages of a run that wait to be fetched: a dead application fetches none."""

MAX_ENDINGS = 256
MAX_ENDING_BYTES = 256 * 2**20
"""The most unacknowledged endings that are held, and the bytes of all together."""

_PLAIN = (messages.Started, messages.Paused, messages.Resumed, messages.Stoppable)
"""Messages without user objects: unpickling them runs no user code."""

_REPLAYED = {
    messages.Progressed: "progress",
    messages.Partial: "partial",
    messages.Checkpointed: "checkpoint",
    messages.Stoppable: "stoppable",
    messages.Paused: "pause",
}
"""The types of message of which the newest is sent again, each under a name."""


def pickled(message: messages.Message) -> bytes:
    """Return a message as bytes."""
    return bytes(cloudpickle.dumps(message, protocol=pickle.HIGHEST_PROTOCOL))


def job_of(key: str) -> str:
    """Return the id of the job whose attempt a key names."""
    return key.partition(".")[0]


class HeldRunInfo(NamedTuple):
    """What a connecting application is sent about a run on a worker.

    Attributes
    ----------
    key : str
        Names the attempt.
    topic : str
        The topic of its application's events.
    started_at : float

    has_ended : bool
        Whether it has ended.
    can_continue : bool
        Whether its job may continue there, since its cancellation was not requested.
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
        The topic of its application's events.
    key : str
        The id of the job and, after a full stop, a name for this attempt.
    restored : bytes or None
        The state to continue from.
    files : mapping of str to bytes
        The files of the task's folder.

    Attributes
    ----------
    context : TaskContext
        The context of the task.
    ending : bytes or None
        The pickled last message; None while the task runs.
    topic : str
        As above; another application's after `attach`.
    is_cut_off : bool
        Whether it was stopped because its worker is leaving the cluster.
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
        """Send a message to the application, after all earlier ones."""
        data = pickled(message)
        name = _REPLAYED.get(type(message))
        with self._lock:
            if isinstance(message, messages.Resumed):
                self._newest.pop("pause", None)  # `Started` implies that it is not paused
            if name is not None:
                self._newest[name] = data
                self._newest.move_to_end(name)
            if isinstance(message, messages.Checkpointed) and len(data) > MAX_EVENT_BYTES:
                # It will be fetched, so it is lost with this process unless it is on disk.
                self._save_state(message.state)
            self._send_event(data, is_plain=isinstance(message, _PLAIN))

    def _save_state(self, state: bytes) -> None:
        try:
            folders.save_state(self._open_folder(), state)
        except OSError as error:  # a full disk here: the application still gets the state
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
        """Store the ending; an application that was attached gets it only by an event."""
        with self._lock:
            self.ending = ending
            if self._was_attached:
                self._send_event(ending, is_ending=True)

    def attach(self, topic: str, digests: Mapping[str, str]) -> None:
        """Send a reconnecting application the newest messages, and from now on all others.

        Parameters
        ----------
        topic : str
            The topic of its events.
        digests : mapping of str to str
            The checksums of its copy of the task's folder, by name.
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
        """Return a description of the run for applications."""
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
    """The runs of this worker that have not ended, or whose ending is not acknowledged yet."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._runs: OrderedDict[str, HeldRun] = OrderedDict()

    def add(self, run: HeldRun) -> None:
        """Add a run that begins."""
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
        """Remove runs whose ending has reached their application; one that has not ended stays."""
        with self._lock:
            ended = [run for key in keys if (run := self._runs.get(key)) and run.ending is not None]
            for run in ended:
                del self._runs[run.key]
        for run in ended:
            run.close()

    def limit(self) -> None:
        """Remove the oldest endings if there are too many."""
        with self._lock:
            ended = [run for run in self._runs.values() if run.ending is not None]
        size, surplus = 0, []
        for number, run in enumerate(reversed(ended)):
            size += len(run.ending or b"")
            if number >= MAX_ENDINGS or (number and size > MAX_ENDING_BYTES):
                surplus.append(run.key)
        self.drop(surplus)

    def infos(self) -> list[HeldRunInfo]:
        """Return a description of each run that is held."""
        with self._lock:
            return [run.info() for run in self._runs.values()]
