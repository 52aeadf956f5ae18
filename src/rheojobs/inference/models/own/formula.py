"""Models given by a formula, such as ``"G0*exp(-t/tau)"``; imports no JAX.

The variable tells the test: t is a time, omega an angular frequency, gamma_dot a shear rate. What
is left of ``=`` tells the quantity: ``J = 1/G0 + t/eta`` is a creep compliance.
"""

from __future__ import annotations

import functools
import inspect
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Self

import numpy as np

from rheojobs.errors import InputError
from rheojobs.inference.data.protocol import MODE_CONSTANTS
from rheojobs.inference.data.test_modes import TEST_MODES
from rheojobs.inference.expressions.dimensions import Dimension, dimensions_of
from rheojobs.inference.expressions.expression import Expression
from rheojobs.inference.expressions.parser import parse
from rheojobs.inference.models.model import Model
from rheojobs.inference.models.own.assumed import assumed_parameter
from rheojobs.inference.models.own.equal_terms import equal_terms

__all__ = ["FormulaModel", "formula_model", "modes_of"]

EXAMPLE = "G0*exp(-t/tau)"
IMAGINARY = "i"
_OVER_TIME = ("relaxation", "creep", "startup", "laos")
_MODES_OF: dict[str, tuple[str, ...]] = {
    "t": _OVER_TIME,
    "omega": ("oscillation",),
    "gamma_dot": ("flow_curve",),
    "x": TEST_MODES,
}
"""The variables, in the order in which they are looked for, and the tests of each."""

_HEADS: dict[str, tuple[str, ...]] = {
    "G": ("relaxation",),
    "J": ("creep",),
    "G*": ("oscillation",),
    "sigma": ("startup", "laos", "flow_curve"),
    "eta": ("flow_curve",),
}
"""What may be left of =, and the tests of each."""

_TIME, _RATE, _STRESS = Dimension(0, 1), Dimension(0, -1), Dimension(1, 0)
_CONSTANTS = {
    "gamma_dot": _RATE,
    "sigma_applied": _STRESS,
    "gamma_0": Dimension(),
    "omega": _RATE,
    "sigma_0": _STRESS,
    IMAGINARY: Dimension(),
}
_QUANTITIES = {
    "relaxation modulus": _STRESS,
    "creep compliance": Dimension(-1, 0),
    "complex modulus": _STRESS,
    "shear stress": _STRESS,
    "viscosity": Dimension(1, 1),
}


@dataclass(frozen=True)
class Formula:
    """The function of a formula, as `Model` calls it.

    Attributes
    ----------
    expressions : tuple of Expression
        One, or those of G' and G''.
    variable : str
        The name of x in it.
    parameters, constants : tuple of str
        Its other names: parameters, and constants of the test.
    """

    expressions: tuple[Expression, ...]
    variable: str
    parameters: tuple[str, ...]
    constants: tuple[str, ...]
    __signature__: inspect.Signature = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        kind = inspect.Parameter
        places = [kind(name, kind.POSITIONAL_ONLY) for name in ("x", "params")]
        named = [kind(name, kind.KEYWORD_ONLY) for name in self.constants]
        object.__setattr__(self, "__signature__", inspect.Signature([*places, *named]))

    @property
    def text(self) -> str:
        """The formula; equal texts mean the same."""
        return "; ".join(each.text for each in self.expressions)

    def __call__(self, x: Any, params: Any, **constants: Any) -> Any:
        """Predict, as `Model.function` does."""
        values = {name: params[k] for k, name in enumerate(self.parameters)}
        values |= constants | {self.variable: x}
        if IMAGINARY not in self.parameters:
            values[IMAGINARY] = np.complex128(1j)
        parts = [each.evaluate(values) for each in self.expressions]
        return parts[0] if len(parts) == 1 else tuple(parts)


@dataclass(frozen=True, eq=False)
class FormulaModel(Model):
    """A model given by a formula: units, bounds and equal terms depend on the test."""

    function: Formula

    def for_test(self, test_mode: str) -> Self:
        """Return the model with the units and the bounds that its parameters have in that test."""
        parameters = _parameters(self.function, test_mode, self.quantity(test_mode))
        return replace(self, parameters=parameters, modes=equal_terms(parameters, self._tried))

    def _tried(self, values: Mapping[str, float]) -> Any:
        """Return what the formula gives for these parameters, at a few x and constants."""
        constants = {name: 0.7 + 0.1 * k for k, name in enumerate(self.function.constants)}
        x = np.array([0.3, 1.1, 2.7])
        return self.function(x, [values[name] for name in self.names], **constants)


@functools.lru_cache(maxsize=256)
def formula_model(text: str) -> FormulaModel:
    """Return the model of a formula.

    Parameters
    ----------
    text : str
        Such as ``"G0*exp(-t/tau)"``; ``"G* = G0*i*omega*tau/(1 + i*omega*tau)"``; ``"G' = ...;
        G'' = ..."``. A name that is neither the variable nor a constant of the test is a
        parameter.

    Raises
    ------
    InputError
        In one line: what is wrong, at which column, and what would be right.
    """
    shown = text if len(text) <= 60 else f"{text[:59]}…"
    where = f"formula {shown!r}"
    head, expressions = _expressions(text, where)
    names = list(dict.fromkeys(name for each in expressions for name in each.free_names()))
    variable = next((name for name in _MODES_OF if name in names), None)
    if variable is None:
        raise InputError(
            f"{where} has no variable: t (a time), omega (an angular frequency), gamma_dot (a "
            "shear rate) or x"
        )
    is_complex = IMAGINARY in names or len(expressions) == 2
    modes = _modes(head, variable, where)
    if variable == "x":
        modes = tuple(mode for mode in modes if (mode == "oscillation") == is_complex)
    if "oscillation" in modes and not is_complex:
        raise InputError(
            f"{where} is real, but a formula of omega gives G* = G' + iG'': write i*omega, or two "
            "formulas, as in \"G' = ...; G'' = ...\""
        )
    if is_complex and "oscillation" not in modes:
        raise InputError(
            f"{where} is complex, which only a formula of omega can be: {IMAGINARY} is the "
            "imaginary unit, so give a parameter another name"
        )
    modes, constants = _with_constants(modes, [name for name in names if name != variable])
    taken = {variable, IMAGINARY, *constants}
    parameters = tuple(name for name in names if name not in taken)
    if not parameters:
        raise InputError(f"{where} has no parameters: all its names are variables or constants")
    function = Formula(expressions, variable, parameters, constants)
    model = FormulaModel(
        name=text.strip(),
        function=function,
        parameters=tuple(assumed_parameter(name, None) for name in parameters),
        test_modes=modes,
        description=_pretty(head, expressions),
        flow_quantity="viscosity" if head == "eta" else "stress",
        key=("formula", function.text, variable, parameters, constants),
    )
    return model.for_test(modes[0])


def _expressions(text: str, where: str) -> tuple[str, tuple[Expression, ...]]:
    """Return what is left of = and the expressions right of it: two for G' and G''."""
    halves = [half for half in text.split(";") if half.strip()]
    if len(halves) > 2:
        raise InputError(f"{where}: there is at most one ;, between G' and G''")
    heads, found, start = [], [], 0
    for half in text.split(";"):
        head, equals, body = half.rpartition("=")
        heads.append(_head(head, where) if equals else "")
        place = start + len(head) + len(equals)
        # Blanks in place of what is before, so that columns are those of the whole text.
        found.append(parse(" " * place + body, where, example=EXAMPLE, is_complex=True))
        start += len(half) + 1
    if len(found) == 1 and heads[0] not in ("G'", "G''"):
        return heads[0], tuple(found)
    if sorted(heads) != ["G'", "G''"]:
        raise InputError(
            f"{where}: give the two moduli as \"G' = ...; G'' = ...\", or one complex formula, G*"
        )
    return "G*", tuple(found if heads[0] == "G'" else found[::-1])


def _head(text: str, where: str) -> str:
    """Return the quantity left of =, by its usual sign."""
    plain = re.sub(r"\([^()]*\)$", "", re.sub(r"\s", "", text))
    for sign, usual in (("″", "''"), ("′", "'"), ("σ", "sigma"), ("η", "eta"), ('"', "''")):
        plain = plain.replace(sign, usual)
    if plain not in (*_HEADS, "G'", "G''"):
        known = ", ".join((*_HEADS, "G'", "G''"))
        raise InputError(f"{where}, column 1: {text.strip()!r} cannot be left of =; known: {known}")
    return plain


def _modes(head: str, variable: str, where: str) -> tuple[str, ...]:
    """Return the tests that a quantity and a variable leave."""
    modes = tuple(mode for mode in _MODES_OF[variable] if not head or mode in _HEADS[head])
    if not modes:
        raise InputError(f"{where}: {head} is no function of {variable}")
    return modes


def modes_of(variable: str, constants: Sequence[str]) -> tuple[str, ...]:
    """Return the tests of a function of that variable and constants; empty if it tells none."""
    return _with_constants(_MODES_OF.get(variable, ()), constants)[0]


def _with_constants(
    modes: Sequence[str], names: Sequence[str]
) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Return the tests that have the constants among the names, and these; usual ones first."""
    usual = ("startup", "laos") if {"gamma_dot", "omega"} & {*names} else ()
    ordered = sorted(modes, key=lambda mode: mode not in usual)
    every = {name for mode in modes for name in MODE_CONSTANTS[mode]}
    constants = tuple(name for name in names if name in every)
    suited = tuple(mode for mode in ordered if set(constants) <= {*MODE_CONSTANTS[mode]})
    return suited or tuple(ordered), constants


def _pretty(head: str, expressions: Sequence[Expression]) -> str:
    if len(expressions) == 2:
        return f"G′ = {expressions[0].pretty}; G″ = {expressions[1].pretty}"
    sign = {"sigma": "σ = ", "eta": "η = ", "": ""}.get(head, f"{head} = ")
    return f"{sign}{expressions[0].pretty}"


def _parameters(formula: Any, test_mode: str, quantity: str) -> tuple[Any, ...]:
    """Return the parameters of a formula with units and bounds for a test."""
    known: Mapping[str, Dimension] = {
        name: _CONSTANTS[name]
        for name in (*formula.constants, IMAGINARY)
        if name not in formula.parameters
    }
    x = {"oscillation": _RATE, "flow_curve": _RATE}.get(test_mode, _TIME)
    dimensions = dimensions_of(
        formula.expressions, {**known, formula.variable: x}, _QUANTITIES[quantity]
    )
    return tuple(assumed_parameter(name, dimensions.get(name)) for name in formula.parameters)
