"""Chains, or a part of them, as plain values and arrays, for checkpoints and results."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from numpy.typing import NDArray

__all__ = ["Segment"]


@dataclass(frozen=True, eq=False)
class Segment:
    """Named values and arrays.

    Attributes
    ----------
    meta : dict
        Numbers, texts and lists, as JSON has them.
    arrays : dict of str to ndarray
        By name.
    """

    meta: dict[str, Any] = field(default_factory=dict)
    arrays: dict[str, NDArray[Any]] = field(default_factory=dict)
