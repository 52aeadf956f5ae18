"""Recognize a start-up or a hold: a shear rate that is constant after a short run-up."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from rheojobs.errors import InputError
from rheojobs.inference.data.reading.columns.column_choice import Choice, Column, first_of
from rheojobs.inference.data.reading.columns.conversion import in_si

__all__ = ["as_start_up", "constant_rate", "is_flow_at_one_rate"]

_NEAR = 0.1  # relative deviation of a rate that is still the same
_RUN_UP = 0.2  # part of the duration that the run-up may take


def constant_rate(columns: list[Column]) -> float | None:
    """Return the shear rate in 1/s if it is constant after its run-up; None otherwise."""
    column, time = first_of(columns, "shear rate"), first_of(columns, "time")
    if column is None or time is None or not column.fits:
        return None
    good = np.isfinite(column.values) & np.isfinite(time.values)
    rate, times = _in_si(column)[good], time.values[good]
    if rate.size < 3:
        return None
    middle = float(np.median(rate[rate.size // 2 :]))
    near = np.abs(rate - middle) <= _NEAR * middle
    if middle <= 0 or near.sum() < 3:
        return None
    first = int(np.argmax(near))
    run_up, duration = times[first] - times[0], times[-1] - times[0]
    if np.mean(near[first:]) < 0.9 or (first and not 0 <= run_up <= _RUN_UP * duration):
        return None
    return float(np.median(rate[near]))


def as_start_up(columns: list[Column], choice: Choice) -> tuple[Choice, float | None]:
    """Turn a flow curve of one shear rate into a start-up; return it and the rate.

    Raises
    ------
    InputError
        If the rate is constant or about zero, and so there is neither.
    """
    if choice.mode != "flow_curve":
        return choice, None
    time, rate = first_of(columns, "time"), constant_rate(columns)
    if time is None or rate is None:
        _refuse_one_rate(choice.x, time)
        return choice, None
    if choice.quantities == ("viscosity",):
        viscosity = choice.ys[0]
        label = f"{viscosity.name} times {choice.x.name}"
        values = _in_si(viscosity) * np.abs(_in_si(choice.x))
        stress = Column(label, len(columns) + 1, "shear stress", "Pa", 0, values)
        return Choice("startup", time, (stress,), ("shear stress",)), rate
    return choice._replace(mode="startup", x=time), rate


def is_flow_at_one_rate(columns: list[Column]) -> bool:
    """Whether a table holds a flow whose shear rate is more constant than its stress."""
    rate, stress = first_of(columns, "shear rate"), first_of(columns, "shear stress")
    if rate is None or stress is None or constant_rate(columns) is None:
        return False
    return _scatter(rate.values) < _scatter(stress.values)


def _scatter(values: NDArray[np.float64]) -> float:
    """Return the median deviation from the median, relative to it."""
    finite = values[np.isfinite(values)]
    middle = float(np.median(finite))
    return float(np.median(np.abs(finite - middle))) / abs(middle) if middle else np.inf


def _refuse_one_rate(column: Column, time: Column | None) -> None:
    rate = _in_si(column)
    rate = rate[np.isfinite(rate)]
    if rate.size < 3:
        return
    if np.ptp(rate) <= 0.02 * abs(float(np.median(rate))):
        why = "there is no time for a start-up" if time is None else "a start-up needs one above 0"
        raise InputError(
            f"no flow curve: {column.name} is {np.median(rate):.4g} 1/s in all rows, and {why}"
        )
    if time is not None and np.mean(rate <= 0) >= 0.3 and np.mean(np.diff(np.sign(rate)) != 0) > 0:
        raise InputError(
            f"no flow curve: {column.name} is zero or negative in {int(np.sum(rate <= 0))} of "
            f"{rate.size} rows, as at rest"
        )


def _in_si(column: Column) -> NDArray[np.float64]:
    return in_si(column, column.quantity, [])
