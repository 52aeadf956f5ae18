"""The entry point of the command `rheojobs`: turns errors into one line and an exit status.

`jobs list` is run without typer, whose import takes longer than that command does.
"""

from __future__ import annotations

import contextlib
import errno
import os
import sys

from rheojobs.cli import encoding
from rheojobs.cli.statuses import BAD_INPUT, FAILED, INTERRUPTED, TERMINATED
from rheojobs.cli.terminal.stopping import Terminated, terminable
from rheojobs.cli.terminal.verbosity import of_one_command
from rheojobs.errors import InputError, one_line, printable
from rheojobs.extras import missing_extra

__all__ = ["main", "window"]

GONE = (errno.EPIPE, errno.EINVAL) if os.name == "nt" else (errno.EPIPE,)
"""What writing to a pipe raises whose reader has gone; on Windows, not only `BrokenPipeError`."""


def main(arguments: list[str] | None = None) -> int:
    """Run the command.

    Parameters
    ----------
    arguments : list of str, optional
        Those of the process by default.

    Returns
    -------
    int
        The exit status, as `statuses` has them.
    """
    if sys.stdout is None or sys.stderr is None:  # closed by the parent process
        nowhere = open(os.devnull, "w", encoding="utf-8")  # noqa: SIM115 - for as long as the process lives
        sys.stdout, sys.stderr = sys.stdout or nowhere, sys.stderr or nowhere
    for stream in (sys.stdout, sys.stderr):
        encoding.prepare(stream)
    with of_one_command(), terminable():
        return _status_of(sys.argv[1:] if arguments is None else arguments)


def _status_of(arguments: list[str]) -> int:
    """Run the command; describe an error in one line."""
    try:
        status = _run(arguments)
        sys.stdout.flush()
        return status
    except Terminated:
        return _say("stopped by SIGTERM", TERMINATED)
    except KeyboardInterrupt:
        return _say("stopped", INTERRUPTED)
    except InputError as error:
        from rheojobs.cli.arguments.declared import flag_of

        return _say(error.spelled(flag_of), BAD_INPUT)
    except Exception as error:
        if _reader_has_gone(error):
            return _give_up_writing()
        missing = missing_extra(error)
        if missing is not None:
            return _say(one_line(missing), BAD_INPUT)
        usage = _usage(error)
        if usage is not None:
            return _say(usage, BAD_INPUT)
        # A job may fail with any exception of a model, an optimizer or a disk.
        _debug("failed")
        return _say(one_line(error), FAILED)


def window() -> int:
    """Run the command `gui`: the entry point of a program without a terminal."""
    return main(["gui", *sys.argv[1:]])


def _reader_has_gone(error: Exception) -> bool:
    """Return whether an error says that nobody reads a pipe any more."""
    return isinstance(error, OSError) and error.filename is None and error.errno in GONE


def _give_up_writing() -> int:
    # The reader has gone; Python would complain again when it closes the stream.
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    return FAILED


def _run(arguments: list[str]) -> int:
    if arguments[:2] == ["jobs", "list"]:
        from rheojobs.cli.jobs.job_list import list_jobs, parse

        if (options := parse(arguments[2:])) is not None:
            return list_jobs(*options)
    from rheojobs.cli.app import run

    return run(arguments)


def _usage(error: Exception) -> str | None:
    """Describe an error of the options, which typer's own copy of click raises; else None."""
    describe = getattr(error, "format_message", None)
    if describe is None:
        return None
    text = " ".join(str(describe()).split()).rstrip(".")
    context = getattr(error, "ctx", None)
    return f"{text}; see {context.command_path} --help" if context is not None else text


def _say(line: str, status: int) -> int:
    with contextlib.suppress(BrokenPipeError):
        print(f"rheojobs: {printable(line)}", file=sys.stderr, flush=True)
    return status


def _debug(line: str) -> None:
    import logging

    logging.getLogger(__name__).debug(line, exc_info=True)
