"""Find the maximum of a posterior and its shape there, for coordinates in which it is round."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any, NamedTuple, Self

import jax
import numpy as np
from numpy.typing import NDArray

from rheojobs.inference.posterior.posterior import Posterior
from rheojobs.inference.sampling.mode_search import MAX_STEPS, Climb, View, setting_out
from rheojobs.inference.sampling.programs import programs_of
from rheojobs.inference.sampling.warmup.curved_whitening import Bend, bent

__all__ = ["Geometry", "climb"]

CALL_SECONDS = 0.05
"""Target duration of a part of a climb in seconds, the time between checks for cancellation."""


class Geometry(NamedTuple):
    """A map from the sampler's coordinates w to the unconstrained ones: center + scale w, bent.

    With the posterior's covariance in `scale`, and its ridges followed by `bend`, it is close to a
    unit Gaussian in w. It is an argument of compiled programs.
    """

    center: Any
    scale: Any
    bend: Bend

    @classmethod
    def at(cls, top: Climb, posterior: Posterior, check: Callable[[], None]) -> Self:
        """Return coordinates in which the posterior is round, given its maximum.

        Parameters
        ----------
        top : Climb
            It has ended at the maximum.
        posterior : Posterior
            Whose maximum it is.
        check : callable
            Called regularly; may raise.
        """

        def look(z: NDArray[np.float64]) -> View:
            check()
            seen: View = programs_of(posterior).climb(setting_out(z), 1, *posterior.data).view
            return seen

        center, curvature = np.asarray(top.center), np.asarray(top.view.curvature)
        if not top.is_regular:  # the coordinates are scaled one by one
            return cls(center, np.diag(1 / np.sqrt(np.diag(curvature))), Bend.none(center.size))
        limits = [prior.limits for prior in posterior.priors]
        return cls(center, *bent(center, curvature, limits, look))

    def unconstrained(self, w: Any) -> Any:
        """Map the sampler's coordinates, shape (d,); traceable."""
        return self.center + self.bend.applied(self.center, self.scale @ w)

    def whitened(self, z: NDArray[np.float64]) -> NDArray[np.float64]:
        """Map unconstrained coordinates, shape (d,) or (n, d), to the sampler's.

        Undoes `unconstrained`. Rows for which that is not possible, far away, are NaN.
        """
        wanted = np.atleast_2d(z) - self.center
        moved = wanted
        applied = jax.vmap(self.bend.applied, in_axes=(None, 0))
        with np.errstate(all="ignore"):  # far away it may be infinite
            # Each follows only others, and these follow none of it: exact after d steps.
            for _ in range(wanted.shape[1] if np.any(self.bend.rate) else 0):
                moved = wanted - (np.asarray(applied(self.center, moved)) - moved)
            known = np.isfinite(moved).all(axis=1)
            found = np.full(wanted.shape, np.nan)
            found[known] = np.linalg.solve(self.scale, moved[known].T).T
        return found.reshape(z.shape)

    @property
    def log_volume(self) -> float:
        """The logarithm of the volume in unconstrained coordinates of a unit of the sampler's."""
        return float(np.linalg.slogdet(np.asarray(self.scale))[1])

    @property
    def is_round(self) -> bool:
        """Whether the posterior's covariance is in `scale`, not only the width of each axis."""
        scale = np.asarray(self.scale)
        return scale.shape[0] == 1 or bool(np.any(scale != np.diag(np.diag(scale))))


def climb(
    posterior: Posterior,
    start: NDArray[np.float64],
    check: Callable[[], None],
    most: int = MAX_STEPS,
) -> Climb:
    """Climb to a maximum of the log density.

    A fit may weight its residuals differently, and so end many standard deviations from the
    posterior's mass; without a given start there is only an estimate.

    Parameters
    ----------
    posterior : Posterior
        Whose log density is climbed.
    start : ndarray, shape (d,)
        Unconstrained coordinates.
    check : callable
        Called regularly; may raise.
    most : int
        How many points may be evaluated; the climb still `is_going_on` if that was not enough.
    """
    here: Climb = setting_out(start)
    points = 1
    while True:
        check()
        began = time.perf_counter()
        here = programs_of(posterior).climb(here, points, *posterior.data)
        if not bool(here.is_going_on) or int(here.taken) >= most:  # which waits for it
            return here
        each = (time.perf_counter() - began) / points
        points = min(max(1, int(CALL_SECONDS / each)), most - int(here.taken))
