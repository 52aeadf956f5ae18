"""Read measured curves from tables, Excel sheets and rheometer exports into a `Dataset`."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from rheojobs.errors import InputError, nearest, printable
from rheojobs.inference.data.conditions import conditions_of_name
from rheojobs.inference.data.dataset import Dataset
from rheojobs.inference.data.protocol import MODE_CONSTANTS
from rheojobs.inference.data.reading.columns.column_choice import Choice, Column, choose, columns_of
from rheojobs.inference.data.reading.columns.column_units import with_units
from rheojobs.inference.data.reading.curves.curves import clock_notes, curves_in, first_curve
from rheojobs.inference.data.reading.curves.one_frequency import (
    refuse_one_frequency,
    refuse_other_x,
)
from rheojobs.inference.data.reading.curves.start_up import is_flow_at_one_rate
from rheojobs.inference.data.reading.formats import reptate
from rheojobs.inference.data.reading.formats.header_split import refuse_numbers_without_name
from rheojobs.inference.data.reading.formats.instruments import read_with_rheojax
from rheojobs.inference.data.reading.formats.section import Section
from rheojobs.inference.data.reading.formats.sections import sections_of
from rheojobs.inference.data.reading.options import ReadOptions
from rheojobs.inference.data.reading.to_dataset import computed_columns, converted, in_runs
from rheojobs.inference.data.step_quantity import divided

__all__ = ["PLAIN_SUFFIXES", "Curve", "curve_of", "file_bytes", "named_after", "read"]

logger = logging.getLogger(__name__)

_TABLES = frozenset({".csv", ".tsv", ".xlsx", ".xlsm", ".xlsb", ".xls", ".ods", ".xml"})

PLAIN_SUFFIXES = _TABLES | reptate.SUFFIXES
"""Suffixes never passed to RheoJAX, whose readers would load JAX into this process."""

_LARGEST = 500_000_000  # bytes
_LISTED = 6


def read(path: str | Path, **options: Any) -> Dataset:
    """Read one measured curve from a file.

    Parameters
    ----------
    path : str or Path
        CSV, TSV and other delimited text, Excel (old and new), XML with rows of cells, RepTate's
        files, a TA Instruments LIMS export; and, if RheoJAX is installed, what its readers take.
    **options
        As `ReadOptions` has them: mode, x, y, y2, sigma, step, units, delimiter, decimal, skip,
        rows, leave_out, x_range, protocol.

    Returns
    -------
    Dataset
        In SI units; its notes say what was recognized, converted and dropped.

    Raises
    ------
    InputError
        If the file cannot be read or interpreted; one line that says what would be right.
    """
    path = Path(path)
    wanted = ReadOptions.of(options)
    data = file_bytes(path)
    try:
        dataset = divided(Dataset.of(_understood(path, data, wanted), protocol=wanted.protocol))
    except InputError as error:
        raise error.within(printable(path.name), printable) from error
    logger.debug("read %s: %s", path, dataset.summary())
    return dataset


class Curve(NamedTuple):
    """A dataset and its origin: the section, from 1, its columns, and the chosen ones."""

    number: int
    columns: list[Column]
    choice: Choice
    dataset: Dataset


def file_bytes(path: Path) -> bytes:
    """Read a file of measured data; `InputError` if it is missing or holds no such data."""
    shown, name = printable(str(path)), printable(path.name)
    try:
        if path.is_dir():
            raise InputError(f"{shown} is a folder: give one file in it")
        if not path.exists():
            siblings = [p.name for p in path.parent.iterdir()] if path.parent.is_dir() else []
            hint = printable(nearest(path.name, siblings))
            hint = f"; {hint}" if hint.startswith("did you mean") else ""
            raise InputError(f"there is no file {shown}{hint}")
        with path.open("rb") as file:
            data = file.read(_LARGEST + 1)
    except (OSError, ValueError) as error:
        if isinstance(error, InputError):
            raise
        reason = getattr(error, "strerror", None) or error
        raise InputError(f"{shown} cannot be read: {printable(str(reason))}") from error
    if len(data) > _LARGEST:
        raise InputError(f"{name}: the file has more than {_LARGEST / 1e6:g} MB: no table has")
    if not data.strip():
        raise InputError(f"{name}: the file is empty")
    return data


def _understood(path: Path, data: bytes, wanted: ReadOptions) -> Dataset:
    suffix = path.suffix.lower()
    sections = sections_of(data, suffix, wanted.delimiter, wanted.decimal, wanted.skip)
    if not sections and suffix not in PLAIN_SUFFIXES:
        if any(column is not None for column in wanted.columns) or wanted.sigma or wanted.units:
            raise InputError(
                "no table of text: {x}, {y} and {sigma} cannot choose columns in this format; "
                "export it as CSV",
                options=("x", "y", "sigma"),
            )
        dataset = narrowed(read_with_rheojax(path, wanted.step, wanted.mode), wanted)
        refuse_one_frequency(dataset, [])
        return _with_conditions(path, dataset)
    if not sections:
        raise InputError("no rows of numbers: at least two columns of numbers are needed")
    return named_after(path, curve_of(sections, wanted).dataset)


def named_after(path: Path, dataset: Dataset) -> Dataset:
    """Name a dataset after its file and its section, and check it."""
    stem = printable(path.stem)
    name = f"{stem}, {dataset.name}" if dataset.name else stem
    return Dataset.of(_with_conditions(path, replace(dataset, name=name)))


def _with_conditions(path: Path, dataset: Dataset) -> Dataset:
    """Add the conditions that the name of the file says."""
    conditions, notes = conditions_of_name(printable(path.stem))
    return replace(dataset, conditions=conditions, notes=(*dataset.notes, *notes))


def curve_of(sections: list[Section], wanted: ReadOptions) -> Curve:
    """Make the dataset of one section: the one named, or the first that can be interpreted."""
    sections = curves_in(sections, wanted)
    step = wanted.step
    if step is not None and not 1 <= step <= len(sections):
        raise InputError(
            f"there is no step {step}: the file has {len(sections)}, from 1: {_names(sections)}"
        )
    problem: InputError | None = None
    for index, section in enumerate(sections, 1):
        if step not in (None, index):
            continue
        try:
            curve = _curve_in(section, index, wanted)
        except InputError as error:
            problem = problem or error
            continue
        if len(sections) == 1:
            return curve
        title = f" {section.title!r}" if section.title else ""
        note = (
            f"{len(sections)} sections in the file: took number {index}{title}; the option "
            f"step, from 1 to {len(sections)}, chooses another: {_names(sections)}"
        )
        dataset = curve.dataset
        dataset = replace(dataset, name=section.title, notes=(note, *dataset.notes))
        return curve._replace(dataset=dataset)
    raise problem or InputError("no table found")


def _curve_in(section: Section, number: int, wanted: ReadOptions) -> Curve:
    if not section.rows:
        title = f" {section.title!r}" if section.title else ""
        raise InputError(f"section {number}{title} has no points")
    mode = wanted.mode or section.mode or None
    section = first_curve(section, wanted)
    section, numbers = _rows_wanted(section, wanted)
    if wanted.x is None or wanted.y is None:
        refuse_numbers_without_name(section)
    columns = with_units(columns_of(section), mode, wanted.columns, wanted.units)
    if mode is not None or not is_flow_at_one_rate(columns):
        columns = computed_columns(columns)
    choice = choose(columns, mode, wanted.columns)
    refuse_other_x(choice.mode, choice.x)
    dataset = converted(
        columns,
        choice,
        told=wanted.mode is not None,
        sigma=wanted.sigma,
        x_range=wanted.x_range,
        leave_out=wanted.leave_out,
        numbers=numbers,
    )
    if not dataset.y.any():
        names = " and ".join(column.name for column in choice.ys)
        raise InputError(f"{names} is zero in all rows, as at rest")
    refuse_one_frequency(dataset, columns)
    notes = (*section.notes, *clock_notes(columns, choice), *dataset.notes)
    protocol, told = _constants(section, dataset)
    dataset = replace(dataset, notes=(*notes, *told), protocol=protocol)
    return Curve(number, columns, choice, dataset)


def narrowed(dataset: Dataset, wanted: ReadOptions) -> Dataset:
    """Return the points of a dataset that the options rows, x_range and leave_out choose."""
    kept = np.ones(len(dataset), dtype=bool)
    if wanted.rows:
        number = np.arange(1, len(dataset) + 1)
        ends = [(first, last or len(dataset)) for first, last in wanted.rows]
        kept &= np.any([(number >= first) & (number <= last) for first, last in ends], axis=0)
    if wanted.x_range is not None:
        kept &= (dataset.x >= wanted.x_range[0]) & (dataset.x <= wanted.x_range[1])
    kept &= ~in_runs(range(1, len(dataset) + 1), wanted.leave_out)
    if kept.all():
        return dataset
    if not kept.any():
        names = ("rows", "x_range", "leave_out")
        raise InputError("{rows}, {x_range} and {leave_out} leave no point", options=names)
    sigma = None if dataset.sigma is None else dataset.sigma[kept]
    chosen = "as the options rows, x_range and leave_out choose"
    note = f"{int(kept.sum())} of {kept.size} points used, {chosen}"
    notes = (*dataset.notes, note)
    return replace(dataset, x=dataset.x[kept], y=dataset.y[kept], sigma=sigma, notes=notes)


def _constants(section: Section, dataset: Dataset) -> tuple[dict[str, float], list[str]]:
    """Return the constants of a test, measured or written in the file, and notes on them."""
    constants = dict(dataset.protocol)
    notes = []
    for name, value in section.constants.items():
        if name not in MODE_CONSTANTS.get(dataset.test_mode or "", ()):
            continue
        measured = constants.setdefault(name, value)
        if measured == value:
            notes.append(f"{name} = {value:g}, as the file says")
        elif abs(measured - value) > 0.02 * abs(value):
            notes.append(f"{name} = {measured:g} as measured, not {value:g} as the file says")
    return constants, notes


def _rows_wanted(section: Section, wanted: ReadOptions) -> tuple[Section, Sequence[int]]:
    """Return the section with the rows that the user has named, and their numbers."""
    if not wanted.rows:
        return section, section.row_numbers
    count = len(section.rows)
    runs = [range(first, min(last or count, count) + 1) for first, last in wanted.rows]
    numbers = [n for n in range(1, count + 1) if any(n in run for run in runs)]
    if not numbers:
        raise InputError(f"{{rows}} chooses none of the {count} rows", options=("rows",))
    note = f"{len(numbers)} of {count} rows used, as the option rows chooses"
    rows = [section.rows[n - 1] for n in numbers]
    return replace(section, rows=rows, notes=(*section.notes, note)), numbers


def _names(sections: list[Section]) -> str:
    """List the sections of a file: number, title and size."""
    names = [
        f"{number}{f' {_short(section.title)!r}' if section.title else ''} "
        f"({len(section.rows)} rows)"
        for number, section in enumerate(sections[:_LISTED], 1)
    ]
    more = len(sections) - len(names)
    return ", ".join(names) + (f" and {more} more" if more > 0 else "")


def _short(title: str) -> str:
    """Shorten each part of a title in its middle: what differs is often at its end."""
    if len(title) <= 48:
        return title
    parts = title.split(" / ")
    most = max(8, 60 // len(parts))
    cut = (p if len(p) <= most else f"{p[: most // 2]}…{p[1 - most // 2 :]}" for p in parts)
    return " / ".join(cut)
