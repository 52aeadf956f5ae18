"""Text for terminals and pipes whose encoding is not UTF-8, as often on Windows.

A question mark in the place of a minus or an exponent would be another number. So signs that an
encoding lacks are spelled with those that it has.
"""

from __future__ import annotations

import codecs
import contextlib
import json
import sys
from typing import TextIO

__all__ = ["can_show", "prepare", "print_json"]

_HANDLER = "rheojobs.spell"

_SPELLED = {
    "−": "-",
    "–": "-",
    "—": "-",
    "…": "...",
    "×": "x",
    "·": ".",
    "±": "+/-",
    "∞": "inf",
    "≤": "<=",
    "≥": ">=",
    "≈": "~",
    "√": "sqrt",
    "°": "deg",
    "µ": "u",
    "‰": "o/oo",
    "λ": "lambda",  # Unicode writes LAMDA
    "●": "x",
    "•": ".",
    "✓": "+",
    "✗": "x",
    "′": "'",
    "″": "''",
    "’": "'",
    "‘": "'",
    "“": '"',
    "”": '"',
    "→": "->",
    "\u0307": "_dot",  # combining, as in the shear rate
    "\u0302": "_hat",
}

_SUPERSCRIPTS = "⁺⁻⁰¹²³⁴⁵⁶⁷⁸⁹"
_RAISED = dict(zip(_SUPERSCRIPTS, "+-0123456789", strict=True))


def _spell(error: UnicodeError) -> tuple[str, int]:
    """Spell the signs that an encoding lacks; an error handler of `codecs`."""
    if not isinstance(error, UnicodeEncodeError):
        raise error
    text = error.object
    signs = [_spelled(text[n], text[n - 1 : n]) for n in range(error.start, error.end)]
    return "".join(signs), error.end


def _spelled(sign: str, before: str) -> str:
    import unicodedata

    if sign in _RAISED:
        power = _RAISED[sign]
        return power if before and before in _SUPERSCRIPTS else f"^{power}"
    if (known := _SPELLED.get(sign)) is not None:
        return known
    # γ is gamma, Δ is Delta; fractions, sub- and superscripts have plain forms.
    words = unicodedata.name(sign, "").split()
    if words[:1] == ["GREEK"] and len(words) == 4 and words[2] == "LETTER":
        return words[3].lower() if words[1] == "SMALL" else words[3].capitalize()
    parts = unicodedata.normalize("NFKD", sign).replace("\u2044", "/")  # ¼ is 1/4
    plain = "".join(part for part in parts if not unicodedata.combining(part))
    return plain if plain and plain.isascii() else "?"


def prepare(stream: TextIO) -> None:
    """Have a stream spell the signs that its encoding lacks."""
    codecs.register_error(_HANDLER, _spell)
    with contextlib.suppress(AttributeError):  # replaced by a plain stream, as in tests
        stream.reconfigure(errors=_HANDLER)  # type: ignore[attr-defined]


def can_show(text: str) -> bool:
    """Return whether standard output and standard error have all signs of a text."""
    return all(_has(stream, text) for stream in (sys.stdout, sys.stderr))


def _has(stream: TextIO | None, text: str) -> bool:
    try:
        text.encode(getattr(stream, "encoding", None) or "utf-8")
    except UnicodeEncodeError:
        return False
    return True


def print_json(text: str) -> None:
    """Write JSON to standard output; signs that its encoding lacks are escaped, so none is lost."""
    if not _has(sys.stdout, text):
        text = "".join(sign if sign.isascii() else json.dumps(sign)[1:-1] for sign in text)
    print(text, flush=True)
