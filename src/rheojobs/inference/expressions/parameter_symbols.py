"""Write the names of parameters as on paper: ``tau_1`` is τ₁; one parsing for text and figures."""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import NamedTuple

from rheojobs.inference.expressions.symbols import DOT, GREEK, symbol_of

__all__ = ["mathtext_of", "parameter_symbol", "with_symbols"]

_PRIMES = {"real": "G′", "imag": "G″"}
"""What the noise of the two moduli is an index to."""

_LOWERED = {"e": "ₑ", "k": "ₖ", "m": "ₘ"}
"""Subscript letters, as the equations of the models have them; few others exist in all fonts."""

_LETTERS = frozenset(GREEK.values())


class _Parts(NamedTuple):
    base: str
    dotted: bool
    below: str


def parameter_symbol(name: str) -> str:
    """Return a parameter's name in Unicode: τ₁, G₀, η_∞, σ_G″, γ̇; a word stays as it is.

    An index without subscript letters in Unicode follows an underscore: τ_α.
    """
    parts = _parts(name)
    if parts is None:
        return name
    base = symbol_of(parts.base) + (DOT if parts.dotted else "")
    if not parts.below:
        return base
    if parts.below in _PRIMES:
        return f"{base}_{_PRIMES[parts.below]}"
    if parts.below in _LOWERED:
        return base + _LOWERED[parts.below]
    return base + symbol_of(f"x_{parts.below}").removeprefix("x")


def with_symbols(text: str, names: Iterable[str]) -> str:
    """Return a text with the names of these parameters written as symbols."""
    symbols = {name: parameter_symbol(name) for name in names if name}
    if not symbols:
        return text
    longest_first = "|".join(map(re.escape, sorted(symbols, key=len, reverse=True)))
    return re.sub(rf"(?<!\w)({longest_first})(?!\w)", lambda found: symbols[found[1]], text)


def mathtext_of(name: str) -> str:
    """Return a parameter's name in the notation of Matplotlib: ``$\\tau_{1}$``; a word is plain."""
    parts = _parts(name)
    if parts is None:
        return name.replace("_", " ")
    base = _mathematical(parts.base)
    base = rf"\dot{{{base}}}" if parts.dotted else base
    return f"${base}_{{{_below(parts.below)}}}$" if parts.below else f"${base}$"


def _parts(name: str) -> _Parts | None:
    """Split a name into letter and index; None if it begins with a word, not a symbol."""
    found = re.fullmatch(r"([A-Za-z]+?)(_dot)?_?(\d*|(?<=_)[A-Za-z0-9_]+)", name.rstrip("_"))
    if found is None:
        return None
    base, index = found[1], found[3]
    if re.fullmatch("[A-Z][a-z]", base) and not index:  # Gm, Jk
        base, index = base[0], base[1]
    if base not in _LETTERS and len(base) > 2:
        return None
    return _Parts(base, found[2] is not None, index)


def _mathematical(word: str) -> str:
    return rf"\{word}" if word in _LETTERS else word


def _below(index: str) -> str:
    if index == "inf":
        return r"\infty"
    if index in _PRIMES:
        return "G" + r"\prime" * (1 + (index == "imag"))
    if index in _LETTERS:
        return _mathematical(index)
    return rf"\mathrm{{{index.replace('_', ',')}}}" if len(index) > 1 else index
