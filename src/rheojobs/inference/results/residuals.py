"""The residuals that windows and figures draw: data minus curve, in a unit that is readable."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from rheojobs.inference.data.arrays import parts_of

__all__ = ["Residuals", "residuals_of"]


@dataclass(frozen=True, eq=False)
class Residuals:
    """The residuals of one or two components.

    Attributes
    ----------
    x : ndarray, shape (n,)
        Ascending.
    parts : tuple of ndarray, shape (n,) each
        In `unit`; NaN where they cannot be given in it.
    unit : str
        ``"%"`` of the data, ``"σ"``, or the unit of the data, which may be empty.
    """

    x: NDArray[np.float64]
    parts: tuple[NDArray[np.float64], ...]
    unit: str

    @property
    def reach(self) -> float:
        """The largest absolute value; 0 if there is none."""
        sizes = [np.abs(part[np.isfinite(part)]) for part in self.parts]
        return max((float(size.max(initial=0.0)) for size in sizes), default=0.0)


def residuals_of(
    x: NDArray[np.float64],
    observed: NDArray[Any],
    fitted: NDArray[Any],
    *,
    sigma: NDArray[Any] | None = None,
    is_relative: bool = False,
    unit: str = "",
) -> Residuals:
    """Return observed minus fitted values, by ascending x.

    Parameters
    ----------
    x : ndarray, shape (n,)
        In any order.
    observed, fitted : ndarray, shape (n,)
        Real or complex.
    sigma : ndarray, shape (n,), optional
        Standard deviations that weight the data: the residuals are divided by them.
    is_relative : bool
        Whether deviations count in proportion to the data: then they are in % of these.
    unit : str
        Of the data, for residuals that are neither.
    """
    order = np.argsort(x, kind="stable")
    pairs = zip(parts_of(observed), parts_of(fitted), strict=True)
    parts = [np.asarray(data - curve, dtype=np.float64)[order] for data, curve in pairs]
    scales: tuple[NDArray[Any], ...] | None = None
    if sigma is not None:
        scales, unit = parts_of(sigma), "σ"
    elif is_relative:
        scales, unit = tuple(0.01 * np.abs(part) for part in parts_of(observed)), "%"
    if scales is not None:
        with np.errstate(divide="ignore", invalid="ignore"):
            parts = [
                np.where(scale[order] > 0, part / scale[order], np.nan)
                for part, scale in zip(parts, scales, strict=True)
            ]
    return Residuals(x[order], tuple(parts), unit)
