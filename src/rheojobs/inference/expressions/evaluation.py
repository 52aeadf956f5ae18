"""Evaluate the tree of an expression with NumPy or, for values of JAX, with JAX."""

from __future__ import annotations

import cmath
import functools
import math
import operator
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np

from rheojobs.inference.expressions.tree import (
    Binary,
    Call,
    Name,
    Negative,
    Node,
    Number,
    children,
    fold,
)

__all__ = ["CONSTANTS", "FUNCTIONS", "constant_value", "evaluate"]

MOST_ARGUMENTS = 100
CONSTANTS = {"pi": math.pi, "e": math.e}
FUNCTIONS: dict[str, tuple[int, int]] = {
    "exp": (1, 1),
    "log": (1, 1),
    "log10": (1, 1),
    "sqrt": (1, 1),
    "abs": (1, 1),
    "sin": (1, 1),
    "cos": (1, 1),
    "tan": (1, 1),
    "sinh": (1, 1),
    "cosh": (1, 1),
    "tanh": (1, 1),
    "gamma": (1, 1),
    "erf": (1, 1),
    "min": (2, MOST_ARGUMENTS),
    "max": (2, MOST_ARGUMENTS),
}
"""The functions, with the fewest and the most arguments of each; log is the natural one."""

_BINARY: dict[str, Callable[[Any, Any], Any]] = {
    "+": operator.add,
    "-": operator.sub,
    "*": operator.mul,
    "/": operator.truediv,
    "**": operator.pow,
}
_EXACT_POWERS = 64
"""Up to this integer, a power is computed by multiplications, also of negative numbers."""


def evaluate(tree: Node, values: Mapping[str, Any]) -> Any:
    """Return the value of an expression, given those of its names.

    Parameters
    ----------
    tree : Node
        The expression.
    values : mapping of str to float or array
        Of its names; those of `CONSTANTS` need none. If one is an array of JAX or is traced, so
        is the result, and it can be differentiated.

    Returns
    -------
    float or array
        As broadcast; NaN or infinite where there is no number.
    """
    is_jax = any(type(value).__module__.partition(".")[0] in _JAX for value in values.values())
    functions = _jax_functions() if is_jax else _numpy_functions()
    known = {
        name: np.float64(value) if isinstance(value, int | float) else value
        for name, value in (CONSTANTS | dict(values)).items()
    }

    def combine(node: Node, parts: Sequence[Any]) -> Any:
        if isinstance(node, Number):
            value = node.value
            return np.complex128(value) if isinstance(value, complex) else np.float64(value)
        if isinstance(node, Name):
            return known[node.name]
        if isinstance(node, Negative):
            return -parts[0]
        if isinstance(node, Call):
            function = functions[node.function]
            return functools.reduce(function, parts) if len(parts) > 1 else function(parts[0])
        power = _integer(node.right) if node.sign == "**" else None
        return _BINARY[node.sign](parts[0], parts[1] if power is None else power)

    with np.errstate(all="ignore"):
        return fold(tree, combine)


_JAX = ("jax", "jaxlib")


def _integer(node: Node) -> int | None:
    """Return a small integer that a node is, perhaps with a sign; None if it is none."""
    sign = -1 if isinstance(node, Negative) else 1
    node = node.operand if isinstance(node, Negative) else node
    if not isinstance(node, Number) or not isinstance(node.value, int):
        return None
    return sign * node.value if node.value <= _EXACT_POWERS else None


@functools.cache
def _numpy_functions() -> dict[str, Callable[..., Any]]:
    return _functions(np, _special_numpy)


def _special_numpy(name: str) -> Callable[[Any], Any]:
    # SciPy is imported when it is needed: reading a plan should not cost its import.
    def function(value: Any) -> Any:
        from scipy import special

        return getattr(special, name)(value)

    return function


@functools.cache
def _jax_functions() -> dict[str, Callable[..., Any]]:
    import jax.numpy as jnp
    from jax.scipy import special

    return _functions(jnp, functools.partial(getattr, special))


def _functions(library: Any, special: Callable[[str], Any]) -> dict[str, Callable[..., Any]]:
    others = {"min": library.minimum, "max": library.maximum}
    others |= {name: special(name) for name in ("gamma", "erf")}
    return {name: others.get(name) or getattr(library, name) for name in FUNCTIONS}


def constant_value(node: Node, known: Mapping[int, complex]) -> complex | None:
    """Return the value of a node without names, given those of its children by their ids.

    None if it has names. A function of a constant is left alone if it is not elementary.
    """
    parts = [known.get(id(child)) for child in children(node)]
    if isinstance(node, Name) or any(part is None for part in parts):
        return None
    if isinstance(node, Number):
        return complex(node.value)
    stand_ins: dict[str, Any] = {
        f"c{k}": np.complex128(part) for k, part in enumerate(parts) if part is not None
    }
    if all(value.imag == 0 for value in stand_ins.values()):
        stand_ins = {name: np.float64(value.real) for name, value in stand_ins.items()}
    names = tuple(Name(name) for name in stand_ins)
    flat: Node
    if isinstance(node, Binary):
        flat = Binary(node.sign, *names)
    elif isinstance(node, Negative):
        flat = Negative(*names)
    else:
        flat = Call(node.function, names)
    try:
        return complex(evaluate(flat, stand_ins))
    except (TypeError, ValueError, ArithmeticError):
        return complex(cmath.nan)
