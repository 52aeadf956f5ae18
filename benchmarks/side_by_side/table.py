"""A table with notes, for the terminal or as Markdown, and how numbers are written in it."""

from __future__ import annotations

import math
import statistics
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any

__all__ = ["NONE", "Table", "median", "number", "ratio", "seconds", "spread"]

NONE = "–"


@dataclass
class Table:
    """A table with a title and lines below it; the first column is text, the others numbers."""

    title: str
    columns: Sequence[str]
    rows: list[list[str]] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)

    def add(self, *cells: str) -> None:
        """Add a row."""
        self.rows.append(list(cells))

    def as_markdown(self) -> str:
        """Return it as Markdown."""
        lines = [f"**{self.title}**", ""]
        lines.append("| " + " | ".join(self.columns) + " |")
        lines.append("|---|" + "---:|" * (len(self.columns) - 1))
        lines += ["| " + " | ".join(row) + " |" for row in self.rows]
        if self.notes:
            lines += ["", *(f"- {note}" for note in self.notes)]
        return "\n".join(lines)

    def print(self, console: Any) -> None:
        """Print it to a rich console."""
        from rich import box
        from rich.table import Table as RichTable

        table = RichTable(title=self.title, box=box.SIMPLE_HEAD, title_justify="left")
        for index, name in enumerate(self.columns):
            table.add_column(name, justify="right" if index else "left", overflow="fold")
        for row in self.rows:
            table.add_row(*row)
        console.print(table)
        for note in self.notes:
            console.print(f"  {note}", highlight=False, soft_wrap=True)
        console.print()


def median(values: Iterable[float | None]) -> float:
    """Return the median of the finite values; NaN if there are none."""
    known = [value for value in values if value is not None and math.isfinite(value)]
    return statistics.median(known) if known else math.nan


def number(value: float, digits: int = 0) -> str:
    """Write a number with so many decimals."""
    return f"{value:.{digits}f}" if math.isfinite(value) else NONE


def seconds(value: float) -> str:
    """Write a time with three digits."""
    if not math.isfinite(value):
        return NONE
    return f"{value:.3g}" if value < 100 else f"{value:.0f}"


def spread(values: Sequence[float]) -> str:
    """Write the median of times, and the range if there are several."""
    middle = seconds(median(values))
    if len(values) < 2:
        return middle
    return f"{middle} ({seconds(min(values))}–{seconds(max(values))})"


def ratio(numerator: float, denominator: float, digits: int = 1) -> str:
    """Write how many times larger the numerator is."""
    if not (math.isfinite(numerator) and denominator > 0):
        return NONE
    times = numerator / denominator
    return f"{times:.{digits}f}×" if times < 10 else f"{times:.0f}×"
