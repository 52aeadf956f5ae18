"""Predictions of the fractional models, in closed form or by inversion of their transforms.

RheoJAX's Mittag-Leffler function explodes for orders below 0.46, and what it converts numerically
(creep from the modulus, or the reverse) is a fitted series.

Sources: Schiessel, Metzler, Blumen & Nonnenmacher, J. Phys. A 28 (1995) 6567; Jaishankar &
McKinley, Proc. R. Soc. A 469 (2013) 20120284; Mainardi & Spada, Eur. Phys. J. Spec. Top. 193
(2011) 133 (moduli and compliances by the Mittag-Leffler function).
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from rheojobs.inference.models.rheojax.inverse_laplace import SOONEST, inverse
from rheojobs.inference.models.rheojax.mittag_leffler import (
    mittag_leffler,
    reciprocal_gamma,
    saturation,
)
from rheojobs.inference.models.rheojax.repair import Formula, Orders, Repair, refused, replaced

__all__ = ["ORDERS", "REPAIRS"]

_EXPLODES = (
    "RheoJAX's Mittag-Leffler function is off by up to a factor of 1e58 for orders below 0.46 and "
    "by 2 % to 8 % above, so that fits end at wrong orders and times"
)
_SERIES = (
    "RheoJAX fits a series of 120 terms to the complex modulus and sets negative terms to zero, "
    "which adds an instantaneous response and spoils the slopes"
)
_EPSILON = "RheoJAX adds 1e-12 1/Pa to the compliance: 0.1 % for a material of 1 GPa"


def _formula(function: Callable[..., Any]) -> Formula:
    """Make a formula of ``function(x, *parameters)``; x is at least `SOONEST`."""

    def predict(instance: Any, x: Any, params: Any, constants: Any) -> Any:
        import jax.numpy as jnp

        values = (params[k] for k in range(len(params)))
        return function(jnp.maximum(jnp.asarray(x), SOONEST), *values)

    predict.__doc__ = function.__doc__
    return predict


# --- relaxation modulus -------------------------------------------------------------------------


def _maxwell_model_relaxation(t: Any, c1: Any, alpha: Any, beta: Any, tau: Any) -> Any:
    power = c1 * tau ** (-beta) * t ** (beta - alpha)
    return power * mittag_leffler((t / tau) ** beta, beta, beta - alpha + 1.0)


def _maxwell_liquid_relaxation(t: Any, modulus: Any, alpha: Any, tau: Any) -> Any:
    return modulus * mittag_leffler((t / tau) ** alpha, alpha)


def _maxwell_gel_relaxation(t: Any, c_alpha: Any, alpha: Any, eta: Any) -> Any:
    order = 1.0 - alpha
    return c_alpha * t ** (-alpha) * mittag_leffler(c_alpha / eta * t**order, order, order)


def _zener_ss_relaxation(t: Any, equilibrium: Any, modulus: Any, alpha: Any, tau: Any) -> Any:
    return equilibrium + modulus * mittag_leffler((t / tau) ** alpha, alpha)


def _zener_sl_relaxation(t: Any, equilibrium: Any, c_alpha: Any, alpha: Any, tau: Any) -> Any:
    order = 1.0 - alpha
    return equilibrium + c_alpha * t ** (-alpha) * mittag_leffler((t / tau) ** order, order, order)


def _zener_ll_relaxation(
    t: Any, c1: Any, c2: Any, alpha: Any, beta: Any, gamma: Any, tau: Any
) -> Any:
    beside = c2 * t ** (-gamma) * reciprocal_gamma(1.0 - gamma)
    return _maxwell_model_relaxation(t, c1, alpha, beta, tau) + beside


def _poynting_thomson_relaxation(t: Any, glassy: Any, kelvin: Any, alpha: Any, tau: Any) -> Any:
    late = glassy * kelvin / (glassy + kelvin)
    at = (t / tau) ** alpha * (glassy + kelvin) / kelvin
    return late + (glassy - late) * mittag_leffler(at, alpha)


def _jeffreys_relaxation(t: Any, eta1: Any, eta2: Any, alpha: Any, tau: Any) -> Any:
    """Return the modulus for t > 0; at t = 0 there is a pulse of the viscosity eta1 r."""
    size = eta1 * (1.0 - (eta2 / eta1) ** alpha)
    return (
        size
        * tau ** (-alpha)
        * t ** (alpha - 1.0)
        * mittag_leffler((t / tau) ** alpha, alpha, alpha)
    )


def _burgers_relaxation(t: Any, glassy: Any, eta1: Any, kelvin: Any, alpha: Any, tau: Any) -> Any:
    """Return the function whose transform is 1 / (s J*(s))."""

    def modulus(s: Any) -> Any:
        return 1.0 / (s * _burgers_compliance(s, glassy, eta1, kelvin, alpha, tau))

    return inverse(modulus, t)


# --- creep compliance ---------------------------------------------------------------------------


def _kelvin_voigt_creep(t: Any, modulus: Any, c_alpha: Any, alpha: Any) -> Any:
    return saturation(modulus / c_alpha * t**alpha, alpha) / modulus


def _zener_ss_creep(t: Any, equilibrium: Any, modulus: Any, alpha: Any, tau: Any) -> Any:
    total = equilibrium + modulus
    at = (t / tau) ** alpha
    rise = at * mittag_leffler(equilibrium / total * at, alpha, 1.0 + alpha)
    return 1.0 / total + modulus / total**2 * rise


def _poynting_thomson_creep(t: Any, glassy: Any, kelvin: Any, alpha: Any, tau: Any) -> Any:
    return 1.0 / glassy + saturation((t / tau) ** alpha, alpha) / kelvin


def _burgers_creep(t: Any, glassy: Any, eta1: Any, kelvin: Any, alpha: Any, tau: Any) -> Any:
    return glassy + t / eta1 + kelvin * saturation((t / tau) ** alpha, alpha)


def _jeffreys_creep(t: Any, eta1: Any, eta2: Any, alpha: Any, tau: Any) -> Any:
    """Return the function whose transform is 1 / (s G*(s)), iω replaced by s in G*(iω)."""

    return inverse(lambda s: 1.0 / (s * _jeffreys_modulus(s, eta1, eta2, alpha, tau)), t)


def _zener_ll_creep(t: Any, c1: Any, c2: Any, alpha: Any, beta: Any, gamma: Any, tau: Any) -> Any:
    """Return the function whose transform is 1 / (s G*(s))."""

    return inverse(lambda s: 1.0 / (s * _zener_ll_modulus(s, c1, c2, alpha, beta, gamma, tau)), t)


def _zener_sl_creep(t: Any, equilibrium: Any, c_alpha: Any, alpha: Any, tau: Any) -> Any:
    """Return the function whose transform is 1 / (s G*(s))."""

    def compliance(s: Any) -> Any:
        slow = (s * tau) ** (1.0 - alpha)
        return 1.0 / (s * (equilibrium + c_alpha * s**alpha * slow / (1.0 + slow)))

    return inverse(compliance, t)


# --- complex modulus ----------------------------------------------------------------------------


def _maxwell_model_modulus(s: Any, c1: Any, alpha: Any, beta: Any, tau: Any) -> Any:
    return c1 * s**alpha / (1.0 + (s * tau) ** beta)


def _zener_ll_modulus(s: Any, c1: Any, c2: Any, alpha: Any, beta: Any, gamma: Any, tau: Any) -> Any:
    return _maxwell_model_modulus(s, c1, alpha, beta, tau) + c2 * s**gamma


def _jeffreys_modulus(s: Any, eta1: Any, eta2: Any, alpha: Any, tau: Any) -> Any:
    quick = (s * tau * eta2 / eta1) ** alpha
    return eta1 * s * (1.0 + quick) / (1.0 + (s * tau) ** alpha)


def _burgers_compliance(s: Any, glassy: Any, eta1: Any, kelvin: Any, alpha: Any, tau: Any) -> Any:
    return glassy + 1.0 / (eta1 * s) + kelvin / (1.0 + (s * tau) ** alpha)


def _burgers_oscillation(omega: Any, *parameters: Any) -> Any:
    return 1.0 / _burgers_compliance(1j * omega, *parameters)


def _poynting_thomson_oscillation(
    omega: Any, glassy: Any, kelvin: Any, alpha: Any, tau: Any
) -> Any:
    return 1.0 / (1.0 / glassy + 1.0 / (kelvin * (1.0 + (1j * omega * tau) ** alpha)))


# --- flow ---------------------------------------------------------------------------------------


def _jeffreys_flow(instance: Any, x: Any, params: Any, constants: Any) -> Any:
    """Return the stress of the steady viscosity eta1."""
    return params[0] * x


# --- the table ----------------------------------------------------------------------------------

_BY_FAULT: dict[str, dict[tuple[str, str], Callable[..., Any]]] = {
    _EXPLODES: {
        ("FractionalMaxwellLiquid", "relaxation"): _maxwell_liquid_relaxation,
        ("FractionalMaxwellModel", "relaxation"): _maxwell_model_relaxation,
        ("FractionalMaxwellGel", "relaxation"): _maxwell_gel_relaxation,
        ("FractionalZenerSolidSolid", "relaxation"): _zener_ss_relaxation,
        ("FractionalZenerSolidLiquid", "relaxation"): _zener_sl_relaxation,
        ("FractionalZenerLiquidLiquid", "relaxation"): _zener_ll_relaxation,
        ("FractionalKelvinVoigtZener", "relaxation"): _poynting_thomson_relaxation,
        ("FractionalPoyntingThomson", "relaxation"): _poynting_thomson_relaxation,
        ("FractionalJeffreysModel", "relaxation"): _jeffreys_relaxation,
        ("FractionalKelvinVoigt", "creep"): _kelvin_voigt_creep,
        ("FractionalZenerSolidSolid", "creep"): _zener_ss_creep,
        ("FractionalKelvinVoigtZener", "creep"): _poynting_thomson_creep,
        ("FractionalPoyntingThomson", "creep"): _poynting_thomson_creep,
        ("FractionalBurgersModel", "creep"): _burgers_creep,
    },
    _SERIES: {
        ("FractionalBurgersModel", "relaxation"): _burgers_relaxation,
        ("FractionalJeffreysModel", "creep"): _jeffreys_creep,
        ("FractionalZenerLiquidLiquid", "creep"): _zener_ll_creep,
        ("FractionalZenerSolidLiquid", "creep"): _zener_sl_creep,
    },
    _EPSILON: {
        ("FractionalBurgersModel", "oscillation"): _burgers_oscillation,
        ("FractionalKelvinVoigtZener", "oscillation"): _poynting_thomson_oscillation,
        ("FractionalPoyntingThomson", "oscillation"): _poynting_thomson_oscillation,
    },
}

REPAIRS: dict[tuple[str, str], Repair] = {
    pair: replaced(fault, _formula(function))
    for fault, functions in _BY_FAULT.items()
    for pair, function in functions.items()
}
REPAIRS["FractionalMaxwellLiquid", "flow_curve"] = refused(
    "a springpot in series has no steady viscosity, and RheoJAX gives the relaxation modulus at "
    "t = rate",
    "fit relaxation, creep or oscillation, or a model of flow such as power_law",
)
REPAIRS["FractionalJeffreysModel", "flow_curve"] = replaced(
    "RheoJAX gives the viscosity eta1 where the data are a stress", _jeffreys_flow
)

# In two springpots in series the second has the order alpha - beta, and a retardation is quicker
# than the relaxation; else moduli are negative.
ORDERS: Orders = {
    "FractionalMaxwellModel": (("beta", "alpha"),),
    "FractionalZenerLiquidLiquid": (("beta", "alpha"),),
    "FractionalJeffreysModel": (("eta2", "eta1"),),
}
