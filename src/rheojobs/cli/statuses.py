"""The exit statuses of the command `rheojobs`."""

from __future__ import annotations

__all__ = ["BAD_INPUT", "FAILED", "INTERRUPTED"]

FAILED = 1
"""The job failed."""

BAD_INPUT = 2
"""Bad usage or bad input."""

INTERRUPTED = 130
"""Stopped by Ctrl-C; the status that shells use for it."""
