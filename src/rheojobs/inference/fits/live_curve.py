"""Select the curve and the losses of a running fit that progress reports send.

Computes no model: the optimizer already has the curve.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable

import numpy as np
from numpy.typing import NDArray

from rheojobs.inference.data.arrays import evenly

__all__ = ["MOST_POINTS", "PresentCurve"]

MOST_POINTS = 200
MOST_LOSSES = 400
INTERVAL = 0.1
"""Least time in seconds between two curves: faster changes cannot be seen."""


class PresentCurve:
    """Holds the newest curve to be sent.

    Parameters
    ----------
    x : ndarray, shape (n,)
        The x values of the data, in any order.
    clock : callable, optional
        Gives the time in seconds.
    """

    def __init__(self, x: NDArray[np.float64], clock: Callable[[], float] = time.monotonic) -> None:
        picked = evenly(x.size, MOST_POINTS)
        self._index = np.argsort(x, kind="stable")[picked]
        self._clock = clock
        self._due = -np.inf
        self._losses: list[tuple[int, float, int]] = []
        self._start = 0
        self._told: NDArray[np.float64] = np.empty((3, 0))
        self.x = np.array(x[self._index])
        self.y: NDArray[np.float64] | None = None
        """Shape (c, k), at `x`, which ascends; None as long as there is none."""

    def begin_start(self) -> None:
        """Note that the losses to come are those of another start."""
        self._start += 1

    def add_losses(self, first: int, losses: Iterable[float]) -> None:
        """Note the losses from an iteration on.

        Of very many every other one is dropped, but not the first and the last.
        """
        start = self._start
        self._losses += [(number, loss, start) for number, loss in enumerate(losses, first)]
        while len(self._losses) > MOST_LOSSES:
            del self._losses[1:-1:2]

    def update(self, curve: NDArray[np.float64], at_once: bool = False) -> None:
        """Take a curve of shape (c, b), b >= n, if it is time."""
        now = self._clock()
        if at_once or now >= self._due:
            self._due = now + INTERVAL
            self.y = curve[:, self._index]
            self._told = np.array(self._losses, dtype=np.float64).T

    def metrics(self) -> dict[str, NDArray[np.float64]]:
        """Return the entries of a progress report; empty if there is no curve."""
        if self.y is None:
            return {}
        return {"curve_x": self.x, "curve_y": self.y, "losses": self._told}
