"""Runs a pickled task in a worker process, applies requests to it, and makes its ending picklable.

Shared by the worker processes of all executors.
"""

from __future__ import annotations

import logging
import pickle
import traceback
from collections.abc import Callable

import cloudpickle

from rheojobs.engine import messages
from rheojobs.engine.errors import RemoteTaskError
from rheojobs.engine.executors.base import run_task
from rheojobs.engine.task import TaskContext
from rheojobs.errors import one_line

__all__ = ["obey", "portable_failure", "run_pickled", "undeliverable"]

logger = logging.getLogger(__name__)


def run_pickled(
    pickled: bytes, context: TaskContext, tell: Callable[[messages.Message], None]
) -> messages.Message:
    """Run a task that came from another process; return an ending that can be pickled."""
    try:
        task = pickle.loads(pickled)
    except BaseException as error:  # any error of unpickling is the task's failure
        return portable_failure(error)
    ending = run_task(task, context, tell)
    return portable_failure(ending.error) if isinstance(ending, messages.Failed) else ending


def portable_failure(error: BaseException) -> messages.Failed:
    """Return the ending of a task that raised `error`, with the text of its traceback.

    An error that cannot be pickled and unpickled is replaced by a `RemoteTaskError` that names it.
    """
    text = _traceback_text(error)
    try:
        copy = pickle.loads(cloudpickle.dumps(error))
        if isinstance(copy, BaseException) and str(copy) == str(error):
            return messages.Failed(error, text)
    except BaseException as obstacle:  # the error's own code may raise anything
        logger.debug("an error cannot be pickled: %s", one_line(obstacle))
    return messages.Failed(RemoteTaskError(one_line(error)), text)


def undeliverable(error: BaseException) -> messages.Failed:
    """Return the ending of a task whose result cannot be pickled."""
    reason = f"the result cannot be sent back from its process: {error}"
    return messages.Failed(RemoteTaskError(reason), _traceback_text(error))


def _traceback_text(error: BaseException) -> str:
    try:
        return "".join(traceback.format_exception(error))
    except Exception:  # the error's own code failed
        return f"{type(error).__name__}\n"


def obey(context: TaskContext, verb: str) -> None:
    """Apply a request to a run: cancel, pause, resume or inspect. Never raises."""
    try:
        match verb:
            case "cancel":
                context.token.cancel()
            case "pause":
                context.pause()
            case "resume":
                context.resume()
            case "inspect":
                context.begin_inspect()
            case _:
                logger.error("a worker received the unknown request %r", verb)
    except Exception:  # the calling thread must go on to the next request
        logger.exception("a task cannot be made to %s", verb)
