"""Eight jobs that each report a thousand times a second: what arrives, and what it costs."""

from __future__ import annotations

import os
import statistics
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from side_by_side.table import Table
from side_by_side.work import report_often

__all__ = ["measure", "tables"]

JOBS = 8
PER_SECOND = 1000


def measure(
    settings: Mapping[str, Any], folder: Path | str, say: Callable[[str], None]
) -> dict[str, Any]:
    """Run the jobs in a window's event loop, with its table of jobs."""
    from rheojobs import JobEngine, ProgressMade

    seconds = settings["seconds"]
    events: list[float] = []

    def count(event: object) -> None:
        if isinstance(event, ProgressMade):
            events.append(time.monotonic())

    with JobEngine("processes", max_workers=JOBS) as engine:
        warm = [engine.run(time.sleep, 0.5) for _ in range(JOBS)]
        for job in warm:
            job.result(120)
        engine.subscribe(count)
        flushes = _Flushes(engine)
        cpu, begin = os.times(), time.monotonic()
        jobs = [engine.run(report_often, seconds, PER_SECOND) for _ in range(JOBS)]
        while not all(job.done() for job in jobs):
            flushes.process()
            time.sleep(0.001)
        wall, used = time.monotonic() - begin, os.times()
        calls = sum(job.result() for job in jobs)
    say(f"{calls} calls")
    ms = sorted(1000 * each for each in flushes.seconds)
    return {
        "calls_per_second": calls / wall,
        "events_per_second_and_job": len(events) / wall / JOBS,
        "application_cpu": (used.user + used.system - cpu.user - cpu.system) / wall,
        "frame_ms": {
            "median": statistics.median(ms),
            "p99": ms[int(0.99 * (len(ms) - 1))],
            "max": ms[-1],
        },
    }


class _Flushes:
    """The processor time that the UI thread spends on the news, frame by frame."""

    def __init__(self, engine: Any) -> None:
        from PySide6.QtCore import QCoreApplication

        from rheojobs.qt.widgets.jobs.table_model import JobTableModel

        self._app = QCoreApplication.instance() or QCoreApplication([])
        self._model = JobTableModel(engine)
        self.seconds: list[float] = []

    def process(self) -> None:
        """Let Qt work on what is due; one round of its event loop is a frame."""
        begin = time.thread_time()
        self._app.processEvents()
        if (took := time.thread_time() - begin) > 5e-5:  # a round with nothing to do is none
            self.seconds.append(took)


def tables(found: Mapping[str, Any]) -> list[Table]:
    """Return the table of rates, and of what a frame costs."""
    title = f"{JOBS} jobs, {PER_SECOND:,} calls of progress a second each"
    table = Table(title, ["", "measured"])
    table.add("calls a second", f"{found['calls_per_second']:,.0f}")
    table.add("events a second and job", f"{found['events_per_second_and_job']:.1f}")
    table.add("the application's processor time", f"{100 * found['application_cpu']:.0f} %")
    for name, ms in found["frame_ms"].items():
        table.add(f"the UI thread's time in a frame, {name}", f"{ms:.2f} ms")
    return [table]
