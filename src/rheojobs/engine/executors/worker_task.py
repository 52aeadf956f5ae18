"""A task in another process: unpickled and run, controlled by words, its ending fit to travel.

Runs inside the worker processes of every executor that has any.
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
    """Run a task that came from another process; return an ending that arrives whole there."""
    try:
        task = pickle.loads(pickled)
    except BaseException as error:  # whatever unpickling raises is the task's failure
        return portable_failure(error)
    ending = run_task(task, context, tell)
    return portable_failure(ending.error) if isinstance(ending, messages.Failed) else ending


def portable_failure(error: BaseException) -> messages.Failed:
    """Return the ending of a task that raised `error`, with the text of its traceback.

    An error that does not survive pickling is replaced by a `RemoteTaskError` that names it.
    """
    text = _traceback_text(error)
    try:
        copy = pickle.loads(cloudpickle.dumps(error))
        if isinstance(copy, BaseException) and str(copy) == str(error):
            return messages.Failed(error, text)
    except BaseException as obstacle:  # whatever the error's own code raises
        logger.debug("an error cannot be pickled: %s", one_line(obstacle))
    return messages.Failed(RemoteTaskError(one_line(error)), text)


def undeliverable(error: BaseException) -> messages.Failed:
    """Return the ending of a task whose result cannot be pickled."""
    reason = f"the result cannot be sent back from its process: {error}"
    return messages.Failed(RemoteTaskError(reason), _traceback_text(error))


def _traceback_text(error: BaseException) -> str:
    try:
        return "".join(traceback.format_exception(error))
    except Exception:  # of the error's own code
        return f"{type(error).__name__}\n"


def obey(context: TaskContext, verb: str) -> None:
    """Do what was said about a run: cancel, pause, resume or inspect. Never raises."""
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
                logger.error("a worker was told %r, which it does not know", verb)
    except Exception:  # whoever reads these words must hear the next one too
        logger.exception("a task cannot be made to %s", verb)
