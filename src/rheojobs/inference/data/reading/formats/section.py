"""`Section`: one table of a file, its cells as text."""

from __future__ import annotations

import functools
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from rheojobs.inference.data.reading.formats.text_dialect import NumberStyle

__all__ = ["Section"]


@dataclass(frozen=True)
class Section:
    """One table of a file.

    Attributes
    ----------
    title : str
        Its name in the file; empty if it has none.
    header, units : list of str
        The names of its columns and their units; empty if there are none.
    rows : list of list of str
        The cells; no rows for a section of the instrument without points.
    style : NumberStyle
        How it writes numbers.
    above : tuple of list of str
        The rows of text above the names.
    notes : tuple of str
        What was left out of it.
    mode : str
        The test mode, if the format of the file says it.
    constants : mapping of str to float
        Constants of the test, by `PROTOCOL_CONSTANTS`.
    row_numbers : tuple of int
        The numbers of its rows, from 1, in the table of which it is a part; empty for a whole one.
    """

    title: str
    header: list[str]
    units: list[str]
    rows: list[list[str]]
    style: NumberStyle
    unread: list[str] = field(default_factory=list)
    above: tuple[list[str], ...] = ()
    notes: tuple[str, ...] = ()
    mode: str = ""
    constants: Mapping[str, float] = field(default_factory=dict)
    row_numbers: tuple[int, ...] = ()

    @functools.cached_property
    def numbers(self) -> NDArray[np.float64]:
        """The cells as numbers, NaN for others; shape (rows, columns)."""
        widths = Counter(len(row) for row in self.rows)
        width = widths.most_common(1)[0][0] if widths else 0
        width = max(width, len(self.header))
        blank = [""] * width
        number = self.style.number
        cells = [[number(cell) for cell in (row + blank)[:width]] for row in self.rows]
        return np.array(cells, dtype=float).reshape(len(self.rows), width)
