"""A task's context without an engine: for the plain functions, in the caller's own thread."""

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
    """Give a context whose progress goes to `callback`; what that raises ends the task.

    Parameters
    ----------
    callback : callable, optional
        Takes each `Progress`.
    token : CancellationToken, optional
        Stops the task.
    on_partial : callable, optional
        Takes each partial result.
    """
    failure: list[BaseException] = []
    stop = token if token is not None else CancellationToken()

    def send(message: messages.Message) -> None:
        try:
            if isinstance(message, messages.Progressed) and callback is not None:
                callback(message.progress)
            elif isinstance(message, messages.Partial) and on_partial is not None:
                on_partial(message.value)
        except BaseException as error:  # kept, and raised where the task stops
            failure.append(error)
            stop.cancel()

    # What a callback raises ends the task, and Qt's signals belong to a thread: no timer's.
    context = TaskContext(send, stop, timed=False)
    try:
        yield context
        context.finish()
    except BaseException:
        if failure:
            raise failure[0] from None
        raise
    if failure:
        raise failure[0]
