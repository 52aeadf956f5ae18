"""The options of reading a file. Imports no NumPy, so that the command's help is quick."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Self

from rheojobs.inference.data.protocol import protocol_option
from rheojobs.inference.data.test_modes import mode_option
from rheojobs.inference.options.kinds import (
    Column,
    Columns,
    Count,
    Expressions,
    Range,
    Rows,
    Text,
    ValueKindError,
)
from rheojobs.inference.options.option import Group, checked, option

__all__ = ["DECIMAL_MARKS", "DELIMITERS", "ROLES", "ReadOptions"]

DECIMAL_MARKS = ".,"
DELIMITERS = "\t;|, "
ROLES = ("x", "y", "y2")
"""The columns whose unit can be given."""

_DELIMITER_NAMES = {"tab": "\t", "\\t": "\t", "semicolon": ";", "comma": ",", "blank": " "}


def _decimal(text: str) -> str:
    if len(text) != 1 or text not in DECIMAL_MARKS:
        raise ValueKindError(f"is '.' or ',', got {text!r}")
    return text


def _delimiter(text: str) -> str:
    mark = _DELIMITER_NAMES.get(text, text)
    if len(mark) != 1 or mark not in DELIMITERS:
        raise ValueKindError(f"is tab, ';', '|', ',' or a blank, got {text!r}")
    return mark


def _unit(role: str, unit: Any) -> str:
    if not isinstance(unit, str) or not unit.strip():
        raise ValueKindError(f"must have a unit for {role}, got {unit!r}")
    return unit


@dataclass(frozen=True)
class ReadOptions:
    """How a file is read."""

    mode: str | None = mode_option("columns")
    x: str | int | None = option(
        None, Column(), "Column of x, by name or by number from 1.", group=Group.DATA
    )
    y: str | int | None = option(None, Column(), "Column of y, or of G′.", group=Group.DATA)
    y2: str | int | None = option(None, Column(), "Column of G″.", group=Group.DATA)
    sigma: tuple[str | int, ...] = option(
        (),
        Columns(),
        "Column of the standard deviations of y; for G′ and G″ two columns.",
        group=Group.DATA,
    )
    step: int | None = option(
        None,
        Count(),
        "Section of a file with several, from 1. The first that can be read by default.",
        group=Group.DATA,
    )
    units: Mapping[str, str] = option(
        {},
        Expressions(_unit, ROLES, "x|y|y2=UNIT"),
        "Unit of a column if the file lacks it or has it wrong, such as x=Hz or y=kPa.",
        group=Group.DATA,
    )
    delimiter: str = option(
        "",
        Text(_delimiter),
        "What separates the columns of a text: tab, ';', '|', ',' or a blank. Detected by default.",
        group=Group.DATA,
    )
    decimal: str = option(
        "", Text(_decimal), "Decimal mark: '.' or ','. Detected by default.", group=Group.DATA
    )
    skip: int = option(
        0,
        Count(least=0),
        "Lines to leave out at the top of a text, or rows of each sheet.",
        group=Group.DATA,
    )
    rows: tuple[tuple[int, int | None], ...] = option(
        (),
        Rows(),
        "Rows of the table to use, from 1, such as 3-60 or 1,4,7-. All by default.",
        group=Group.DATA,
    )
    leave_out: tuple[tuple[int, int | None], ...] = option(
        (),
        Rows(),
        "Rows of the table to leave out, numbered as in the option rows, such as 3,7,12-15.",
        group=Group.DATA,
    )
    x_range: tuple[float, float] | None = option(
        None,
        Range(),
        "Range of x to use, ends included, in s, rad/s or 1/s: 0.1,100 or 0.1, without an end.",
        group=Group.DATA,
    )
    protocol: Mapping[str, float] = protocol_option()

    @classmethod
    def of(cls, options: Mapping[str, Any]) -> Self:
        """Return the options that a user gives; raise `InputError` in one line."""
        return cls(**checked(cls, options, "reading a file"))

    @property
    def columns(self) -> tuple[str | int | None, ...]:
        """The columns of x, y and y2."""
        return self.x, self.y, self.y2
