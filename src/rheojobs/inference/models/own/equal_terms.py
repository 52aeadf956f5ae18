"""Find the equal terms of a formula, such as Maxwell modes: parameters that may be exchanged.

Without an order of them, a fit ends in any of n! equal minima, and chains of a sampling disagree
about which term is which.
"""

from __future__ import annotations

import itertools
import re
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np

from rheojobs.inference.models.parameters import Parameter

__all__ = ["equal_terms"]

_POINTS = 5
_TOLERANCE = 1e-9
_TIMES = ("tau", "lam", "theta")
"""How the names of times begin, if units are not known."""


def equal_terms(
    parameters: Sequence[Parameter], computed: Callable[[Mapping[str, float]], Any]
) -> tuple[tuple[str, ...], ...]:
    """Return the parameters of each of several equal terms, that of the times or rates first.

    Parameters
    ----------
    parameters : sequence of Parameter
        Those of a term end in its number: ``tau_1`` and ``G_1``, or ``tau1`` and ``G1``.
    computed : callable
        Returns what the formula computes from values of the parameters.

    Returns
    -------
    tuple of tuple of str
        Empty if there are none; whether terms are equal is tried with numbers.
    """
    families: dict[str, dict[str, Parameter]] = {}
    for item in parameters:
        if (found := re.fullmatch(r"(.+?_?)(\d+)", item.name)) is not None:
            families.setdefault(found[1], {})[found[2]] = item
    ordered = sorted(families, key=lambda stem: not stem.startswith(_TIMES))
    for unit in ("s", "1/s", ""):
        for key in map(families.__getitem__, ordered):
            if len(key) < 2 or any(item.unit != unit for item in key.values()):
                continue
            others = [
                own for own in families.values() if own is not key and own.keys() == key.keys()
            ]
            terms = tuple(tuple(family[number].name for family in (key, *others)) for number in key)
            if _is_symmetric(terms, [item.name for item in parameters], computed):
                return terms
    return ()


def _is_symmetric(
    terms: Sequence[Sequence[str]],
    names: Sequence[str],
    computed: Callable[[Mapping[str, float]], Any],
) -> bool:
    """Whether the formula gives the same if neighbouring terms are exchanged."""
    random = np.random.default_rng(0)
    for _ in range(_POINTS):
        values = dict(zip(names, random.uniform(0.5, 2.0, len(names)).tolist(), strict=True))
        expected = np.asarray(computed(values))
        for one, other in itertools.pairwise(terms):
            swapped = dict(values)
            for left, right in zip(one, other, strict=True):
                swapped[left], swapped[right] = values[right], values[left]
            found = np.asarray(computed(swapped))
            if not np.allclose(found, expected, rtol=_TOLERANCE, atol=0.0):  # NaN is never close
                return False
    return True
