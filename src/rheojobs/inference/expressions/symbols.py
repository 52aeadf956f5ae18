"""Greek letters and other symbols of the field: as names in an expression, and names as symbols."""

from __future__ import annotations

import re

__all__ = ["GREEK", "SUBSCRIPTS", "SUPERSCRIPTS", "spelled", "symbol_of"]

GREEK = {
    "α": "alpha",
    "β": "beta",
    "γ": "gamma",
    "δ": "delta",
    "ε": "epsilon",
    "ζ": "zeta",
    "η": "eta",
    "θ": "theta",
    "ι": "iota",
    "κ": "kappa",
    "λ": "lambda",
    "μ": "mu",
    "ν": "nu",
    "ξ": "xi",
    "π": "pi",
    "ρ": "rho",
    "σ": "sigma",
    "τ": "tau",
    "φ": "phi",
    "χ": "chi",
    "ψ": "psi",
    "ω": "omega",
    "Γ": "Gamma",
    "Δ": "Delta",
    "Θ": "Theta",
    "Λ": "Lambda",
    "Σ": "Sigma",
    "Φ": "Phi",
    "Ψ": "Psi",
    "Ω": "Omega",
}
"""Greek letters -> how they are spelled in names."""

_VARIANTS = {"ϕ": "phi", "ϵ": "epsilon", "ϑ": "theta", "µ": "mu"}
SUBSCRIPTS = dict(zip("₀₁₂₃₄₅₆₇₈₉", "0123456789", strict=True))
SUPERSCRIPTS = dict(zip("⁰¹²³⁴⁵⁶⁷⁸⁹⁻", "0123456789-", strict=True))
DOT = "\u0307"
"""A dot above the letter before it, as in γ̇."""

_LETTERS = {name: letter for letter, name in GREEK.items()} | {"inf": "∞"}
_SPELLED = GREEK | _VARIANTS | SUBSCRIPTS | {DOT: "_dot", "∞": "inf"}
_SUBSCRIPT_OF = {digit: letter for letter, digit in SUBSCRIPTS.items()}
_SUPERSCRIPT_OF = {digit: letter for letter, digit in SUPERSCRIPTS.items()}


def spelled(name: str) -> tuple[str, int | None]:
    """Return a name in plain letters, and where two letters need a sign between them, if any.

    ``η₀`` is ``eta0``, ``γ̇`` is ``gamma_dot``; in ``ωτ``, a ``*`` is missing at 1.
    """
    for place in range(1, len(name)):
        before, after = name[place - 1], name[place]
        is_greek = before in GREEK or before in _VARIANTS or after in GREEK or after in _VARIANTS
        if is_greek and before.isalpha() and after.isalpha():
            return name, place
    return "".join(_SPELLED.get(letter, letter) for letter in name), None


def symbol_of(name: str) -> str:
    """Return a name as written on paper: ``tau_1`` is τ₁, ``G0`` is G₀, ``eta_inf`` is η_∞."""
    head, *tails = name.strip("_").split("_")
    found = re.fullmatch(r"([A-Za-z]+?)(\d*)", head)
    letters, digits = (found[1], found[2]) if found else (head, "")
    symbol = _LETTERS.get(letters, letters)
    if tails and tails[0] == "dot":
        symbol, tails = symbol + DOT, tails[1:]
    symbol += "".join(map(_SUBSCRIPT_OF.__getitem__, digits))
    for tail in tails:
        lowered = tail.isascii() and tail.isdigit()
        symbol += "".join(map(_SUBSCRIPT_OF.__getitem__, tail)) if lowered else "_"
        symbol += "" if lowered else _LETTERS.get(tail, tail)
    return symbol


def raised(digits: str) -> str:
    """Return an integer as superscripts."""
    return "".join(map(_SUPERSCRIPT_OF.__getitem__, digits))
