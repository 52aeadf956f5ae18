"""The progress of one job on the terminal; a line or two if there is no terminal."""

from __future__ import annotations

import math
import time
from collections.abc import Mapping, Sequence
from typing import Any

from rich.console import Console, Group, RenderableType
from rich.progress_bar import ProgressBar
from rich.table import Table
from rich.text import Text

from rheojobs.cli.terminal.drawing import STOPPING, Drawing
from rheojobs.cli.terminal.numbers import interval, measured, plural
from rheojobs.durations import duration
from rheojobs.engine import Job, JobState, Progress
from rheojobs.engine.policy.eta import TimeRemaining

__all__ = ["JobDisplay"]

BAR_WIDTH = 36

_WAITING = {
    JobState.QUEUED: "starting a worker",
    JobState.BLOCKED: "waiting",
    JobState.CANCELLING: STOPPING,
}


class JobDisplay(Drawing):
    """Draws one job from the queue to its end, and then leaves one line with the outcome.

    Parameters
    ----------
    console, title
        As in `Drawing`. If the console is not a terminal, only the first and the last line are
        written.
    """

    def __init__(self, console: Console, title: str) -> None:
        super().__init__(console, title)
        self._remaining = TimeRemaining()
        self._left: float | None = None
        self._counted = -1

    def update(self, job: Job) -> None:
        """Draw the job as it is now."""
        if self.is_live:
            self.draw(self._render(job))

    def close(self, words: str) -> None:
        """End the drawing and print the outcome in one line."""
        self.__exit__()
        line = f"{self._title}: {words}, {duration(self.elapsed)}"
        self._console.print(line, highlight=False, style="dim" if self._console.is_terminal else "")

    def _render(self, job: Job) -> RenderableType:
        progress = job.latest_progress or Progress()
        chains = progress.metrics.get("chains")
        stopping = job.state is JobState.CANCELLING
        preview = None if stopping else progress.metrics.get("preview")
        if chains and not stopping:
            shown = self._sampling(progress, chains)
        else:
            shown = self._line(_WAITING.get(job.state) or progress.message or "starting")
        return shown if preview is None else Group(shown, _preview(preview))

    def _line(self, words: str) -> RenderableType:
        row = Table.grid(padding=(0, 1))
        elapsed = (f"  {duration(self.elapsed)}", "dim")
        row.add_row(self._spinner, Text.assemble(f"{self._title}: ", (words, "cyan"), elapsed))
        return row

    def _sampling(self, progress: Progress, chains: Sequence[int]) -> RenderableType:
        warmup = int(progress.metrics["num_warmup"])
        draws = int(progress.metrics["num_samples"])
        head = Table.grid(padding=(0, 1))
        head.add_row(self._spinner, Text(f"{self._title}: {self._outlook(progress.metrics)}"))
        bars = Table.grid(padding=(0, 1))
        for number, done in enumerate(chains, 1):
            warming = done < warmup
            # Two bars in one: the warm-up fills it in yellow, then the draws in green.
            part, whole = (done, warmup) if warming else (done - warmup, draws)
            colour = "yellow" if warming else "green"
            bars.add_row(
                Text(f"  chain {number}"),
                ProgressBar(whole, part, BAR_WIDTH, complete_style=colour, finished_style=colour),
                Text("warm-up" if warming else "draws", style=colour),
                Text(f"{part:>{len(str(whole))}}/{whole}"),
            )
        return Group(head, bars)

    def _outlook(self, metrics: Any) -> str:
        chains, each = metrics["chains"], metrics["num_warmup"] + metrics["num_samples"]
        done = sum(chains)
        if done != self._counted:  # a report that comes twice would look like no progress
            self._counted = done
            total = Progress(done, each * len(chains), stage="all")
            self._left = self._remaining.update(total, time.monotonic())
        parts = [plural(int(metrics["divergences"]), "divergence")]
        if metrics.get("r_hat"):
            worst = max(metrics["r_hat"].values())
            ess = min(*metrics["ess_bulk"].values(), *metrics["ess_tail"].values())
            parts.append(f"R-hat ≤ {worst:.3f}, ESS ≥ {ess:.0f}")
        if self._left is not None:
            parts.append(f"{duration(self._left)} left")
        return f"{', '.join(parts)}, {duration(self.elapsed)} so far"


def _preview(preview: Mapping[str, Any]) -> RenderableType:
    """Return the approximate posterior that is shown until draws replace it."""
    table = Table.grid(padding=(0, 2))
    for name, row in preview["summary"].items():
        center = row["mean"] if math.isfinite(row["mean"]) else None
        ends = interval(row["q05"], row["q95"], center)
        table.add_row(
            Text(f"  {name}"),
            measured(row["mean"], row["std"]),
            f"5 % to 95 %: {ends}",
            style="dim",
        )
    words = Text(f"  {preview['words']}", style="dim italic")
    return Group(words, table) if table.row_count else words
