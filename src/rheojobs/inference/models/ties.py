"""Ties: parameters computed from others by arithmetic, such as ``{"G2": "0.5 * G1"}``.

Numbers, names, ``+ - * / **`` and parentheses; an expression is parsed, never executed.
"""

from __future__ import annotations

import ast
import functools
import math
import operator
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from rheojobs.errors import InputError, nearest

__all__ = ["Tie", "parse_tie", "parse_ties"]

LONGEST = 500

_BINARY: dict[type[ast.operator], Callable[[Any, Any], Any]] = {
    ast.Add: operator.add,
    ast.Sub: operator.sub,
    ast.Mult: operator.mul,
    ast.Div: operator.truediv,
    ast.Pow: operator.pow,
}
_UNARY: dict[type[ast.unaryop], Callable[[Any], Any]] = {
    ast.USub: operator.neg,
    ast.UAdd: operator.pos,
}


@dataclass(frozen=True)
class Tie:
    """A parameter that is computed from others.

    Attributes
    ----------
    name : str
        The parameter.
    text : str
        The expression, as Python writes it; equal texts mean the same.
    sources : tuple of str
        The parameters in it.
    """

    name: str
    text: str
    sources: tuple[str, ...]

    def evaluate(self, values: Mapping[str, Any]) -> Any:
        """Compute the parameter from the values of its sources: floats, arrays or traced values."""
        return _evaluate(_body(self.text), values)


@functools.lru_cache(maxsize=256)
def _body(text: str) -> ast.expr:
    """Parse an expression; cached, since it is evaluated often."""
    return ast.parse(text, mode="eval").body


def parse_ties(
    texts: Mapping[str, str], names: Sequence[str], model: str, fixed: Sequence[str] = ()
) -> tuple[Tie, ...]:
    """Parse ties, and order them so that each can be computed.

    Parameters
    ----------
    texts : mapping of str to str
        The expressions by parameter.
    names : sequence of str
        The model's parameters.
    model : str
        Its name, for messages.
    fixed : sequence of str
        Parameters with a fixed value.

    Returns
    -------
    tuple of Tie
        Each after those on which it depends.

    Raises
    ------
    InputError
        For an unknown name, anything but arithmetic, or a cycle.
    """
    ties = {name: _parse(name, text, names, model) for name, text in texts.items()}
    for name in ties:
        if name in fixed:
            raise InputError(f"{model}: {name!r} is fixed and tied at once: leave out one of them")
    ordered: list[Tie] = []
    done: set[str] = set()

    def place(name: str, path: tuple[str, ...]) -> None:
        if name in path:
            circle = " -> ".join([*path[path.index(name) :], name])
            raise InputError(f"{model}: the ties go round in a circle: {circle}")
        if name in done:
            return
        for source in ties[name].sources:
            if source in ties:
                place(source, (*path, name))
        done.add(name)
        ordered.append(ties[name])

    for name in ties:
        place(name, ())
    return tuple(ordered)


def _parse(name: str, text: str, names: Sequence[str], model: str) -> Tie:
    if name not in names:
        raise InputError(f"{model} has no parameter {name!r} to tie; {nearest(str(name), names)}")
    tie = parse_tie(name, text)
    for source in tie.sources:
        if source not in names:
            raise InputError(
                f"tie {name} = {text!r}: {model} has no parameter {source!r}; "
                f"{nearest(source, names)}"
            )
    return tie


def parse_tie(name: str, text: str) -> Tie:
    """Parse one tie for any parameters; raises `InputError` for anything but arithmetic."""
    where = f"tie {name} = {text!r}"
    if not isinstance(text, str) or not text.strip():
        raise InputError(f"{where}: must be an expression such as '0.5 * G1'")
    if len(text) > LONGEST:
        raise InputError(f"tie of {name}: longer than {LONGEST} characters")
    try:
        body = ast.parse(text.strip(), mode="eval").body
    except (SyntaxError, ValueError, MemoryError, RecursionError):
        raise InputError(f"{where} is not an arithmetic expression, such as '0.5 * G1'") from None
    sources: list[str] = []
    for node in ast.walk(body):
        if isinstance(node, ast.Name):
            if node.id not in sources:
                sources.append(node.id)
        elif isinstance(node, ast.Constant):
            if isinstance(node.value, bool) or not isinstance(node.value, int | float):
                raise InputError(f"{where}: {node.value!r} is not a number")
        elif isinstance(node, ast.BinOp):
            _check_operator(where, node.op, _BINARY)
        elif isinstance(node, ast.UnaryOp):
            _check_operator(where, node.op, _UNARY)
        elif not isinstance(node, ast.operator | ast.unaryop | ast.expr_context):
            what = ast.unparse(node) if isinstance(node, ast.expr) else type(node).__name__
            raise InputError(
                f"{where}: {what!r} is not allowed; numbers, names, + - * / ** and () are"
            )
    _check_constants(where, body)
    return Tie(name, ast.unparse(body), tuple(sources))


def _check_constants(where: str, node: ast.AST) -> bool:
    """Return whether there is no name in an expression, which then must have a finite value."""
    parts = [_check_constants(where, part) for part in ast.iter_child_nodes(node)]
    is_constant = all(parts) and not isinstance(node, ast.Name)
    if is_constant and isinstance(node, ast.expr):
        try:
            value = _evaluate(node, {})
        except ArithmeticError:  # 1/0, 9**9**9
            value = math.nan
        if not isinstance(value, float) or not math.isfinite(value):  # (-2)**0.5 is complex
            raise InputError(f"{where}: {ast.unparse(node)!r} has no finite value")
    return is_constant


def _check_operator(where: str, found: ast.AST, known: Mapping[Any, object]) -> None:
    if type(found) not in known:
        raise InputError(f"{where}: {type(found).__name__} is not allowed; + - * / ** are")


def _evaluate(node: ast.expr, values: Mapping[str, Any]) -> Any:
    if isinstance(node, ast.Constant):
        return float(node.value)  # type: ignore[arg-type]
    if isinstance(node, ast.Name):
        return values[node.id]
    if isinstance(node, ast.UnaryOp):
        return _UNARY[type(node.op)](_evaluate(node.operand, values))
    assert isinstance(node, ast.BinOp)
    left, right = _evaluate(node.left, values), _evaluate(node.right, values)
    return _BINARY[type(node.op)](left, right)
