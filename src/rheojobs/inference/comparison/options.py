"""The options of a comparison besides those of its fits. Imports no NumPy."""

from __future__ import annotations

from dataclasses import dataclass

from rheojobs.inference.options.kinds import Flag, Number
from rheojobs.inference.options.option import Group, option

__all__ = ["CompareOptions"]


@dataclass(frozen=True)
class CompareOptions:
    """How to compare models."""

    bayes: bool = option(
        False,
        Flag(),
        "Sample the best five, each from its fit; rank them by leave-one-out cross-validation, and "
        "show their evidence.",
        group=Group.SAMPLING,
    )
    timeout: float | None = option(
        60.0,
        Number(unit="seconds"),
        "Seconds after which a fit is stopped and listed; a sampling may take five times as long.",
        group=Group.MODEL,
    )
