"""The names of columns: which measured quantity a header means, and in which unit.

Knows spellings; must not know file formats, datasets or models.
"""

from __future__ import annotations

import re
import unicodedata

from rheojobs.inference.units import si_factor

__all__ = ["quantity_of", "recognise"]

# The spellings of a quantity, the preferred first. A single letter counts in its own case only:
# t is a time and T a temperature.
_SPELLINGS = {
    "time": "time|elapsed time|test time|step time|interval time|total time|run time|t",
    "angular frequency": "angular frequency|ang frequency|angular freq|ang freq|ω|omega|w"
    "|circular frequency|reduced angular frequency|reduced frequency|at ω|atω",
    "frequency": "frequency|freq|test frequency|f",
    "storage modulus": "storage modulus|g'|g prime|gprime|gp|elastic modulus|re(g*)|storage",
    "loss modulus": "loss modulus|g''|g double prime|g dprime|gdoubleprime|gpp|viscous modulus"
    "|im(g*)|loss",
    "complex modulus": "complex modulus|complex shear modulus|g*|abs(g*)",
    "phase angle": "phase angle|phase|loss angle|phase shift|delta|δ",
    "loss tangent": "loss tangent|tan(delta)|tan(δ)|tan delta|tan δ|loss factor|damping factor",
    "shear rate": "shear rate|shearrate|γ̇|gamma dot|gammadot|gdot|dot gamma|strain rate",
    "shear stress": "shear stress|shearstress|stress|τ|tau|σ|sigma",
    "viscosity": "viscosity|shear viscosity|steady shear viscosity|apparent viscosity|η|eta",
    "relaxation modulus": "relaxation modulus|stress relaxation modulus|shear relaxation modulus"
    "|g(t)|modulus|shear modulus|G",
    "creep compliance": "creep compliance|compliance|shear creep compliance|j(t)|J",
    "strain": "strain|shear strain|γ|gamma",
}
_NAMES = {
    spelling: (quantity, rank)
    for quantity, spellings in _SPELLINGS.items()
    for rank, spelling in enumerate(spellings.split("|"))
}


def _spelled(text: str) -> tuple[str, int]:
    if len(text) == 1:
        return _NAMES.get(text, ("", 0))
    folded = re.sub(r"[\s_\-.]+", " ", text).strip().casefold()
    return _NAMES.get(folded, ("", 0)) if len(folded) > 1 else ("", 0)


def quantity_of(text: str) -> tuple[str, int]:
    """Give the quantity that a column's name without its unit stands for, and its rank."""
    text = text.strip()
    known = _spelled(text)
    if known[0]:
        return known
    first, _, rest = text.partition(" ")
    start, _, last = text.rpartition(" ")
    for words, symbol in ((rest, first), (start, last)):  # "Storage modulus G'"
        name, other = _spelled(words.rstrip(", ")), _spelled(symbol.strip("()[],"))
        if name[0] and name[0] == other[0]:
            return name
    return "", 0


def recognise(label: str, unit: str = "") -> tuple[str, str, int]:
    """Give the quantity (empty where unknown), the unit and the rank of a column's header."""
    text = unicodedata.normalize("NFC", label[:100])
    text = re.sub("[′’‘´ʹ`]", "'", text)
    text = re.sub('[″”“"]', "''", text)
    text = re.sub(r"\s+", " ", text).strip()
    candidates = [(text, unit)]
    for pattern in (
        r"(.+?)\s*[\[(](.+)[\])]",
        r"(.+)\s*[\[(](.+)[\])]",  # J(t) (1/Pa)
        r"(.+?)\s*[/,]\s*(.+)",
        r"(.+?)\s+in\s+(.+)",
        r"(.+?)_((?:rad_|1_)?[^_]+)",
    ):
        if found := re.fullmatch(pattern, text):
            candidates.append((found[1], found[2].replace("_", "/")))
    for name, written in candidates:
        quantity, rank = quantity_of(name)
        if quantity and si_factor(written, quantity) is not None:
            return quantity, written.strip(" []()"), rank
    return "", unit.strip(" []()"), 0
