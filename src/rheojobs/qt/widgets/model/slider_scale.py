"""Convert the steps of a slider to a parameter's values, by logarithm if its bounds span decades.

Pure: no Qt.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Self

from rheojobs.inference.models.parameters import Parameter, log_offset

__all__ = ["STEPS", "SliderScale", "usual_value"]

STEPS = 1000

DECADES = 2.0
"""How far a slider reaches to both sides of its value: bounds may span sixty decades."""

_TINY = 1e-290
"""Smaller values count as zero: their parts have no full precision."""


def usual_value(parameter: Parameter, bounds: tuple[float, float]) -> float:
    """Return a value to begin with, within bounds: the default, else one in their middle."""
    lower, upper = bounds
    if parameter.default is not None:
        return min(max(parameter.default, lower), upper)
    if lower > 0 and math.isfinite(upper):
        return math.sqrt(lower * upper)
    if math.isfinite(lower) and math.isfinite(upper):
        return 0.5 * (lower + upper)
    return min(max(1.0, lower), upper)


@dataclass(frozen=True)
class SliderScale:
    """The ends of a slider, and how values lie between them.

    Attributes
    ----------
    low, high : float
        The values at the ends.
    is_log : bool
        Whether equal steps are equal ratios.
    """

    low: float
    high: float
    is_log: bool

    @classmethod
    def of(cls, parameter: Parameter, bounds: tuple[float, float], value: float) -> Self:
        """Return the scale around a value, within bounds."""
        lower, upper = bounds
        spans = not math.isnan(log_offset(lower, upper, parameter.default))
        if value > _TINY and lower >= 0 and (spans or not math.isfinite(upper)):
            reach = 10.0**DECADES
            return cls(max(lower, value / reach), min(upper, value * reach), True)
        reach = 10.0 * abs(value) if abs(value) > _TINY else 10.0
        low = lower if math.isfinite(lower) and not spans else max(lower, value - reach)
        high = upper if math.isfinite(upper) and not spans else min(upper, value + reach)
        return cls(low, high, False)

    def value(self, step: int) -> float:
        """Return the value at a step, from 0 to `STEPS`."""
        share = step / STEPS
        if share in (0.0, 1.0):
            return self.high if share else self.low
        if self.is_log:
            return self.low * math.exp(share * math.log(self.high / self.low))
        return self.low + share * (self.high - self.low)

    def step(self, value: float) -> int:
        """Return the step nearest to a value."""
        if self.high <= self.low or (self.is_log and value <= 0):
            return 0
        share = (
            math.log(value / self.low) / math.log(self.high / self.low)
            if self.is_log
            else (value - self.low) / (self.high - self.low)
        )
        return round(STEPS * min(max(share, 0.0), 1.0))
