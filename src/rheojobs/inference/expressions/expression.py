"""`Expression`: a parsed expression, ready to be evaluated and printed."""

from __future__ import annotations

import functools
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Any

from rheojobs.inference.expressions.evaluation import CONSTANTS, evaluate
from rheojobs.inference.expressions.printing import as_pretty, as_text
from rheojobs.inference.expressions.tree import Node

__all__ = ["Expression"]


@dataclass(frozen=True, eq=False)
class Expression:
    """A parsed expression.

    Attributes
    ----------
    tree : Node
        Its nodes.
    names : tuple of str
        All names in it, in their order, those of constants included.
    """

    tree: Node
    names: tuple[str, ...]

    def __reduce__(self) -> tuple[Any, ...]:
        # By its text: a tree may be too deep to be pickled.
        return _again, (self.text,)

    @functools.cached_property
    def text(self) -> str:
        """The expression as Python writes it; equal texts mean the same."""
        return as_text(self.tree)

    @functools.cached_property
    def pretty(self) -> str:
        """The expression with the symbols of the field: ``G₀·exp(−t/τ)``."""
        return as_pretty(self.tree)

    def free_names(self, known: Collection[str] = ()) -> tuple[str, ...]:
        """Return the names that need a value: a constant's only if it is among the known ones."""
        return tuple(name for name in self.names if name not in CONSTANTS or name in known)

    def evaluate(self, values: Mapping[str, Any]) -> Any:
        """Return its value, given those of its names: floats, arrays or values that JAX traces.

        A constant, pi or e, has its usual value unless one is given. The result is NaN or
        infinite where there is no number.
        """
        return evaluate(self.tree, values)


def _again(text: str) -> Expression:
    from rheojobs.inference.expressions.parser import parse

    return parse(text, is_complex=True, longest=len(text))
