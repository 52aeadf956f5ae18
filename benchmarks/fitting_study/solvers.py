"""The fits side by side: ours and others in their best form, of the same residuals."""

from __future__ import annotations

import functools
import logging
from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from fitting_study.problems import Problem

__all__ = ["OURS", "SCIPY", "SOLVERS", "Fit", "without_start"]

OURS = "rheojobs"

TOLERANCE = 1e-10
"""Of the parameters, for all sides; a fit of ours has it by default."""

type Floats = NDArray[np.float64]

type Fit = Callable[[Floats, Floats], Floats]
"""Fits a curve to x and y; the parameters."""


def _ours(problem: Problem, with_start: bool = True) -> Fit:
    from rheojobs import fit

    start = dict(problem.start) if with_start else None

    def run(x: Floats, y: Floats) -> Floats:
        data = problem.dataset(x, y)
        found = fit(data, problem.model, initial_params=start, weights="relative").parameters
        return np.array([found[name] for name in problem.truth])

    return run


def _of_numpy(problem: Problem, solve: Callable[[Any, Floats, Floats], Floats]) -> Fit:
    """Return a fit of SciPy's, which searches for a root of residuals in NumPy."""

    def run(x: Floats, y: Floats) -> Floats:
        logarithm = np.log(y)

        def residuals(u: Floats) -> Floats:
            return np.asarray(problem.logarithm(np, x, *u) - logarithm)

        return np.array(problem.parameters(np, solve(residuals, problem.begin, x)))

    return run


def _leastsq(problem: Problem) -> Fit:
    from scipy.optimize import leastsq

    given = {"ftol": TOLERANCE, "xtol": TOLERANCE}
    return _of_numpy(problem, lambda residuals, u, _: leastsq(residuals, u, **given)[0])


def _least_squares(problem: Problem) -> Fit:
    from scipy.optimize import least_squares

    given = {"ftol": TOLERANCE, "xtol": TOLERANCE, "gtol": TOLERANCE}
    return _of_numpy(
        problem, lambda residuals, u, _: least_squares(residuals, u, x_scale="jac", **given).x
    )


def _curve_fit(problem: Problem) -> Fit:
    from scipy.optimize import curve_fit

    given = {"p0": problem.begin, "ftol": TOLERANCE, "xtol": TOLERANCE}

    def run(x: Floats, y: Floats) -> Floats:
        logarithm = functools.partial(problem.logarithm, np)
        return np.array(problem.parameters(np, curve_fit(logarithm, x, np.log(y), **given)[0]))

    return run


def _optimistix(problem: Problem) -> Fit:
    import jax
    import jax.numpy as jnp
    import optimistix

    jax.config.update("jax_enable_x64", True)
    solver = optimistix.LevenbergMarquardt(rtol=TOLERANCE, atol=TOLERANCE)

    def residuals(u: Any, data: Any) -> Any:
        x, logarithm = data
        return problem.logarithm(jnp, x, *u) - logarithm

    @jax.jit
    def solve(u: Any, x: Any, y: Any) -> Any:
        found = optimistix.least_squares(residuals, solver, u, (x, jnp.log(y)), throw=False)
        return jnp.stack(problem.parameters(jnp, found.value))

    return lambda x, y: np.asarray(solve(problem.begin, x, y))


def _nlsq(problem: Problem) -> Fit:
    import jax.numpy as jnp
    import nlsq

    logging.getLogger("nlsq").propagate = False  # each fit's progress, where others log all
    kept, given = nlsq.CurveFit(), {"ftol": TOLERANCE, "xtol": TOLERANCE, "gtol": TOLERANCE}

    def logarithm(x: Any, *u: Any) -> Any:
        return problem.logarithm(jnp, x, *u)

    def run(x: Floats, y: Floats) -> Floats:
        found, _ = kept.curve_fit(logarithm, x, np.log(y), p0=problem.begin, **given)
        return np.array(problem.parameters(np, np.asarray(found)))

    return run


without_start = functools.partial(_ours, with_start=False)

SCIPY = ("leastsq", "least_squares", "curve_fit")

SOLVERS: dict[str, Callable[[Problem], Fit]] = {
    OURS: _ours,
    f"{OURS}, no start": without_start,
    "leastsq": _leastsq,
    "least_squares": _least_squares,
    "curve_fit": _curve_fit,
    "optimistix LM, jitted": _optimistix,
    "NLSQ, kept": _nlsq,
}
"""Each makes the fit of a problem; what it compiles stays with that."""
