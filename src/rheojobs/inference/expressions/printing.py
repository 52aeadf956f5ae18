"""Print the tree of an expression, as Python writes it or with the symbols of the field."""

from __future__ import annotations

from collections.abc import Sequence

from rheojobs.inference.expressions.symbols import raised, symbol_of
from rheojobs.inference.expressions.tree import Binary, Call, Name, Negative, Node, Number, fold

__all__ = ["as_pretty", "as_text"]

_SUM, _PRODUCT, _SIGN, _POWER, _ATOM = range(5)
_RANKS = {"+": _SUM, "-": _SUM, "*": _PRODUCT, "/": _PRODUCT, "**": _POWER}
_PRETTY = {"+": " + ", "-": " − ", "*": "·", "/": "/"}

type Printed = tuple[str, int]
"""A text, and how tightly it holds together."""


def as_text(tree: Node) -> str:
    """Return the expression as `ast.unparse` writes it; parsing it gives the same tree."""
    return fold(tree, _text)[0]


def as_pretty(tree: Node) -> str:
    """Return the expression with Greek letters, subscripts and superscripts."""
    return fold(tree, _symbols)[0]


def _within(part: Printed, least: int) -> str:
    """Return a text that stands where its rank must be at least `least`."""
    text, rank = part
    return text if rank >= least else f"({text})"


def _text(node: Node, parts: Sequence[Printed]) -> Printed:
    if isinstance(node, Number):
        return _number(node), _ATOM
    if isinstance(node, Name):
        return node.name, _ATOM
    if isinstance(node, Negative):
        return f"-{_within(parts[0], _SIGN)}", _SIGN
    if isinstance(node, Call):
        return f"{node.function}({', '.join(text for text, _ in parts)})", _ATOM
    left, right = _sides(node, parts)
    return f"{left} {node.sign} {right}", _RANKS[node.sign]


def _sides(node: Binary, parts: Sequence[Printed]) -> tuple[str, str]:
    rank = _RANKS[node.sign]
    if node.sign == "**":  # from right to left
        return _within(parts[0], _ATOM), _within(parts[1], _POWER)
    return _within(parts[0], rank), _within(parts[1], rank + 1)


def _number(node: Number) -> str:
    if isinstance(node.value, complex):
        return f"{node.value.imag!r}j"
    return repr(node.value)


def _symbols(node: Node, parts: Sequence[Printed]) -> Printed:
    if isinstance(node, Number):
        return _number(node).replace("-", "−"), _ATOM
    if isinstance(node, Name):
        return symbol_of(node.name), _ATOM
    if isinstance(node, Negative):
        return f"−{_within(parts[0], _SIGN)}", _SIGN
    if isinstance(node, Call):
        name = {"gamma": "Γ", "sqrt": "√"}.get(node.function, node.function)
        return f"{name}({', '.join(text for text, _ in parts)})", _ATOM
    left, right = _sides(node, parts)
    if node.sign == "**":
        exponent = node.right
        minus = isinstance(exponent, Negative)
        inner = exponent.operand if isinstance(exponent, Negative) else exponent
        if isinstance(inner, Number) and isinstance(inner.value, int):
            return f"{left}{raised('-' * minus + str(inner.value))}", _POWER
        return f"{left}^{_within(parts[1], _ATOM)}", _POWER
    return f"{left}{_PRETTY[node.sign]}{right}", _RANKS[node.sign]
