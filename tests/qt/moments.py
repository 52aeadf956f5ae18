"""Moments in the life of a job at which a window may be closed, and the answers to its question.

For the tests of closing, in this process and, run as a module, in an application of its own:
``python -m tests.qt.moments MOMENT ANSWER`` opens the window as `rheojobs gui` does, closes it at
that moment, and prints the ids of its jobs as a JSON line.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Iterator
from typing import Any

from qtpy.QtCore import QTimer
from qtpy.QtWidgets import QApplication
from tests.qt import helpers

from rheojobs.engine.jobs.job import Job
from rheojobs.engine.states import JobState
from rheojobs.engine.task import FunctionTask
from rheojobs.inference.data import example_melt
from rheojobs.inference.data.reading.read import read
from rheojobs.inference.fits.task import FitTask
from rheojobs.inference.sampling.task import SampleTask
from rheojobs.qt.app import main_window
from rheojobs.qt.app.main_window import MainWindow

S = JobState
ANSWERS = ("Wait", "Leave", "Cancel")
LONG, SHORT = 300_000, 300
"""Draws of a sampling that would never end, and of one that does."""

Moment = Iterator[Callable[[], bool]]
"""Yields conditions to wait for; when it ends, the moment has come."""


class Jobs:
    """Starts the jobs of a window, and records them."""

    def __init__(self, window: MainWindow, answer: str) -> None:
        self.engine = window.pool.engine
        self.is_waited_for = answer == "Wait"
        self.all: list[Job] = []

    def count(self, seconds: float = 600.0, **options: Any) -> Job:
        """Start a function that counts; for that long if nothing waits for it."""
        steps = 60 if self.is_waited_for else int(200 * seconds)
        return self.call(helpers.count_to, steps, **options)

    def call(self, function: Callable[..., Any], *args: Any, **options: Any) -> Job:
        """Start a function."""
        return self._add(self.engine.submit(FunctionTask(function, args), **options))

    def sample(self, **options: Any) -> Job:
        draws = SHORT if self.is_waited_for else LONG
        task = SampleTask(
            "maxwell",
            read(example_melt.csv_path()),
            num_warmup=400,
            num_samples=draws,
            num_chains=2,
        )
        return self._add(self.engine.submit(task, **options))

    def fit(self) -> Job:
        options = {"multi_start": 4 if self.is_waited_for else 400}
        task = FitTask("fractional_maxwell_liquid", read(example_melt.csv_path()), options=options)
        return self._add(self.engine.submit(task))

    def _add(self, job: Job) -> Job:
        self.all.append(job)
        return job


def _stage(job: Job, *stages: str) -> Callable[[], bool]:
    def is_there() -> bool:
        progress = job.latest_progress
        return job.state.is_terminal or (progress is not None and progress.stage in stages)

    return is_there


def _is(job: Job, *states: JobState) -> Callable[[], bool]:
    return lambda: job.state in states


def _counting(job: Job) -> Callable[[], bool]:
    return lambda: job.latest_progress is not None


def starting(jobs: Jobs) -> Moment:
    """No worker has it yet."""
    jobs.count()
    yield lambda: True


def queued(jobs: Jobs) -> Moment:
    """More jobs than workers."""
    many = [jobs.count() for _ in range(jobs.engine.executor.capacity + 2)]
    yield _counting(many[0])
    assert many[-1].state is S.QUEUED or jobs.is_waited_for


def blocked(jobs: Jobs) -> Moment:
    """It waits for another."""
    first = jobs.count()
    second = jobs.count(after=[first])
    yield _counting(first)
    assert second.state is S.BLOCKED or jobs.is_waited_for


def running(jobs: Jobs) -> Moment:
    """It runs."""
    yield _counting(jobs.count())


def paused(jobs: Jobs) -> Moment:
    """It is paused."""
    job = jobs.count()
    yield _counting(job)
    job.pause()
    yield _is(job, S.PAUSED, S.SUCCEEDED)


def pausing(jobs: Jobs) -> Moment:
    """It was asked to pause this moment."""
    job = jobs.count()
    yield _counting(job)
    job.pause()


def cancelling(jobs: Jobs) -> Moment:
    """It was asked to stop this moment; another runs."""
    job, _ = jobs.count(), jobs.count()
    yield _counting(job)
    job.cancel()


def deaf(jobs: Jobs) -> Moment:
    """It was asked to stop, and ignores it."""
    job = jobs.call(helpers.hear_nothing, 1.0)
    yield _is(job, S.RUNNING)
    job.cancel()


def ended(jobs: Jobs) -> Moment:
    """It ended this moment."""
    job = jobs.call(helpers.count_to, 1)
    yield job.done


def failed(jobs: Jobs) -> Moment:
    """It failed this moment; another runs."""
    job, _ = jobs.call(helpers.count_to, None), jobs.count()
    yield job.done


def preparing(jobs: Jobs) -> Moment:
    """A sampling that its worker has just started."""
    yield _is(jobs.sample(), S.RUNNING)


def compiling(jobs: Jobs) -> Moment:
    """A sampling that compiles, or loads its programs from the cache."""
    yield _stage(jobs.sample(), "compile", "warmup", "sampling")


def warming_up(jobs: Jobs) -> Moment:
    """A sampling in its warm-up."""
    yield _stage(jobs.sample(), "warmup", "sampling")


def sampling(jobs: Jobs) -> Moment:
    """A sampling that draws."""
    yield _stage(jobs.sample(), "sampling")


def sampling_paused(jobs: Jobs) -> Moment:
    """A paused sampling."""
    job = jobs.sample()
    yield _stage(job, "sampling")
    job.pause()
    yield _is(job, S.PAUSED, S.SUCCEEDED)


def fitting(jobs: Jobs) -> Moment:
    """A running fit."""
    job = jobs.fit()
    yield (
        lambda: job.done() or (job.latest_progress is not None and job.latest_progress.current > 1)
    )


def many(jobs: Jobs) -> Moment:
    """Jobs in every state at once."""
    first = jobs.sample()
    jobs.count(after=[first])
    second = jobs.count()
    stopped = [jobs.count() for _ in range(3)][1]
    yield _counting(second)
    stopped.cancel()
    yield _stage(first, "warmup", "sampling")
    second.pause()


QUICK = (starting, queued, blocked, running, paused, pausing, cancelling, deaf, ended, failed)
REAL = (preparing, compiling, warming_up, sampling, sampling_paused, fitting, many)
MOMENTS = {moment.__name__: moment for moment in (*QUICK, *REAL)}


def expected(before: JobState, answer: str) -> set[JobState]:
    """Return the states that the store may hold for a job, by its state when the window closed."""
    if before.is_terminal:
        return {before}
    if before is S.CANCELLING:
        return {S.CANCELLED}
    if answer == "Cancel":
        return {S.CANCELLED, S.SUCCEEDED}
    if answer == "Leave":
        return {S.QUEUED, S.BLOCKED, S.INTERRUPTED}
    return {S.SUCCEEDED}


def click_answer(window: MainWindow, answer: str) -> None:
    """Close the window, and click the answer to its question, if it asks."""
    if window.close():
        return
    box = window.closing.box
    assert box is not None
    next(button for button in box.buttons() if answer.lower() in button.text().lower()).click()


# ---------------------------------------------------------------- a separate application


def main() -> None:
    """Run the application, and close it at a moment."""
    name, answer = sys.argv[1:]
    told: dict[str, str] = {}
    app = QApplication(sys.argv[:1])
    steps: list[Any] = []

    def go_on() -> None:
        if not steps:
            (window,) = (w for w in app.topLevelWidgets() if isinstance(w, MainWindow))
            if window.session.dataset is None or window.model_picker.model is None:
                return
            jobs = Jobs(window, answer)
            steps[:] = [window, jobs, MOMENTS[name](jobs), lambda: True]
        window, jobs, moment, condition = steps
        if not condition():
            return
        steps[3] = next(moment, None)
        if steps[3] is None:
            timer.stop()
            told.update({job.id: str(job.state) for job in jobs.all})
            click_answer(window, answer)

    timer = QTimer(interval=1)
    timer.timeout.connect(go_on)
    timer.start()
    status = main_window.run([str(example_melt.csv_path())])
    steps.clear()
    print(json.dumps(told))
    sys.exit(status)


if __name__ == "__main__":
    main()
