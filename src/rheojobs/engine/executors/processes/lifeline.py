"""The kernel of Linux ends workers with their application, even if they are stuck or stopped.

The thread of a worker that reads notices the end of the application too, but it needs the
interpreter's lock, which a task in C code may never release. Other systems have `guard` instead.
"""

from __future__ import annotations

import functools
import logging
import os
import select
import signal
import sys

if sys.platform != "win32":
    import fcntl

__all__ = ["die_with_the_application", "kernel_ends_workers"]

logger = logging.getLogger(__name__)


@functools.cache
def kernel_ends_workers() -> bool:
    """Return whether the kernel ends a group of processes when a pipe closes.

    Other systems lack `F_SETSIG`, and ignore SIGIO; some sandboxes refuse it.
    """
    if sys.platform == "win32" or not hasattr(fcntl, "F_SETSIG"):
        return False
    read_end, write_end = os.pipe()
    try:
        _arm(read_end, 0)  # without an owner, no signal is sent
    except OSError:
        return False
    finally:
        os.close(read_end)
        os.close(write_end)
    return True


def _arm(lifeline: int, owner: int) -> None:
    if sys.platform == "win32":
        raise OSError("Windows has no such signals")
    fcntl.fcntl(lifeline, fcntl.F_SETSIG, signal.SIGKILL)  # it also ends a stopped process
    fcntl.fcntl(lifeline, fcntl.F_SETOWN, owner)
    fcntl.fcntl(lifeline, fcntl.F_SETFL, fcntl.fcntl(lifeline, fcntl.F_GETFL) | os.O_ASYNC)


def die_with_the_application(lifeline: int) -> None:
    """Have the kernel end this process, and those that its task has started, with the application.

    Parameters
    ----------
    lifeline : int
        The end for reading of a pipe, whose other end only the application has open.
    """
    try:
        _arm(lifeline, -os.getpgrp())
    except OSError as error:  # the thread that reads still ends this process, unless it is stuck
        logger.warning("the kernel does not end this worker with its application: %s", error)
    if select.select([lifeline], [], [], 0.0)[0]:  # it was closed before it was watched
        os._exit(0)
