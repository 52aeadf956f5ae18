"""Ties: parameters computed from others, such as ``{"G2": "0.5 * G1"}``.

An expression is parsed, never executed.
"""

from __future__ import annotations

import functools
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from rheojobs.errors import InputError, nearest
from rheojobs.inference.expressions.expression import Expression
from rheojobs.inference.expressions.parser import parse

__all__ = ["Tie", "parse_tie", "parse_ties"]

LONGEST = 500


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
        return _expression(self.text).evaluate(values)


@functools.lru_cache(maxsize=256)
def _expression(text: str) -> Expression:
    """Parse an expression; cached, since it is evaluated often."""
    return parse(text)


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
    tie = parse_tie(name, text, names)
    for source in tie.sources:
        if source not in names:
            raise InputError(
                f"tie {name} = {text!r}: {model} has no parameter {source!r}; "
                f"{nearest(source, names)}"
            )
    return tie


def parse_tie(name: str, text: str, known: Sequence[str] = ()) -> Tie:
    """Parse one tie for any parameters; raises `InputError` for anything but an expression.

    The parameters `known` are no constants, if one is called e or pi.
    """
    where = f"tie {name} = {text!r}"
    if not isinstance(text, str) or not text.strip():
        raise InputError(f"{where}: must be an expression such as '0.5 * G1'")
    if len(text) > LONGEST:
        raise InputError(f"tie of {name}: longer than {LONGEST} characters")
    expression = parse(text, where)
    return Tie(name, expression.text, expression.free_names(known))
