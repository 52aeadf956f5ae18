"""Preview how a file is read, for windows in which the user corrects it.

Reports the available choices, and the choice at which a problem lies.
"""

from __future__ import annotations

import contextlib
import math
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from rheojobs.errors import InputError, printable
from rheojobs.inference.data.dataset import Dataset
from rheojobs.inference.data.reading.columns.column_choice import Column, columns_of
from rheojobs.inference.data.reading.curves.curves import curves_in
from rheojobs.inference.data.reading.formats.section import Section
from rheojobs.inference.data.reading.formats.sections import sections_of
from rheojobs.inference.data.reading.formats.spreadsheets import is_workbook
from rheojobs.inference.data.reading.formats.xml_tables import is_xml
from rheojobs.inference.data.reading.headings.unit_errors import UnitError
from rheojobs.inference.data.reading.options import ROLES, ReadOptions
from rheojobs.inference.data.reading.read import (
    PLAIN_SUFFIXES,
    Curve,
    curve_of,
    file_bytes,
    named_after,
)
from rheojobs.inference.data.step_quantity import divided
from rheojobs.inference.options.option import options_of

__all__ = ["LEFT_OUT", "ColumnSeen", "Look", "Reading", "TableSeen", "amended", "look", "table_of"]

LEFT_OUT = ("skip", "rows", "x_range", "leave_out")
"""The options that leave out a part of a file."""

_ROWS = 4


@dataclass(frozen=True)
class Reading:
    """How a file is to be read; unset fields are detected as far as possible.

    Attributes
    ----------
    mode : str or None
        A member of `TEST_MODES`.
    step : int or None
        The section of the file, from 1.
    delimiter, decimal : str
        As `read` takes them; detected if empty.
    columns : mapping of str to int
        The numbers, from 1, of the columns of ``"x"``, ``"y"`` and ``"y2"``.
    units : mapping of str to str
        Their units.
    protocol : mapping of str to str
        Constants of the test as the user writes them, in SI units; an empty text is none.
    left_out : mapping of str to str
        What the options `LEFT_OUT` are, as the user writes them; an empty text is none.
    """

    mode: str | None = None
    step: int | None = None
    delimiter: str = ""
    decimal: str = ""
    columns: Mapping[str, int] = field(default_factory=dict)
    units: Mapping[str, str] = field(default_factory=dict)
    protocol: Mapping[str, str] = field(default_factory=dict)
    left_out: Mapping[str, str] = field(default_factory=dict)

    def options(self) -> ReadOptions:
        """Return the options of `read`, without the constants; `_FieldError` if one is wrong."""
        x, y, y2 = (self.columns.get(role) for role in ROLES)
        units = {role: unit for role, unit in self.units.items() if unit.strip()}
        left_out = {
            name: _checked(name, text.strip())
            for name, text in self.left_out.items()
            if text.strip()
        }
        return ReadOptions(mode=self.mode, x=x, y=y, y2=y2, step=self.step, units=units, **left_out)

    def constants(self) -> dict[str, float]:
        """Return the constants as numbers; `_FieldError` if one is no number."""
        found = {}
        for name, text in self.protocol.items():
            if text.strip():
                found[name] = _number(name, text.strip())
        return found


@dataclass(frozen=True)
class ColumnSeen:
    """A column of the file: its name, the recognized quantity, and its unit."""

    number: int
    name: str
    quantity: str
    unit: str


@dataclass(frozen=True)
class TableSeen:
    """The choices that a file offers.

    Attributes
    ----------
    sections : tuple of str
        The titles of the file's sections; empty for one without a title.
    step : int
        The selected section, from 1.
    columns : tuple of ColumnSeen
        Its columns, with computed ones at the end.
    rows : tuple of tuple of str
        The cells of its first rows, as written.
    chosen : mapping of str to int
        The numbers of the columns that are x, y and y2; empty where none are.
    is_text : bool
        Whether delimiter and decimal mark apply; they do not to a workbook.
    """

    sections: tuple[str, ...]
    step: int
    columns: tuple[ColumnSeen, ...]
    rows: tuple[tuple[str, ...], ...]
    chosen: Mapping[str, int] = field(default_factory=dict)
    is_text: bool = True


@dataclass(frozen=True)
class Look:
    """The outcome of reading a file in one way.

    Attributes
    ----------
    dataset : Dataset or None
        The data, if there is no problem.
    problem : str
        The problem in one line.
    place : str
        Where it lies: ``"file"``, ``"mode"``, ``"delimiter"``, ``"columns"``, a constant's
        name, one of `LEFT_OUT`, or one of ``"x unit"``, ``"y unit"``, ``"y2 unit"``.
    table : TableSeen or None
        None if the file holds no table of text: its columns cannot be chosen.
    """

    dataset: Dataset | None
    problem: str = ""
    place: str = ""
    table: TableSeen | None = None


class _FieldError(InputError):
    def __init__(self, text: str, name: str) -> None:
        super().__init__(text)
        self.name = name


def look(path: str | Path, reading: Reading) -> Look:
    """Read a file of text or Excel in this way; problems of the file are returned, not raised."""
    path = Path(path)
    table, place = None, "file"
    try:
        suffix = path.suffix.lower()
        data = file_bytes(path)
        place = "delimiter"
        wanted = reading.options()
        sections = sections_of(data, suffix, reading.delimiter, reading.decimal, wanted.skip)
        if not sections:
            given = bool(reading.delimiter or reading.decimal or wanted.skip)
            place = "skip" if wanted.skip else place
            if given or suffix in PLAIN_SUFFIXES:
                raise InputError(
                    "so no rows of numbers are left: choose another"
                    if given
                    else "no rows of numbers: at least two columns are needed"
                )
            return Look(None, "its columns cannot be chosen: no table of text", "file")
        place = "columns"
        is_text = not (is_workbook(data) or is_xml(data))
        x, y, y2 = wanted.columns
        sections = curves_in(sections, ReadOptions(mode=reading.mode, x=x, y=y, y2=y2))
        table = _seen(sections, min(reading.step or 1, len(sections)), None, is_text)
        curve = curve_of(sections, wanted)
        table = _seen(sections, curve.number, curve, is_text)
        place = "mode"
        dataset = named_after(path, curve.dataset)
        dataset = divided(Dataset.of(dataset, protocol=reading.constants()))
    except UnitError as error:
        return Look(None, printable(str(error)), f"{error.role} unit", table)
    except _FieldError as error:
        return Look(None, printable(str(error)), error.name, table)
    except InputError as error:
        place = next((name for name in error.options if name in LEFT_OUT), place)
        return Look(None, printable(str(error)), place, table)
    return Look(dataset, "", "", table)


def table_of(path: str | Path, wanted: ReadOptions) -> TableSeen | None:
    """Return the choices that a file offers if it is read in this way.

    Parameters
    ----------
    path : path
        The file.
    wanted : ReadOptions
        How to read it. If it cannot be read so, no column is chosen; `read` says why.

    Returns
    -------
    TableSeen or None
        None if the file holds no table of text.
    """
    path = Path(path)
    data = file_bytes(path)
    suffix = path.suffix.lower()
    sections = sections_of(data, suffix, wanted.delimiter, wanted.decimal, wanted.skip)
    if not sections:
        return None
    curve = None
    with contextlib.suppress(InputError):
        sections = curves_in(sections, wanted)
        curve = curve_of(sections, wanted)
    step = curve.number if curve is not None else min(wanted.step or 1, len(sections))
    return _seen(sections, step, curve, not (is_workbook(data) or is_xml(data)))


def amended(dataset: Dataset, reading: Reading) -> Look:
    """Return data not read from a table with another test mode and other constants."""
    try:
        mode = reading.mode or dataset.test_mode
        bare = replace(dataset, test_mode=None, protocol={})
        return Look(Dataset.of(bare, mode, reading.constants()))
    except _FieldError as error:
        return Look(None, str(error), error.name)
    except InputError as error:
        return Look(None, printable(str(error)), "mode")


def _checked(name: str, text: str) -> Any:
    """Return the value of one of `LEFT_OUT` as `ReadOptions` has it."""
    value = int(text) if name == "skip" and text.isdecimal() else text
    try:
        return options_of(ReadOptions)[name].check(value)
    except InputError as error:
        raise _FieldError(str(error), name) from error


def _number(name: str, text: str) -> float:
    try:
        value = float(text.replace(",", ".") if "." not in text else text)
    except ValueError:
        value = math.nan
    if not math.isfinite(value):
        raise _FieldError(f"{text!r} is no number: write one such as 0.5", name)
    return value


def _seen(sections: list[Section], step: int, curve: Curve | None, is_text: bool) -> TableSeen:
    section = sections[step - 1]
    columns = columns_of(section) if curve is None else curve.columns
    chosen: dict[str, int] = {}
    if curve is not None:
        picked = (curve.choice.x, *curve.choice.ys)
        chosen = {role: column.number for role, column in zip(ROLES, picked, strict=False)}
    return TableSeen(
        tuple(section.title for section in sections),
        step,
        tuple(_column_seen(column) for column in columns),
        tuple(tuple(row) for row in section.rows[:_ROWS]),
        chosen,
        is_text,
    )


def _column_seen(column: Column) -> ColumnSeen:
    return ColumnSeen(column.number, column.name, column.quantity, column.unit)
