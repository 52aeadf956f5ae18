"""How RheoJAX's differential equations are solved: so that they can be differentiated forwards.

Knows diffrax, by which RheoJAX solves them; must not know single models.
"""

from __future__ import annotations

import contextlib
import functools
import importlib
import threading
from collections.abc import Callable, Iterator
from contextvars import ContextVar
from typing import Any

__all__ = ["forward_mode", "solves_equations"]

_MOST_STEPS = 16384
_SOLVE_EQUATIONS = {"fikh", "fluidity", "giesekus", "hvm", "hvnm", "ikh", "stz", "tnt", "vlb"}
"""Parts of `rheojax.models`."""

_lock = threading.Lock()
_in_forward_mode: ContextVar[bool] = ContextVar("in_forward_mode", default=False)


@contextlib.contextmanager
def forward_mode(kind: type) -> Iterator[None]:
    """Have differential equations that are solved within differentiated forwards.

    Solutions of diffrax can by default be differentiated backwards alone, but a least-squares
    fit and the geometry of a sampling need the Jacobian, column by column. RheoJAX does not let
    that be chosen, so diffrax's function is replaced, once, by one that listens to this context;
    what is called outside of it is left as it is.
    """
    if not solves_equations(kind):
        yield
        return
    diffrax: Any = importlib.import_module("diffrax")
    with _lock:
        if not hasattr(diffrax.diffeqsolve, "in_forward_mode"):
            diffrax.diffeqsolve = _choosing(diffrax.diffeqsolve, diffrax.ForwardMode())
    token = _in_forward_mode.set(True)
    try:
        yield
    finally:
        _in_forward_mode.reset(token)


def _choosing(solve: Callable[..., Any], adjoint: Any) -> Callable[..., Any]:
    """Make diffrax's solver take that adjoint in our context, and give up what takes too long.

    Among the parameters that a fit looks at first there are always some that make the equations
    stiff, and all that are solved together wait for them. What is given up is not finite.
    """

    @functools.wraps(solve)
    def chosen(*args: Any, **named: Any) -> Any:
        if _in_forward_mode.get():
            steps = min(named.get("max_steps") or _MOST_STEPS, _MOST_STEPS)
            named |= {"adjoint": adjoint, "max_steps": steps, "throw": False}
        return solve(*args, **named)

    chosen.in_forward_mode = adjoint  # type: ignore[attr-defined]
    return chosen


def solves_equations(kind: type) -> bool:
    """Whether a class of RheoJAX's solves differential equations in any test mode."""
    return kind.__module__.split(".")[2] in _SOLVE_EQUATIONS
