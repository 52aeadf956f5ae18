"""The distinct minima that several starts of a fit end in, and what they say about the best."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from rheojobs.inference.fits.outcome import Outcome

__all__ = ["distinct_minima", "minima_warnings"]

SAME_CURVE = 1e-3
"""Two ends whose residuals differ by less than this part of their size are one minimum."""

AS_GOOD = 3.84
"""A rise of the objective, in variances of a residual, that the data exclude with 95 %."""

APART = 5.0
"""Minima further apart than so many standard errors are not one valley."""

FEW_STARTS = 4
"""With fewer starts, one that alone finds the best minimum says nothing."""


def distinct_minima(
    ends: Sequence[Outcome],
    went_beyond: bool,
    named: Callable[[NDArray[np.float64]], dict[str, float]],
) -> list[dict[str, Any]]:
    """Group the ends by their curve, best first, as `FitResult.minima` has them.

    Parameters
    ----------
    ends : sequence of Outcome
        Where the starts ended.
    went_beyond : bool
        Whether the last one did not come from a start, but from a search beyond them.
    named : callable
        Returns the parameters at some coordinates.
    """
    groups: list[tuple[Outcome, int]] = []
    counts = [1] * len(ends)
    counts[-1] -= went_beyond
    for end, new in sorted(zip(ends, counts, strict=True), key=lambda item: item[0].cost):
        for index, (first, count) in enumerate(groups):
            apart = float(np.linalg.norm(end.residuals - first.residuals))
            if apart <= SAME_CURVE * (float(np.linalg.norm(first.residuals)) + 1e-12):
                groups[index] = (first, count + new)
                break
        else:
            groups.append((end, new))
    return [
        {"objective": end.cost, "parameters": named(end.u), "starts": count}
        for end, count in groups
    ]


def minima_warnings(
    minima: Sequence[Mapping[str, Any]],
    uncertainties: Mapping[str, float],
    variance: float,
    is_given: bool,
    first: float,
) -> list[str]:
    """Return warnings about what several starts found besides the best minimum.

    Parameters
    ----------
    minima : sequence of mapping
        As `FitResult.minima` has them.
    uncertainties : mapping
        Standard errors of the best one, by name.
    variance : float
        Of the residuals.
    is_given : bool
        Whether the first start had all values given.
    first : float
        The objective where the first start ended.
    """
    if len(minima) < 2 or not math.isfinite(variance):
        return []
    best, *others = minima
    found, lowest = [], best["objective"]
    starts = sum(item["starts"] for item in minima)
    if best["starts"] <= 1 and starts >= FEW_STARTS:
        count = "only 1" if best["starts"] == 1 else "none"
        found.append(
            f"{count} of {starts} starts ended in the lowest minimum: there may be a lower one; "
            "use more starts"
        )
    if is_given and first - lowest > AS_GOOD * variance:
        found.append(
            f"the given initial values lead to a higher minimum (objective {first:.4g} against "
            f"{lowest:.4g}): the result comes from another start"
        )
    for other in others:
        if other["objective"] - lowest > AS_GOOD * variance:
            break
        distances = {
            name: abs(value - best["parameters"][name]) / uncertainties[name]
            for name, value in other["parameters"].items()
            if 0 < uncertainties[name] < math.inf
        }
        name = max(distances, key=distances.__getitem__, default="")
        if name and distances[name] > APART:
            found.append(
                f"a second minimum fits these data nearly as well (objective "
                f"{other['objective']:.4g} against {lowest:.4g}), at {name} = "
                f"{other['parameters'][name]:.4g} against {best['parameters'][name]:.4g} ± "
                f"{uncertainties[name]:.2g}: the uncertainties describe the first one only"
            )
            break
    return found
