"""Parse units of measured quantities, as files write them, and return their factors to SI."""

from __future__ import annotations

import math
import re
import unicodedata

__all__ = ["SI_UNITS", "USUAL_UNITS", "parse_unit", "shown_unit", "si_factor"]

# Quantity -> (SI unit, exponent of Pa, exponent of s). A frequency is stored as angular frequency.
_QUANTITIES: dict[str, tuple[str, int, int]] = {
    "time": ("s", 0, 1),
    "angular frequency": ("rad/s", 0, -1),
    "frequency": ("rad/s", 0, -1),
    "shear rate": ("1/s", 0, -1),
    "shear stress": ("Pa", 1, 0),
    "viscosity": ("Pa s", 1, 1),
    "relaxation modulus": ("Pa", 1, 0),
    "creep compliance": ("1/Pa", -1, 0),
    "complex modulus": ("Pa", 1, 0),
    "complex viscosity": ("Pa s", 1, 1),
    "in-phase viscosity": ("Pa s", 1, 1),
    "out-of-phase viscosity": ("Pa s", 1, 1),
    "storage modulus": ("Pa", 1, 0),
    "loss modulus": ("Pa", 1, 0),
    "strain": ("", 0, 0),
    "phase angle": ("rad", 0, 0),
    "loss tangent": ("", 0, 0),
}
SI_UNITS: dict[str, str] = {name: unit for name, (unit, _, _) in _QUANTITIES.items()}

_MODULI_UNITS = ("Pa", "kPa", "MPa", "dyn/cm²")
_VISCOSITY_UNITS = ("Pa s", "mPa s", "cP", "P")
USUAL_UNITS: dict[str, tuple[str, ...]] = {
    "time": ("s", "ms", "min", "h"),
    "angular frequency": ("rad/s", "Hz"),
    "frequency": ("Hz", "rad/s"),
    "shear rate": ("1/s", "1/min"),
    "shear stress": _MODULI_UNITS,
    "viscosity": _VISCOSITY_UNITS,
    "relaxation modulus": _MODULI_UNITS,
    "creep compliance": ("1/Pa", "1/kPa", "1/MPa"),
    "complex modulus": _MODULI_UNITS,
    "complex viscosity": _VISCOSITY_UNITS,
    "in-phase viscosity": _VISCOSITY_UNITS,
    "out-of-phase viscosity": _VISCOSITY_UNITS,
    "storage modulus": _MODULI_UNITS,
    "loss modulus": _MODULI_UNITS,
    "strain": ("%", "1"),
    "phase angle": ("°", "rad"),
}
"""The most usual unit of a quantity."""

# Spellings, factor to SI, exponent of Pa, exponent of s
_UNITS: tuple[tuple[str, float, int, int], ...] = (
    ("Pa pa PA", 1.0, 1, 0),
    ("uPa", 1e-6, 1, 0),
    ("mPa", 1e-3, 1, 0),
    ("dPa", 0.1, 1, 0),
    ("hPa", 1e2, 1, 0),
    ("kPa KPa", 1e3, 1, 0),
    ("MPa", 1e6, 1, 0),
    ("GPa", 1e9, 1, 0),
    ("bar", 1e5, 1, 0),
    ("psi", 6894.757293168, 1, 0),
    ("s S sec secs second seconds sek Sekunden secondes", 1.0, 0, 1),
    ("ms msec", 1e-3, 0, 1),
    ("us", 1e-6, 0, 1),
    ("min mins minute minutes Min Minuten", 60.0, 0, 1),
    ("h hr hrs hour hours Std Stunden heures", 3600.0, 0, 1),
    ("d day days", 86400.0, 0, 1),
    ("Hz hz HZ", 2 * math.pi, 0, -1),
    ("mHz", 2e-3 * math.pi, 0, -1),
    ("kHz", 2e3 * math.pi, 0, -1),
    ("P poise", 0.1, 1, 1),
    ("cP cps cPs", 1e-3, 1, 1),
    ("rad", 1.0, 0, 0),
    ("mrad", 1e-3, 0, 0),
    ("° deg degree degrees Grad", math.pi / 180, 0, 0),
    ("%", 0.01, 0, 0),
)
_ATOMS = {
    name: (factor, pascals, seconds)
    for names, factor, pascals, seconds in _UNITS
    for name in names.split()
}
_REWRITES = (
    (r"N/mm\^?2\b", "MPa"),
    (r"N/m\^?2\b", "Pa"),
    (r"dyne?/cm\^?2\b", "dPa"),
    (r"cm\^?2/dyne?\b", "1/dPa"),
    (r"Pas\b", "Pa s"),
    (r"(?<=[A-Za-z])[.*·⋅×-](?=[A-Za-z])", " "),
)
_FACTOR = re.compile(r"([A-Za-z%°]+)(?:\^?([+-]?\d))?")


def parse_unit(unit: str) -> tuple[float, int, int] | None:
    """Read a unit of time, frequency, stress, viscosity, compliance or angle.

    Parameters
    ----------
    unit : str
        As files write it: ``"mPa·s"``, ``"[1/min]"``, ``"s^-1"``, ``"MPa⁻¹"``.

    Returns
    -------
    tuple of (float, int, int), or None
        The factor to SI (rad/s for Hz), the exponent of Pa and the exponent of s; None if it
        is not such a unit.
    """
    text = unicodedata.normalize("NFKC", unit).replace("μ", "u").replace("−", "-")
    text = text.replace("**", "^").strip(" []()").replace("sec-1", "s-1")
    if text in ("", "-", "1"):
        return (1.0, 0, 0)
    for pattern, replacement in _REWRITES:
        text = re.sub(pattern, replacement, text)
    factor, pascals, seconds = 1.0, 0, 0
    for position, group in enumerate(text.split("/")):
        for token in group.strip(" ()").split():
            found = _FACTOR.fullmatch(token)
            if token == "1":
                continue
            if found is None or found[1] not in _ATOMS:
                return None
            exponent = int(found[2] or 1) * (-1 if position else 1)
            scale, per_pascal, per_second = _ATOMS[found[1]]
            factor *= scale**exponent
            pascals += per_pascal * exponent
            seconds += per_second * exponent
    return factor, pascals, seconds


def si_factor(unit: str, quantity: str) -> float | None:
    """Return the factor that turns values of `quantity` in `unit` into `SI_UNITS`.

    Parameters
    ----------
    unit : str
        The unit as written; empty means that none was given, and gives 1.
    quantity : str
        A key of `SI_UNITS`. The ``"frequency"`` of a cycle becomes an angular frequency.

    Returns
    -------
    float or None
        None if the unit is unknown or is not one of this quantity.
    """
    parsed = parse_unit(unit)
    if parsed is None or quantity not in _QUANTITIES:
        return None
    if not unit.strip(" []()-"):
        return 1.0
    factor, pascals, seconds = parsed
    if (pascals, seconds) != _QUANTITIES[quantity][1:]:
        return None
    if "hz" in unit.lower():
        return factor if "frequency" in quantity else None
    # "1/s" beside the word frequency counts cycles; beside angular frequency it counts radians.
    return factor * 2 * math.pi if quantity == "frequency" and "rad" not in unit else factor


def shown_unit(unit: str) -> str:
    """Return a unit as it is displayed; empty if it is one of the names for no unit."""
    return "" if unit in ("-", "1", "dimensionless") else unit
