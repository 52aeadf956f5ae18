"""The kinds of values that options take, and how a value of each kind is checked."""

from __future__ import annotations

import math
import numbers
import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from rheojobs.errors import InputError, nearest

__all__ = [
    "Choice",
    "Column",
    "Columns",
    "Count",
    "Expressions",
    "Flag",
    "Kind",
    "Number",
    "Numbers",
    "Range",
    "Ranges",
    "Rows",
    "Settings",
    "Text",
    "ValueKindError",
    "shown",
]


class ValueKindError(InputError):
    """What is wrong with a value, without the option's name: ``"must be at least 1, got 0"``."""


class Kind:
    """The kind of values that an option takes."""

    metavar = "VALUE"

    def check(self, value: Any) -> Any:
        """Return the value as it is used.

        Raises
        ------
        InputError
            What is wrong with it: a `ValueKindError`, or a whole sentence.
        """
        raise NotImplementedError


@dataclass(frozen=True)
class Flag(Kind):
    """Yes or no."""

    metavar = ""

    def check(self, value: Any) -> bool:
        if not isinstance(value, bool):
            raise ValueKindError(f"must be true or false, got {shown(value)}")
        return value


@dataclass(frozen=True)
class Count(Kind):
    """A whole number.

    Attributes
    ----------
    least, most : int
        Limits; `most` is None if there is none.
    """

    least: int = 1
    most: int | None = None
    metavar = "N"

    def check(self, value: Any) -> int:
        if isinstance(value, bool) or not isinstance(value, numbers.Integral):
            raise ValueKindError(f"must be a whole number, got {shown(value)}")
        if int(value) < self.least:
            raise ValueKindError(f"must be at least {self.least}, got {value}")
        if self.most is not None and int(value) > self.most:
            raise ValueKindError(f"must be at most {self.most}, got {value}")
        return int(value)


@dataclass(frozen=True)
class Number(Kind):
    """A finite number above one limit and below another; neither limit is included.

    Attributes
    ----------
    above, below : float
        The limits.
    unit : str
        Its unit in words, such as ``"seconds"``.
    """

    above: float = 0.0
    below: float = math.inf
    unit: str = ""

    @property
    def metavar(self) -> str:  # type: ignore[override]
        return self.unit.upper() or "NUMBER"

    def check(self, value: Any) -> float:
        good = isinstance(value, numbers.Real) and not isinstance(value, bool)
        if not good or not self.above < float(value) < self.below:
            if math.isfinite(self.below):
                raise ValueKindError(
                    f"must be between {self.above:g} and {self.below:g}, got {shown(value)}"
                )
            what = "a positive number" if self.above == 0 else f"a number above {self.above:g}"
            what += f" of {self.unit}" if self.unit else ""
            raise ValueKindError(f"must be {what}, got {shown(value)}")
        return float(value)


@dataclass(frozen=True)
class Choice(Kind):
    """One of several words.

    Attributes
    ----------
    words : mapping of str to str
        What each means, in a few words.
    """

    words: Mapping[str, str]

    @property
    def metavar(self) -> str:  # type: ignore[override]
        return "|".join(self.words)

    def check(self, value: Any) -> str:
        if not isinstance(value, str) or value not in self.words:
            raise ValueKindError(f"cannot be {shown(value)}; {nearest(str(value), self.words)}")
        return value


@dataclass(frozen=True)
class Text(Kind):
    """A text that a function checks.

    Attributes
    ----------
    checked : callable
        Returns the text as it is used; raises `InputError`.
    """

    checked: Callable[[str], str]
    metavar: str = "TEXT"

    def check(self, value: Any) -> str:
        if not isinstance(value, str):
            raise ValueKindError(f"must be text, got {shown(value)}")
        return self.checked(value)


@dataclass(frozen=True)
class Column(Kind):
    """A column of a table, by its name or by its number from 1."""

    metavar = "COL"

    def check(self, value: Any) -> str | int:
        if isinstance(value, bool) or not isinstance(value, str | int):
            raise ValueKindError(f"must be the name or the number of a column, got {shown(value)}")
        return value


@dataclass(frozen=True)
class Columns(Kind):
    """One column, or two for G' and G''."""

    metavar = "COL"

    def check(self, value: Any) -> tuple[str | int, ...]:
        columns = [value] if isinstance(value, str | int) else value
        if not isinstance(columns, Sequence) or not 1 <= len(columns) <= 2:
            raise ValueKindError(f"must be a column, or two for G' and G'', got {shown(value)}")
        return tuple(Column().check(column) for column in columns)


@dataclass(frozen=True)
class ByName(Kind):
    """Values by name."""

    values = "values"

    def check(self, value: Any) -> dict[str, Any]:
        if not isinstance(value, Mapping):
            raise ValueKindError(f"must give {self.values} by name, got {shown(value)}")
        return {str(name): self.checked_value(str(name), one) for name, one in value.items()}

    def checked_value(self, name: str, value: Any) -> Any:
        """Return one of the values as it is used; raise `ValueKindError`."""
        return value


@dataclass(frozen=True)
class Settings(ByName):
    """Settings of any type by name: those of a model."""

    metavar = "NAME=VALUE"
    values = "settings"


@dataclass(frozen=True)
class Numbers(ByName):
    """Finite numbers by name.

    Attributes
    ----------
    names : mapping of str to str, optional
        The only names there are, and what each means.
    """

    names: Mapping[str, str] | None = None
    metavar = "NAME=VALUE"
    values = "numbers"

    def checked_value(self, name: str, value: Any) -> float:
        _check_name(name, self.names)
        good = isinstance(value, numbers.Real) and not isinstance(value, bool)
        if not good or not math.isfinite(float(value)):
            raise ValueKindError(f"must have a finite number for {name}, got {shown(value)}")
        return float(value)


@dataclass(frozen=True)
class Expressions(ByName):
    """Texts by name, each checked.

    Attributes
    ----------
    checked : callable
        Returns a text as it is used, given its name; raises `InputError`.
    names : iterable of str, optional
        The only names there are.
    """

    checked: Callable[[str, Any], Any]
    names: Iterable[str] | None = None
    metavar: str = "NAME=EXPR"
    values = "expressions"

    def checked_value(self, name: str, value: Any) -> Any:
        _check_name(name, self.names)
        return self.checked(name, value)


@dataclass(frozen=True)
class Ranges(ByName):
    """Two numbers by name, the lower first."""

    metavar = "NAME=LOW,HIGH"
    values = "two numbers"

    def checked_value(self, name: str, value: Any) -> tuple[float, float]:
        try:
            lower, upper = (float(end) for end in value)
        except (TypeError, ValueError):
            raise ValueKindError(f"must have two numbers for {name}, got {shown(value)}") from None
        if not lower < upper:  # NaN included
            raise ValueKindError(f"of {name} are empty: {lower:g} to {upper:g}")
        return lower, upper


@dataclass(frozen=True)
class Range(Kind):
    """Two numbers, the lower first; an end that is left out is open: ``"0.1,"``."""

    metavar = "LOW,HIGH"

    def check(self, value: Any) -> tuple[float, float]:
        ends = value.split(",") if isinstance(value, str) else value
        try:
            low, high = ends
            lower = -math.inf if low is None or low == "" else float(low)
            upper = math.inf if high is None or high == "" else float(high)
        except (TypeError, ValueError):
            words = "must be two numbers, such as 0.1,100 or 0.1,"
            raise ValueKindError(f"{words}, got {shown(value)}") from None
        if not lower < upper:  # NaN included
            raise ValueKindError(f"is empty: {lower:g} to {upper:g}")
        return lower, upper


@dataclass(frozen=True)
class Rows(Kind):
    """Numbers of rows, from 1: ``"3-60"``, ``"1,4,7-"``, a number or a list of numbers."""

    metavar = "ROWS"

    def check(self, value: Any) -> tuple[tuple[int, int | None], ...]:
        if isinstance(value, bool):
            raise ValueKindError(f"must be rows such as 3-60, got {shown(value)}")
        parts = value.split(",") if isinstance(value, str) else value
        parts = [parts] if isinstance(parts, numbers.Integral) else parts
        if not isinstance(parts, Sequence) or not parts:
            raise ValueKindError(f"must be rows such as 3-60 or 1,4,7-, got {shown(value)}")
        return tuple(_run_of_rows(part) for part in parts)


def _run_of_rows(part: Any) -> tuple[int, int | None]:
    if isinstance(part, tuple | list) and len(part) == 2:  # as `Rows` returns them
        part = f"{part[0]}-{part[1] or ''}"
    found = re.fullmatch(r"\s*(\d{0,9})\s*(?:(-)\s*(\d{0,9}))?\s*", str(part))
    if found is None or not (found[1] or found[3]) or isinstance(part, bool):
        raise ValueKindError(f"must be rows such as 3-60 or 1,4,7-, got {shown(part)}")
    first = int(found[1] or 1)
    last = (int(found[3]) if found[3] else None) if found[2] else first
    if first < 1 or (last is not None and last < first):
        raise ValueKindError(f"counts rows from 1, the lower first, got {shown(part)}")
    return first, last


def _check_name(name: str, names: Iterable[str] | None) -> None:
    if names is not None and name not in set(names):
        raise ValueKindError(f"has no {name!r}; {nearest(name, names)}")


def shown(value: Any) -> str:
    """Return a value as an error shows it."""
    text = repr(value)
    return "nothing" if value is None else text if len(text) <= 40 else text[:39] + "…"
