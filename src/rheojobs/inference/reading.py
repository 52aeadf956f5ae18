"""Reading measured curves from tables, Excel sheets and rheometer exports into a `Dataset`.

Knows in which order a file is understood; must not know models, fits, JAX or Qt.
"""

from __future__ import annotations

import logging
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from rheojobs.errors import InputError, nearest
from rheojobs.inference.choosing import choose, columns_of
from rheojobs.inference.converting import computed_columns, converted
from rheojobs.inference.data import Dataset, canonical_test_mode
from rheojobs.inference.dialects import printable
from rheojobs.inference.instruments import read_with_rheojax
from rheojobs.inference.tables import Section, sections_of

__all__ = ["read"]

logger = logging.getLogger(__name__)

_PLAIN_SUFFIXES = {".csv", ".tsv", ".xlsx", ".xlsm", ".xls"}
_LARGEST = 500_000_000  # bytes
_LISTED = 6


def read(
    path: str | Path,
    *,
    mode: str | None = None,
    x: str | int | None = None,
    y: str | int | None = None,
    y2: str | int | None = None,
    step: int | None = None,
    sigma: Sequence[str | int] = (),
) -> Dataset:
    """Read one measured curve from a file.

    Parameters
    ----------
    path : str or Path
        CSV, TSV and other delimited text, Excel (.xlsx), a TA Instruments LIMS export; and,
        where RheoJAX is installed, what its readers take.
    mode : str, optional
        The test mode, where the columns do not tell it or tell it wrongly.
    x, y, y2 : str or int, optional
        Columns by name or by number from 1; `y2` is the loss modulus of an oscillation.
    step : int, optional
        Which section of a file with several, from 1; the first that can be used where not given.
    sigma : sequence of str or int
        The column of the standard deviations of y; of G' and of G'' for an oscillation.

    Returns
    -------
    Dataset
        In SI units; its notes say what was understood, converted and dropped.

    Raises
    ------
    InputError
        Where the file cannot be read or understood; one line that says what would be right.
    """
    path = Path(path)
    mode = None if mode is None else canonical_test_mode(mode)
    data = _bytes(path)
    try:
        dataset = _understood(path, data, mode, (x, y, y2), step, sigma)
    except InputError as error:
        raise InputError(f"{path.name}: {printable(str(error))}") from error
    logger.debug("read %s: %s", path, dataset.summary())
    return dataset


def _bytes(path: Path) -> bytes:
    try:
        if path.is_dir():
            raise InputError(f"{path} is a folder: give one file in it")
        if not path.exists():
            siblings = [p.name for p in path.parent.iterdir()] if path.parent.is_dir() else []
            hint = nearest(path.name, siblings)
            hint = f"; {hint}" if hint.startswith("did you mean") else ""
            raise InputError(f"there is no file {path}{hint}")
        with path.open("rb") as file:
            data = file.read(_LARGEST + 1)
    except (OSError, ValueError) as error:
        if isinstance(error, InputError):
            raise
        reason = getattr(error, "strerror", None) or error
        raise InputError(f"{path} cannot be read: {reason}") from error
    if len(data) > _LARGEST:
        raise InputError(f"{path.name}: the file has more than {_LARGEST / 1e6:g} MB: no table has")
    if not data.strip():
        raise InputError(f"{path.name}: the file is empty")
    return data


def _understood(
    path: Path,
    data: bytes,
    mode: str | None,
    named: Sequence[str | int | None],
    step: int | None,
    sigma: Sequence[str | int],
) -> Dataset:
    suffix = path.suffix.lower()
    sections = sections_of(data, suffix)
    if not sections and suffix not in _PLAIN_SUFFIXES:
        if sigma or any(column is not None for column in named):
            raise InputError(
                "no table of text: x= (--x), y= (--y) and sigma= (--sigma) cannot choose columns "
                "in this format; export it as CSV"
            )
        return read_with_rheojax(path, step, mode)
    if not sections:
        raise InputError("no rows of numbers: at least two columns of numbers are needed")
    dataset = _curve(sections, mode, named, step, sigma)
    name = f"{path.stem}, {dataset.name}" if dataset.name else path.stem
    return Dataset.of(replace(dataset, name=name))


def _curve(
    sections: list[Section],
    mode: str | None,
    named: Sequence[str | int | None],
    step: int | None,
    sigma: Sequence[str | int],
) -> Dataset:
    """Make the dataset of one section: the one named, or the first that can be understood."""
    if step is not None and not 1 <= step <= len(sections):
        raise InputError(
            f"there is no step {step}: the file has {len(sections)}, from 1: {_names(sections)}"
        )
    problem: InputError | None = None
    for index, section in enumerate(sections, 1):
        if step not in (None, index):
            continue
        try:
            columns = computed_columns(columns_of(section))
            choice = choose(columns, mode, named)
            dataset = converted(columns, choice, told=mode is not None, sigma=sigma)
        except InputError as error:
            problem = problem or error
            continue
        if len(sections) == 1:
            return dataset
        title = f" {section.title!r}" if section.title else ""
        note = (
            f"{len(sections)} sections in the file: took number {index}{title}; step= (--step) "
            f"from 1 to {len(sections)} chooses another: {_names(sections)}"
        )
        return replace(dataset, name=section.title, notes=(note, *dataset.notes))
    raise problem or InputError("no table found")


def _names(sections: list[Section]) -> str:
    """List the sections of a file: number, title and size."""
    names = [
        f"{number}{f' {section.title[:40]!r}' if section.title else ''} ({len(section.rows)} rows)"
        for number, section in enumerate(sections[:_LISTED], 1)
    ]
    more = len(sections) - len(names)
    return ", ".join(names) + (f" and {more} more" if more > 0 else "")
