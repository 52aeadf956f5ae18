"""`Section`: one table of a file, its cells as text."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from rheojobs.inference.data.reading.text_dialect import NumberStyle

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
    unread : list of str
        For each name, the text around it in which no unit was found.
    above : tuple of list of str
        The rows of text above the names.
    notes : tuple of str
        What was left out of it.
    mode : str
        The test mode, if the format of the file says it.
    constants : mapping of str to float
        Constants of the test, by `PROTOCOL_CONSTANTS`.
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
