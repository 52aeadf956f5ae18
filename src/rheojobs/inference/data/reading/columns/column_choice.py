"""Choose the columns of x and y of a table, and the test mode they imply."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from rheojobs.errors import InputError, nearest
from rheojobs.inference.data.reading.formats.section import Section
from rheojobs.inference.data.reading.headings.headers import UNCERTAINTY, quantity_of, recognise
from rheojobs.inference.data.reading.headings.label_units import bare_name
from rheojobs.inference.data.reading.headings.unit_errors import UnitError
from rheojobs.inference.data.reading.options import ROLES
from rheojobs.inference.data.units import fits, is_unit

__all__ = ["Choice", "Column", "choose", "columns_of", "first_of", "listed", "named_column"]

_FREQUENCY, _TIME = ("angular frequency", "frequency"), ("time",)
_MODULI = (
    ("storage modulus", "loss modulus"),
    ("complex modulus", "phase angle"),
    ("storage modulus", "loss tangent"),
    ("complex modulus", "loss tangent"),
    ("loss modulus", "loss tangent"),
    ("storage modulus", "phase angle"),
    ("loss modulus", "phase angle"),
    ("complex viscosity", "phase angle"),
    ("complex viscosity", "loss tangent"),
    ("in-phase viscosity", "out-of-phase viscosity"),
    ("complex modulus", "storage modulus"),
    ("complex modulus", "loss modulus"),
)
# (test mode, x, the choices of y). The order matters: an oscillation's file also has columns of
# stress and shear rate, which are by-products there. The last entry implies no mode.
_Pattern = tuple[str | None, tuple[str, ...], tuple[tuple[str, ...], ...]]
_PATTERNS: tuple[_Pattern, ...] = (
    ("oscillation", _FREQUENCY, _MODULI),
    ("relaxation", _TIME, (("relaxation modulus",),)),
    ("creep", _TIME, (("creep compliance",),)),
    ("flow_curve", ("shear rate",), (("shear stress",), ("viscosity",))),
    (None, _TIME, (("shear stress",), ("viscosity",), ("strain",))),
)
# Further columns for a mode that the user has named.
_NAMED: tuple[_Pattern, ...] = (
    ("relaxation", _TIME, (("shear stress",),)),
    ("creep", _TIME, (("strain",),)),
    ("startup", _TIME, (("shear stress",),)),
    ("laos", _TIME, (("shear stress",),)),
)


@dataclass(frozen=True, eq=False)
class Column:
    """A column as numbers, NaN for cells without one, and the quantity and unit of its header.

    `unread` is the text around its name in which no unit was found.
    """

    label: str
    number: int
    quantity: str
    unit: str
    rank: int
    values: NDArray[np.float64]
    unread: str = ""

    @property
    def fits(self) -> bool:
        """Whether its unit is one of its quantity."""
        return self.quantity in ("", UNCERTAINTY) or fits(self.unit, self.quantity)

    def can_be(self, quantity: str) -> bool:
        """Whether it may hold a quantity: by its name, or by its unit if the name is unknown."""
        if self.quantity not in ("", UNCERTAINTY):
            return self.quantity == quantity
        return fits(self.unit, quantity) or not is_unit(self.unit)

    @property
    def name(self) -> str:
        """Its name in messages."""
        return self.label or f"column {self.number}"


class Choice(NamedTuple):
    """The test mode if it is known, the columns of x and y, and the quantities of y."""

    mode: str | None
    x: Column
    ys: tuple[Column, ...]
    quantities: tuple[str, ...]


def columns_of(section: Section) -> list[Column]:
    """Turn the cells of a section into columns of numbers, NaN for cells without one."""
    numbers = section.numbers
    width = numbers.shape[1]
    blank = [""] * width
    columns = []
    for index in range(width):
        label = (section.header + blank)[index]
        known = recognise(label, (section.units + blank)[index])
        unread = (section.unread + blank)[index]
        columns.append(Column(label, index + 1, *known, numbers[:, index], unread))
    return columns


def listed(columns: Iterable[Column]) -> str:
    """Return the names of some columns for a message."""
    names = [column.name for column in columns if column.label or np.isfinite(column.values).any()]
    return ", ".join(names[:8]) + (f" and {len(names) - 8} more" if len(names) > 8 else "")


def first_of(columns: Iterable[Column], *quantities: str) -> Column | None:
    """Return the column of the first of some quantities, the one with the most usual name.

    One whose unit is of its quantity is preferred.
    """
    found = [c for c in columns if c.quantity in quantities and np.isfinite(c.values).any()]
    return min(
        found, key=lambda c: (not c.fits, quantities.index(c.quantity), c.rank), default=None
    )


def choose(columns: list[Column], mode: str | None, named: Sequence[str | int | None]) -> Choice:
    """Choose the columns of x and y; columns that the user has named take precedence.

    Parameters
    ----------
    columns : list of Column
        All of the table.
    mode : str or None
        The test mode, if the user has named it.
    named : sequence of str, int or None
        The user's x, y and second y.

    Raises
    ------
    InputError
        If the columns imply no test, or two.
    """
    x, y, y2 = fixed = _fixed_columns(columns, mode, named)
    if y2 is not None:  # which no other test has
        mode = "oscillation"
    patterns = [p for p in (*_PATTERNS, *_NAMED) if mode is not None and p[0] == mode]
    found = _found(columns, patterns or [p for p in _PATTERNS if mode is None], mode, fixed)
    kinds = {choice.mode for choice in found}
    if {"relaxation", "creep"} <= kinds and "oscillation" not in kinds:
        raise InputError(
            "both a relaxation and a creep are in the columns: name one with {mode}",
            options=("mode",),
        )
    if found:
        return found[0]
    if mode is not None and x is None and y is not None:
        x = next((c for p in patterns if (c := first_of(columns, *p[1])) is not None), None)
    if x is not None and y is not None:
        ys = (y, y2) if y2 is not None else (y,)
        _refuse_other_quantities(mode, patterns, x, ys)
        return Choice(mode, x, ys, tuple(c.quantity for c in ys))
    return _by_place(columns, mode, fixed, [q for p in patterns for q in p[2]])


def _found(
    columns: list[Column],
    patterns: list[_Pattern],
    mode: str | None,
    fixed: Sequence[Column | None],
) -> list[Choice]:
    """Return the choices that the columns allow, those whose units fit before others.

    A column with an unknown unit is not passed over for another test: it is refused when it is
    converted, and the user names the unit.
    """
    with_fitting = list(_matches([c for c in columns if c.fits], patterns, mode, fixed))
    unknown = [c for c in columns if c.fits or not is_unit(c.unit)]
    with_unknown = list(_matches(unknown, patterns, mode, fixed))
    if with_unknown and (not with_fitting or with_fitting[0].mode != with_unknown[0].mode):
        return with_unknown
    return with_fitting or list(_matches(columns, patterns, mode, fixed))


def _refuse_other_quantities(
    mode: str | None, patterns: Sequence[_Pattern], x: Column, ys: Sequence[Column]
) -> None:
    """Raise an `InputError` for a named column whose name and unit are of no quantity of the test.

    A name may be misunderstood; then its unit counts.
    """
    if mode is None:
        return
    lists = [[q for p in patterns for q in p[1]]]
    lists += [[q[i] for p in patterns for q in p[2] if i < len(q)] for i in range(len(ys))]
    for column, quantities, role in zip((x, *ys), lists, ROLES, strict=False):
        if any(map(column.can_be, quantities)):
            continue
        if column.quantity in ("", UNCERTAINTY):
            raise UnitError.of(column.name, column.unit, quantities[0], role)
        if not any(is_unit(column.unit) and fits(column.unit, q) for q in quantities):
            article = "an" if column.quantity[0] in "aeiou" else "a"
            raise InputError(
                f"{{{role}}}: {column.name} is no {quantities[-1]} but {article} "
                f"{column.quantity}: {mode} takes {' or '.join(dict.fromkeys(quantities))}",
                options=(role,),
            )


def _matches(
    columns: list[Column],
    patterns: Iterable[_Pattern],
    mode: str | None,
    fixed: Sequence[Column | None],
) -> Iterator[Choice]:
    def take(quantities: tuple[str, ...], given: Column | None) -> Column | None:
        if given is None:
            return first_of(columns, *quantities)
        known = given.quantity not in ("", UNCERTAINTY)
        return given if (known or mode) and any(map(given.can_be, quantities)) else None

    x, y, y2 = fixed
    for pattern_mode, xs, choices in patterns:
        for quantities in choices:
            if y2 is not None and len(quantities) == 1:
                continue
            given = (y, y2)[: len(quantities)]
            chosen = [take((q,), f) for q, f in zip(quantities, given, strict=True)]
            first = take(xs, x)
            ys = tuple(c for c in chosen if c is not None)
            if first is not None and len(ys) == len(quantities):
                yield Choice(pattern_mode, first, ys, quantities)
                break


def _by_place(
    columns: list[Column],
    mode: str | None,
    fixed: Sequence[Column | None],
    choices: Sequence[tuple[str, ...]],
) -> Choice:
    """Choose columns without known names by their order, if that is unambiguous.

    The units choose among the quantities of the test.
    """
    wanted = 3 if mode == "oscillation" else 2
    known = [c for c in columns if c.quantity not in ("", UNCERTAINTY)]
    nameless = not any(c.label for c in columns)
    usable = [c for c in columns if c.quantity != UNCERTAINTY and np.isfinite(c.values).any()]
    # Of three columns without names, the second may be a strain, and the third the stress.
    enough = len(usable) == wanted
    if mode is not None and not known and enough and not any(fixed):
        ys = tuple(usable[1:wanted])
        fitting = [q for q in choices if all(c.can_be(one) for c, one in zip(ys, q, strict=False))]
        return Choice(mode, usable[0], ys, (*fitting, choices[0])[0])
    if mode is None and nameless:
        raise InputError(
            "the columns have no names: name the test mode with {mode}, and the columns by number "
            f"with {{x}}, {{y}}, {{y2}} unless they are two, or three of an oscillation; "
            f"there are {len(columns)}",
            options=("mode", "x", "y", "y2"),
        )
    there = f"there are {listed(columns)}"
    if first_of(columns, *_FREQUENCY) and mode in (None, "oscillation"):
        partial = first_of(columns, *{q for pair in _MODULI for q in pair})
        if partial is not None and not any(fixed):
            raise InputError(
                f"{partial.name} alone does not give G' and G'': a second column is needed, such "
                f"as the loss modulus, the phase angle or the loss tangent; {there}"
            )
    needs = "" if mode is None else f" for {mode}" + (" (G' and G'')" if wanted == 3 else "")
    names = "{x}, {y}" + (", {y2}" if wanted == 3 else "")
    raise InputError(
        f"columns not recognised{needs}: name them with {names}"
        f"{'' if mode else ' and the test with {mode}'}; {there}",
        options=("mode", *ROLES),
    )


def _fixed_columns(
    columns: list[Column], mode: str | None, named: Sequence[str | int | None]
) -> list[Column | None]:
    """Find the columns that the user has named or numbered."""
    fixed = [
        None if wanted is None else named_column(str(wanted).strip(), columns, option)
        for wanted, option in zip(named, ROLES, strict=True)
    ]
    numbers = [column.number for column in fixed if column is not None]
    if len(set(numbers)) < len(numbers):
        raise InputError("one column is named twice among {x}, {y}, {y2}", options=ROLES)
    if fixed[2] is not None and mode not in (None, "oscillation"):
        words = f"{{y2}} is the loss modulus of an oscillation; {mode} has one y"
        raise InputError(words, options=("y2",))
    return fixed


def named_column(text: str, columns: list[Column], option: str) -> Column:
    """Find the column that the user has named or numbered by an option."""
    if not text:
        words = f"{{{option}}} is empty: there are {listed(columns)}"
        raise InputError(words, options=(option,))
    quantity, _ = quantity_of(text)
    for found in (
        [c for c in columns if c.label == text],
        [c for c in columns if c.label.casefold() == text.casefold()],
        [c for c in columns if bare_name(c.label).casefold() == text.casefold()],
        [c for c in columns if c.quantity and c.quantity == quantity],
    ):
        if len(found) == 1:
            return found[0]
        if found:
            numbers = ", ".join(str(c.number) for c in found)
            raise InputError(f"column {text!r} is ambiguous: give its number, one of {numbers}")
    if text.isdecimal():
        if 1 <= int(text[:10]) <= len(columns):
            return columns[int(text[:10]) - 1]
        raise InputError(f"there is no column {text}: the file has {len(columns)}, from 1")
    hint = nearest(text, (c.label for c in columns if c.label))
    raise InputError(f"there is no column {text!r}: {hint}")
