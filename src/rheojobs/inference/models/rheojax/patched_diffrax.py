"""Solve RheoJAX's differential equations so that forward-mode differentiation works.

Where explicit steps are given up, an implicit method takes over for the models that need it.

This replaces `diffrax.diffeqsolve` for the whole process by a function that behaves the same except
within `forward_mode`. No other file changes or imports diffrax.
"""

from __future__ import annotations

import contextlib
import dataclasses
import functools
import importlib
import inspect
import threading
from collections.abc import Callable, Iterator
from contextvars import ContextVar
from typing import Any

from rheojobs.inference.models.formulas import stiff_solver

__all__ = ["forward_mode", "solves_equations"]

_MOST_STEPS = 16384
# Relative tolerance of a step. RheoJAX's 1e-5 disturbs a fit, whose last steps change the sum of
# squares by less.
_RELATIVE = 1e-7
# Absolute tolerance. RheoJAX's 1e-7 exceeds many fluidities, in 1/(Pa s).
_ABSOLUTE = 1e-15
_SOLVE_EQUATIONS = {"fikh", "fluidity", "giesekus", "hvm", "hvnm", "ikh", "stz", "tnt", "vlb"}
"""Parts of `rheojax.models`."""
_STIFF = {"hvm", "hvnm", "stz"}
"""Those whose shortest times, of exchange or of flow, are far below those of ordinary tests."""

_lock = threading.Lock()
_in_forward_mode: ContextVar[str] = ContextVar("in_forward_mode", default="")


@contextlib.contextmanager
def forward_mode(kind: type) -> Iterator[None]:
    """Make differential equations solved in this context differentiable in forward mode.

    By default diffrax's solutions support only reverse mode, but a least-squares fit and the
    geometry of a sampling need the Jacobian, column by column. RheoJAX has no option for that, so
    diffrax's function is replaced, once, by one that checks for this context; calls outside of it
    are unchanged.
    """
    if not solves_equations(kind):
        yield
        return
    diffrax: Any = importlib.import_module("diffrax")
    with _lock:
        if not hasattr(diffrax.diffeqsolve, "in_forward_mode"):
            diffrax.diffeqsolve = _choosing(diffrax)
    token = _in_forward_mode.set("stiff" if _part(kind) in _STIFF else "explicit")
    try:
        yield
    finally:
        _in_forward_mode.reset(token)


def _choosing(diffrax: Any) -> Callable[..., Any]:
    """Make diffrax's solver use forward mode in our context, with tighter tolerances and a limit.

    Some of a fit's first parameters always make the equations stiff, and all that are solved
    together wait for them. A solution that exceeds the limit on steps is not finite.
    """
    solve, adjoint = diffrax.diffeqsolve, diffrax.ForwardMode()

    @functools.wraps(solve)
    def chosen(*args: Any, **named: Any) -> Any:
        if not _in_forward_mode.get():
            return solve(*args, **named)
        steps = min(named.get("max_steps") or _MOST_STEPS, _MOST_STEPS)
        named |= {"adjoint": adjoint, "max_steps": steps, "throw": False}
        if isinstance(named.get("stepsize_controller"), diffrax.PIDController):
            named["stepsize_controller"] = _finer(named["stepsize_controller"])
        solution, successful = solve(*args, **named), diffrax.RESULTS.successful
        if _in_forward_mode.get() == "stiff":
            given = inspect.signature(solve).bind(*args, **named).arguments
            solution = _implicit_if_given_up(solution, successful, given)
        return _finite_if_found(solution, successful)

    chosen.in_forward_mode = adjoint  # type: ignore[attr-defined]
    return chosen


def _finer(controller: Any) -> Any:
    """Return the same step size controller with the tolerances that a fit needs."""
    return dataclasses.replace(
        controller,
        rtol=min(controller.rtol, _RELATIVE),
        atol=min(controller.atol, _ABSOLUTE),
    )


def _implicit_if_given_up(solution: Any, successful: Any, given: dict[str, Any]) -> Any:
    """Return the solution, or the implicit method's if it was given up.

    The implicit method takes no step where the explicit one has come to the end.
    """
    import jax.numpy as jnp

    found = solution.result == successful
    begin, terms, constants = given["t0"], given["terms"], given.get("args")
    times = jnp.where(found, 0.0, given["saveat"].subs.ts - begin)
    values = stiff_solver.solve(
        lambda t, y: terms.vf(begin + t, y, constants), given["y0"], times, rtol=_RELATIVE
    )
    # The implicit method marks what it gave up by NaN.
    return dataclasses.replace(
        solution, ys=jnp.where(found, solution.ys, values), result=successful
    )


def _finite_if_found(solution: Any, successful: Any) -> Any:
    """Return the solution; all NaN if the solver gave up.

    Some models replace a failed solution by zeros, which a search for a start would take for a
    curve: so the solution is always marked as successful.
    """
    import jax
    import jax.numpy as jnp

    found = solution.result == successful
    values = jax.tree.map(lambda leaf: jnp.where(found, leaf, jnp.nan), solution.ys)
    return dataclasses.replace(solution, ys=values, result=successful)


def solves_equations(kind: type) -> bool:
    """Whether one of RheoJAX's classes solves differential equations in any test mode."""
    return _part(kind) in _SOLVE_EQUATIONS


def _part(kind: type) -> str:
    """Return the part of `rheojax.models` that a class is from."""
    return kind.__module__.split(".")[2]
