"""Put the equal terms of a model, such as Maxwell modes, in the order of their relaxation times.

The sum does not depend on their order: without a rule, a fit ends in any of n! equal minima, and
chains of a sampling disagree about which term is which.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

__all__ = ["find_modes", "mode_columns", "mode_order", "ordered_rows"]

type Floats = NDArray[np.float64]
type Indices = NDArray[np.intp]


def find_modes(names: Sequence[str], key: str) -> tuple[tuple[str, ...], ...]:
    """Return the parameters of each term, that of the family `key` first; empty if there is one.

    The parameters of a family differ by a number at their end, such as tau_1 and tau_2.
    """
    families: dict[str, dict[str, str]] = {}
    for name in names:
        if (found := re.fullmatch(r"(.+)_(\d+)", name)) is not None:
            families.setdefault(found[1], {})[found[2]] = name
    numbers = families.get(key, {})
    if len(numbers) < 2 or any(family.keys() != numbers.keys() for family in families.values()):
        return ()
    others = [family for name, family in families.items() if name != key]
    return tuple((numbers[number], *(family[number] for family in others)) for number in numbers)


def mode_columns(modes: Sequence[Sequence[str]], names: Sequence[str]) -> Indices | None:
    """Return the columns of the terms' parameters, shape (terms, k); None if one has no column."""
    if len(modes) < 2 or not all(name in names for mode in modes for name in mode):
        return None
    return np.array([[names.index(name) for name in mode] for mode in modes], dtype=np.intp)


def ordered_rows(rows: Floats, columns: Indices) -> Floats:
    """Return rows, shape (n, d), with the terms of each in the order of their first parameter."""
    keys = rows[:, columns[:, 0]]
    if not (np.diff(keys, axis=1) < 0).any():
        return rows
    order = np.argsort(keys, axis=1, kind="stable")
    out = rows.copy()
    for family in columns.T:
        out[:, family] = np.take_along_axis(rows[:, family], order, axis=1)
    return out


def mode_order(values: Floats, columns: Indices) -> Indices:
    """Return the indices that put one row of values, shape (d,), in order."""
    order = np.argsort(values[columns[:, 0]], kind="stable")
    indices = np.arange(values.size)
    for family in columns.T:
        indices[family] = family[order]
    return indices
