"""Recognize the measured quantity and the unit in the header of a column."""

from __future__ import annotations

import functools
import re
import unicodedata

from rheojobs.inference.data.reading.headings.label_units import (
    merged,
    normal,
    other_text,
    parts_of,
    split_log,
    unclear_power,
    unit_text,
    without_conditions,
)
from rheojobs.inference.data.units import fits, is_unit, no_unit, without_logarithm

__all__ = ["UNCERTAINTY", "folded", "quantity_of", "recognise"]

#: What a column of standard deviations is called here.
UNCERTAINTY = "uncertainty"

# The spellings of a quantity, the preferred first, English before German and French. A single
# letter counts in its own case only: t is a time and T a temperature. Accents do not matter.
_SPELLINGS = {
    # The clock of the step goes before that of the experiment.
    "time": "step time|interval time|action time|segment time|time (action)|time (step)"
    "|time (interval)|time (segment)|time in step|time in interval|t seg|t step|t int|t interval"
    "|t (step)|t (interval)|intervallzeit|abschnittszeit|segmentzeit|zeit (abschnitt)"
    "|intervalle temps|temps intervalle|temps de l'intervalle|temps (action)|time|elapsed time"
    "|test time|run time|t|zeit|messzeit|versuchszeit|temps|duree|total time|gesamtzeit"
    "|time (sequence)|time (total)|temps (sequence)|temps total|global time|experiment time",
    "angular frequency": "angular frequency|ang frequency|angular freq|ang freq|ω|omega|w"
    "|circular frequency|reduced angular frequency|reduced frequency|at ω|atω"
    "|kreisfrequenz|winkelfrequenz|pulsation|frequence angulaire",
    "frequency": "frequency|freq|test frequency|f|ν|frequenz|messfrequenz|frequence",
    "storage modulus": "storage modulus|g'|g prime|gprime|gp|elastic modulus|re(g*)|storage"
    "|shear storage modulus|speichermodul|module de conservation|module elastique"
    "|module de stockage|shear modulus (elastic component)",
    "loss modulus": "loss modulus|g''|g double prime|g dprime|gdoubleprime|gpp|gdp|viscous modulus"
    "|im(g*)|loss|shear loss modulus|verlustmodul|module de perte|module de pertes"
    "|module visqueux|shear modulus (viscous component)",
    "complex modulus": "complex modulus|complex shear modulus|g*|abs(g*)|komplexer schubmodul"
    "|komplexer modul|module complexe|module de cisaillement complexe"
    "|shear modulus (complex component)",
    "complex viscosity": "complex viscosity|complex shear viscosity|η*|eta*|abs(η*)|abs(eta*)"
    "|komplexe viskositat|komplexe viskositaet|viscosite complexe",
    "in-phase viscosity": "η'|eta'|eta prime|real part of complex viscosity",
    "out-of-phase viscosity": "η''|eta''|eta double prime|imaginary part of complex viscosity",
    "phase angle": "phase angle|phase|loss angle|phase shift|phase shift angle|delta|δ"
    "|phasenwinkel|phasenverschiebung|phasenverschiebungswinkel|verlustwinkel"
    "|angle de phase|angle de perte|dephasage",
    "loss tangent": "loss tangent|tan(delta)|tan(δ)|tan delta|tan δ|tanδ|tandelta|loss factor"
    "|damping factor|verlustfaktor|dampfungsfaktor|daempfungsfaktor|facteur de perte"
    "|facteur d'amortissement",
    "shear rate": "shear rate|shearrate|γ̇|gamma dot|gammadot|gdot|dot gamma|strain rate"
    "|scherrate|schergeschwindigkeit|schergefalle|schergefaelle|vitesse de cisaillement"
    "|gradient de cisaillement|taux de cisaillement|gradient de vitesse",
    "shear stress": "shear stress|shearstress|stress|τ|tau|σ|sigma|schubspannung|scherspannung"
    "|contrainte|contrainte de cisaillement",
    "viscosity": "viscosity|shear viscosity|steady shear viscosity|apparent viscosity|η|eta"
    "|viskositat|viskositaet|scherviskositat|scherviskositaet|viscosite"
    "|viscosite apparente|viscosite de cisaillement",
    "relaxation modulus": "relaxation modulus|stress relaxation modulus|shear relaxation modulus"
    "|g(t)|modulus|shear modulus|G|relaxationsmodul|module de relaxation",
    "creep compliance": "creep compliance|compliance|shear compliance|shear creep compliance|j(t)|J"
    "|kriechnachgiebigkeit|nachgiebigkeit|complaisance|complaisance de fluage"
    "|complaisance en fluage",
    "strain": "strain|shear strain|γ|gamma|scherdeformation|deformation|dehnung"
    "|deformation de cisaillement",
}
_NAMES = {
    spelling: (quantity, rank)
    for quantity, spellings in _SPELLINGS.items()
    for rank, spelling in enumerate(spellings.split("|"))
}
_DEVIATION = re.compile(
    r"\b(std|stdev|stddev|std dev|st dev|std err|stderr|sd|sem|error|errors|err|uncertainty"
    r"|uncertainties|standard deviation|standard error|standardabweichung|unsicherheit|fehler"
    r"|ecart type|incertitude|erreur)\b|^±"
)


def _without_accents(text: str) -> str:
    """Remove the accents of Latin letters, but keep Newton's dot on γ̇."""
    return re.sub(r"([a-zA-Z])[\u0300-\u036f]+", r"\1", unicodedata.normalize("NFD", text))


def folded(text: str) -> str:
    """Return a name without accents and case, its words parted by single blanks."""
    return re.sub(r"[\s_\-.]+", " ", _without_accents(text)).strip().casefold()


def _spelled(text: str) -> tuple[str, int]:
    if len(text) == 1:
        return _NAMES.get(text, ("", 0))
    plain = folded(text)
    return _NAMES.get(plain, ("", 0)) if len(plain) > 1 else ("", 0)


def quantity_of(text: str) -> tuple[str, int]:
    """Return the quantity of a column's name without its unit, and the rank of the spelling."""
    text = text.strip(" |")
    known = _spelled(text)
    if known[0]:
        return known
    first, _, rest = text.partition(" ")
    start, _, last = text.rpartition(" ")
    for words, symbol in ((rest, first), (start, last)):  # "Storage modulus G'"
        name = _spelled(words.rstrip(", "))
        for other in (symbol.strip(" |,"), symbol.strip("()[]|,")):
            if name[0] and name[0] == _spelled(other)[0]:
                return name
    return "", 0


def _is_deviation(text: str) -> bool:
    """Whether a column holds standard deviations: "std", "G' error", "σ(G')", "ΔG'"."""
    if _DEVIATION.search(folded(text)):
        return True
    found = re.match(r"(?:Δ|delta|σ|sigma|d|±)[ _(]*(.+?)\)?\s*([\[(].*)?$", text)
    return found is not None and quantity_of(found[1])[0] != "" and not quantity_of(text)[0]


@functools.lru_cache(maxsize=4096)
def recognise(label: str, unit: str = "") -> tuple[str, str, int]:
    """Return the quantity (empty if unknown), the unit and the rank of a column's header.

    The unit is that of the label, else `unit`, as written: it may be unknown, or none of the
    quantity. That of a logarithm begins with ``log`` or ``ln``.
    """
    whole = normal(label)
    # "Time (action)" is a name of its own; "G' (25 °C)" is none.
    for candidate in (whole, without_conditions(whole)):
        logarithm, text = split_log(candidate)
        quantity, written, rank = _recognised(text, unit.strip(" []()"))
        if quantity not in ("", UNCERTAINTY) and fits(written, quantity):
            break
    if logarithm and not without_logarithm(written)[0]:
        written = f"{logarithm} {'' if no_unit(written) else written}".strip()
    return quantity, written, rank


def _recognised(text: str, unit: str) -> tuple[str, str, int]:
    known = quantity_of(text)
    if known[0]:
        return known[0], unit, known[1]
    parts = list(parts_of(text))
    for name, written, _ in parts:
        quantity, rank = quantity_of(name)
        if quantity and not no_unit(written) and fits(written, quantity):
            return quantity, merged(written.strip(" []()"), unit), rank
    if _is_deviation(text):
        found = next((p.unit for p in parts if is_unit(p.unit) and not _is_deviation(p.unit)), "")
        return UNCERTAINTY, merged(found.strip(" []()"), unit), 0
    for name, written, firm in parts:
        quantity, rank = quantity_of(name)
        if quantity and (no_unit(written) or other_text(written)):
            return quantity, unit, rank
        is_whole = written.count("(") == written.count(")") and written.count("[") == written.count(
            "]"
        )
        if quantity and firm and is_whole and not _same_or_other_quantity(written):
            return quantity, written.strip(" []()"), rank
    for part in parts:
        if is_unit(part.unit) and (part.firm or len(part.unit) > 1):
            return "", merged(unit_text(part).strip(" []()"), unit), 0
    bracket = next((p for p in parts if p.firm and text.endswith((")", "]"))), None)
    if power := unclear_power(text):
        return "", f"{power} in the name", 0
    if bracket is None or no_unit(bracket.unit) or other_text(bracket.unit):
        return "", unit, 0
    return ("", unit, 0) if quantity_of(bracket.unit)[0] else ("", bracket.unit, 0)


def _same_or_other_quantity(text: str) -> bool:
    """Whether what follows a name is a quantity, as in "Stress/Strain", and no unit."""
    return not is_unit(text) and quantity_of(text)[0] != ""
