"""Fit by NLSQ's trust-region method, in the same coordinates and with the same residuals as ours.

NLSQ compiles a function once for each kind and length of data: the data are its x, so that it stays
compiled, in a `CurveFit` that is kept with the objective.
"""

from __future__ import annotations

import threading
import warnings
from collections.abc import Callable
from typing import Any

import jax.numpy as jnp
import numpy as np
from numpy.typing import NDArray

from rheojobs.engine.cancellation import CancellationError
from rheojobs.engine.task import TaskContext
from rheojobs.errors import MissingExtraError
from rheojobs.inference.fits.least_squares import levenberg_marquardt
from rheojobs.inference.fits.least_squares.levenberg_marquardt import FAILED, Tolerances
from rheojobs.inference.fits.least_squares.residuals import Data, residuals_of
from rheojobs.inference.fits.objective import Objective
from rheojobs.inference.fits.options import LOSSES
from rheojobs.inference.fits.outcome import Outcome
from rheojobs.inference.fits.refine import Refiner, Report
from rheojobs.inference.fits.sorted_modes import with_sorted_modes

__all__ = ["NlsqRefiner"]

INSIDE = 1e-9
"""How far inside its bounds a coordinate starts, in parts of their distance or of one."""

LEAST_TOLERANCE = 4 * float(np.finfo(float).eps)
"""NLSQ refuses smaller ones."""

NO_LIMIT = 1e30
"""The residuals where a tie leaves its bounds."""

WAIT = 0.05
"""Seconds between two checks for cancellation, while another thread fits."""


class NlsqRefiner(Refiner):
    """Refines starts as `Refiner` does, by another library.

    Parameters
    ----------
    objective, tolerances, max_iter, context
        As `Refiner` takes them.

    Raises
    ------
    MissingExtraError
        If NLSQ is not installed.
    """

    def __init__(
        self, objective: Objective, tolerances: Tolerances, max_iter: int, context: TaskContext
    ) -> None:
        allowed = Tolerances(*(max(float(each), LEAST_TOLERANCE) for each in tolerances))
        super().__init__(objective, allowed, max_iter, context)
        self._solver = objective.kept("nlsq", _Solver)

    def refine(
        self,
        start: NDArray[np.float64],
        data: Data,
        report: Report | None = None,
        max_iter: int | None = None,
    ) -> Outcome:
        """Go from a start to its minimum, as `Refiner.refine` does."""
        free = data.lower < data.upper
        u = np.clip(start, data.lower, data.upper)
        if not np.isfinite(self._cost(u, data)):
            return self._ended(u, data, False, levenberg_marquardt.REASONS[FAILED])

        def told(iteration: int, cost: float, params: Any, info: Any) -> None:
            u[free] = np.asarray(params)
            if report is not None:
                report(np.array([2.0 * cost]), u, None)
            self._context.check()

        most = min(self._max_iter, max_iter or self._max_iter)
        while not self._solver.lock.acquire(timeout=WAIT):
            self._context.check()
        try:
            with self._context.unstoppable():  # it may compile; `told` stops it between steps
                u[free], is_done, message = self._solver.solve(
                    self._objective, u, data, self._tolerances, most, told
                )
        except CancellationError:
            self.stopped_at = self._ended(u, data, False, "cancelled")
            raise
        finally:
            self._solver.lock.release()
        return self._ended(u, data, is_done, message)

    def _ended(self, u: NDArray[np.float64], data: Data, converged: bool, message: str) -> Outcome:
        cost, seen = self._cost(u, data), self._seen(u, data)
        jacobian = np.moveaxis(seen.jacobian, 0, -1)
        found = Outcome(u, cost, seen.residuals, jacobian, seen.curve, converged, message)
        return with_sorted_modes(found, self._objective, data)


class _Solver:
    """NLSQ's `CurveFit` of one objective, and the functions that it has compiled.

    It is used by one thread at a time, which holds the `lock`: it keeps the state of its fit.
    """

    def __init__(self) -> None:
        try:
            from nlsq import CurveFit
        except ImportError:
            raise MissingExtraError(
                'the method nlsq needs NLSQ: pip install "rheojobs[rheology]"'
            ) from None
        self.lock = threading.Lock()
        self._fit = CurveFit()
        self._functions: dict[Any, Callable[..., Any]] = {}

    def solve(
        self,
        objective: Objective,
        start: NDArray[np.float64],
        data: Data,
        tolerances: Tolerances,
        most: int,
        told: Callable[[int, float, Any, Any], None],
    ) -> tuple[NDArray[np.float64], bool, str]:
        """Return the free coordinates at the end, whether they are a minimum, and why it ended."""
        from nlsq import OptimizeWarning
        from nlsq.callbacks import StopOptimization

        free = data.lower < data.upper
        lower, upper = data.lower[free], data.upper[free]
        reach = np.where(np.isfinite(upper - lower), upper - lower, 1.0)
        begin = np.clip(start[free], lower + INSIDE * reach, upper - INSIDE * reach)
        failure: list[BaseException] = []

        def callback(iteration: int, cost: float, params: Any, info: Any) -> None:
            try:
                told(iteration, cost, params, info)
            except BaseException as error:  # NLSQ would go on
                failure.append(error)
                raise StopOptimization from error

        columns = np.broadcast_to(data.x, data.y.shape), np.broadcast_to(data.mask, data.y.shape)
        table = np.stack([each.reshape(-1) for each in (*columns, data.y, data.sigma)])
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", OptimizeWarning)  # the message says it too
            found: Any = self._fit.curve_fit(
                self._function(objective, data, free),
                table,
                np.zeros(table.shape[1]),
                p0=begin,
                bounds=(lower, upper),
                method="trf",
                loss=tuple(LOSSES)[int(data.loss)],
                f_scale=float(data.scale),
                ftol=tolerances.ftol,
                xtol=tolerances.xtol,
                gtol=tolerances.gtol,
                max_nfev=most,
                callback=callback,
            )
        if failure:
            raise failure[0]
        return np.asarray(found.popt), bool(found.success), f"NLSQ: {found.message}"

    def _function(
        self, objective: Objective, data: Data, free: NDArray[np.bool_]
    ) -> Callable[..., Any]:
        """Return the residuals as a function of the data and of each free coordinate.

        There is one for each kind, as NLSQ knows by its identity what it has compiled.
        """
        held, size = np.where(free, 0.0, data.lower), data.y.shape
        is_logarithmic, places = float(data.logarithmic), np.flatnonzero(free)
        key = (size, is_logarithmic, tuple(held.tolist()), tuple(places.tolist()))
        if key not in self._functions:

            def residuals(table: Any, *values: Any) -> Any:
                x, mask, y, sigma = (row.reshape(size) for row in table)
                u = jnp.asarray(held).at[places].set(jnp.stack(values))
                curve, allowed = objective.curve(x[0], u)
                told = data._replace(
                    x=x[0], y=y, sigma=sigma, mask=mask[0], logarithmic=is_logarithmic
                )
                found = residuals_of(curve, told)
                return jnp.where(allowed, found, NO_LIMIT).reshape(-1)

            self._functions[key] = residuals
        return self._functions[key]
