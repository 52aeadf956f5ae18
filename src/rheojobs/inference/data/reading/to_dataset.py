"""Convert the chosen columns of a table to a `Dataset`: SI units, moduli, unusable rows."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace

import numpy as np
from numpy.typing import NDArray

from rheojobs.errors import InputError
from rheojobs.inference.data.dataset import Dataset
from rheojobs.inference.data.reading.columns.column_choice import (
    Choice,
    Column,
    first_of,
    listed,
    named_column,
)
from rheojobs.inference.data.reading.columns.conversion import in_si, unit_after
from rheojobs.inference.data.reading.columns.frequency_unit import radians_per_second
from rheojobs.inference.data.reading.curves.start_up import as_start_up, constant_rate
from rheojobs.inference.data.reading.headings.headers import UNCERTAINTY
from rheojobs.inference.data.reading.options import ROLES
from rheojobs.inference.data.test_modes import x_of
from rheojobs.inference.data.units import SI_UNITS, without_logarithm

__all__ = ["computed_columns", "converted", "in_runs"]

_SYMBOLS = {
    "storage modulus": "G'",
    "loss modulus": "G''",
    "complex modulus": "|G*|",
    "complex viscosity": "|η*|",
    "in-phase viscosity": "η'",
    "out-of-phase viscosity": "η''",
    "phase angle": "δ",
    "loss tangent": "tan δ",
}


def computed_columns(columns: list[Column]) -> list[Column]:
    """Add the result of a step test: G(t) at a constant strain, or J(t) at a constant stress.

    Only if the file has the time, both quantities with their units, and not the result itself.
    """
    fitting = [column for column in columns if column.fits]
    stress, strain = first_of(fitting, "shear stress"), first_of(fitting, "strain")
    known = first_of(columns, "relaxation modulus", "creep compliance", "storage modulus")
    if known or not first_of(columns, "time") or not (stress and strain):
        return columns
    if not (stress.unit and strain.unit):
        return columns
    pascals = in_si(stress, "shear stress", [])
    fractions = in_si(strain, "strain", [])
    with np.errstate(all="ignore"):
        if _is_constant(fractions) and not _is_constant(pascals):
            name, quantity, unit, values = "G(t)", "relaxation modulus", "Pa", pascals / fractions
        elif _is_constant(pascals) and not _is_constant(fractions):
            name, quantity, unit, values = "J(t)", "creep compliance", "1/Pa", fractions / pascals
        else:
            return columns
    over = (stress, strain) if quantity == "relaxation modulus" else (strain, stress)
    label = f"{name} = {over[0].name} / {over[1].name}"
    return [*columns, Column(label, len(columns) + 1, quantity, unit, 0, values)]


def _is_constant(values: NDArray[np.float64]) -> bool:
    """Whether at least nine of ten values are within 2 % of their median."""
    finite = values[np.isfinite(values)]
    if finite.size < 3:
        return False
    middle = float(np.median(finite))
    return middle != 0 and bool(np.mean(np.abs(finite - middle) <= 0.02 * abs(middle)) >= 0.9)


def converted(
    columns: list[Column],
    choice: Choice,
    *,
    told: bool,
    sigma: Sequence[str | int] = (),
    x_range: tuple[float, float] | None = None,
    leave_out: Sequence[tuple[int, int | None]] = (),
    numbers: Sequence[int] = (),
) -> Dataset:
    """Convert the chosen columns to SI units and leave out rows that cannot be used.

    Parameters
    ----------
    columns : list of Column
        All of the table.
    choice : Choice
        Those to use.
    told : bool
        Whether the user has named the test mode.
    sigma : sequence of str or int
        The columns of the standard deviations, one for each of y.
    x_range : pair of float, optional
        The range of x to use, in SI units.
    leave_out : sequence of pair of int, optional
        The first and the last number of each run of rows to leave out. Units and the test are
        recognized from all rows, so that leaving out points changes nothing else.
    numbers : sequence of int, optional
        The numbers of the rows in the table; 1, 2, 3, ... by default.

    Returns
    -------
    Dataset
        Its notes say what was converted, computed and left out.

    Raises
    ------
    InputError
        If no row is left, or `sigma` does not match y.
    """
    notes: list[str] = []
    choice, rate = as_start_up(columns, choice) if not told else (choice, None)
    mode, x_column, y_columns, quantities = choice
    x_quantity = x_column.quantity
    if x_quantity in ("", UNCERTAINTY):
        x_quantity = x_of(mode)[0] if mode else ""
    x = in_si(x_column, x_quantity, notes)
    ys = [
        in_si(c, q, notes, role=role)
        for c, q, role in zip(y_columns, quantities, ROLES[1:], strict=False)
    ]
    y: NDArray[np.float64] | NDArray[np.complex128] = ys[0]
    quantity = quantities[0]
    if len(ys) == 2:
        y = _complex_modulus(x, ys[0], ys[1], quantities)
        if "viscosity" not in quantities[0]:
            x, shown = radians_per_second(x_column, columns, x, y)
            if shown:
                notes = [note for note in notes if not note.startswith(f"{x_column.name}: no unit")]
                notes.append(shown)
        if all(quantities) and quantities != ("storage modulus", "loss modulus"):
            given = " and ".join(_SYMBOLS.get(q, q) for q in quantities)
            notes.append(f"G' and G'' computed from {given}")
        quantity, mode = "complex modulus", mode or "oscillation"
    rows = _Rows(np.ones(x.size, dtype=bool), numbers or range(1, x.size + 1))
    sigma_columns = _sigma_columns(columns, choice, sigma)
    sigmas = [
        in_si(_unit_of(c, like), q, notes, role="sigma")
        for c, like, q in zip(sigma_columns, y_columns, quantities, strict=False)
    ]
    used = dict(zip((x_column, *y_columns, *sigma_columns), (x, *ys, *sigmas), strict=True))
    lacking = [c.name for c, values in used.items() if not np.isfinite(values).all()]
    complete = np.all([np.isfinite(values) for values in used.values()], axis=0)
    rows.keep(complete, f"without a number in {' or '.join(lacking)}")
    rows.keep(np.isfinite(y), "where these give no G' and G''")
    if not rows.kept.any():
        raise InputError(f"no row has numbers in all of {listed((x_column, *y_columns))}")
    if mode not in (None, "startup", "laos") and (x[rows.kept] > 0).any():
        rows.keep(x > 0, f"since {x_quantity or 'x'} must be positive")
    if x_range is not None:
        inside = (x >= x_range[0]) & (x <= x_range[1])
        rows.keep(inside, "outside of the option x_range")
        if not rows.kept.any():
            raise InputError(
                f"no {x_quantity or 'x'} is between {x_range[0]:g} and {x_range[1]:g}, as "
                "{x_range} demands",
                options=("x_range",),
            )
    if leave_out:
        rows.keep(~in_runs(rows.numbers, leave_out), "as the option leave_out names them")
        if not rows.kept.any():
            raise InputError("{leave_out} leaves no row to use", options=("leave_out",))
    notes += rows.notes
    x, y = x[rows.kept], y[rows.kept]
    notes += _oddities(x, y, x_column, y_columns, rows)
    notes += [
        f"column {c.name!r} was not used: the option sigma takes it for standard deviations"
        for c in columns
        if c.quantity == UNCERTAINTY and c not in used
    ]
    protocol: dict[str, float] = {}
    rate = constant_rate(columns) if mode == "startup" and rate is None else rate
    if rate is not None:
        protocol["gamma_dot"] = rate
        notes.append(f"shear rate constant: gamma_dot = {rate:g} 1/s")
    return Dataset(
        x,
        y,
        mode,
        quantity="" if quantity == UNCERTAINTY else quantity,
        x_unit=SI_UNITS[x_quantity] if x_quantity else unit_after(x_column.unit),
        y_unit=SI_UNITS.get(quantity, "") or unit_after(y_columns[0].unit),
        protocol=protocol,
        notes=tuple(notes),
        sigma=_joined(sigmas, rows.kept),
    )


def in_runs(numbers: Sequence[int], runs: Sequence[tuple[int, int | None]]) -> NDArray[np.bool_]:
    """Return which of these rising numbers lie in one of the runs, ends included.

    Takes a time that grows with the sum of both lengths, not with their product: a brush over a
    million points leaves very many runs.
    """
    given = np.asarray(numbers, dtype=np.int64)
    begins = np.searchsorted(given, [first for first, _ in runs], side="left")
    lasts = [np.iinfo(np.int64).max if last is None else last for _, last in runs]
    ends = np.searchsorted(given, np.asarray(lasts, dtype=np.int64), side="right")
    changes = np.zeros(given.size + 1, dtype=np.int64)
    np.add.at(changes, begins, 1)
    np.add.at(changes, ends, -1)
    return np.asarray(np.cumsum(changes[:-1]) > 0)


def _sigma_columns(
    columns: list[Column], choice: Choice, sigma: Sequence[str | int]
) -> list[Column]:
    """Find the columns of the standard deviations."""
    if not sigma:
        return []
    if len(choice.ys) == 2 and choice.quantities != ("storage modulus", "loss modulus"):
        words = "{sigma} needs G' and G'' themselves, not what they are computed from"
        raise InputError(words, options=("sigma",))
    if len(sigma) != len(choice.ys):
        wanted = "two columns, of G' and of G''" if len(choice.ys) == 2 else "one column"
        words = f"{{sigma}} takes {wanted} here, got {len(sigma)}"
        raise InputError(words, options=("sigma",))
    if any(without_logarithm(column.unit)[0] for column in choice.ys):
        words = "{sigma} cannot be taken for y that the file writes as its logarithm"
        raise InputError(words, options=("sigma",))
    return [named_column(str(name).strip(), columns, "sigma") for name in sigma]


def _unit_of(column: Column, like: Column) -> Column:
    """Give a standard deviation without a unit the unit of its quantity."""
    return replace(column, unit=column.unit or like.unit)


def _joined(
    parts: list[NDArray[np.float64]], kept: NDArray[np.bool_]
) -> NDArray[np.float64] | NDArray[np.complex128] | None:
    if not parts:
        return None
    return parts[0][kept] if len(parts) == 1 else parts[0][kept] + 1j * parts[1][kept]


@dataclass
class _Rows:
    """The rows that are used, and notes on those that are not."""

    kept: NDArray[np.bool_]
    numbers: Sequence[int]
    notes: list[str] = field(default_factory=list)

    def keep(self, good: NDArray[np.bool_], reason: str) -> None:
        dropped = np.flatnonzero(self.kept & ~good)
        if dropped.size:
            self.notes.append(
                f"{dropped.size} of {good.size} rows left out, {reason}; "
                f"the first is row {self.numbers[dropped[0]]} of the table"
            )
            self.kept = self.kept & good


def _oddities(
    x: NDArray[np.float64],
    y: NDArray[np.float64] | NDArray[np.complex128],
    x_column: Column,
    y_columns: tuple[Column, ...],
    rows: _Rows,
) -> list[str]:
    """Return notes on unusual rows that are kept: repetitions, turns of x, negative values."""
    notes = []
    repeated = x.size - np.unique(np.column_stack([x, y.real, y.imag]), axis=0).shape[0]
    if repeated:
        notes.append(f"{repeated} of {x.size} rows repeat another exactly: kept")
    steps = np.diff(x)
    turns = int(np.sum(steps[:-1] * steps[1:] < 0)) if x.size > 2 else 0
    if turns:
        at = int(np.flatnonzero(steps[:-1] * steps[1:] < 0)[0]) + 2
        row = rows.numbers[int(np.flatnonzero(rows.kept)[at])]
        notes.append(
            f"{x_column.name} is not in order: it turns {turns} time{'s' * (turns > 1)}, first at "
            f"row {row} of the table; if these are several sweeps, choose one by the option rows"
        )
    for column, values in zip(y_columns, (y.real, y.imag), strict=False):
        below = int(np.sum(values <= 0))
        if below:
            notes.append(f"{below} of {x.size} values of {column.name} are zero or negative: kept")
    return notes


def _complex_modulus(
    omega: NDArray[np.float64],
    first: NDArray[np.float64],
    second: NDArray[np.float64],
    quantities: tuple[str, ...],
) -> NDArray[np.complex128]:
    """Compute G' + iG'' from two quantities that determine it; NaN if they contradict."""
    with np.errstate(all="ignore"):
        if quantities[0] == "complex viscosity":
            first = first * omega
        if quantities[0] == "in-phase viscosity":
            first, second = second * omega, first * omega
        if quantities[1] in ("phase angle", "loss tangent"):
            is_angle = quantities[1] == "phase angle"
            tangent = np.tan(second) if is_angle else second
            if quantities[0] == "storage modulus":
                return np.asarray(first * (1 + 1j * tangent))
            if quantities[0] == "loss modulus":
                return np.asarray(first * (1 / tangent + 1j))
            return np.asarray(first * np.exp(1j * (second if is_angle else np.arctan(second))))
        if quantities == ("complex modulus", "storage modulus"):
            return np.asarray(second + 1j * np.sqrt(first**2 - second**2))
        if quantities == ("complex modulus", "loss modulus"):
            return np.asarray(np.sqrt(first**2 - second**2) + 1j * second)
        return np.asarray(first + 1j * second)
