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

__all__ = [
    "JobRow",
    "describe",
    "describe_unknown",
    "moment",
    "row_of_job",
    "row_of_seen",
    "signed",
    "state_meaning",
    "state_text",
]

_VERBS = ("fit", "sample")
"""The first words of the names of fits and samplings that were given none."""

_WAITING = (JobState.QUEUED, JobState.BLOCKED, JobState.INTERRUPTED)


def _tr(text: str) -> str:
    return QCoreApplication.translate("jobs", text)


def signed(priority: int) -> str:
    """Write a priority, with its sign relative to the default, 0."""
    return f"{priority:+d}".replace("-", "−") if priority else "0"


def moment(when: float) -> str:
    """Write a time (s since the epoch) with its day."""
    return time.strftime("%Y-%m-%d %H:%M:%S", time.localtime(when))


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
    history : list
        The states that events have reported: time (s since the epoch), state, message.
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
    history: list[tuple[float, JobState, str]] = field(default_factory=list)

    def take(self, event: JobEvent) -> None:
        """Update from an event of the engine."""
        if isinstance(event, ProgressMade):
            self.progress = event.progress
        elif isinstance(event, PriorityChanged):
            self.priority = event.priority
        elif isinstance(event, StateChanged):
            self.state, self.searched = event.state, ""
            self.message = event.message
            self.history.append((event.time, event.state, event.message))
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
        describe_unknown(self, seen)
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
        """Fraction of the present stage that is done, 0 to 1; None also after the end.

        A fit counts its iterations, and seldom needs the most that it may take: at its end the
        fraction would be misleading.
        """
        if self.state.is_terminal or self.progress is None or self.progress.total <= 0:
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
            return self.message or self._stopped_at()
        progress = self.progress
        if self.state in _WAITING or progress is None:
            return _tr("waits to be resumed") if self.can_be_taken else state_meaning(self.state)
        if progress.message or progress.total <= 0:
            return progress.message or progress.stage
        return f"{progress.stage} {progress.current:,} / {progress.total:,}".strip()

    def _stopped_at(self) -> str:
        """Return how far a job came that was stopped."""
        progress = self.progress
        if self.state is JobState.SUCCEEDED or progress is None or progress.total <= 0:
            return ""
        return _tr("stopped at {stage} {current} / {total}").format(
            stage=progress.stage or _tr("step"),
            current=f"{progress.current:,}",
            total=f"{progress.total:,}",
        )

    def has_say(self) -> bool:
        """Return whether its priority decides when it starts, and differs from the default."""
        return bool(self.priority) and self.state in _WAITING

    def created_text(self) -> str:
        """Return when it was submitted: the time if that was today, else the day or month."""
        when, now = time.localtime(self.created), time.localtime()
        if (when.tm_year, when.tm_yday) == (now.tm_year, now.tm_yday):
            return time.strftime("%H:%M:%S", when)
        month = time.strftime("%b", when)
        return (
            f"{when.tm_mday} {month}" if when.tm_year == now.tm_year else f"{month} {when.tm_year}"
        )

    def remaining_text(self) -> str:
        """Return the remaining time as text."""
        return "" if self.remaining is None else f"≈\N{NO-BREAK SPACE}{_rough(self.remaining)}"

    def elapsed_text(self) -> str:
        """Return the elapsed time as text."""
        elapsed = self.elapsed
        return "" if elapsed is None else duration(elapsed)

    def hint(self) -> str:
        """Return the tool tip: details that do not fit in the row."""
        lines = [self.name]
        if self.model:
            lines.append(_tr("model: {name}").format(name=self.model))
        if self.data:
            lines.append(_tr("data: {name}").format(name=self.data))
        lines.append(f"{state_text(self.state)}: {state_meaning(self.state)}")
        if self.progress is not None and self.progress.total > 0 and not self.state.is_terminal:
            counts = f"{self.progress.current:,} / {self.progress.total:,}"
            lines.append(f"{self.progress.stage or _tr('step')}: {counts}")
        if self.progress_text() not in ("", state_meaning(self.state)):
            lines.append(self.progress_text())  # its column may be too narrow for it
        for words, when in self.times():
            lines.append(f"{words}: {when}")
        if self.pid is not None:
            lines.append(_tr("in another program, process {pid}").format(pid=self.pid))
        return "\n".join(lines)

    def times(self) -> list[tuple[str, str]]:
        """Return when it was submitted, when it started and when it ended, as far as known."""
        known = (
            (_tr("submitted"), self.created),
            (_tr("started"), self.started),
            (_tr("ended"), self.ended),
        )
        return [(words, moment(when)) for words, when in known if when is not None]

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


def _rough(seconds: float) -> str:
    """Write an estimated duration in one unit: ``12 s``, ``5 min``, ``2.3 h``."""
    for unit, size in (("s", 1), ("min", 60)):
        if seconds < 90 * size:
            return f"{max(round(seconds / size), 1)}\N{NO-BREAK SPACE}{unit}"
    return f"{seconds / 3600:.1f}\N{NO-BREAK SPACE}h"


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
    task = getattr(job.task, "sampling", job.task)  # of a sampling that is scored as well
    row.model = str(getattr(task, "model_name", "") or "") or _model_in(row.name)
    data = getattr(task, "_dataset", None) or getattr(task, "data", None)
    row.data, row.searched = str(getattr(data, "name", "") or ""), ""


def describe_unknown(row: JobRow, seen: SeenJob | None = None) -> None:
    """Add the model and the data of a job that its engine has dropped already."""
    if seen is not None and seen.model:
        row.model = seen.model
    row.model = row.model or _model_in(row.name)
    if seen is not None and seen.data:
        row.data = seen.data
    row.searched = ""


def row_of_seen(seen: SeenJob) -> JobRow:
    """Make the row of a job of the store."""
    row = JobRow(seen.stored.id, seen.stored.name, seen.stored.state)
    row.take_seen(seen)
    return row


def _model_in(name: str) -> str:
    """Return the model in the name that a fit or a sampling has by default; else nothing."""
    verb, _, model = name.partition(" ")
    return model if verb in _VERBS and model and " " not in model else ""
