"""Make the labels of axes: symbols and units."""

from __future__ import annotations

import re

from rheojobs.inference.data import axis_labels
from rheojobs.inference.data.axis_labels import powers
from rheojobs.inference.data.units import shown_unit
from rheojobs.inference.expressions.parameter_symbols import mathtext_of

__all__ = ["parameter_label", "short_name", "x_label"]


def x_label(test_mode: str | None, unit: str) -> str:
    """Name the independent variable as the window does: ``ω / rad s⁻¹``."""
    # Matplotlib draws the dot of γ̇ beside the letter, not above it.
    return axis_labels.x_label(test_mode, unit).replace("γ̇", "shear rate")


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
    plain = powers(shown_unit(unit))
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
