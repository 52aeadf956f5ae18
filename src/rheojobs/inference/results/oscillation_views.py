"""Views of an oscillation: functions of ω, G′ and G″ that are usually plotted against each other.

Each transformation is exact and point by point, so data, curves and fits can be shown alike.

References
----------
Cole-Cole plot of the complex viscosity, η″ against η′: J. D. Ferry, Viscoelastic Properties of
Polymers, 3rd ed. (1980). Phase angle against |G*|: M. van Gurp and J. Palmen, Rheol. Bull. 67
(1998) 5-8.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

__all__ = ["VIEWS", "OscillationView"]

type _Values = NDArray[np.float64]
type _Points = tuple[_Values, tuple[_Values, ...]]


@dataclass(frozen=True)
class OscillationView:
    """One view.

    Attributes
    ----------
    name : str
        Identifies it.
    title : str
        In menus.
    x_label, y_label : str
        Of the axes, with the units for moduli in Pa and frequencies in rad/s.
    symbols : tuple of str
        The components.
    log : tuple of bool
        Whether x and y are usually on logarithmic axes.
    transform : callable
        Takes ω, G′ and G″ and returns x and the components.
    is_modulus_view : bool
        Whether it shows G′ and G″ against ω themselves, so that bands of these can be drawn.
    """

    name: str
    title: str
    x_label: str
    y_label: str
    symbols: tuple[str, ...]
    log: tuple[bool, bool]
    transform: Callable[[_Values, _Values, _Values], _Points]
    is_modulus_view: bool = False

    def points(self, omega: _Values, storage: _Values, loss: _Values) -> _Points:
        """Return x and the components; not finite where a quantity is not defined."""
        with np.errstate(divide="ignore", invalid="ignore"):
            return self.transform(omega, storage, loss)


def _moduli(omega: _Values, storage: _Values, loss: _Values) -> _Points:
    return omega, (storage, loss)


def _cole_cole(omega: _Values, storage: _Values, loss: _Values) -> _Points:
    return loss / omega, (storage / omega,)


def _tangent(omega: _Values, storage: _Values, loss: _Values) -> _Points:
    return omega, (loss / storage,)


def _viscosity(omega: _Values, storage: _Values, loss: _Values) -> _Points:
    return omega, (np.hypot(storage, loss) / omega,)


def _van_gurp_palmen(omega: _Values, storage: _Values, loss: _Values) -> _Points:
    return np.hypot(storage, loss), (np.degrees(np.arctan2(loss, storage)),)


_FREQUENCY = "ω / rad s⁻¹"

VIEWS = (
    OscillationView(
        "moduli",
        "Moduli G′, G″",
        _FREQUENCY,
        "G′, G″ / Pa",
        ("G′", "G″"),
        (True, True),
        _moduli,
        is_modulus_view=True,
    ),
    OscillationView(
        "cole_cole",
        "Cole–Cole: η″ over η′",
        "η′ / Pa s",
        "η″ / Pa s",
        ("η″",),
        (False, False),
        _cole_cole,
    ),
    OscillationView(
        "tan_delta", "Loss tangent tan δ", _FREQUENCY, "tan δ", ("tan δ",), (True, True), _tangent
    ),
    OscillationView(
        "viscosity",
        "Complex viscosity |η*|",
        _FREQUENCY,
        "|η*| / Pa s",
        ("|η*|",),
        (True, True),
        _viscosity,
    ),
    OscillationView(
        "van_gurp_palmen",
        "van Gurp–Palmen: δ over |G*|",
        "|G*| / Pa",
        "δ / °",
        ("δ",),
        (True, False),
        _van_gurp_palmen,
    ),
)
"""All views, the usual one first."""
