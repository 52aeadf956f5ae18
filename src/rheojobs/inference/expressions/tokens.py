"""Split the text of an expression into tokens, each with its column."""

from __future__ import annotations

import math
import re
from dataclasses import dataclass

from rheojobs.errors import InputError
from rheojobs.inference.expressions.symbols import SUPERSCRIPTS, spelled

__all__ = ["ALLOWED", "Token", "tokenize"]

ALLOWED = "numbers, names, + - * / ** (or ^), parentheses and functions such as exp are"

_TOKEN = re.compile(
    r"(?P<number>(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?(?P<imaginary>j\b)?)"
    r"|(?P<name>(?![⁰¹²³⁴⁵⁶⁷⁸⁹])[^\W\d](?:(?![⁰¹²³⁴⁵⁶⁷⁸⁹])[\w\u0307∞])*)"
    r"|(?P<raised>[⁰¹²³⁴⁵⁶⁷⁸⁹⁻]+)"
    r"|(?P<sign>\*\*|[-+*/^(),·×−√])",
)
_SIGNS = {"^": "**", "·": "*", "×": "*", "−": "-"}
_EXACT = 2**53


@dataclass(frozen=True, slots=True)
class Token:
    """A piece of an expression.

    Attributes
    ----------
    kind : str
        ``"number"``, ``"name"``, ``"raised"`` (a power in superscripts), ``"end"`` or a sign.
    text : str
        As it was written; a name is spelled in plain letters.
    column : int
        From 1.
    value : int, float or complex
        Of a number or a power.
    """

    kind: str
    text: str
    column: int
    value: int | float | complex = 0


def tokenize(text: str, where: str) -> list[Token]:
    """Return the tokens of a text; `where` names it in errors.

    Raises
    ------
    InputError
        With the column of what is no part of an expression.
    """
    tokens: list[Token] = []
    place = 0
    while place < len(text):
        if text[place].isspace():
            place += 1
            continue
        found = _TOKEN.match(text, place)
        if found is None:
            raise _refused(text, place, where)
        tokens.append(_token(found, where))
        place = found.end()
    return [*tokens, Token("end", "", len(text) + 1)]


def _token(found: re.Match[str], where: str) -> Token:
    text, column = found[0], found.start() + 1
    if found["sign"]:
        if text == "√":
            return Token("name", "sqrt", column)
        return Token(_SIGNS.get(text, text), text, column)
    if found["raised"]:
        digits = "".join(SUPERSCRIPTS[letter] for letter in text)
        if re.fullmatch(r"-?\d{1,3}", digits) is None:
            raise InputError(f"{where}, column {column}: {text!r} is no power")
        return Token("raised", text, column, int(digits))
    if found["name"]:
        name, gap = spelled(text)
        if gap is not None:
            words = f"write a sign between {text[:gap]!r} and {text[gap:]!r}, such as *"
            raise InputError(f"{where}, column {column + gap}: {words}")
        if re.fullmatch(r"[A-Za-z][A-Za-z0-9_]*", name) is None or "__" in name:
            words = f"{text!r} cannot be a name; names have letters, digits and single _"
            raise InputError(f"{where}, column {column}: {words}")
        return Token("name", name, column)
    value = _number(text)
    if not math.isfinite(abs(value)):
        raise InputError(f"{where}, column {column}: {text[:20]} is too large for a number")
    return Token("number", text, column, value)


def _number(text: str) -> int | float | complex:
    """Return an integer that floats hold exactly as one; anything else as a float."""
    if text.endswith("j"):
        return complex(0.0, float(text[:-1]))
    value = float(text)
    return int(value) if text.isdigit() and value < _EXACT else value


def _refused(text: str, place: int, where: str) -> InputError:
    sign = text[place]
    words = f"{sign!r} is not allowed; {ALLOWED}"
    if sign in "=<>!":
        words = f"{sign!r} is not allowed: an expression computes a value, and compares nothing"
    elif sign == ".":
        words = "'.' is not allowed outside a number; there are no attributes"
    elif sign in "'\"′″":
        words = f"{sign!r} is not allowed: there are no texts, and no names with primes"
    return InputError(f"{where}, column {place + 1}: {words}")
