"""Tell apart the segments of one table: by a column that names or numbers them, else by values.

A column names a segment (``Action Name``), numbers it (``Step``, ``Set``), or numbers it with the
point (``1|3``). Values do by points counted from 1 again, a temperature that steps, and an x that
starts again or turns.
"""

from __future__ import annotations

import itertools
import math
import re
from collections.abc import Callable, Sequence
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from rheojobs.inference.data.reading.columns.column_choice import Column
from rheojobs.inference.data.reading.curves.sweeps import Sweep, sweeps_of
from rheojobs.inference.data.reading.formats.section import Section
from rheojobs.inference.data.reading.formats.text_dialect import is_missing
from rheojobs.inference.data.reading.headings.headers import folded, recognise
from rheojobs.inference.data.reading.headings.label_units import bare_name

__all__ = ["by_labels", "by_values"]

_THING = (
    r"(step|interval|segment|seg|sweep|curve|run|set|data set|dataset|cycle|loop|action|stage"
    r"|block|section|part|ramp|test|trial|replicate|repeat|measurement|experiment|sequence"
    r"|series|sample|specimen|schritt|intervall|abschnitt|messabschnitt|zyklus|versuch|messung"
    r"|probe|kurve|stufe|etape|intervalle|essai|mesure|echantillon|cyclo|ciclo|paso|ensayo)"
)
_LABEL = re.compile(rf"{_THING}( ?(no|nr|number|index|id|name|type|#|num|count|n°))?|segindex")
_POINT = re.compile(
    r"(data |meas |measuring |measurement )?(point|pt|pts|points|punkt|messpunkt|messpkt)"
    r"( ?(no|nr|number|index|#))?|no|nr|index|#|n|meas pts"
)
_STATUS = re.compile(
    r"status|state|etat|zustand|flags?|info|remarks?|comments?|notes?|message|warnings?|date"
    r"|datum|date and time|user|operator|unit|bemerkung|kommentar|remarque|statut"
)
_TEMPERATURE = re.compile(r"(sample |set |plate )?(temperature|temp|temperatur|t)\d?|thermometer")
_FIRST = 50
_BARRED = re.compile(r"(\d+)\|\d+")
_INDEXED = re.compile(r"(\d+)\s*[|/:_-]\s*\d+")


def by_labels(section: Section) -> list[Section]:
    """Return the parts of a section that a column names or numbers; itself if none does."""
    for column, key_of in _label_columns(section):
        keys = [key_of(row[column]) if column < len(row) else "" for row in section.rows]
        runs = _runs(keys)
        if len(runs) >= 2 and 2 * len(runs) <= len(section.rows):
            label = section.header[column] if column < len(section.header) else ""
            return [_part(section, rows, _titled(label, key)) for key, rows in runs]
    return [section]


def _label_columns(section: Section) -> list[tuple[int, Callable[[str], str]]]:
    """Return the columns that may name segments, the surest first, and how their cells do."""
    found: list[tuple[int, int, Callable[[str], str]]] = []
    width = max((len(row) for row in section.rows), default=0)
    is_leading = True
    for column in range(width):
        name = section.header[column] if column < len(section.header) else ""
        plain = folded(bare_name(name) or name)
        # The first cells say what a column holds: tables may have millions of rows.
        cells = (row[column] for row in section.rows if column < len(row))
        first = list(itertools.islice((c for c in cells if not is_missing(c)), _FIRST))
        numbers = section.style.count(first)
        indexed = _INDEXED if "index" in plain or "seg" in plain else _BARRED
        if first and all(indexed.fullmatch(cell) for cell in first):
            found.append((0, column, _before_bar))
        elif _LABEL.fullmatch(plain) and len(name) < 40 and not recognise(name)[0]:
            if all(map(_counts, map(section.style.number, first))):
                found.append((1 if numbers < len(first) else 2, column, str.strip))
        elif is_leading and first and not numbers and not _STATUS.fullmatch(plain):
            found.append((3, column, str.strip))
        is_leading = is_leading and (not numbers or bool(_POINT.fullmatch(plain)))
    return [(column, key_of) for _, column, key_of in sorted(found, key=lambda f: f[:2])]


def _counts(value: float) -> bool:
    """Whether a cell may number a segment: a whole number, or a text."""
    return math.isnan(value) or value.is_integer()


def _before_bar(cell: str) -> str:
    return re.split(r"\s*[|/:_-]", cell)[0]


def _runs(keys: Sequence[str]) -> list[tuple[str, list[int]]]:
    """Return the keys and the rows of each: runs of one key, or all of a key if they alternate."""
    runs: list[tuple[str, list[int]]] = []
    for index, key in enumerate(keys):
        if is_missing(key) and runs:  # merged cells have a value in the first row only
            key = runs[-1][0]
        if not runs or runs[-1][0] != key:
            runs.append((key, []))
        runs[-1][1].append(index)
    distinct = {key for key, _ in runs}
    if len(runs) > len(distinct) and 2 * sum(len(rows) == 1 for _, rows in runs) > len(runs):
        return [(key, [i for k, rows in runs if k == key for i in rows]) for key in _once(runs)]
    return runs


def _once(runs: Sequence[tuple[str, list[int]]]) -> list[str]:
    return list(dict.fromkeys(key for key, _ in runs))


def _titled(label: str, key: str) -> str:
    is_number = re.fullmatch(r"[\d.,]*", key) is not None
    return f"{label} {key}".strip() if is_number else key


def by_values(section: Section, columns: Sequence[Column], x: Column | None) -> list[Section]:
    """Return the parts of a section that its values tell apart; itself if they do not.

    Parameters
    ----------
    section : Section
        The table.
    columns : sequence of Column
        Its columns.
    x : Column or None
        That of the frequency, the shear rate or the time, if it is known.
    """
    for parts in (_by_points(columns), _by_temperature(columns), _by_level(columns, x), _by_x(x)):
        if len(parts) > 1:
            return [
                replace(
                    _part(section, list(rows), title),
                    row_numbers=tuple(int(index) + 1 for index in rows),
                )
                for rows, title in parts
            ]
    return [section]


def _by_points(columns: Sequence[Column]) -> list[Sweep]:
    """Return the runs of rows whose points are counted from 1 again."""
    for column in columns:
        values = column.values
        if not _POINT.fullmatch(folded(column.label)) or not np.isfinite(values).all():
            continue
        starts = np.flatnonzero(np.r_[True, np.diff(values) != 1])
        begins = values[starts]
        if (begins == begins[0]).all() and begins[0] in (0, 1) and 2 * starts.size <= values.size:
            rows = _rows(starts, values.size)
            return [Sweep(run, f"points {number}") for number, run in enumerate(rows, 1)]
    return []


def _by_temperature(columns: Sequence[Column]) -> list[Sweep]:
    """Return the runs of rows at one temperature each."""
    for column in columns:
        name = bare_name(column.label)
        is_named = _TEMPERATURE.fullmatch(folded(name)) and name != "t"
        values = column.values
        if not is_named or values.size < 4 or not np.isfinite(values).all():
            continue
        steps = np.abs(np.diff(values))
        jumps = steps > max(1.0, 5 * float(np.median(steps)))
        starts = np.flatnonzero(np.r_[True, jumps])
        lengths = np.diff(np.r_[starts, values.size])
        if starts.size >= 2 and lengths.min() >= 2 and _are_level(values, starts):
            return _at_levels(column, starts)
    return []


def _by_level(columns: Sequence[Column], x: Column | None) -> list[Sweep]:
    """Return the runs of rows at one frequency or one shear rate each, if they are long.

    They are time sweeps or holds in turn; a few rows at each rate make a flow curve.
    """
    if x is None or x.quantity not in ("angular frequency", "frequency", "shear rate"):
        return []
    has_time = any(column.quantity == "time" for column in columns)
    values = x.values
    least = 8 if x.quantity == "shear rate" else 5
    if not has_time or values.size < 2 * least or not (values > 0).all():
        return []
    logs = np.log(values)
    starts = np.flatnonzero(np.r_[True, np.abs(np.diff(logs)) > 0.2])
    lengths = np.diff(np.r_[starts, values.size])
    if not 2 <= starts.size <= 6 or lengths.min() < least or not _are_level(logs, starts):
        return []
    return _at_levels(x, starts)


def _rows(starts: NDArray[np.int64], size: int) -> list[range]:
    """Return the rows of each run."""
    return [range(first, last) for first, last in itertools.pairwise([*starts, size])]


def _at_levels(column: Column, starts: NDArray[np.int64]) -> list[Sweep]:
    """Return runs of rows, each named by the median of the column in it."""
    values, unit = column.values, column.unit or ""
    return [
        Sweep(rows, f"{np.median(values[rows.start : rows.stop]):.4g} {unit}".strip())
        for rows in _rows(starts, values.size)
    ]


def _are_level(values: NDArray[np.float64], starts: NDArray[np.int64]) -> bool:
    """Whether values change less within runs than between them."""
    runs = np.split(values, starts[1:])
    within = max(float(np.ptp(run)) for run in runs)
    middles = np.array([np.median(run) for run in runs])
    return within < float(np.abs(np.diff(middles)).min())


def _by_x(x: Column | None) -> list[Sweep]:
    if x is None or x.quantity not in ("angular frequency", "frequency", "shear rate", "time"):
        return []
    return sweeps_of(x.values, is_time=x.quantity == "time")


def _part(section: Section, rows: Sequence[int], title: str) -> Section:
    whole = section.title and section.title != title
    return replace(
        section,
        title=f"{section.title}, {title}" if whole else title,
        rows=[section.rows[index] for index in rows],
    )
