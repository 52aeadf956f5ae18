"""Find the steps of an instrument's export by their headings, with the instrument's own names.

TRIOS heads a step by ``[step]``, RheoCompass an interval by ``Interval and data points: 2 17``
below its test and result, and RheoPlus by ``Interval: 1`` below the name of the data series.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

__all__ = ["Block", "blocks_of"]

_PROJECT = ("proj", "proy", "prog")  # Project, Projekt, Projet, Proyecto, Progetto
_INTERVAL = ("interval:", "abschnitt:", "messabschnitt:", "intervalle:", "intervalo:")
_SERIES = ("name:", "nom:", "nombre:")


@dataclass(frozen=True)
class Block:
    """The rows of one step: from `start` up to, but not including, `stop`."""

    title: str
    start: int
    stop: int


def blocks_of(grid: Sequence[Sequence[str]]) -> list[Block]:
    """Return the steps that headings in a grid of cells number; none if there are no headings."""
    found: list[tuple[str, int]] = []
    ends: list[int] = []
    names: dict[str, str] = {}
    for index, row in enumerate(grid):
        label = next(filter(None, row), "")
        if not label.endswith((":", "]")):  # of neither a heading nor a name: most rows
            continue
        cells = [cell for cell in row if cell]
        if label.casefold() == "[step]":
            found.append((_next_text(grid, index), index + 1))
        elif (number := _interval(cells, grid[index + 1 : index + 2])) is not None:
            word = label.split()[0].rstrip(":")
            found.append((" / ".join([*names.values(), f"{word} {number}"]), index + 1))
        elif len(cells) == 2 and label.endswith(":"):
            _remember(names, *cells)
            if len(ends) < len(found) and not _is_setting(grid, found[-1][1], index):
                ends.append(index)
            continue
        else:
            continue
        while len(ends) < len(found) - 1:
            ends.append(index)
    ends += [len(grid)] * (len(found) - len(ends))
    return [Block(title, start, stop) for (title, start), stop in zip(found, ends, strict=True)]


def _next_text(grid: Sequence[Sequence[str]], index: int) -> str:
    """Return the row below ``[step]``: the step's name."""
    for row in grid[index + 1 : index + 3]:
        if any(row):
            return ", ".join(filter(None, row))
    return ""


def _interval(cells: Sequence[str], below: Sequence[Sequence[str]]) -> str | None:
    """Return the number of an interval if a row heads one."""
    label, *rest = cells
    numbers = [cell.removesuffix(".0") for cell in rest]
    if not label.endswith(":") or not all(number.isdecimal() for number in numbers):
        return None
    if len(numbers) == 1:
        return numbers[0] if label.casefold() in _INTERVAL else None
    # RheoCompass, in any language: "Interval and data points: 2 17", below it "Interval data: ..."
    names = [cell for cell in below[0] if cell] if below else []
    is_headed = len(names) >= 2 and names[0].endswith(":") and not names[1][0].isdecimal()
    return numbers[0] if len(numbers) == 2 and is_headed else None


def _remember(names: dict[str, str], label: str, value: str) -> None:
    """Keep the names of a test and of a result, or of a data series; not that of the project."""
    folded = label.casefold()
    if folded in _SERIES:
        names.clear()
        names[folded] = value
    elif not folded.startswith(_PROJECT) and not set(names) & set(_SERIES):
        for known in list(names):
            if known == folded:  # a new test: the results of the former are behind
                for later in list(names)[list(names).index(known) :]:
                    del names[later]
                break
        if len(names) < 2:
            names[folded] = value


def _is_setting(grid: Sequence[Sequence[str]], start: int, index: int) -> bool:
    """Whether a pair stands above the points of its interval, as a setting, and not behind."""
    return not any(sum(map(bool, row)) > 2 for row in grid[start:index])
