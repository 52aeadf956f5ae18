"""Make the labels of axes: symbols and units."""

from __future__ import annotations

import re

from rheojobs.inference.data.test_modes import x_of
from rheojobs.inference.data.units import SI_UNITS, shown_unit
from rheojobs.inference.expressions.parameter_symbols import mathtext_of

__all__ = ["parameter_label", "short_name", "x_label", "y_label"]

_SYMBOLS = {
    "complex modulus": "G′, G″",
    "relaxation modulus": "G",
    "creep compliance": "J",
    "shear stress": "σ",
    "viscosity": "η",
    "strain": "γ",
}
_MODE_SYMBOLS = {
    "oscillation": ("G′, G″", "Pa"),
    "relaxation": ("G", "Pa"),
    "creep": ("J", "Pa⁻¹"),
}
_UNITS = {"1/Pa": "Pa⁻¹", "rad/s": "rad s⁻¹", "1/s": "s⁻¹", "Pa·s": "Pa s"}


def x_label(test_mode: str | None, unit: str) -> str:
    """Name the independent variable: ``ω / rad s⁻¹``; in its SI unit if it is known."""
    if test_mode is None:
        return f"x / {unit}" if unit else "x"
    quantity, symbol = x_of(test_mode)
    # Matplotlib draws the dot of γ̇ beside the letter, not above it.
    name = quantity if test_mode == "flow_curve" else symbol
    return f"{name} / {_UNITS.get(SI_UNITS[quantity], SI_UNITS[quantity])}"


def y_label(test_mode: str, quantity: str, unit: str) -> str:
    """Name the measured quantity: ``G′, G″ / Pa``."""
    symbol = _SYMBOLS.get(quantity)
    if symbol is None:
        symbol, usual = _MODE_SYMBOLS.get(test_mode, (quantity or "y", ""))
        unit = unit or usual
    unit = _UNITS.get(unit, unit)
    return f"{symbol} / {unit}" if unit else symbol


def parameter_label(name: str, unit: str, power: int = 0) -> str:
    """Write a parameter with its unit for an axis whose numbers are divided by 10^`power`.

    Parameters
    ----------
    name : str
        As in the model: ``tau_alpha``, ``G0``, ``sigma_imag``.
    unit : str
        Its unit; empty or "dimensionless" if it has none.
    power : int
        Written before the unit.
    """
    scale = f"10$^{{{power}}}$" if power else ""
    plain = _UNITS.get(shown_unit(unit), shown_unit(unit))
    # Pa·s^α: the power becomes a superscript.
    plain = re.sub(r"\^\(?(\w+)\)?", lambda found: _raised(found[1]), plain)
    below = " ".join(part for part in (scale, plain) if part)
    symbol = mathtext_of(name)
    return f"{symbol} / {below}" if below else symbol


def short_name(name: str) -> str:
    """Return the name of data, shortened to fit a title."""
    name = name or "data"
    return name if len(name) <= 50 else f"{name[:49]}…"


def _raised(exponent: str) -> str:
    return f"$^{{{mathtext_of(exponent).strip('$')}}}$"
