"""A job as a small table of HTML, for notebooks."""

from __future__ import annotations

from html import escape
from typing import TYPE_CHECKING

from rheojobs.durations import duration
from rheojobs.markup import html_table, html_warnings

if TYPE_CHECKING:
    from rheojobs.engine.jobs.job import Job

__all__ = ["job_html"]


def job_html(job: Job) -> str:
    """Return the job as it is now: why it failed first, then state, progress and times."""
    progress, left = job.latest_progress, job.time_remaining()
    rows = [["state", str(job.state)]]
    if progress is not None and not job.done():
        share = f"{progress.current:,} of {progress.total:,}" if progress.total else ""
        rows.append(["stage", ", ".join(filter(None, [progress.stage, share, progress.message]))])
    rows.append(["has run", duration(job.seconds)])
    if left is not None:
        rows.append(["remaining", duration(left.seconds)])
    rows += [["attempts", str(job.attempts)]] if job.attempts > 1 else []
    rows.append(["id", job.id])
    warnings = html_warnings([job.message] if job.message else [])
    return f"<b>{escape(job.name)}</b>\n{warnings}{html_table((), rows)}"
