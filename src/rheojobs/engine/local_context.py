"""A task's context without an engine, for plain functions on the caller's own thread."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager

from rheojobs.engine import messages
from rheojobs.engine.cancellation import CancellationToken
from rheojobs.engine.events import Progress
from rheojobs.engine.task import TaskContext

__all__ = ["local_context"]


@contextmanager
def local_context(
    callback: Callable[[Progress], object] | None = None,
    token: CancellationToken | None = None,
    on_partial: Callable[[object], object] | None = None,
) -> Iterator[TaskContext]:
    """Return a context that passes progress to `callback`; an exception of that ends the task.

    Parameters
    ----------
    callback : callable, optional
        Receives each `Progress`.
    token : CancellationToken, optional
        Stops the task when it is cancelled.
    on_partial : callable, optional
        Receives each partial result.
    """
    failure: list[BaseException] = []
    stop = token if token is not None else CancellationToken()

    def send(message: messages.Message) -> None:
        try:
            if isinstance(message, messages.Progressed) and callback is not None:
                callback(message.progress)
            elif isinstance(message, messages.Partial) and on_partial is not None:
                on_partial(message.value)
        except BaseException as error:  # stored, and raised when the task has stopped
            failure.append(error)
            stop.cancel()

    # No timer thread: a callback's exception ends the task, and Qt's signals belong to a thread.
    context = TaskContext(send, stop, timed=False, is_heard=callback is not None)
    try:
        yield context
        context.finish()
    except BaseException:
        if failure:
            raise failure[0] from None
        raise
    if failure:
        raise failure[0]
