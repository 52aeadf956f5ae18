"""Refuse sweeps of amplitude, time or temperature at one frequency as frequency sweeps."""

from __future__ import annotations

import re

import numpy as np
from numpy.typing import NDArray

from rheojobs.errors import InputError
from rheojobs.inference.data.dataset import Dataset
from rheojobs.inference.data.reading.columns.column_choice import Column

__all__ = ["refuse_one_frequency", "refuse_other_x"]

_SAME = 1.025  # largest ratio of a frequency to the median that is nominally the same
_MOST = 0.7  # part of the rows at one frequency that make no frequency sweep
# What is swept, in the order of precedence: its kind, its names, and the least ratio or change.
_SWEPT = (
    ("a temperature sweep", r"temp|(?-i:^T\b)", 1.0),
    ("an amplitude sweep", r"strain|deformation|dehnung|d[eé]formation|^γ|^ɣ|gamma|displacement"
     r"|amplitude|deflection|auslenkung", 1.2),
    ("an amplitude sweep", r"stress|spannung|contrainte|^τ|^tau|torque|drehmoment|couple", 1.2),
    ("a time sweep", r"time|zeit|temps|^t\b|^t[_ ]", 1.2),
)  # fmt: skip


def refuse_one_frequency(dataset: Dataset, columns: list[Column]) -> None:
    """Raise `InputError` if all rows of an oscillation have one frequency.

    The error says what varies instead.
    """
    if dataset.test_mode != "oscillation" or len(dataset) < 2:
        return
    middle = float(np.median(dataset.x))
    near = (dataset.x <= _SAME * middle) & (middle <= _SAME * dataset.x)
    share = float(np.mean(near))
    if share < (_MOST if len(dataset) >= 5 else 1.0):
        return
    kind, column = _swept(columns)
    rows = "" if share == 1 else f" in {int(near.sum())} of {near.size} rows"
    varies = f", while {column.name} varies from {_span(column)}" if column is not None else ""
    raise InputError(
        f"{kind} at one frequency, {middle:.4g} rad/s{rows}{varies}: no frequency sweep, which "
        "the models of an oscillation need"
    )


def refuse_other_x(mode: str | None, x: Column) -> None:
    """Raise `InputError` if the x of an oscillation is known to be no frequency."""
    if mode == "oscillation" and x.quantity in ("strain", "shear stress", "time"):
        raise InputError(
            f"{x.name} is no frequency but a {x.quantity}: the models of an oscillation need G' "
            "and G'' over frequency"
        )


def _swept(columns: list[Column]) -> tuple[str, Column | None]:
    """Return what varies: the first that does so in order, else the first that varies."""
    found = [
        (kind, column)
        for kind, names, least in _SWEPT
        for column in columns
        if re.search(names, column.label, re.IGNORECASE) and _varies(kind, column.values, least)
    ]
    strain = [c for c in columns if re.search(_SWEPT[1][1], c.label, re.IGNORECASE)]
    if strain and not any(column in strain for _, column in found):
        # At a constant strain the stress follows the modulus.
        found = [one for one in found if one[0] != "an amplitude sweep"]
    in_order = [one for one in found if _is_in_order(one[1].values)]
    return next(iter(in_order or found), ("a measurement", None))


def _varies(kind: str, values: NDArray[np.float64], least: float) -> bool:
    finite = _finite(values)
    return (
        bool(finite.size)
        and _ratio(finite) > least
        and (kind != "a temperature sweep" or float(np.ptp(finite)) > 2)
    )


def _is_in_order(values: NDArray[np.float64]) -> bool:
    steps = np.sign(np.diff(_finite(values)))
    return bool(steps.size) and abs(float(np.mean(steps))) > 0.6


def _finite(values: NDArray[np.float64]) -> NDArray[np.float64]:
    return values[np.isfinite(values)]


def _ratio(values: NDArray[np.float64]) -> float:
    finite = np.abs(_finite(values))
    if finite.size < 2 or finite.max() == 0:
        return 1.0
    return float(finite.max() / max(finite.min(), 1e-300))


def _span(column: Column) -> str:
    values = _finite(column.values)
    return f"{values.min():.4g} to {values.max():.4g} {column.unit}".rstrip()
