"""The units that files write: their spellings, factors to SI and dimensions."""

from __future__ import annotations

import math
from typing import NamedTuple

__all__ = ["ATOMS", "AtomicUnit", "atom"]


class AtomicUnit(NamedTuple):
    """A unit without an exponent.

    Attributes
    ----------
    factor : float
        To SI; rad/s for the hertz.
    dimension : tuple of int
        The exponents of kg, m, s and K.
    angle : str
        ``"cycle"`` for what counts cycles, ``"angle"`` for what measures an angle, else empty.
    """

    factor: float
    dimension: tuple[int, int, int, int]
    angle: str = ""


_PREFIXES = {"G": 1e9, "M": 1e6, "k": 1e3, "h": 1e2, "d": 0.1, "c": 1e-2, "m": 1e-3, "u": 1e-6}
_PREFIXES |= {"n": 1e-9}
_NONE, _TIME, _RATE = (0, 0, 0, 0), (0, 0, 1, 0), (0, 0, -1, 0)
_LENGTH, _MASS, _FORCE = (0, 1, 0, 0), (1, 0, 0, 0), (1, 1, -2, 0)
_STRESS, _VISCOSITY, _KINEMATIC = (1, -1, -2, 0), (1, -1, -1, 0), (0, 2, -1, 0)
_ENERGY, _POWER, _TEMPERATURE = (1, 2, -2, 0), (1, 2, -3, 0), (0, 0, 0, 1)
_GRAVITY, _POUND = 9.80665, 0.45359237  # m/s², kg: both exact by definition
_TURN = 2 * math.pi

# Spellings, the prefixes they take, factor to SI, dimension, angle.
_UNITS: tuple[tuple[str, str, float, tuple[int, int, int, int], str], ...] = (
    ("Pa", "GMkhdcmun", 1.0, _STRESS, ""),
    ("pascal pascals Pascal", "", 1.0, _STRESS, ""),
    ("millipascal millipascals", "", 1e-3, _STRESS, ""),
    ("kilopascal kilopascals", "", 1e3, _STRESS, ""),
    ("megapascal megapascals", "", 1e6, _STRESS, ""),
    ("gigapascal gigapascals", "", 1e9, _STRESS, ""),
    ("bar", "mk", 1e5, _STRESS, ""),
    ("atm", "", 101325.0, _STRESS, ""),
    ("torr Torr mmHg", "", 101325.0 / 760, _STRESS, ""),
    ("psi PSI", "", _POUND * _GRAVITY / 0.0254**2, _STRESS, ""),
    ("ksi KSI kpsi", "", 1e3 * _POUND * _GRAVITY / 0.0254**2, _STRESS, ""),
    ("Ba barye", "", 0.1, _STRESS, ""),
    ("s", "munk", 1.0, _TIME, ""),
    ("S sec secs second seconds sek Sek Sekunde Sekunden seconde secondes", "", 1.0, _TIME, ""),
    ("msec millisecond milliseconds", "", 1e-3, _TIME, ""),
    ("usec microsecond microseconds", "", 1e-6, _TIME, ""),
    ("min mins minute minutes Min Minute Minuten", "", 60.0, _TIME, ""),
    ("h hr hrs hour hours Std Stunde Stunden heure heures", "", 3600.0, _TIME, ""),
    ("d day days Tag Tage jour jours", "", 86400.0, _TIME, ""),
    ("wk week weeks Woche Wochen semaine semaines", "", 604800.0, _TIME, ""),
    ("Hz hertz Hertz", "mkMu", _TURN, _RATE, "cycle"),
    ("rpm RPM upm UpM", "", _TURN / 60, _RATE, "cycle"),
    ("rps", "", _TURN, _RATE, "cycle"),
    ("rev revs revolution revolutions cycle cycles cyc turn turns tr r U Umdr Umdrehungen", "",
     _TURN, _NONE, "cycle"),
    ("rad", "mu", 1.0, _NONE, "angle"),
    ("radian radians radiant", "", 1.0, _NONE, "angle"),
    ("° deg degs degree degrees Grad grad", "", math.pi / 180, _NONE, "angle"),
    ("% percent pct Prozent", "", 0.01, _NONE, ""),
    ("‰ permille Promille", "", 1e-3, _NONE, ""),
    ("microstrain ustrain", "", 1e-6, _NONE, ""),
    ("P", "cm", 0.1, _VISCOSITY, ""),
    ("poise Poise poises Poises", "", 0.1, _VISCOSITY, ""),
    ("cps cPs CPS centipoise", "", 1e-3, _VISCOSITY, ""),
    ("St", "c", 1e-4, _KINEMATIC, ""),
    ("N", "kMmu", 1.0, _FORCE, ""),
    ("newton Newton", "", 1.0, _FORCE, ""),
    ("dyn dyne dynes D", "", 1e-5, _FORCE, ""),
    ("kgf kp kilopond", "", _GRAVITY, _FORCE, ""),
    ("gf p pond", "", 1e-3 * _GRAVITY, _FORCE, ""),
    ("lbf", "", _POUND * _GRAVITY, _FORCE, ""),
    ("m", "kdcmun", 1.0, _LENGTH, ""),
    ("in inch inches", "", 0.0254, _LENGTH, ""),
    ("ft feet foot", "", 0.3048, _LENGTH, ""),
    ("micron microns", "", 1e-6, _LENGTH, ""),
    ("g", "kmu", 1e-3, _MASS, ""),
    ("lb lbs", "", _POUND, _MASS, ""),
    ("J", "kmu", 1.0, _ENERGY, ""),
    ("erg", "", 1e-7, _ENERGY, ""),
    ("W", "kmu", 1.0, _POWER, ""),
    ("°C °F °K degC degF K C", "", 1.0, _TEMPERATURE, ""),
)  # fmt: skip


def _expanded() -> dict[str, AtomicUnit]:
    """Return all spellings with all of their prefixes."""
    found: dict[str, AtomicUnit] = {}
    for names, prefixes, factor, dimension, angle in _UNITS:
        for name in names.split():
            found[name] = AtomicUnit(factor, dimension, angle)
        first = names.split()[0]
        for prefix in prefixes:
            found[prefix + first] = AtomicUnit(factor * _PREFIXES[prefix], dimension, angle)
    return found


ATOMS: dict[str, AtomicUnit] = _expanded()
"""Spelling -> unit; µ is written u."""


def _by_folded_name() -> dict[str, AtomicUnit]:
    """Return the units that a spelling names whatever its case: kPa for KPA, none for MPA."""
    folded: dict[str, set[AtomicUnit]] = {}
    for name, unit in ATOMS.items():
        folded.setdefault(name.casefold(), set()).add(unit)
    return {
        name: next(iter(units))
        for name, units in folded.items()
        if len(units) == 1 and len(name) > 1
    }


_FOLDED = _by_folded_name()


def atom(name: str) -> AtomicUnit | None:
    """Return the unit of that spelling; the case may be wrong where only one unit can be meant."""
    return ATOMS.get(name) or _FOLDED.get(name.casefold())
