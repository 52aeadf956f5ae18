"""The tree of an expression: its nodes, and how it is traversed without recursion."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

__all__ = ["Binary", "Call", "Name", "Negative", "Node", "Number", "children", "fold"]


@dataclass(frozen=True, slots=True)
class Number:
    """A number that is not negative; an integer if it was written as one; perhaps imaginary."""

    value: int | float | complex


@dataclass(frozen=True, slots=True)
class Name:
    """A variable, a parameter or a constant."""

    name: str


@dataclass(frozen=True, slots=True)
class Negative:
    """``-operand``."""

    operand: Node


@dataclass(frozen=True, slots=True)
class Binary:
    """``left sign right``, where the sign is one of ``+ - * / **``."""

    sign: str
    left: Node
    right: Node


@dataclass(frozen=True, slots=True)
class Call:
    """``function(arguments)``."""

    function: str
    arguments: tuple[Node, ...]


type Node = Number | Name | Negative | Binary | Call


def children(node: Node) -> tuple[Node, ...]:
    """Return the nodes directly below a node, from left to right."""
    if isinstance(node, Binary):
        return node.left, node.right
    if isinstance(node, Negative):
        return (node.operand,)
    return node.arguments if isinstance(node, Call) else ()


def fold[Value](tree: Node, combine: Callable[[Node, Sequence[Value]], Value]) -> Value:
    """Return what `combine` makes of the root, given a node and what it made of its children.

    A sum of many terms is a deep tree: recursion would end at Python's limit.
    """
    order, waiting = [], [tree]
    while waiting:
        node = waiting.pop()
        order.append(node)
        waiting += children(node)
    made: dict[int, Value] = {}
    for node in reversed(order):
        made[id(node)] = combine(node, [made[id(child)] for child in children(node)])
    return made[id(tree)]
