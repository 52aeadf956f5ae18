"""A live table of many jobs on the terminal; plain lines if there is no terminal."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Protocol

from rich.console import Console, Group, RenderableType
from rich.table import Table
from rich.text import Text

from rheojobs.cli.terminal.drawing import FRAME, STOPPING, Drawing
from rheojobs.cli.terminal.stopping import stop_requests
from rheojobs.durations import duration
from rheojobs.engine import Progress

__all__ = ["LiveRow", "LiveTable", "follow", "progress_words"]

MARKS = {
    "running": ("", "cyan"),
    "done": ("✓", "green"),
    "doubtful": ("!", "yellow"),
    "failed": ("✗", "red"),
}
ENDED = ("done", "doubtful", "failed")
SPARE_LINES = 4
"""Lines of the terminal for the head, the count of hidden rows, and the prompt."""


@dataclass(frozen=True)
class LiveRow:
    """A line of the table.

    Attributes
    ----------
    label : str
        What the row is about.
    kind : str
        ``"waiting"``, ``"running"``, ``"done"``, ``"doubtful"`` or ``"failed"``.
    words : str
        Its progress or outcome.
    seconds : float
        How long it has run.
    """

    label: str
    kind: str
    words: str = ""
    seconds: float = 0.0


class _Pollable(Protocol):
    def poll(self) -> bool: ...

    def cancel(self) -> None: ...


class LiveTable(Drawing):
    """Draws rows that change.

    Parameters
    ----------
    console, title
        As in `Drawing`, such as ``fits of 12 models``. If the console is not a terminal, each row
        is written once, when it is done.
    """

    def __init__(self, console: Console, title: str) -> None:
        super().__init__(console, title)
        self._printed: set[tuple[str, str]] = set()

    def update(self, rows: Sequence[LiveRow], stopping: bool = False) -> None:
        """Draw the rows as they are now; those that are done, in the given order."""
        if self.is_live:
            self.draw(self._render(rows, stopping))
            return
        for row in rows:
            if row.kind in ENDED and (row.label, row.words) not in self._printed:
                self._printed.add((row.label, row.words))
                took = f", {duration(row.seconds)}" if row.seconds else ""
                self._console.print(
                    f"{row.label}: {row.words}{took}", highlight=False, markup=False, soft_wrap=True
                )

    def _render(self, rows: Sequence[LiveRow], stopping: bool) -> RenderableType:
        counts = {kind: sum(row.kind == kind for row in rows) for kind in ("waiting", *MARKS)}
        parts = [f"{counts['done']} of {len(rows)} done"]
        for kind in ("doubtful", "failed"):
            parts += [f"{counts[kind]} {kind}"] if counts[kind] else []
        parts += [f"{counts['waiting']} waiting"] if counts["waiting"] else []
        parts += ["starting workers"] if counts["waiting"] and not counts["running"] else []
        head = Table.grid(padding=(0, 1))
        said = STOPPING if stopping else f"{', '.join(parts)}, {duration(self.elapsed)}"
        head.add_row(self._spinner, Text(f"{self._title}: {said}"))
        shown = [row for row in rows if row.kind == "running"]
        room = max(1, self._console.height - SPARE_LINES - len(shown))
        ended = [row for row in rows if row.kind in ENDED]
        shown += ended[:room]
        table = Table.grid(padding=(0, 2, 0, 0))
        for _ in range(4):
            table.add_column(no_wrap=True, overflow="ellipsis")
        # rich would also cut the names if the words are long.
        widest = max((len(row.label) for row in shown), default=0)
        room_for_words = max(20, self._console.width - widest - 20)
        for row in shown:
            mark, style = MARKS[row.kind]
            seconds = duration(row.seconds) if row.seconds else ""
            words = Text(row.words, style=style if row.kind != "done" else "")
            words.truncate(room_for_words, overflow="ellipsis")
            table.add_row(
                Text(f"  {mark or '·'}", style=style),
                Text(row.label),
                words,
                Text(seconds, style="dim"),
            )
        more = [Text(f"  … and {len(ended) - room} more", style="dim")] if room < len(ended) else []
        return Group(head, table, *more)


def progress_words(progress: Progress) -> str:
    """Describe in a few words how far a fit or a sampling has come."""
    chains = progress.metrics.get("chains")
    if not chains:
        return progress.message or "starting"
    warmup, draws = int(progress.metrics["num_warmup"]), int(progress.metrics["num_samples"])
    share = sum(chains) / max(1, len(chains) * (warmup + draws))
    stage = "warm-up" if min(chains) < warmup else "draws"
    return f"sampling, {stage}, {100 * share:.0f} %"


def follow(run: _Pollable, display: LiveTable, rows: Callable[[], Sequence[LiveRow]]) -> int:
    """Poll to the end, drawing the rows; return the exit status if it was stopped, else 0."""
    asked = False
    with stop_requests() as wanted, display:
        while not run.poll():
            if wanted and not asked:
                asked = True
                run.cancel()
            display.update(rows(), asked)
            time.sleep(FRAME)
        display.update(rows(), asked)
        return wanted.status
