"""A run on worker processes: where it is, and what was said about it."""

from __future__ import annotations

import math
import threading
from typing import TYPE_CHECKING

from rheojobs.engine import messages
from rheojobs.engine.executors.base import Run, RunControl
from rheojobs.engine.task import task_affinity

if TYPE_CHECKING:
    from rheojobs.engine.executors.processes import ProcessExecutor
    from rheojobs.engine.executors.worker_process import WorkerProcess

__all__ = ["RELEASE_GRACE", "ProcessRun"]

RELEASE_GRACE = 10.0
"""Seconds that a task has to stop that only prepares others: a killed worker would delay them."""


class ProcessRun(RunControl):
    """A run on its way through waiting, a worker, and its end."""

    # What the run ends with, where its worker was killed for a reason.
    verdict: Exception | None = None

    def __init__(self, executor: ProcessExecutor, run: Run) -> None:
        self._executor = executor
        self.run = run
        self.worker: WorkerProcess | None = None
        self.grace = math.inf
        self.undelivered: Exception | None = None
        self.timer: threading.Timer | None = None
        self.sent = False
        self.sent_before = False
        self.started = False
        self.stoppable = True
        self.abandoned = False
        self.unsent: list[str] = []
        self.affinity = task_affinity(run.task)

    @property
    def cancelled(self) -> bool:
        """Whether it was asked to stop: then it has but so long for it."""
        return self.grace < math.inf

    def last_word(self, reason: str) -> messages.Message:
        """Say how it ended whose worker died, for a reason in words."""
        if self.cancelled:
            return messages.Cancelled()
        if self.verdict is not None:
            return messages.Failed(self.verdict)
        if self.undelivered is not None:
            text = f"the result cannot be read in this process: {self.undelivered}"
            return messages.Failed(TypeError(text))
        return messages.Died(f"the worker process died: {reason}")

    def cancel(self) -> None:
        self._executor.cancel(self)

    def release(self) -> None:
        self._executor.cancel(self, RELEASE_GRACE)

    def pause(self) -> None:
        self._executor.send(self, "pause")

    def resume(self) -> None:
        self._executor.send(self, "resume")

    def inspect(self) -> None:
        self._executor.send(self, "inspect")
