"""Predictions of soft glassy rheology from its equations: linear response and steady flow.

In units of G0, tau0 and the mean depth of the traps: an element in a trap of depth E with the
strain l yields at the rate exp(-(E - l²/2) / x), and gets a new trap from rho(E) = exp(-E). At
rest, for x > 1, the elements' relaxation times tau = exp(E / x) then have the density
n tau^(-x), n = x - 1. For x <= 1 there is no equilibrium, and the linear response ages.

Source: Sollich, Phys. Rev. E 58 (1998) 738.
"""

from __future__ import annotations

import functools
from collections.abc import Mapping
from typing import Any

import numpy as np

from rheojobs.inference.models.rheojax.inverse_laplace import SOONEST, inverse
from rheojobs.inference.models.rheojax.repair import Narrowed, Repair, refused, replaced

__all__ = ["BOUNDS", "REPAIRS"]

# Logarithms of relaxation times: panels on which the response of an element is smooth.
_LONGEST, _PANELS, _PER_PANEL = 80.0, 32, 12
_SLOWEST = 1e-25
# The sum over ages, by the logarithm of the attempts at unit rate: the share of survivors changes
# within a unit of it, so that the sum converges to e^-25 at this step.
_STEP, _YOUNGEST, _OLDEST = 0.35, -60.0, 120.0
_SLOWEST_FLOW = 1e-20
_FAR, _TERMS = 40.0, 140


@functools.cache
def _times() -> tuple[Any, Any]:
    """Return nodes and weights of an integral over the logarithm of the relaxation time."""
    nodes, weights = np.polynomial.legendre.leggauss(_PER_PANEL)
    width = _LONGEST / _PANELS
    starts = width * np.arange(_PANELS)[:, None]
    return (starts + width * (nodes + 1.0) / 2.0).ravel(), np.tile(weights * width / 2.0, _PANELS)


def complex_modulus(s: Any, x: Any) -> Any:
    """Return G*(s) / G0 for complex s in units of 1 / tau0, with arg s < π, and x >= 1.

    It is the mean of s tau / (1 + s tau) over the relaxation times; all of its terms have the
    same sign for imaginary s, so that errors are relative.
    """
    import jax.numpy as jnp

    n = x - 1.0
    nodes, weights = _times()
    column = (slice(None), *(None,) * jnp.ndim(s))
    y = nodes[column]
    terms = jnp.exp(-n * y) * weights[column] / (1.0 + jnp.exp(-y) / s)
    beyond = jnp.exp(-n * _LONGEST) / (1.0 + np.exp(-_LONGEST) / s)
    return n * jnp.sum(terms, axis=0) + beyond


def survivors(x: Any, log_z: Any) -> Any:
    """Return x times the integral of u^(x-1) exp(-z u) over u from 0 to 1.

    It is the mean of exp(-z exp(-E / x)) over rho(E): the share of new elements that have not
    yielded after z attempts at E = 0. With x - 1 for x it is the relaxation modulus.
    """
    import jax
    import jax.numpy as jnp
    from jax.scipy.special import gammaln

    z = jnp.exp(jnp.minimum(log_z, np.log(_FAR)))

    def add(k: Any, carry: tuple[Any, Any]) -> tuple[Any, Any]:
        term = carry[0] * z / (x + 1.0 + k)
        return term, carry[1] + term

    ones = jnp.ones_like(z) * jnp.ones_like(x)
    _, series = jax.lax.fori_loop(0, _TERMS, add, (ones, ones))
    late = jnp.exp(gammaln(1.0 + x) - x * jnp.maximum(log_z, np.log(_FAR)))
    return jnp.where(log_z < np.log(_FAR), jnp.exp(-z) * series, late)


@functools.cache
def _ages() -> tuple[Any, Any, Any]:
    """Return log z, the age s at which it is the integral of exp(v²) over v from 0 to s, and ds."""
    from scipy.special import dawsn

    log_z = np.arange(_YOUNGEST, _OLDEST, _STEP)
    # Newton's steps from above: log z is concave and rises with log s.
    s = np.where(log_z < 0, np.exp(log_z), np.sqrt(np.maximum(log_z, 0.0) + 3.0))
    for _ in range(60):
        s = np.maximum(s - dawsn(s) * (s**2 + np.log(dawsn(s)) - log_z), s / 2)
    return log_z, s, dawsn(s) * _STEP


def steady_stress(rate: Any, x: Any) -> Any:
    """Return the stress / G0 in steady flow at rates in units of 1 / tau0, positive.

    An element of age t has the strain rate * t = sqrt(2 x) s, and behind it z(t) attempts: the
    integral of exp(strain² / (2 x)). Ages have the density survivors(x, z).
    """
    import jax.numpy as jnp

    log_z, s, ds = (values[:, None] for values in _ages())
    share = ds * survivors(x, log_z - jnp.log(rate / jnp.sqrt(2.0 * x)))
    return jnp.sqrt(2.0 * x) * jnp.sum(s * share, axis=0) / jnp.sum(share, axis=0)


def _oscillation(instance: Any, x: Any, params: Any, constants: Mapping[str, Any]) -> Any:
    import jax.numpy as jnp

    temperature, modulus, tau0 = params[0], params[1], params[2]
    s = 1j * jnp.maximum(jnp.asarray(x) * tau0, _SLOWEST)
    return modulus * complex_modulus(s, temperature)


def _relaxation(instance: Any, x: Any, params: Any, constants: Mapping[str, Any]) -> Any:
    import jax.numpy as jnp

    temperature, modulus, tau0 = params[0], params[1], params[2]
    return modulus * survivors(temperature - 1.0, jnp.log(jnp.maximum(x, SOONEST) / tau0))


def _creep(instance: Any, x: Any, params: Any, constants: Mapping[str, Any]) -> Any:
    """Return the compliance of the complex modulus, by its transform 1 / (s G*(s))."""
    import jax.numpy as jnp

    temperature, modulus, tau0 = params[0], params[1], params[2]
    at = jnp.asarray(x) / tau0
    return inverse(lambda s: 1.0 / (s * complex_modulus(s, temperature)), at) / modulus


def _flow(instance: Any, x: Any, params: Any, constants: Mapping[str, Any]) -> Any:
    """Return the stress, or the viscosity where RheoJAX's class predicts that."""
    import jax.numpy as jnp

    temperature, modulus, tau0 = params[0], params[1], params[2]
    size = jnp.maximum(jnp.abs(jnp.asarray(x)) * tau0, _SLOWEST_FLOW)
    stress = modulus * steady_stress(size, temperature)
    if instance.flow_quantity == "viscosity":
        return stress * tau0 / size
    return jnp.sign(x) * stress


_CLASSES = ("SGRConventional", "SGRGeneric")
_REPAIRS = {
    "oscillation": replaced(
        "RheoJAX leaves the factor exp(E / x) out of the equilibrium: exponents of G' and G'' are "
        "one too high, and a liquid is fitted as a glass",
        _oscillation,
    ),
    "relaxation": replaced(
        "RheoJAX has a power law of the right exponent with another modulus: G0 is 1.3 to 1.7 "
        "times too large",
        _relaxation,
    ),
    "creep": replaced(
        "RheoJAX takes the compliance as 1 / G(t): 1.5 times too large at x = 1.3, 6 at 1.8", _creep
    ),
    "flow_curve": replaced(
        "RheoJAX's stress rises as rate^(x - 1) for x > 2 too, where the flow is Newtonian, and "
        "jumps by a factor of 2 at x = 1",
        _flow,
    ),
    "startup": refused(
        "RheoJAX integrates the linear response, which never becomes steady: up to 110 times the "
        "flow curve",
        "fit relaxation, oscillation or a flow curve",
    ),
    "laos": refused(
        "RheoJAX multiplies the linear wave by 1 - 0.1 gamma², which is not this model",
        "fit oscillation at small strain",
    ),
}
REPAIRS: dict[tuple[str, str], Repair] = {
    (kind, mode): repair for kind in _CLASSES for mode, repair in _REPAIRS.items()
}

# Below, there is no equilibrium to respond from; a flow has a steady state.
BOUNDS: Narrowed = {
    (kind, mode): {"x": (1.0, 3.0)}
    for kind in _CLASSES
    for mode in ("oscillation", "relaxation", "creep")
}
