"""Transient networks and the Giesekus fluid in simple shear.

The state is the conformation tensor's xx, yy, zz and xy, the identity at rest.

Sources: Tanaka & Edwards, Macromolecules 25 (1992) 1516 (network); Vernerey, Long & Brighenti,
J. Mech. Phys. Solids 107 (2017) 1 (the same by distribution tensor); Bird, Armstrong & Hassager,
Dynamics of Polymeric Liquids 2 (1987) (Peterlin's factor); Gordon & Schowalter, Trans. Soc. Rheol.
16 (1972) 79 (slip); Annable et al., J. Rheol. 37 (1993) 695 and Tripathi, Tam & McKinley,
Macromolecules 39 (2006) 1981 (loops and bridges); Giesekus, J. Non-Newton. Fluid Mech. 11 (1982)
69.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from rheojobs.inference.models.formulas.shear_flow import Material

__all__ = ["bridges", "giesekus", "network"]

_REST = (1.0, 1.0, 1.0, 0.0)
_TOP = 500.0  # of an exponent


def _stretch(y: Any) -> Any:
    import jax.numpy as jnp

    return jnp.sqrt(jnp.maximum((y[0] + y[1] + y[2]) / 3.0, 1e-30))


def _convected(y: Any, rate: Any, slip: float = 0.0) -> Any:
    """Return the Gordon-Schowalter terms of dy/dt, which are the upper-convected ones at slip 0."""
    import jax.numpy as jnp

    xx, yy, _, xy = y[0], y[1], y[2], y[3]
    return rate * jnp.stack(
        [(2.0 - slip) * xy, -slip * xy, jnp.zeros_like(xy), yy - slip / 2.0 * (xx + yy)]
    )


def network(
    modulus: Any,
    breaking: Callable[[Any], Any],
    forming: Callable[[Any], Any],
    solvent: Any,
    lifetime: Any,
    peterlin: Callable[[Any], Any] | None = None,
    slip: float = 0.0,
) -> Material:
    """Make a network whose chains break and form.

    Parameters
    ----------
    modulus : float
        Pa.
    breaking, forming : callable
        Rates / s⁻¹ as functions of the stretch.
    solvent : float
        Viscosity / Pa s.
    lifetime : float
        Of a chain at rest / s.
    peterlin : callable, optional
        The factor of stress and breaking as a function of the conformation's trace.
    slip : float
        Gordon and Schowalter's.
    """
    import jax.numpy as jnp

    identity = jnp.array([1.0, 1.0, 1.0, 0.0])

    def factor(y: Any) -> Any:
        return 1.0 if peterlin is None else peterlin(y[0] + y[1] + y[2])

    def slopes(y: Any, rate: Any) -> Any:
        stretch = _stretch(y)
        born = forming(stretch) * identity
        return _convected(y, rate, slip) + born - breaking(stretch) * factor(y) * y

    def stress(_: Any, y: Any) -> Any:
        return modulus * factor(y) * y[3]

    return Material(jnp.array(_REST), slopes, stress, solvent, modulus, lifetime)


def bell(rate: Any, force: Any) -> Callable[[Any], Any]:
    """Return the rate of breaking under force, by Bell, Science 200 (1978) 618."""
    import jax.numpy as jnp

    return lambda stretch: rate * jnp.exp(jnp.minimum(force * (stretch - 1.0), _TOP))


def bridges(modulus: Any, detaching: Any, attaching: Any, force: Any, solvent: Any) -> Material:
    """Make a network of bridges that detach into loops and attach again.

    At rest the part of bridges is that of the kinetics, tau_b / (tau_a + tau_b): the rate of
    attaching (1 - f) / tau_a equals that of detaching f / tau_b.

    Parameters
    ----------
    modulus : float
        If all were bridges / Pa.
    detaching, attaching : float
        Times tau_b and tau_a / s.
    force : float
        Bell's sensitivity.
    solvent : float
        Viscosity / Pa s.
    """
    import jax.numpy as jnp

    inner = network(modulus, bell(1.0 / detaching, force), lambda _: 1.0 / detaching, 0.0, 1.0)
    part = detaching / (attaching + detaching)

    def slopes(y: Any, rate: Any) -> Any:
        lost = bell(1.0 / detaching, force)(_stretch(y[1:]))
        return jnp.append((1.0 - y[0]) / attaching - y[0] * lost, inner.slopes(y[1:], rate))

    def stress(strain: Any, y: Any) -> Any:
        return y[0] * inner.stress(strain, y[1:])

    rest = jnp.append(part, inner.rest)
    return Material(rest, slopes, stress, solvent, part * modulus, detaching)


def giesekus(viscosity: Any, time: Any, mobility: Any, solvent: Any) -> Material:
    """Make a Giesekus fluid from its polymer's viscosity / Pa s, relaxation time / s and alpha.

    The state is the polymer's stress over its modulus, plus the identity.
    """
    import jax.numpy as jnp

    identity = jnp.array([1.0, 1.0, 1.0, 0.0])

    def slopes(y: Any, rate: Any) -> Any:
        xx, yy, zz, xy = y - identity
        square = jnp.stack([xx**2 + xy**2, xy**2 + yy**2, zz**2, xy * (xx + yy)])
        return _convected(y, rate) - (y - identity + mobility * square) / time

    def stress(_: Any, y: Any) -> Any:
        return viscosity / time * y[3]

    return Material(jnp.array(_REST), slopes, stress, solvent, viscosity / time, time)
