"""List the curves of a file: its sections, told apart as far as they hold several curves."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from rheojobs.errors import InputError
from rheojobs.inference.data.reading.columns.column_choice import Choice, Column, choose, columns_of
from rheojobs.inference.data.reading.curves.parallel_columns import beside_note, curves_beside
from rheojobs.inference.data.reading.curves.segments import by_labels, by_values
from rheojobs.inference.data.reading.formats.section import Section
from rheojobs.inference.data.reading.options import ReadOptions

__all__ = ["clock_notes", "curves_in", "first_curve"]


def curves_in(sections: list[Section], wanted: ReadOptions) -> list[Section]:
    """Return the sections that the option `step` numbers.

    Those of an instrument keep its numbers. A file's only table is told apart by its values too.
    """
    parts = [part for section in sections for part in by_labels(section)]
    return _told_apart(parts[0], wanted) if len(parts) == 1 else parts


def _told_apart(section: Section, wanted: ReadOptions) -> list[Section]:
    if not section.rows or wanted.rows:
        return [section]
    columns, choice = _chosen(section, wanted)
    parts = by_values(section, columns, _x_of(choice))
    if len(parts) == 1 and choice is not None and not any(c is not None for c in wanted.columns):
        parts = curves_beside(section, columns, choice)
    return parts


def first_curve(section: Section, wanted: ReadOptions) -> Section:
    """Return the first curve of a section, with notes on further ones."""
    if not section.rows or wanted.rows:
        return section
    columns, choice = _chosen(section, wanted)
    parts = by_values(section, columns, _x_of(choice))
    if len(parts) > 1:
        size = len(parts[0].rows)
        note = (
            f"the section holds {len(parts)} segments: took rows 1 to {size}, "
            f"{parts[0].title.rpartition(', ')[2]!r}; the option rows chooses others, such as "
            f"rows={size + 1}-{size + len(parts[1].rows)}"
        )
        section = replace(
            section,
            rows=parts[0].rows,
            row_numbers=section.row_numbers[:size],
            notes=(*section.notes, note),
        )
        columns, choice = _chosen(section, wanted)
    if choice is not None and not any(column is not None for column in wanted.columns):
        note = beside_note(columns, choice)
        section = replace(section, notes=(*section.notes, note)) if note else section
    return section


def _x_of(choice: Choice | None) -> Column | None:
    """Return the x of a choice, NaN in rows without y."""
    if choice is None:
        return None
    complete = np.all([np.isfinite(column.values) for column in choice.ys], axis=0)
    return replace(choice.x, values=np.where(complete, choice.x.values, np.nan))


def _chosen(section: Section, wanted: ReadOptions) -> tuple[list[Column], Choice | None]:
    columns = columns_of(section)
    try:
        return columns, choose(columns, wanted.mode, wanted.columns)
    except InputError:  # told when the section is read
        return columns, None


def clock_notes(columns: list[Column], choice: Choice) -> list[str]:
    """Return notes on the clock of a test: which of several times is used, and a late begin."""
    x = choice.x
    times = [c for c in columns if c.quantity == "time" and np.isfinite(c.values).any()]
    if x.quantity != "time" or x not in times:
        return []
    others = [c.name for c in times if c is not x and not _same_times(c, x)]
    notes = [f"{x.name} is the time of the test; {', '.join(others)} not used"] if others else []
    values = x.values[np.isfinite(x.values)]
    if values.size > 2 and values[0] > np.ptp(values) > 0 and values[0] == values.min():
        notes.append(
            f"{x.name} begins at {values[0]:.4g} {x.unit}, later than the test lasts: is it the "
            "time since the start of the experiment?"
        )
    return notes


def _same_times(first: Column, second: Column) -> bool:
    both = np.isfinite(first.values) & np.isfinite(second.values)
    return bool(np.allclose(first.values[both], second.values[both], rtol=0.01))
