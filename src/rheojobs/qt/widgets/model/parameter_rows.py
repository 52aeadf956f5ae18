"""The rows and columns of the table of parameters."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from enum import IntEnum
from typing import Any

from rheojobs.inference.models.parameters import Parameter
from rheojobs.qt.widgets.common.copying import copied_number

__all__ = ["NUMBERS", "ParameterColumn", "Row", "RowChange"]


class ParameterColumn(IntEnum):
    """The columns, by content."""

    NAME = 0
    VALUE = 1
    UNCERTAINTY = 2
    UNIT = 3
    FIXED = 4
    BOUNDS = 5
    R_HAT = 6
    ESS = 7


NUMBERS = (
    ParameterColumn.VALUE,
    ParameterColumn.UNCERTAINTY,
    ParameterColumn.R_HAT,
    ParameterColumn.ESS,
)


@dataclass(slots=True)
class Row:
    """One parameter.

    Attributes
    ----------
    name, unit : str
        As in the model.
    parameter : Parameter or None
        The model's parameter; None for one that a sampling adds, such as the noise.
    value : float or None
        An initial value if `is_given`, else an estimate; None if unknown.
    uncertainty, r_hat, ess, interval
        Of the estimate.
    fixed_at : float or None
        The value of a fixed parameter.
    edited_bounds : tuple or None
        Bounds that the user has narrowed.
    """

    name: str
    unit: str
    parameter: Parameter | None = None
    value: float | None = None
    is_given: bool = False
    uncertainty: float | None = None
    r_hat: float | None = None
    ess: float | None = None
    interval: tuple[float, float] | None = None
    fixed_at: float | None = None
    edited_bounds: tuple[float, float] | None = None

    @property
    def is_fixed(self) -> bool:
        """Whether it is fixed."""
        return self.fixed_at is not None

    @property
    def bounds(self) -> tuple[float, float] | None:
        """The user's bounds, else the model's."""
        if self.edited_bounds is not None:
            return self.edited_bounds
        return None if self.parameter is None else self.parameter.bounds

    @property
    def is_at_bound(self) -> bool:
        """Whether a fit's estimate lies at a bound."""
        settled = self.is_given or self.is_fixed or self.r_hat is not None
        if self.bounds is None or self.value is None or settled:
            return False
        return any(math.isclose(self.value, end, rel_tol=1e-4) for end in self.bounds)

    @property
    def is_undetermined(self) -> bool:
        """Whether the data do not determine it."""
        return self.uncertainty is not None and math.isinf(self.uncertainty)

    def kept(self) -> dict[str, Any]:
        """Return the fields that a result does not change."""
        return {
            "parameter": self.parameter,
            "fixed_at": self.fixed_at,
            "edited_bounds": self.edited_bounds,
        }

    def copied(self, column: int) -> str | None:
        """Return a cell as it is copied, with all digits; None if it is copied as it is shown."""
        match column:
            case ParameterColumn.NAME:
                return self.name
            case ParameterColumn.VALUE:
                return copied_number(self.value)
            case ParameterColumn.UNCERTAINTY:
                return copied_number(self.uncertainty)
            case ParameterColumn.UNIT:
                return self.unit
            case ParameterColumn.R_HAT:
                return copied_number(self.r_hat)
            case ParameterColumn.ESS:
                return copied_number(self.ess)
            case ParameterColumn.BOUNDS if self.bounds is not None:
                return " … ".join(copied_number(end) for end in self.bounds)
        return None

    def restore(
        self, start: float | None, fixed_at: float | None, bounds: tuple[float, float] | None
    ) -> None:
        """Set what the user has edited; an estimate stays if there is no value in its place.

        Bounds that the model does not allow are left out.
        """
        if self.parameter is None:
            return
        lower, upper = self.parameter.widest
        allowed = bounds is not None and lower <= bounds[0] < bounds[1] <= upper
        self.edited_bounds = bounds if allowed else None
        self.fixed_at = fixed_at
        value = start if fixed_at is None else fixed_at
        if value is not None or self.is_given:
            self.value, self.is_given = value, value is not None
            self.uncertainty = self.r_hat = self.ess = self.interval = None

    def edited(self, column: int) -> str | None:
        """Return the text that an editor begins with; of a name, what Python calls it."""
        if column == ParameterColumn.NAME:
            return self.name
        if column == ParameterColumn.VALUE:
            return "" if self.value is None else f"{self.value:.10g}"
        if column == ParameterColumn.BOUNDS and self.bounds is not None:
            return " … ".join(f"{end:.10g}" for end in self.bounds)
        return None


RowChange = Callable[[Row], object]
"""Changes a row."""
