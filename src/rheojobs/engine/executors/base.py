"""What the engine asks of an executor, and what every executor does alike.

Knows nothing of jobs: an executor runs tasks and says through messages how they fare.
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
        Takes each message of this run, from any thread, in order; the last is one of
        `Succeeded`, `Failed`, `Cancelled`, `Died` and `Lost`, and comes exactly once.
    restored : bytes, optional
        The last checkpoint of an earlier attempt.
    memory : int, optional
        Bytes that the worker may use.
    needs : mapping of str to float
        What the job takes of the engine's resources.
    priority : int
        Higher goes first, where others wait for the same workers.
    is_light : bool
        Whether the task is pickled in no time, and no code of the user's takes part in it: then
        the thread that hands it over may do so itself.
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

        If it is the last message, the run fails instead.
        """
        try:
            self.tell(message)
        except KeyboardInterrupt:
            raise
        except BaseException as error:  # the thread that brings messages must bring the next
            kind = type(message).__name__
            logger.exception("the message %s of run %s cannot be taken in", kind, self.id[:8])
            if not isinstance(message, messages.ENDINGS):
                return
            try:
                self.tell(messages.Failed(error))
            except Exception:
                logger.exception("the end of run %s cannot be taken in", self.id[:8])


@dataclass(frozen=True, slots=True)
class WorkerInfo:
    """A worker process.

    Attributes
    ----------
    pid : int
        The process id.
    state : str
        "starting", "idle" or "busy"; "dead" for one that was made to leave.
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
        """Ask the task to stop; where the executor can, make sure that it does."""

    def release(self) -> None:
        """Ask the task to stop at its next check point, with more patience than `cancel` has."""
        self.cancel()

    @abc.abstractmethod
    def pause(self) -> None:
        """Let the task wait at its next check point."""

    @abc.abstractmethod
    def resume(self) -> None:
        """Let the task go on."""

    @abc.abstractmethod
    def inspect(self) -> None:
        """Have the task report, by `Inspected`, what it has so far; None where it cannot."""


class Executor(abc.ABC):
    """Runs up to `capacity` tasks at a time.

    Attributes
    ----------
    capacity : int
        How many.
    limits_memory : bool
        Whether a run's `memory` is kept to.
    cluster_address : str
        Where a run may go on when this process is gone, such as a cluster's address; else empty.
    on_growth : callable
        Set by the engine: called with how much more there is, by resource, when workers join.
    """

    capacity: int
    limits_memory: bool = False
    cluster_address: str = ""
    on_growth: Callable[[Mapping[str, float]], object] = staticmethod(lambda more: None)

    @abc.abstractmethod
    def start(self, run: Run) -> RunHandle:
        """Take on a run; never blocks for long, and never raises for the task's sake."""

    def has_idle_worker(self) -> bool:
        """Say whether `start` would hand a task over at once: at least as far as can be seen."""
        return False

    def resources(self) -> dict[str, float]:
        """Give how much there is of what runs may need, where the executor knows that itself."""
        return {}

    def workers(self) -> list[WorkerInfo]:
        """Give the worker processes that live; none where tasks run in this process."""
        return []

    @abc.abstractmethod
    def shutdown(self, timeout: float) -> bool:
        """End whatever runs and give everything back; True if all ended within `timeout` s."""


def run_task(
    task: Task, context: TaskContext, tell: Callable[[messages.Message], None]
) -> messages.Message:
    """Run a task to its end, in this thread; return the message that says how it ended.

    The message is returned, not told, so that an executor can first free what the task held.
    """
    ending = _run(task, context, tell)
    try:
        context.finish()
    except Exception as error:  # a last report that cannot be sent
        if not isinstance(ending, messages.Failed):
            ending = messages.Failed(error)
    try:
        return ending
    finally:
        del ending  # the traceback of its error refers to this frame: no circle


def _run(
    task: Task, context: TaskContext, tell: Callable[[messages.Message], None]
) -> messages.Message:
    try:
        tell(messages.Started())
        return messages.Succeeded(task.run(context))
    except (CancellationError, KeyboardInterrupt):
        return messages.Cancelled()
    except BaseException as error:  # a task may raise anything, SystemExit included
        return messages.Failed(error)
    finally:
        del task, context, tell  # as above: what they hold, holds the error
