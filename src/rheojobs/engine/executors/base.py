"""The interface of executors, and the code that all of them share.

An executor runs tasks and reports by messages; it has no access to jobs.
"""

from __future__ import annotations

import abc
import logging
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from rheojobs.engine import messages
from rheojobs.engine.cancellation import CancellationError
from rheojobs.engine.task import Task, TaskContext

__all__ = ["Executor", "Run", "RunHandle", "WorkerInfo", "run_task"]

logger = logging.getLogger(__name__)


@dataclass(frozen=True, eq=False)
class Run:
    """One attempt at a task.

    Attributes
    ----------
    id : str
        Names the attempt.
    task : Task
        The work.
    tell : callable
        Receives each message of this run, from any thread, in order; the last is one of
        `Succeeded`, `Failed`, `Cancelled`, `Died` and `Lost`, and comes exactly once.
    restored : bytes, optional
        The last checkpoint of an earlier attempt.
    memory : int, optional
        Memory limit of the worker, in bytes.
    needs : mapping of str to float
        What the job takes of the engine's resources.
    priority : int
        Higher goes first if several runs wait for the same workers.
    is_light : bool
        Whether the task is pickled quickly and without calling user code, so that the thread
        that starts the run may pickle it itself.
    """

    id: str
    task: Task
    tell: Callable[[messages.Message], None]
    restored: bytes | None = None
    memory: int | None = None
    needs: Mapping[str, float] = field(default_factory=dict)
    priority: int = 0
    is_light: bool = False

    def report(self, message: messages.Message) -> None:
        """Pass a message on by `tell`; one that cannot be taken in is logged, and never raises.

        If that was the last message, the run fails instead.
        """
        try:
            self.tell(message)
        except KeyboardInterrupt:
            raise
        except BaseException as error:  # the calling thread must go on to the next message
            kind = type(message).__name__
            logger.exception("the message %s of run %s cannot be processed", kind, self.id[:8])
            if not isinstance(message, messages.ENDINGS):
                return
            try:
                self.tell(messages.Failed(error))
            except Exception:
                logger.exception("the end of run %s cannot be processed", self.id[:8])


@dataclass(frozen=True, slots=True)
class WorkerInfo:
    """A worker process.

    Attributes
    ----------
    pid : int
        The process id.
    state : str
        "starting", "idle" or "busy"; "dead" for one that is being removed.
    resident : int
        Bytes of memory that it and its children hold (resident set).
    """

    pid: int
    state: str
    resident: int


class RunHandle(abc.ABC):
    """Controls a run; none of its methods blocks or raises."""

    @abc.abstractmethod
    def cancel(self) -> None:
        """Ask the task to stop; the executor enforces it if it can."""

    def release(self) -> None:
        """Ask the task to stop at its next `check`, and give it more time than `cancel` does."""
        self.cancel()

    @abc.abstractmethod
    def pause(self) -> None:
        """Pause the task at its next `check`."""

    @abc.abstractmethod
    def resume(self) -> None:
        """Resume the task."""

    @abc.abstractmethod
    def inspect(self) -> None:
        """Ask the task to report its present result, or None, in an `Inspected` message."""


class Executor(abc.ABC):
    """Runs up to `capacity` tasks at a time.

    Attributes
    ----------
    capacity : int
        The most tasks that run at a time.
    limits_memory : bool
        Whether a run's `memory` is enforced.
    cluster_address : str
        Address of the cluster on which runs may outlive this process; empty if they cannot.
    on_growth : callable
        Set by the engine; called with the amounts added, by resource, when workers join.
    """

    capacity: int
    limits_memory: bool = False
    cluster_address: str = ""
    on_growth: Callable[[Mapping[str, float]], object] = staticmethod(lambda more: None)

    @abc.abstractmethod
    def start(self, run: Run) -> RunHandle:
        """Start a run, or queue it; never blocks for long, and never raises because of the task."""

    def has_idle_worker(self) -> bool:
        """Return whether `start` would probably start a task at once."""
        return False

    def resources(self) -> dict[str, float]:
        """Return the amounts of the resources that the executor itself provides."""
        return {}

    def workers(self) -> list[WorkerInfo]:
        """Return the live worker processes; none if tasks run in this process."""
        return []

    @abc.abstractmethod
    def shutdown(self, timeout: float) -> bool:
        """End all runs and release everything; True if all ended within `timeout` seconds."""


def run_task(
    task: Task, context: TaskContext, tell: Callable[[messages.Message], None]
) -> messages.Message:
    """Run a task to its end on this thread, and return the message that says how it ended.

    The message is returned, not sent, so that an executor can first free what the task held.
    """
    ending = _run(task, context, tell)
    try:
        context.finish()
    except Exception as error:  # the last report cannot be sent
        if not isinstance(ending, messages.Failed):
            ending = messages.Failed(error)
    try:
        return ending
    finally:
        del ending  # the traceback of its error refers to this frame: avoid a reference cycle


def _run(
    task: Task, context: TaskContext, tell: Callable[[messages.Message], None]
) -> messages.Message:
    try:
        tell(messages.Started())
        return messages.Succeeded(task.run(context))
    except (CancellationError, KeyboardInterrupt):
        return messages.Cancelled()
    except BaseException as error:  # a task may raise anything, including SystemExit
        return messages.Failed(error)
    finally:
        del task, context, tell  # as above: what they hold, holds the error
