"""`JobRow`: a job as a row of the table, from the engine or from the store, and its texts."""

from __future__ import annotations

import time
from dataclasses import dataclass, field
from typing import Any

from qtpy.QtCore import QT_TRANSLATE_NOOP, QCoreApplication

from rheojobs.engine.events import JobEvent, PriorityChanged, Progress, ProgressMade, StateChanged
from rheojobs.engine.jobs.job import Job
from rheojobs.engine.policy.eta import TimeRemaining
from rheojobs.engine.states import STATES, JobState
from rheojobs.engine.store.commands import requested_priority
from rheojobs.engine.store.glance import SeenJob
from rheojobs.qt.widgets.common.texts import duration

__all__ = ["JobRow", "describe", "row_of_job", "row_of_seen", "signed", "state_text"]

_WAITING = (JobState.QUEUED, JobState.BLOCKED, JobState.INTERRUPTED)


def _tr(text: str) -> str:
    return QCoreApplication.translate("jobs", text)


def signed(priority: int) -> str:
    """Write a priority, with its sign relative to the default, 0."""
    return f"{priority:+d}".replace("-", "−") if priority else "0"


def state_text(state: JobState) -> str:
    """Return the name of a state."""
    return _tr(str(_NAMES[state]))


def state_meaning(state: JobState) -> str:
    """Return the meaning of a state."""
    return _tr(STATES[state].meaning)


_NAMES = {
    JobState.QUEUED: QT_TRANSLATE_NOOP("jobs", "queued"),
    JobState.BLOCKED: QT_TRANSLATE_NOOP("jobs", "blocked"),
    JobState.RUNNING: QT_TRANSLATE_NOOP("jobs", "running"),
    JobState.PAUSED: QT_TRANSLATE_NOOP("jobs", "paused"),
    JobState.CANCELLING: QT_TRANSLATE_NOOP("jobs", "cancelling"),
    JobState.INTERRUPTED: QT_TRANSLATE_NOOP("jobs", "interrupted"),
    JobState.SUCCEEDED: QT_TRANSLATE_NOOP("jobs", "succeeded"),
    JobState.FAILED: QT_TRANSLATE_NOOP("jobs", "failed"),
    JobState.CANCELLED: QT_TRANSLATE_NOOP("jobs", "cancelled"),
}


@dataclass(slots=True, eq=False)
class JobRow:
    """One job.

    Attributes
    ----------
    is_own : bool
        Whether the engine of this table has the job; otherwise another process has it, or none.
    can_be_taken : bool
        Whether it waits in the store to be resumed.
    task : object
        Kept only if no store has it.
    place : int
        Its index among the rows that are shown; -1 if it is hidden.
    searched : str
        The cached text of `words`; empty before the first call and after a change.
    """

    job_id: str
    name: str
    state: JobState
    is_own: bool = True
    model: str = ""
    data: str = ""
    priority: int = 0
    progress: Progress | None = None
    message: str = ""
    created: float = field(default_factory=time.time)
    started: float | None = None
    ended: float | None = None
    pid: int | None = None
    request: str = ""
    not_durable_because: str = ""
    can_be_taken: bool = False
    job: Job | None = None
    task: Any = None
    estimate: TimeRemaining | None = None
    remaining: float | None = None
    place: int = -1
    searched: str = ""

    def take(self, event: JobEvent) -> None:
        """Update from an event of the engine."""
        if isinstance(event, ProgressMade):
            self.progress = event.progress
        elif isinstance(event, PriorityChanged):
            self.priority = event.priority
        elif isinstance(event, StateChanged):
            self.state, self.searched = event.state, ""
            self.message = event.message
            if event.state is JobState.RUNNING and self.started is None:
                self.started = event.time
            elif event.state.is_terminal:
                self.ended = event.time
                self.job = self.remaining = None

    def take_seen(self, seen: SeenJob) -> None:
        """Update from the store, for a job that is not the engine's."""
        stored, before = seen.stored, self.progress
        self.is_own = False
        self.name, self.state, self.message = stored.name, stored.state, stored.message
        self.priority, self.progress, self.request = (
            stored.priority,
            stored.progress,
            stored.request,
        )
        self.model, self.data = seen.model or self.model, seen.data or self.data
        self.searched = ""
        self.not_durable_because, self.can_be_taken = (
            stored.not_durable_because,
            stored.can_be_taken,
        )
        self.created, self.started = stored.created, seen.started
        self.pid = stored.pid if seen.is_elsewhere else None
        is_at_work = stored.state in (JobState.RUNNING, JobState.PAUSED, JobState.CANCELLING)
        self.ended = None if is_at_work else stored.changed
        if self.progress is not None and self.progress != before and self.ticks:
            self.estimate = self.estimate or TimeRemaining()
            self.estimate.note(self.progress, time.monotonic())

    @property
    def ticks(self) -> bool:
        """Whether its times change without an event."""
        return self.started is not None and self.ended is None and self.state not in _WAITING

    @property
    def elapsed(self) -> float | None:
        """Seconds from its first start until now, or until its end."""
        if self.started is None:
            return None
        return max(0.0, (self.ended if self.ended is not None else time.time()) - self.started)

    @property
    def fraction(self) -> float | None:
        """Fraction of the present stage that is done, 0 to 1."""
        if self.state is JobState.SUCCEEDED:
            return 1.0
        if self.progress is None or self.progress.total <= 0:
            return None
        return min(1.0, self.progress.current / self.progress.total)

    def estimate_remaining(self) -> None:
        """Estimate the remaining time."""
        if self.state is not JobState.RUNNING:
            self.remaining = None
            return
        left = None
        if self.job is not None:
            left = self.job.time_remaining()
        elif self.estimate is not None:
            left = self.estimate.left(time.monotonic())
        self.remaining = None if left is None else left.seconds

    def progress_text(self) -> str:
        """Return its progress, or how it ended."""
        if (priority := requested_priority(self.request)) is not None:
            return _tr("asked for priority {number}").format(number=signed(priority))
        if self.request:
            return {
                "cancel": _tr("asked to cancel"),
                "pause": _tr("asked to pause"),
                "resume": _tr("asked to resume"),
            }.get(self.request, "")
        if self.state.is_terminal or self.state is JobState.INTERRUPTED:
            return self.message
        progress = self.progress
        if self.state in _WAITING or progress is None:
            return _tr("waits to be resumed") if self.can_be_taken else state_meaning(self.state)
        if progress.message or progress.total <= 0:
            return progress.message or progress.stage
        return f"{progress.stage} {progress.current:,} / {progress.total:,}".strip()

    def remaining_text(self) -> str:
        """Return the remaining time as text."""
        return "" if self.remaining is None else f"≈\N{NO-BREAK SPACE}{duration(self.remaining)}"

    def elapsed_text(self) -> str:
        """Return the elapsed time as text."""
        elapsed = self.elapsed
        return "" if elapsed is None else duration(elapsed)

    def hint(self) -> str:
        """Return the tool tip: details that do not fit in the row."""
        lines = [self.name]
        if self.data:
            lines.append(_tr("data: {name}").format(name=self.data))
        lines.append(f"{state_text(self.state)}: {state_meaning(self.state)}")
        if self.progress is not None and self.progress.total > 0 and not self.state.is_terminal:
            counts = f"{self.progress.current:,} / {self.progress.total:,}"
            lines.append(f"{self.progress.stage or _tr('step')}: {counts}")
        if self.progress_text() not in ("", state_meaning(self.state)):
            lines.append(self.progress_text())  # its column may be too narrow for it
        if self.pid is not None:
            lines.append(_tr("in another program, process {pid}").format(pid=self.pid))
        return "\n".join(lines)

    @property
    def facts(self) -> tuple[object, ...]:
        """Return all that decides which actions suit it; many jobs share the same facts."""
        kept = self.task is not None
        return (
            self.state,
            self.is_own,
            self.request,
            self.can_be_taken,
            bool(self.not_durable_because),
            kept,
        )

    def words(self) -> str:
        """Return the text that the filter searches; cached, since a filter asks every row."""
        if not self.searched:
            text = f"{self.name}\n{self.model}\n{self.data}\n{state_text(self.state)}"
            self.searched = text.casefold()
        return self.searched

    def matches(self, words: list[str]) -> bool:
        """Return whether its text contains all words, which are in lower case."""
        return not words or all(word in self.words() for word in words)


def row_of_job(job: Job) -> JobRow:
    """Make the row of a job of the engine."""
    row = JobRow(job.id, job.name, job.state)
    row.created, row.priority, row.progress = job.submitted, job.priority, job.latest_progress
    row.message, row.not_durable_because = job.message, job.not_durable_because
    row.started = time.time() if job.running() else None
    describe(row, job)
    return row


def describe(row: JobRow, job: Job) -> None:
    """Add what only the job itself has: its model and its data."""
    row.priority, row.not_durable_because = job.priority, job.not_durable_because
    row.job = None if job.state.is_terminal else job
    row.model = str(getattr(job.task, "model_name", "") or "")
    data = getattr(job.task, "_dataset", None) or getattr(job.task, "data", None)
    row.data, row.searched = str(getattr(data, "name", "") or ""), ""


def row_of_seen(seen: SeenJob) -> JobRow:
    """Make the row of a job of the store."""
    row = JobRow(seen.stored.id, seen.stored.name, seen.stored.state)
    row.take_seen(seen)
    return row
