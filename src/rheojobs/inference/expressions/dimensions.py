"""Find the dimensions of the names in an expression from what it computes.

In ``G0*exp(-t/tau)``, tau is a time since the argument of exp is a number, and G0 is a modulus if
the whole is one. Each operation is a linear equation in the exponents of Pa and s.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from rheojobs.inference.expressions.evaluation import CONSTANTS
from rheojobs.inference.expressions.expression import Expression
from rheojobs.inference.expressions.symbols import symbol_of
from rheojobs.inference.expressions.tree import Binary, Call, Name, Negative, Node, Number, fold

__all__ = ["Dimension", "dimensions_of"]

_TOLERANCE = 1e-9
_SAME = ("abs", "min", "max")
"""Functions of the dimension of their arguments."""

type Floats = NDArray[np.float64]


@dataclass(frozen=True)
class Dimension:
    """The dimension of a quantity.

    Attributes
    ----------
    pascals, seconds : float
        The powers of Pa and s.
    by_exponent : tuple of (str, float, float)
        Powers that depend on an exponent, such as ``("n", 0, 1)`` for s^n.
    is_exponent : bool
        Whether the name stands in an exponent; it is a number then.
    """

    pascals: float = 0.0
    seconds: float = 0.0
    by_exponent: tuple[tuple[str, float, float], ...] = ()
    is_exponent: bool = False

    @property
    def is_number(self) -> bool:
        """Whether it is a number without a unit."""
        return self.pascals == self.seconds == 0 and not self.by_exponent

    @property
    def unit(self) -> str:
        """The unit, such as ``"Pa·s"``, ``"1/s"``, ``"Pa·s^n"`` or ``"dimensionless"``."""
        if self.is_number:
            return "dimensionless"
        factors = [("Pa", _shown(self.pascals)), ("s", _shown(self.seconds))]
        for name, pascals, seconds in self.by_exponent:
            factors += [("Pa", _shown(pascals, name)), ("s", _shown(seconds, name))]
        factors = [(unit, power) for unit, power in factors if power]
        if len(factors) == 1 and factors[0][1] == "-1":
            return f"1/{factors[0][0]}"
        return "·".join(unit if power == "1" else f"{unit}^{power}" for unit, power in factors)


def _shown(power: float, name: str = "") -> str:
    if not power:
        return ""
    if not name:
        return f"{power:g}"
    return {1.0: "", -1.0: "-"}.get(power, f"{power:g}") + symbol_of(name)


def dimensions_of(
    expressions: Sequence[Expression], known: Mapping[str, Dimension], result: Dimension
) -> dict[str, Dimension]:
    """Return the dimensions of the names that follow from the result's and the known ones'.

    Parameters
    ----------
    expressions : sequence of Expression
        All of the same dimension.
    known : mapping of str to Dimension
        Such as that of the time, t.
    result : Dimension
        What the expressions compute.

    Returns
    -------
    dict of str to Dimension
        Of the names that have one; empty if the equations contradict each other, as in
        ``G0*exp(-t)``, where a number stands for a quantity.
    """
    names = list(dict.fromkeys(name for each in expressions for name in each.names))
    names = [name for name in names if name not in known and name not in CONSTANTS]
    exponents = {name for each in expressions for name in fold(each.tree, _names_of_powers)[1]}
    system = _System(names, [name for name in names if name in exponents], known)
    for each in expressions:
        form = fold(each.tree, system.combine)
        if form is None:
            return {}
        system.equate(form, system.constant(result))
    return system.solution()


class _System:
    """The equations, and the forms that they equate.

    A form has the shape (2 + 2 e, u + 1): the powers of Pa and s, and of both times each of e
    exponents, as a linear function of u unknowns and 1.
    """

    def __init__(
        self, names: list[str], exponents: list[str], known: Mapping[str, Dimension]
    ) -> None:
        self._names = names
        self._exponents = exponents
        self._known = known
        self._rows = 2 + 2 * len(exponents)
        self._columns = self._rows * len(names) + 1
        self._equations: list[Floats] = []

    def _zero(self) -> Floats:
        return np.zeros((self._rows, self._columns))

    def constant(self, dimension: Dimension) -> Floats:
        form = self._zero()
        form[:2, -1] = dimension.pascals, dimension.seconds
        return form

    def equate(self, left: Floats, right: Floats | None = None) -> None:
        self._equations.append(left if right is None else left - right)

    def combine(self, node: Node, parts: Sequence[Floats | None]) -> Floats | None:
        """Return the form of a node; None if there is none, for a power that has no one form."""
        given = [part for part in parts if part is not None]
        if len(given) < len(parts):
            return None
        if isinstance(node, Number):
            return self._zero()
        if isinstance(node, Name):
            return self._name(node.name)
        if isinstance(node, Negative):
            return given[0]
        if isinstance(node, Call):
            return self._call(node.function, given)
        left, right = given
        if node.sign in "+-":
            self.equate(left, right)
            return left
        if node.sign == "**":
            return self._power(node, left, right)
        return left + right if node.sign == "*" else left - right

    def _name(self, name: str) -> Floats:
        if name in CONSTANTS and name not in self._names:
            return self._zero()
        if name in self._known:
            return self.constant(self._known[name])
        form = self._zero()
        first = self._names.index(name) * self._rows
        form[:, first : first + self._rows] = np.eye(self._rows)
        return form

    def _call(self, function: str, arguments: Sequence[Floats]) -> Floats:
        if function == "sqrt":
            return 0.5 * arguments[0]
        if function in _SAME:
            for other in arguments[1:]:
                self.equate(other, arguments[0])
            return arguments[0]
        self.equate(arguments[0])
        return self._zero()

    def _power(self, node: Binary, base: Floats, exponent: Floats) -> Floats:
        self.equate(exponent)
        affine = fold(node.right, _affine)
        if affine is None:
            self.equate(base)
            return self._zero()
        form: Floats = affine.get("", 0.0) * base
        for name, factor in affine.items():
            if not name:
                continue
            if name not in self._names:  # a variable in the exponent
                self.equate(base)
                continue
            form = form.copy()
            first = 2 + 2 * self._exponents.index(name)
            form[first : first + 2] += factor * base[:2]
            # A power of a power of this kind would need products of exponents.
            rest = base.copy()
            rest[:2] = 0
            self.equate(rest)
        return form

    def solution(self) -> dict[str, Dimension]:
        """Solve the equations; return the dimensions that they determine."""
        if not self._names:
            return {}
        rows = np.concatenate(self._equations)
        rows = np.unique(rows[np.any(rows != 0, axis=1)], axis=0)
        matrix, right = rows[:, :-1], -rows[:, -1]
        if not len(rows):
            return {}
        found, _, rank, _ = np.linalg.lstsq(matrix, right, rcond=None)
        if np.abs(matrix @ found - right).max() > _TOLERANCE:
            return {}
        free = np.linalg.svd(matrix)[2][rank:]
        settled = np.all(np.abs(free) < _TOLERANCE, axis=0).reshape(-1, self._rows)
        powers = np.round(found, 9).reshape(-1, self._rows) + 0.0
        return {
            name: self._dimension(name, powers[k])
            for k, name in enumerate(self._names)
            if settled[k].all()
        }

    def _dimension(self, name: str, powers: Floats) -> Dimension:
        pairs = powers.reshape(-1, 2).tolist()
        by_exponent = tuple(
            (other, pascals, seconds)
            for other, (pascals, seconds) in zip(self._exponents, pairs[1:], strict=True)
            if pascals or seconds
        )
        pascals, seconds = pairs[0]
        return Dimension(pascals, seconds, by_exponent, name in self._exponents)


def _names_of_powers(
    node: Node, parts: Sequence[tuple[frozenset[str], frozenset[str]]]
) -> tuple[frozenset[str], frozenset[str]]:
    """Return the names in a node, and those in an exponent."""
    names = frozenset[str]().union(*(part[0] for part in parts))
    powers = frozenset[str]().union(*(part[1] for part in parts))
    if isinstance(node, Name):
        names = frozenset((node.name,))
    if isinstance(node, Binary) and node.sign == "**":
        powers |= parts[1][0]
    return names, powers


def _affine(node: Node, parts: Sequence[dict[str, float] | None]) -> dict[str, float] | None:
    """Return a linear function of names by its factors, the constant as ``""``, else None."""
    if isinstance(node, Number):
        return None if isinstance(node.value, complex) else {"": float(node.value)}
    if isinstance(node, Name):
        return {"": CONSTANTS[node.name]} if node.name in CONSTANTS else {node.name: 1.0}
    given = [part for part in parts if part is not None]
    if isinstance(node, Call) or len(given) < len(parts):
        return None
    if isinstance(node, Negative):
        return {name: -factor for name, factor in given[0].items()}
    left, right = given
    if node.sign in "+-":
        sign = 1.0 if node.sign == "+" else -1.0
        return left | {name: left.get(name, 0.0) + sign * right[name] for name in right}
    if node.sign == "*" and not left.keys() - {""}:
        left, right = right, left
    if node.sign == "**" or right.keys() - {""}:
        return None
    scale = right.get("", 0.0) if node.sign == "*" else 1.0 / right.get("", np.inf)
    return {name: factor * scale for name, factor in left.items()}
