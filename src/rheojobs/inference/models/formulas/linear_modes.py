"""Creep of Maxwell modes in parallel with a dashpot and a spring, by the inverse Laplace transform.

The shear stress of an upper-convected Maxwell mode is linear in the history of the shear rate, so
that this holds for networks of them at any stress. With s the transform's variable,
J~(s) = 1 / (s G*(s)) and G*(s) = G_e + sum G_k s / (s + 1/tau_k) + eta_s s.

Source: Ferry, Viscoelastic Properties of Polymers (1980), ch. 3; Bird, Armstrong & Hassager,
Dynamics of Polymeric Liquids 1 (1987), ch. 7 (upper-convected Maxwell model).
"""

from __future__ import annotations

from typing import Any

from rheojobs.inference.models.rheojax.inverse_laplace import inverse

__all__ = ["compliance"]


def compliance(t: Any, moduli: Any, rates: Any, viscosity: Any = 0.0, spring: Any = 0.0) -> Any:
    """Return the creep compliance / Pa⁻¹.

    Parameters
    ----------
    t : array, shape (n,)
        Times / s; zero gives the limit from above.
    moduli, rates : array, shape (k,)
        Moduli / Pa and inverse relaxation times / s⁻¹ of the modes.
    viscosity : float
        Of the dashpot in parallel / Pa s.
    spring : float
        Modulus of the spring in parallel / Pa.

    Returns
    -------
    array, shape (n,)
        Exact to about 1e-10.
    """
    import jax.numpy as jnp

    moduli, rates = jnp.asarray(moduli), jnp.asarray(rates)

    def transform(s: Any) -> Any:
        parts = moduli * s[..., None] / (s[..., None] + rates)
        return 1.0 / (s * (spring + jnp.sum(parts, axis=-1) + viscosity * s))

    return inverse(transform, t)
