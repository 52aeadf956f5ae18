"""Reading measured curves from tables, Excel sheets and rheometer exports into a `Dataset`.

Knows how instruments and people write files; must not know models, fits, JAX or Qt.
"""

from __future__ import annotations

import logging
import warnings
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from rheojobs.errors import InputError, nearest
from rheojobs.inference.data import Dataset, canonical_test_mode
from rheojobs.inference.tables import Column, Section, columns_of, listed, named_column, sections_of
from rheojobs.inference.units import SI_UNITS, parse_unit, si_factor

__all__ = ["read"]

logger = logging.getLogger(__name__)

_FREQUENCY, _TIME = ("angular frequency", "frequency"), ("time",)
_MODULI = (
    ("storage modulus", "loss modulus"),
    ("complex modulus", "phase angle"),
    ("storage modulus", "loss tangent"),
    ("complex modulus", "loss tangent"),
)
# (test mode, x, the choices of y). The order matters: an oscillation's file also has columns of
# stress and shear rate, which are by-products there. The last holds what tells no mode.
_Pattern = tuple[str | None, tuple[str, ...], tuple[tuple[str, ...], ...]]
_PATTERNS: tuple[_Pattern, ...] = (
    ("oscillation", _FREQUENCY, _MODULI),
    ("relaxation", _TIME, (("relaxation modulus",),)),
    ("creep", _TIME, (("creep compliance",),)),
    ("flow_curve", ("shear rate",), (("shear stress",), ("viscosity",))),
    (None, _TIME, (("shear stress",), ("viscosity",), ("strain",))),
)
# What else a mode may stand on, where the user has named it.
_NAMED: tuple[_Pattern, ...] = (
    ("relaxation", _TIME, (("shear stress",),)),
    ("creep", _TIME, (("strain",),)),
    ("startup", _TIME, (("shear stress",),)),
    ("laos", _TIME, (("shear stress",),)),
)

_PLAIN_SUFFIXES = {".csv", ".tsv", ".xlsx", ".xlsm"}


def read(
    path: str | Path,
    *,
    mode: str | None = None,
    x: str | int | None = None,
    y: str | int | None = None,
    y2: str | int | None = None,
    step: int | None = None,
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
        sections = sections_of(data, path.suffix.lower())
        if not sections and path.suffix.lower() not in _PLAIN_SUFFIXES:
            if any(column is not None for column in (x, y, y2)):
                raise InputError("columns cannot be chosen by name in this format")
            return _one_of(_read_with_rheojax(path), step, mode)
        if not sections:
            raise InputError("no rows of numbers: at least two columns of numbers are needed")
        dataset = _curve(sections, mode, (x, y, y2), step)
        name = f"{path.stem}, {dataset.name}" if dataset.name else path.stem
        dataset = Dataset.of(replace(dataset, name=name))
    except InputError as error:
        raise InputError(f"{path.name}: {error}") from error
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
        data = path.read_bytes()
    except (OSError, ValueError) as error:
        if isinstance(error, InputError):
            raise
        reason = getattr(error, "strerror", None) or error
        raise InputError(f"{path} cannot be read: {reason}") from error
    if not data.strip():
        raise InputError(f"{path.name}: the file is empty")
    return data


def _choose(
    columns: list[Column], mode: str | None, named: Sequence[str | int | None]
) -> tuple[str | None, Column, tuple[Column, ...], tuple[str, ...]]:
    """Choose the columns to use; gives the mode, x, the columns of y and their quantities."""
    x, y, y2 = (named_column(wanted, columns) for wanted in named)
    usable = [c for c in columns if np.isfinite(c.values).any()]

    def take(quantities: tuple[str, ...], fixed: Column | None) -> Column | None:
        if fixed is not None:
            fits = fixed.quantity in quantities or (mode is not None and not fixed.quantity)
            return fixed if fits else None
        fitting = [c for c in usable if c.quantity in quantities]
        return min(fitting, key=lambda c: (quantities.index(c.quantity), c.rank), default=None)

    def matches(patterns: Iterable[_Pattern]) -> Iterator[_Choice]:
        for pattern_mode, xs, choices in patterns:
            for quantities in choices:
                fixed = (y, y2) if len(quantities) == 2 else (y,)
                if y2 is not None and len(quantities) == 1:
                    continue
                chosen = [take((q,), f) for q, f in zip(quantities, fixed, strict=True)]
                if (first := take(xs, x)) is not None and None not in chosen:
                    ys = tuple(c for c in chosen if c is not None)
                    yield pattern_mode, first, ys, quantities
                    break

    patterns = [p for p in (*_PATTERNS, *_NAMED) if mode is not None and p[0] == mode]
    found = list(matches(patterns or [p for p in _PATTERNS if mode is None]))
    kinds = {choice[0] for choice in found}
    if {"relaxation", "creep"} <= kinds and "oscillation" not in kinds:
        raise InputError("both a relaxation and a creep are in the columns: name one with mode")
    if found:
        return found[0]
    if mode is not None and x is None and y is not None:
        x = next((c for p in patterns if (c := take(p[1], None)) is not None), None)
    if x is not None and y is not None:
        quantities = (y.quantity, y2.quantity) if y2 is not None else (y.quantity,)
        return mode, x, (y, y2) if y2 is not None else (y,), quantities
    wanted = 3 if mode == "oscillation" else 2
    untold = not any(c.quantity for c in columns)
    nameless = not any(c.label for c in columns)
    # As many columns as are needed, or three without names, can only be meant in their order.
    enough = len(usable) == wanted or (len(usable) == 3 and nameless)
    if mode is not None and untold and enough and x is None and y is None and y2 is None:
        return mode, usable[0], tuple(usable[1:wanted]), patterns[0][2][0]
    if mode is None and untold and nameless:
        raise InputError(
            "the columns have no names: name the test mode (mode= or --mode), and the columns by "
            f"number (x=, y=) where there are not two or three; there are {len(columns)}"
        )
    needs = "" if mode is None else f" for {mode}" + (" (G' and G'')" if wanted == 3 else "")
    raise InputError(
        f"columns not recognised{needs}: name them with x=, y= (--x, --y"
        f"{', --y2' if wanted == 3 else ''}){'' if mode else ' and --mode'}; "
        f"there are {listed(columns)}"
    )


_Choice = tuple[str | None, Column, tuple[Column, ...], tuple[str, ...]]


def _curve(
    sections: list[Section],
    mode: str | None,
    named: Sequence[str | int | None],
    step: int | None,
) -> Dataset:
    """Make the dataset of one section: the one named, or the first that can be understood."""
    if step is not None and not 1 <= step <= len(sections):
        raise InputError(f"there is no step {step}: the file has {len(sections)}, from 1")
    problem: InputError | None = None
    for index, section in enumerate(sections, 1):
        if step not in (None, index):
            continue
        try:
            columns = columns_of(section)
            choice = _choose(columns, mode, named)
            dataset = _converted(columns, choice, told=mode is not None)
        except InputError as error:
            problem = problem or error
            continue
        if len(sections) == 1:
            return dataset
        title = f" {section.title!r}" if section.title else ""
        note = (
            f"{len(sections)} sections in the file: took number {index}{title}; step= (--step) "
            f"from 1 to {len(sections)} chooses another"
        )
        return replace(dataset, name=section.title, notes=(note, *dataset.notes))
    raise problem or InputError("no table found")


def _converted(columns: list[Column], choice: _Choice, *, told: bool) -> Dataset:
    """Convert the chosen columns to SI units, leave out rows without numbers, and say so."""
    mode, x_column, y_columns, quantities = choice
    notes: list[str] = []
    x_quantity = x_column.quantity or _X_QUANTITY.get(mode or "", "time" if mode else "")
    x = _in_si(x_column, x_quantity, notes)
    ys = [_in_si(c, q, notes) for c, q in zip(y_columns, quantities, strict=True)]
    complete = np.isfinite(x) & np.all(np.isfinite(ys), axis=0)
    if not complete.all():
        first = int(np.flatnonzero(~complete)[0]) + 1
        notes.append(
            f"{np.sum(~complete)} of {x.size} rows left out, without a number in a "
            f"column used; the first is row {first} of the table"
        )
    if not complete.any():
        raise InputError(f"no row has numbers in all of {listed((x_column, *y_columns))}")
    values: NDArray[np.float64] | NDArray[np.complex128] = ys[0][complete]
    quantity = quantities[0]
    if len(ys) == 2:
        values = _complex_modulus(ys[0][complete], ys[1][complete], quantities)
        quantity, mode = "complex modulus", mode or "oscillation"
    protocol: dict[str, float] = {}
    rates = _first(columns, "shear rate")
    times = _first(columns, "time")
    if rates is not None and times is not None:
        rate = _in_si(rates, "shear rate", [])[complete]
        constant = rate.size > 2 and bool(np.ptp(rate) <= 0.02 * abs(np.mean(rate))) and rate[0] > 0
        if constant and not told and mode == "flow_curve" and quantity == "shear stress":
            # A flow curve of one rate is none: with a time beside it, it is a start-up.
            x, mode, x_quantity, x_column = _in_si(times, "time", notes), "startup", "time", times
            complete &= np.isfinite(x)
            values = ys[0][complete]
            rate = rate[: values.size]
        if constant and mode == "startup":
            protocol["gamma_dot"] = float(np.mean(rate))
            notes.append(f"shear rate constant: gamma_dot = {protocol['gamma_dot']:g} 1/s")
    return Dataset(
        x[complete],
        values,
        mode,
        quantity=quantity,
        x_unit=SI_UNITS.get(x_quantity, x_column.unit),
        y_unit=SI_UNITS.get(quantity, y_columns[0].unit),
        protocol=protocol,
        notes=tuple(notes),
    )


_X_QUANTITY = {"oscillation": "angular frequency", "flow_curve": "shear rate"}


def _first(columns: list[Column], quantity: str) -> Column | None:
    found = [c for c in columns if c.quantity == quantity and np.isfinite(c.values).any()]
    return min(found, key=lambda c: c.rank, default=None)


def _in_si(column: Column, quantity: str, notes: list[str]) -> NDArray[np.float64]:
    """Convert a column to the SI unit of `quantity`, with a note of what was done."""
    label = column.label or f"column {column.number}"
    unit, si_unit = column.unit, SI_UNITS.get(quantity, "")
    if quantity == "frequency" and not unit and label == "f":
        unit = "Hz"
        notes.append(f"{label}: no unit, taken as Hz since f counts cycles")
    elif quantity == "phase angle" and not unit:
        unit = "°"
        notes.append(f"{label}: no unit, taken as degrees")
    factor = si_factor(unit, quantity) if quantity else 1.0
    if factor is None:
        notes.append(f"{label}: unit {unit!r} unknown, values taken as {si_unit or 'they are'}")
        return column.values
    if not unit and si_unit:
        hint = "; where it is in Hz, write so in the header" if quantity == "frequency" else ""
        notes.append(f"{label}: no unit, taken as {quantity} / {si_unit}{hint}")
    elif factor != 1.0:
        notes.append(f"{label}: converted from {unit} to {si_unit or 'a fraction'}")
    else:
        notes.append(f"{label}: {quantity or 'unknown quantity'} / {unit or '1'}")
    return column.values * factor


def _complex_modulus(
    first: NDArray[np.float64], second: NDArray[np.float64], quantities: tuple[str, ...]
) -> NDArray[np.complex128]:
    if quantities == ("complex modulus", "phase angle"):
        return np.asarray(first * np.exp(1j * second))
    if quantities == ("complex modulus", "loss tangent"):
        return np.asarray(first * np.exp(1j * np.arctan(second)))
    if quantities == ("storage modulus", "loss tangent"):
        return np.asarray(first * (1 + 1j * second))
    return first + 1j * second


def _one_of(datasets: list[Dataset], step: int | None, mode: str | None) -> Dataset:
    """Choose among what RheoJAX's readers gave, check it and name its mode."""
    if not 1 <= (step or 1) <= len(datasets):
        raise InputError(f"there is no step {step}: the file has {len(datasets)}, from 1")
    dataset = datasets[(step or 1) - 1]
    if len(datasets) > 1:
        note = f"{len(datasets)} sections: took {step or 1}; step= (--step) chooses another"
        dataset = replace(dataset, notes=(note, *dataset.notes))
    return Dataset.of(dataset, mode)


def _read_with_rheojax(path: Path) -> list[Dataset]:
    """Read an instrument's own format with RheoJAX, where it is installed."""
    try:
        from rheojax.io import auto_load
    except ImportError as error:
        raise InputError(
            "not a table of text or Excel; more instrument formats (TRIOS, Anton Paar) are read "
            'where RheoJAX is installed: pip install "rheojobs[rheology]"'
        ) from error
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        # It logs the tracebacks of every reader that it tries; the one line below says enough.
        speaker = logging.getLogger("rheojax")
        level = speaker.level
        speaker.setLevel(logging.CRITICAL + 1)
        try:
            loaded = auto_load(path)
        except Exception as error:  # its readers raise what their parsers raise
            reason = str(error).splitlines()[0].rstrip(":") if str(error) else type(error).__name__
            raise InputError(
                f"neither a table nor a file that RheoJAX's readers take ({reason}); export it "
                "as CSV with one header row"
            ) from error
        finally:
            speaker.setLevel(level)
    told = tuple(str(w.message) for w in caught if issubclass(w.category, UserWarning))
    datasets = []
    for item in loaded if isinstance(loaded, list) else [loaded]:
        dataset = Dataset.of(item)
        x, x_unit, x_notes = _rescaled(dataset.x, dataset.x_unit, "x")
        y, y_unit, y_notes = _rescaled(dataset.y, dataset.y_unit, "y")
        notes = ("read with RheoJAX", *told, *x_notes, *y_notes, *dataset.notes)
        datasets.append(
            replace(dataset, x=x, y=y, x_unit=x_unit, y_unit=y_unit, name=path.stem, notes=notes)
        )
    return datasets


def _rescaled[T: (NDArray[np.float64], NDArray[np.float64] | NDArray[np.complex128])](
    values: T, unit: str, axis: str
) -> tuple[T, str, tuple[str, ...]]:
    """Bring values in a known unit to SI."""
    parsed = parse_unit(unit) if unit else None
    if parsed is None or parsed[0] == 1.0:
        return values, unit, ()
    names = {(0, 1): "s", (0, -1): "rad/s" if "hz" in unit.lower() else "1/s", (1, 0): "Pa"}
    names |= {(1, 1): "Pa s", (-1, 0): "1/Pa"}
    si_unit = names.get(parsed[1:], "")
    return values * parsed[0], si_unit, (f"{axis}: converted from {unit} to {si_unit}",)
