"""Count how often intervals hold the truth, and write the table."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from typing import Any

from side_by_side.table import NONE, Table

__all__ = ["Counts", "table_of"]

LEVEL = 0.95


class Counts:
    """How often the intervals of each kind hold each parameter's truth."""

    def __init__(self, kinds: Iterable[str], names: Iterable[str]) -> None:
        self._held = {kind: dict.fromkeys(names, 0) for kind in kinds}
        self._tried = {kind: dict.fromkeys(self._held[kind], 0) for kind in self._held}

    def add(self, kind: str, name: str, truth: float, low: float, high: float) -> None:
        """Count one interval; one that is not finite counts too if it holds the truth."""
        self._tried[kind][name] += 1
        self._held[kind][name] += low <= truth <= high

    def as_dict(self) -> dict[str, Any]:
        """Return the counts."""
        return {"held": self._held, "tried": self._tried}


def table_of(title: str, found: Mapping[str, Mapping[str, Any]]) -> Table:
    """Return the table of all models: a row for each parameter, a column for each kind."""
    kinds = list(dict.fromkeys(kind for model in found.values() for kind in model["held"]))
    table = Table(title, ("model, parameter", *kinds))
    tried = 0
    for model, counts in found.items():
        for name in next(iter(counts["held"].values())):
            cells = []
            for kind in kinds:
                count = counts["tried"].get(kind, {}).get(name, 0)
                tried = max(tried, count)
                share = counts["held"][kind][name] / count if count else math.nan
                cells.append(f"{100 * share:.1f} %" if count else NONE)
            table.add(f"{model}, {name}", *cells)
    if tried:
        error = math.sqrt(LEVEL * (1 - LEVEL) / tried)
        table.notes.append(
            f"95 % is right; with {tried} datasets a figure scatters by ± {100 * error:.1f} % "
            "(one standard deviation)."
        )
    return table
