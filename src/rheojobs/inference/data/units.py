"""Parse units of measured quantities, as files write them, and return their factors to SI."""

from __future__ import annotations

import functools
import math
import re
import unicodedata
from typing import NamedTuple

from rheojobs.inference.data.unit_names import atom

__all__ = [
    "SI_UNITS",
    "USUAL_UNITS",
    "fits",
    "is_unit",
    "no_unit",
    "parse_unit",
    "shown_unit",
    "si_factor",
    "si_name",
    "without_logarithm",
]

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
    "angular frequency": ("rad/s", "Hz", "rpm"),
    "frequency": ("Hz", "rad/s", "rpm"),
    "shear rate": ("1/s", "1/min"),
    "shear stress": _MODULI_UNITS,
    "viscosity": _VISCOSITY_UNITS,
    "relaxation modulus": _MODULI_UNITS,
    "creep compliance": ("1/Pa", "1/kPa", "1/MPa", "cm²/dyn"),
    "complex modulus": _MODULI_UNITS,
    "complex viscosity": _VISCOSITY_UNITS,
    "in-phase viscosity": _VISCOSITY_UNITS,
    "out-of-phase viscosity": _VISCOSITY_UNITS,
    "storage modulus": _MODULI_UNITS,
    "loss modulus": _MODULI_UNITS,
    "strain": ("%", "1"),
    "phase angle": ("°", "rad"),
}
"""The most usual units of a quantity."""

_LONGEST = 60  # characters of a unit
_NO_UNIT = {"", "-", "--", "–", "—", "none", "dimensionless", "unitless", "no unit"}
_SUPERSCRIPTS = str.maketrans("⁰¹²³⁴⁵⁶⁷⁸⁹⁺⁻", "0123456789+-")
# Degrees have look-alikes, one of which NFKC would turn into the letter o.
_CHARACTERS = str.maketrans(
    {"º": "°", "˚": "°", "∘": "°", "−": "-", "–": "-", "⋅": "·", "∙": "·", "•": "·", "℃": "°C"}
    | {"Â": None, "{": "(", "}": ")", "∗": "*", "⁄": "/", "∕": "/"}
)
_REWRITES = (
    (r"\*\*", "^"),
    (r"\^\s*\(\s*([+-]?\d+)\s*\)", r"^\1"),
    (r"\bmicro[ -]?(?=[A-Z])", "u"),
    (r"\bper\b", "/"),
    (r"\bsq(?:uare)?\.? ?([a-z]+)", r"\1^2"),
    (r"([Pp][Aa])([sS])\b", r"\1 \2"),  # mPas
    (r"N([ms])\b", r"N \1"),  # mNm
    (r"(?<=[A-Za-z°%0-9)])\s*[.*·×]\s*(?=[A-Za-z°%(])", " "),
    (r"(?<=[A-Za-z])[-_](?=[A-Za-z])", " "),
    (r"°\s+(?=[CFK]\b)", "°"),
)
_TOKEN = re.compile(r"([A-Za-z°%‰]+)(?:\^?([+-]?\d))?")
# 1E+3, 10^3, 10-6 (what remains of a lost superscript), with or without a cross before it.
_POWER = (
    r"[x×*·]?\s*(?:1(?:[.,]0+)?\s*[eE]\s*(?P<e{0}>[+-]?\d+)"
    r"|(?:1\s*[x×*·]\s*)?10(?:\^(?P<c{0}>[+-]?\d+)|(?P<s{0}>[+-]\d+)))"
)
_POWER_BEFORE = re.compile(_POWER.format(1) + r"\s*[x×*·]?\s*(?P<rest>(?![\d.,]).*)")
_POWER_BEHIND = re.compile(r"(?P<rest>.*[^\d\sx×*·])\s*(?=[x×*·\s])" + _POWER.format(2))
_LOGARITHM = re.compile(
    r"\s*(?:(?P<ten>log[_ ]?10|log_?\(10\)|lg|log)|(?P<e>ln|log[_ ]?e))"
    r"(?:[\s_.:]+|(?=[(\[{|])|$)(?P<rest>.*)",
    re.IGNORECASE,
)


class _Unit(NamedTuple):
    """A product of powers of units: factor, exponents of kg, m, s and K, kind of angle."""

    factor: float
    dimension: tuple[int, int, int, int]
    angle: str

    @property
    def pascals_and_seconds(self) -> tuple[int, int] | None:
        """The exponents of Pa and s, if it is made of these."""
        mass, length, time, temperature = self.dimension
        return (mass, time + 2 * mass) if length == -mass and not temperature else None


_NOTHING = _Unit(1.0, (0, 0, 0, 0), "")


def no_unit(unit: str) -> bool:
    """Whether a text, such as ``"[-]"``, says that there is no unit."""
    text = re.sub(r"^(?:in\s|[/,:;])\s*", "", unit[: _LONGEST + 9].strip(" []()<>{}|"))
    return text.strip(" []()").casefold() in _NO_UNIT


def _plain(unit: str) -> str:
    """Write a unit with ASCII letters and carets, without what surrounds it."""
    unit = re.sub("[-−–](?=[⁰¹²³⁴⁵⁶⁷⁸⁹])", "⁻", unit)  # a plain minus before a superscript
    text = re.sub("[⁰¹²³⁴⁵⁶⁷⁸⁹⁺⁻]+", lambda found: "^" + found[0].translate(_SUPERSCRIPTS), unit)
    text = unicodedata.normalize("NFKC", text.translate(_CHARACTERS).replace("^^", "^"))
    text = text.translate(_CHARACTERS).replace("μ", "u").strip(" []<>|")
    while text.startswith("(") and text.endswith(")") and "(" not in text[1:]:
        text = text[1:-1].strip(" []")
    text = re.sub(r"^(?:in|units?|einheit|unite)(?:\s*[:=]\s*|\s+)(?=\S)", "", text, flags=re.I)
    text = re.sub(r"^[/,;:](?:\s+|(?=[^\d\s]))|[.,;:]$", "", text).strip()
    for pattern, replacement in _REWRITES:
        text = re.sub(pattern, replacement, text)
    return text.strip()


def _power_of_ten(text: str) -> tuple[float, str]:
    """Split ``"10^3 Pa"`` into 1000 and ``"Pa"``."""
    for pattern, number in ((_POWER_BEFORE, 1), (_POWER_BEHIND, 2)):
        if found := pattern.fullmatch(text):
            power = found[f"e{number}"] or found[f"c{number}"] or found[f"s{number}"]
            if len(power) <= 3:
                return float(f"1e{power}"), found["rest"].strip()
    return 1.0, text


@functools.lru_cache(maxsize=4096)
def _parsed(unit: str) -> _Unit | None:
    if len(unit) > _LONGEST:
        return None
    scale, text = _power_of_ten(_plain(unit))
    dimension = [0, 0, 0, 0]
    angle = ""
    for position, group in enumerate(text.split("/")):
        tokens = group.strip(" ()").split()
        if not tokens and position and text != "/":
            return None
        for token in tokens:
            if token == "1" and len(tokens) == 1:
                continue
            found = _TOKEN.fullmatch(token)
            unit_of_token = atom(found[1]) if found else None
            if found is None or unit_of_token is None:
                return None
            exponent = int(found[2] or 1) * (-1 if position else 1)
            scale *= unit_of_token.factor**exponent
            dimension = [
                d + exponent * e for d, e in zip(dimension, unit_of_token.dimension, strict=True)
            ]
            # A revolution counts cycles whatever stands beside it; radians beside are no more.
            angle = (
                "cycle"
                if "cycle" in (angle, unit_of_token.angle)
                else (angle or unit_of_token.angle)
            )
    mass, length, time, temperature = dimension
    return _Unit(scale, (mass, length, time, temperature), angle)


def is_unit(text: str) -> bool:
    """Whether a text is a unit of any physical quantity; what says "no unit" is none."""
    if len(text) > _LONGEST or no_unit(text) or not re.search(r"[A-Za-z°%‰]", _plain(text)):
        return False
    return _parsed(without_logarithm(text.strip(" []()"))[1]) is not None


def parse_unit(unit: str) -> tuple[float, int, int] | None:
    """Read a unit of time, frequency, stress, viscosity, compliance or angle.

    Parameters
    ----------
    unit : str
        As files write it: ``"mPa·s"``, ``"[1/min]"``, ``"s^-1"``, ``"N/mm²"``, ``"1E+3 Pa"``.

    Returns
    -------
    tuple of (float, int, int), or None
        The factor to SI (rad/s for Hz), the exponent of Pa and the exponent of s; None if it
        is not such a unit.
    """
    if no_unit(unit):
        return (1.0, 0, 0)
    parsed = _parsed(unit)
    exponents = parsed.pascals_and_seconds if parsed is not None else None
    return None if parsed is None or exponents is None else (parsed.factor, *exponents)


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
    if quantity not in _QUANTITIES:
        return None
    if no_unit(unit):
        return 1.0
    wanted = _QUANTITIES[quantity][1:]
    # "/Pa" behind a compliance means 1/Pa, "/ Pa" behind a modulus is the way to write [Pa].
    readings = [unit, *([f"1{unit}"] if unit.startswith("/") else [])]
    units = [parsed for text in readings if (parsed := _parsed(text)) is not None]
    parsed = next((u for u in units if u.pascals_and_seconds == wanted), None)
    if parsed is None:
        return None
    if "frequency" in quantity:
        # "1/s" beside the word frequency counts cycles; beside angular frequency, radians.
        counts_cycles = quantity == "frequency" and not parsed.angle
        return parsed.factor * (2 * math.pi if counts_cycles else 1.0)
    if parsed.angle == "cycle":
        return None
    if quantity == "phase angle":
        return parsed.factor if parsed.angle else None
    if quantity in ("strain", "loss tangent"):
        return None if parsed.angle else parsed.factor
    return parsed.factor


def fits(unit: str, quantity: str) -> bool:
    """Whether a unit, or the logarithm of one, is of this quantity; no unit fits them all."""
    return si_factor(without_logarithm(unit)[1], quantity) is not None


def without_logarithm(text: str) -> tuple[float, str]:
    """Split ``"log Hz"`` into the base of the logarithm and ``"Hz"``; the base is 0 without one.

    ``log`` without a base is the decimal one, as tables of measured data write it.
    """
    found = _LOGARITHM.fullmatch(text.strip().translate(str.maketrans("₁₀ₑ", "10e")))
    if found is None:
        return 0.0, text
    rest = found["rest"].strip(" _")
    return (10.0 if found["ten"] else math.e), rest


def si_name(unit: str) -> str:
    """Return the SI unit that values in `unit` have after `parse_unit`; empty if it has none."""
    parsed = parse_unit(unit)
    if parsed is None:
        return ""
    rate = "rad/s" if (_parsed(unit) or _NOTHING).angle else "1/s"
    names = {(0, 1): "s", (0, -1): rate, (1, 0): "Pa", (1, 1): "Pa s", (-1, 0): "1/Pa"}
    return names.get(parsed[1:], "")


def shown_unit(unit: str) -> str:
    """Return a unit as it is displayed; empty if it is one of the names for no unit."""
    return "" if unit in ("-", "1", "dimensionless") else unit
