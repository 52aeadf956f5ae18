"""Put the equal terms of a model in order where a fit has ended."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np

from rheojobs.inference.fits.least_squares.residuals import Data
from rheojobs.inference.fits.objective import Objective
from rheojobs.inference.models.mode_order import mode_columns, mode_order

if TYPE_CHECKING:
    from rheojobs.inference.fits.outcome import Outcome

__all__ = ["with_sorted_modes"]


def with_sorted_modes(outcome: Outcome, objective: Objective, data: Data) -> Outcome:
    """Return an outcome with the model's equal terms in order, if nothing tells them apart.

    Ties do, and so do bounds and fixed values that are not the same for all terms.
    """
    coordinates = objective.coordinates
    columns = mode_columns(objective.modes, [item.name for item in coordinates.own])
    if columns is None or coordinates.ties:
        return outcome
    for values in (data.lower, data.upper, coordinates.offsets):
        if np.ptp(np.asarray(values)[columns], axis=0).any():
            return outcome
    order = mode_order(outcome.u, columns)
    return replace(outcome, u=outcome.u[order], jacobian=outcome.jacobian[..., order])
