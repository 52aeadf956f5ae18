"""The labels of the axes of data: the same symbols and units in the window and in figures."""

from __future__ import annotations

from rheojobs.inference.data.test_modes import x_of
from rheojobs.inference.data.units import SI_UNITS

__all__ = ["powers", "x_label", "y_label", "y_symbol"]

_SYMBOLS = {
    "complex modulus": "G′, G″",
    "relaxation modulus": "G",
    "creep compliance": "J",
    "shear stress": "σ",
    "viscosity": "η",
    "strain": "γ",
}
_OF_MODES = {
    "oscillation": ("G′, G″", "Pa"),
    "relaxation": ("G", "Pa"),
    "creep": ("J", "Pa⁻¹"),
}
_UNITS = {"1/Pa": "Pa⁻¹", "rad/s": "rad s⁻¹", "1/s": "s⁻¹", "Pa·s": "Pa s"}


def powers(unit: str) -> str:
    """Return a unit as it stands behind the stroke of a label: ``s⁻¹`` for ``1/s``."""
    return _UNITS.get(unit, unit)


def x_label(test_mode: str | None, unit: str) -> str:
    """Name the independent variable: ``ω / rad s⁻¹``; in its SI unit if it is known."""
    if test_mode is None:
        return f"x / {unit}" if unit else "x"
    quantity, symbol = x_of(test_mode)
    return f"{symbol} / {powers(SI_UNITS[quantity])}"


def y_symbol(test_mode: str | None, quantity: str) -> str:
    """Return the symbol of what is measured: ``G``; its name if it has none."""
    if quantity in _SYMBOLS:
        return _SYMBOLS[quantity]
    return _OF_MODES.get(test_mode or "", (quantity or "y", ""))[0]


def y_label(test_mode: str | None, quantity: str, unit: str) -> str:
    """Name the measured quantity: ``G′, G″ / Pa``."""
    usual = "" if quantity in _SYMBOLS else _OF_MODES.get(test_mode or "", ("", ""))[1]
    unit = powers(unit or usual)
    symbol = y_symbol(test_mode, quantity)
    return f"{symbol} / {unit}" if unit else symbol
