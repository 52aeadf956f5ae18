"""Tasks, and the context through which a running task uses the system.

Cancelling, pausing, progress and checkpoints are implemented here once, and not in each task. The
executor supplies a `send` function, so a context is the same on all executors.
"""

from __future__ import annotations

import contextlib
import hashlib
import inspect
import logging
import threading
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from types import FunctionType
from typing import Any, Protocol, Self, cast, runtime_checkable

from rheojobs.engine import messages
from rheojobs.engine.cancellation import CancellationToken
from rheojobs.engine.errors import NotDurableError
from rheojobs.engine.progress.numbers import Number
from rheojobs.engine.progress.throttle import PartialThrottle, ProgressThrottle
from rheojobs.engine.serialization import (
    import_path,
    is_json,
    known_path,
    load,
    pack_state,
    unpack_state,
)
from rheojobs.errors import InputError

__all__ = [
    "FunctionTask",
    "Leftover",
    "Task",
    "TaskContext",
    "as_task",
    "task_affinity",
    "task_name",
]

logger = logging.getLogger(__name__)


@runtime_checkable
class Task(Protocol):
    """A picklable description of work.

    A task may also have `validate()`, called before it is sent to a worker, which raises if the
    task cannot be run; `affinity`, a string: the task prefers a free worker that ran a task of the
    same affinity before; `max_attempts`, how often it may be started if its worker process dies;
    `folder`, a path on the application's machine, for files from which another attempt continues
    (`TaskContext.folder` returns its path on the worker); and `leftover`, a `Leftover` that is
    removed when the job has succeeded, or None. A task with the methods of `serialization.Durable`
    is stored on disk, and can be run again, if the engine has a store.
    """

    def run(self, context: TaskContext) -> Any:
        """Do the work and return the result."""
        ...


class Leftover(Protocol):
    """Files from which another attempt would have continued, which a result makes useless.

    A leftover with the methods of `serialization.Durable` is removed even if the application is
    killed first, and even if its task cannot be stored: the next application does so.
    """

    def tidy(self) -> object:
        """Remove it; called in the application, when the result is stored."""
        ...


class TaskContext:
    """The interface of a running task to the system.

    Parameters
    ----------
    send : callable
        Sends a message of `rheojobs.engine.messages` to the engine.
    token : CancellationToken, optional
        The cancellation request that `check` tests.
    restored : bytes, optional
        The last checkpoint of an earlier attempt.
    timed : bool
        As in `ProgressThrottle`.
    is_tidied : bool
        Whether the task's `leftover` will be removed; else the task itself must remove it.
    is_heard : bool
        Whether anybody receives progress: if not, a task may save itself the reports.
    scratch : callable, optional
        Returns a folder that replaces the task's own, if that is on another machine.
    """

    def __init__(
        self,
        send: Callable[[messages.Message], None],
        token: CancellationToken | None = None,
        restored: bytes | None = None,
        *,
        timed: bool = True,
        is_tidied: bool = False,
        is_heard: bool = True,
        scratch: Callable[[], Path] | None = None,
    ) -> None:
        self.is_tidied = is_tidied
        self.is_heard = is_heard
        self._scratch = scratch
        self._send = send
        self._restored = restored
        self._go = threading.Event()
        self._go.set()
        self._pausing = threading.Lock()
        self._paused = False
        self._look: Callable[[], Any] | None = None
        self._throttle = ProgressThrottle(
            lambda progress: send(messages.Progressed(progress)), timed=timed
        )
        self._partials = PartialThrottle(lambda value: send(messages.Partial(value)))
        self.token = token if token is not None else CancellationToken()
        # A paused task must wake up to be cancelled.
        self._forget = self.token.on_cancel(self._go.set)

    def progress(
        self,
        current: Number | None,
        total: Number | None = 0,
        message: str = "",
        *,
        stage: str = "",
        **metrics: Any,
    ) -> None:
        """Report progress; cheap, and may be called as often as you like.

        Parameters
        ----------
        current, total : number or None
            Steps done and to do, or a fraction and 1.0, which is converted to thousandths. A
            total of 0, None, NaN or infinity is unknown; a `current` above the total counts as
            the total.
        message : str
            What is being done, for display.
        stage : str
            The part of the task that is counted here. Within a stage progress never decreases.
        **metrics
            Any other values, such as the loss.

        Raises
        ------
        TypeError
            If `current` or `total` is no number.
        """
        self._throttle.report(current, total, message, stage, metrics)
        if self._partials.is_waiting:
            self._partials.pass_on()

    def check(self) -> None:
        """Raise `CancellationError` if cancelled; wait here while paused."""
        self.token.check()
        if self._partials.is_waiting:
            self._partials.pass_on()
        if self._go.is_set():
            return
        with self._pausing:  # only one thread of the task reports it, however many wait
            if not self._go.is_set():
                self._throttle.flush()
                self._partials.pass_on(at_once=True)
                self._send(messages.Paused())
                self._paused = True
                self._go.wait()
                self._paused = False
                if not self.token.is_cancelled():
                    self._send(messages.Resumed())
        self.token.check()

    def partial(self, result: Any) -> None:
        """Report a partial result; the newest is stored if the task is cancelled.

        May be called as often as you like: about 30 per second are passed on, and always the last.
        A waiting one is passed on by the next call of `progress`, `check` or `partial`, or when the
        task ends.
        """
        self._partials.give(result)

    @property
    def paused(self) -> bool:
        """Whether a thread of the task waits in `check`; for other threads of the task."""
        return self._paused

    def on_inspect(self, look: Callable[[], Any]) -> None:
        """Register a function that returns the present result when the job is inspected.

        `look` is called on another thread.
        """
        self._look = look

    def begin_inspect(self) -> None:
        """Call `inspect` on a thread of its own, as it may take long."""
        thread = threading.Thread(target=self.inspect, name="rheojobs-inspect", daemon=True)
        try:
            thread.start()
        except RuntimeError:  # no thread can be started: the newest partial result has to do
            logger.warning("a task cannot be inspected: no thread can be started now")
            self._send(messages.Inspected(None))

    def inspect(self) -> None:
        """Report what the task's `on_inspect` function returns, or None. Never raises."""
        look = self._look
        try:
            self._send(messages.Inspected(None if look is None else look()))
        except BaseException:  # of the function, or of pickling its value: the task continues
            logger.exception("a task cannot be inspected")
            with contextlib.suppress(Exception):  # the receiver has ended
                self._send(messages.Inspected(None))

    def checkpoint(self, state: Any) -> None:
        """Store `state`, from which another attempt can continue if the process dies.

        A state that JSON preserves (`serialization.is_json`) is stored on disk, if the engine has a
        store; any other survives the worker, but not the application.
        """
        self._send(messages.Checkpointed(pack_state(state)))

    def restored(self) -> Any:
        """Return the state of the last checkpoint of an earlier attempt, or None."""
        return None if self._restored is None else unpack_state(self._restored)

    def folder(self, path: str | Path) -> Path:
        """Return the folder that replaces the task's `folder` here: itself, on its own machine."""
        return Path(path) if self._scratch is None else self._scratch()

    def kept(self, path: Path) -> None:
        """Report that a file of `folder` was written or removed, to copy that to the application.

        A file that was reported must not change any more, except that it may be removed.
        """
        if self._scratch is None:
            return
        content = path.read_bytes() if path.exists() else None
        digest = hashlib.sha256(content or b"").hexdigest()
        self._send(messages.Kept(path.name, content, digest))

    @contextlib.contextmanager
    def unstoppable(self) -> Iterator[None]:
        """Declare that the block, such as a long compilation, cannot be cancelled.

        A cancelled job then ends without waiting for the block, which a worker process finishes.
        """
        self._send(messages.Stoppable(False))
        try:
            yield
        finally:
            self._send(messages.Stoppable(True))

    def pause(self) -> None:
        """Make `check` wait; called by the executor."""
        self._go.clear()
        if self.token.is_cancelled():  # it may have been cancelled meanwhile: never block that
            self._go.set()

    def resume(self) -> None:
        """Make `check` return again; called by the executor."""
        self._go.set()

    def finish(self) -> None:
        """Pass on the last reports; called by the executor when the task has ended."""
        self._look = None
        self._forget()
        try:
            self._partials.close()
        finally:
            self._throttle.close()
            self._send = _ignore


def _ignore(message: messages.Message) -> None:
    """Ignore the reports of a thread of the task after the task has ended."""


@dataclass(frozen=True)
class FunctionTask:
    """A function and its arguments, as a task.

    A function whose first argument is named `context` receives the `TaskContext`. Each `yield` of a
    generator function reports a partial result, and is a point at which it may be paused or
    cancelled; its return value is the result.

    Parameters
    ----------
    function : callable or str
        The function, or its path ``"package.module:name"``, which is imported when the task runs.
    args, kwargs
        Its arguments.
    """

    function: Callable[..., Any] | str
    args: tuple[Any, ...] = ()
    kwargs: Mapping[str, Any] = field(default_factory=dict)

    @property
    def name(self) -> str:
        """The name of the function."""
        if isinstance(self.function, str):
            return self.function.rpartition(":")[2].rpartition(".")[2]
        return getattr(self.function, "__name__", type(self.function).__name__)

    def validate(self) -> None:
        """Raise `InputError` if there is no such function."""
        if isinstance(self.function, str):
            _function_of(self.function)

    def run(self, context: TaskContext) -> Any:
        """Call the function."""
        function = self.function
        if isinstance(function, str):
            function = _function_of(function)
        args = (context, *self.args) if _wants_context(function) else self.args
        result = function(*args, **self.kwargs)
        if inspect.isgenerator(result):
            return _drain(result, context)
        return result

    def to_record(self) -> tuple[Any, Mapping[str, bytes]]:
        """Return the function's import path and its arguments; these must be JSON."""
        args, kwargs = list(self.args), dict(self.kwargs)
        path = self.function
        if not isinstance(path, str):
            path = known_path(path) if type(path) is FunctionType else import_path(path)
        if not (is_json(args) and is_json(kwargs)):
            raise NotDurableError(f"the arguments of {self.name} are not JSON")
        return {"function": path, "args": args, "kwargs": kwargs}, {}

    @classmethod
    def from_record(cls, content: Any, blobs: Mapping[str, bytes]) -> Self:
        """Return the task again; its function is imported when it runs, not before."""
        function, args, kwargs = content["function"], content["args"], content["kwargs"]
        if not isinstance(function, str) or not all(function.partition(":")):
            raise TypeError(f"{function!r} is no path of a function")
        return cls(function, tuple(args), dict(kwargs))


def _function_of(path: str) -> Callable[..., Any]:
    """Import a function."""
    function = load(path)
    if not callable(function):
        raise InputError(f"{path} is no function")
    return cast(Callable[..., Any], function)


_TAKES_ANY = inspect.CO_VARARGS | inspect.CO_VARKEYWORDS


def _wants_context(function: Callable[..., Any]) -> bool:
    if type(function) is FunctionType and not function.__dict__:  # a decorator may have wrapped it
        code = function.__code__
        names = code.co_varnames[: code.co_argcount]
        if names or not (code.co_kwonlyargcount or code.co_flags & _TAKES_ANY):
            return names[:1] == ("context",)  # the same as below, in a tenth of the time
    try:
        parameters = list(inspect.signature(function).parameters)
    except (TypeError, ValueError):  # some built-in functions have no signature
        return False
    return bool(parameters) and parameters[0] == "context"


def _drain(generator: Iterator[Any], context: TaskContext) -> Any:
    try:
        while True:
            context.check()
            try:
                context.partial(next(generator))
            except StopIteration as stop:
                return stop.value
    finally:
        generator.close()  # type: ignore[attr-defined]


def as_task(work: Task | Callable[..., Any]) -> Task:
    """Return a task as it is, or a function wrapped into one."""
    if hasattr(work, "run"):  # the same as isinstance(work, Task), in a tenth of the time
        return cast(Task, work)
    if callable(work):
        return FunctionTask(work)
    raise TypeError(f"a task must have a method run(context) or be a function, got {work!r}")


def task_affinity(task: Task) -> str:
    """Return the name of the tasks that can reuse the same worker's caches; "" for none."""
    return str(getattr(task, "affinity", ""))


def task_name(task: Task) -> str:
    """Return the name of a task for display."""
    return str(getattr(task, "name", "") or type(task).__name__)
