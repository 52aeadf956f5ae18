"""The exit statuses of the command `rheojobs`."""

from __future__ import annotations

__all__ = ["BAD_INPUT", "DOUBTFUL", "FAILED", "INTERRUPTED", "TERMINATED", "WORDS"]

FAILED = 1
"""The job failed."""

BAD_INPUT = 2
"""Bad usage or bad input."""

DOUBTFUL = 3
"""The job ended, and its result is written, but should not be trusted as it is."""

INTERRUPTED = 130
"""Stopped by Ctrl-C; the status that shells use for it."""

TERMINATED = 143
"""Stopped by SIGTERM; the status that shells use for it."""

WORDS = (
    "Exit status: 0 done, 1 the job failed, 2 bad usage or input, 3 done but not converged or "
    "missing the data, 130 stopped by Ctrl-C, 143 by SIGTERM."
)
