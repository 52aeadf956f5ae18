"""The maxima of a posterior as centers of proposals, and which part of the posterior is whose."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from rheojobs.inference.models.mode_order import mode_order
from rheojobs.inference.posterior.posterior import Posterior
from rheojobs.inference.sampling.predicted_curves import draws_in_a_call
from rheojobs.inference.sampling.programs import programs_of
from rheojobs.inference.sampling.starts import Starts
from rheojobs.inference.sampling.warmup.whitening import Geometry

__all__ = ["Modes", "Points"]

SOLVED_POINTS = 30
"""Points of one call if equations are solved: a cancellation waits for the call to end."""

type Floats = NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class Points:
    """Points at which a posterior was evaluated.

    Attributes
    ----------
    mode : ndarray of int, shape (n,)
        The maximum in whose coordinates each was given.
    rows, z, values : ndarray, shape (n, d)
        These coordinates, the unconstrained ones, and the values of the sites.
    log_density : ndarray, shape (n,)
        The log density of the posterior in z, not normalized; minus infinity where there is none.
    """

    mode: NDArray[np.intp]
    rows: Floats
    z: Floats
    values: Floats
    log_density: Floats

    @classmethod
    def joined(cls, parts: Sequence[Points]) -> Points:
        """Join points; there must be some."""
        columns = zip(*(vars(part).values() for part in parts), strict=True)
        return cls(*(np.concatenate(column) for column in columns))


@dataclass(frozen=True, eq=False)
class Modes:
    """The separate maxima of a posterior.

    A model with k equal terms has each maximum k! times over. Only the part of the posterior is
    looked at in which the terms are ordered as at the maxima.

    Attributes
    ----------
    posterior : Posterior
        The density, and the model.
    geometries : tuple of Geometry
        The coordinates about each maximum, in which it is about round.
    shares : ndarray, shape (m,)
        The approximate share of the probability about each; they add up to 1.
    order : ndarray of int, shape (d,), or None
        Puts the coordinates in the order of the terms at the maxima; None if no terms are equal.
    """

    posterior: Posterior
    geometries: tuple[Geometry, ...]
    shares: Floats
    order: NDArray[np.intp] | None

    @classmethod
    def of(cls, posterior: Posterior, starts: Starts) -> Modes:
        """Return the maxima about which chains start."""
        geometries = tuple({id(each): each for each in starts.geometries}.values())
        known = starts.report.get("shares", [])[: len(geometries)]
        shares = np.array(known if len(known) == len(geometries) else [1.0] * len(geometries))
        columns = posterior.ordered_terms
        order = None if columns is None else mode_order(np.asarray(geometries[0].center), columns)
        return cls(posterior, geometries, shares / shares.sum(), order)

    @property
    def log_copies(self) -> float:
        """The logarithm of how often the part that is looked at is in the whole posterior."""
        columns = self.posterior.ordered_terms
        return 0.0 if columns is None else math.lgamma(len(columns) + 1)

    def only(self, modes: Sequence[int]) -> Modes:
        """Return some of the maxima."""
        shares = self.shares[list(modes)]
        kept = tuple(self.geometries[mode] for mode in modes)
        return replace(self, geometries=kept, shares=shares / shares.sum())

    def whitened(self, points: Points) -> list[Floats]:
        """Return the coordinates of points about each maximum, shape (n, d) each."""
        found = []
        for mode, geometry in enumerate(self.geometries):
            rows, others = points.rows.copy(), points.mode != mode
            if others.any():
                rows[others] = geometry.whitened(points.z[others])
            found.append(rows)
        return found

    def nearest(self, whitened: Sequence[Floats]) -> NDArray[np.intp]:
        """Return the maximum to which each point belongs, shape (n,)."""
        distances = [
            0.5 * np.sum(rows**2, axis=1) + geometry.log_volume - math.log(share)
            for rows, geometry, share in zip(whitened, self.geometries, self.shares, strict=True)
        ]
        return np.argmin(np.nan_to_num(distances, nan=np.inf), axis=0)

    def is_in_order(self, z: Floats) -> NDArray[np.bool_]:
        """Return whether the terms are ordered as at the maxima, for points of shape (n, d)."""
        columns = self.posterior.ordered_terms
        if columns is None or self.order is None:
            return np.ones(len(z), dtype=bool)
        keys = z[:, self.order][:, columns[:, 0]]
        return np.asarray((np.diff(keys, axis=1) >= 0).all(axis=1))

    def evaluate(self, mode: int, rows: Floats, check: Callable[[], None]) -> Points:
        """Evaluate the posterior at points given in the coordinates of a maximum, shape (n, d)."""
        return Points.joined(list(self.evaluated(mode, rows, check)))

    def evaluated(self, mode: int, rows: Floats, check: Callable[[], None]) -> Iterator[Points]:
        """Yield the same in parts, each of which is one call of the compiled program."""
        posterior, block = self.posterior, self.points_in_a_call
        for first in range(0, len(rows), block):
            check()
            part = rows[first : first + block]
            filled = part if len(part) == block else np.resize(part, (block, part.shape[1]))
            found = programs_of(posterior).explore(filled, self.geometries[mode], *posterior.data)
            z, values, density = (np.asarray(item)[: len(part)] for item in found)
            allowed = np.isfinite(density) & self.is_in_order(z)
            of = np.full(len(part), mode)
            yield Points(of, part, z, values, np.where(allowed, density, -np.inf))

    def prepare(self) -> None:
        """Compile the program that evaluates points, without calling it."""
        rows = np.zeros((self.points_in_a_call, len(self.posterior.sites)))
        programs = programs_of(self.posterior)
        programs.explore.prepare(rows, self.geometries[0], *self.posterior.data)

    @property
    def points_in_a_call(self) -> int:
        """How many points are evaluated in one call."""
        most = draws_in_a_call(self.posterior.problem)
        return min(most, SOLVED_POINTS) if self.posterior.problem.model.forward_mode else most
