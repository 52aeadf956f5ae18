"""Elasto-viscoplastic elements with isotropic and kinematic hardening and thixotropy.

Elements stand in parallel, with a viscosity. Each has a stress σ, a backstress A, a structure λ
and, if asked for, a temperature T and a hardening R:

    dσ/dt = G (γ̇ − γ̇p) − G σ/η,  γ̇p = <|σ − A| − σ_y − R>/μ sign(σ − A)
    dA/dt = C γ̇p − q |A|^(m−1) A |γ̇p|
    dλ/dt = (1 − λ)/τ − Γ λ |γ̇p|
    dT/dt = (χ |σ γ̇p| − h (T − T_env))/ρc,  dR/dt = b (Q − R) |γ̇p|

Sources: Dimitriou & McKinley, Soft Matter 10 (2014) 6619 and J. Non-Newton. Fluid Mech. 265 (2019)
116 (the viscosity in parallel); Armstrong & Frederick, CEGB report RD/B/N731 (1966) (backstress);
Perzyna, Adv. Appl. Mech. 9 (1966) 243 (overstress).
"""

from __future__ import annotations

from typing import Any, NamedTuple

from rheojobs.inference.models.formulas.shear_flow import Material

__all__ = ["Elements", "Heat", "Structure", "elements", "loss", "structure_of", "yield_stress"]

_GAS = 8.314462618
_LEAST = 1e-10


class Structure(NamedTuple):
    """The structure λ of k elements: Σ weights · x.

    Attributes
    ----------
    rebuilding, breaking : array, shape (k, j) or (k, 1)
        τ and Γ.
    weights : array, shape (k, j)
        Of the parts x.
    start : array, shape (k, j)
        x before the test.
    """

    rebuilding: Any
    breaking: Any
    weights: Any
    start: Any


class Heat(NamedTuple):
    """Heating by plastic flow and what depends on temperature (parameters named as RheoJAX's)."""

    T_ref: Any
    E_a: Any
    E_y: Any
    m_y: Any
    rho_cp: Any
    chi: Any
    h: Any
    T_env: Any


class Elements(NamedTuple):
    """Parameters of k elements, each of shape (k,) or a number.

    `loss` is 1/η, which is zero without a dashpot in series.
    """

    G: Any
    loss: Any
    C: Any
    q: Any
    m: Any
    sigma_y0: Any
    delta_sigma_y: Any
    mu: Any
    structure: Structure
    heat: Heat | None = None
    hardening: tuple[Any, Any] | None = None


def structure_of(rebuilding: Any, breaking: Any, weights: Any, start: Any) -> Structure:
    """Return a structure that is at `start` before the test."""
    import jax.numpy as jnp

    return Structure(rebuilding, breaking, weights, jnp.full(jnp.shape(rebuilding), start))


def yield_stress(parts: Elements, lam: Any, temperature: Any) -> Any:
    """Return the yield stress / Pa at a structure and a temperature / K."""
    import jax.numpy as jnp

    if parts.heat is None:
        return parts.sigma_y0 + parts.delta_sigma_y * lam
    heat = parts.heat
    factor = jnp.maximum(lam, _LEAST) ** heat.m_y * _arrhenius(heat.E_y, temperature, heat.T_ref)
    return parts.sigma_y0 + parts.delta_sigma_y * factor


def _arrhenius(energy: Any, temperature: Any, reference: Any) -> Any:
    import jax.numpy as jnp

    inverse = 1.0 / jnp.maximum(temperature, 1.0) - 1.0 / jnp.maximum(reference, 1.0)
    return jnp.exp(jnp.clip(energy / _GAS * inverse, -50.0, 50.0))


def loss(parts: Elements, temperature: Any) -> Any:
    """Return 1/η / (Pa s)⁻¹ at a temperature / K."""
    if parts.heat is None:
        return parts.loss
    return parts.loss / _arrhenius(parts.heat.E_a, temperature, parts.heat.T_ref)


def elements(parts: Elements, viscosity: Any, stresses: Any = 0.0) -> Material:
    """Make the material from its elements and the viscosity in parallel / Pa s.

    Parameters
    ----------
    parts : Elements
        The elements.
    viscosity : float
        Pa s.
    stresses : float or array, shape (k,)
        Before the test, for a relaxation / Pa.
    """
    import jax.numpy as jnp

    count = parts.structure.start.shape[0]
    warm = 298.15 if parts.heat is None else parts.heat.T_env
    # Stresses in units of the elements' moduli, so that one tolerance serves all.
    unit = jnp.broadcast_to(jnp.asarray(parts.G, dtype=float), (count,))

    structure = parts.structure

    def slopes(y: Any, rate: Any) -> Any:
        rows = y.reshape(count, -1)
        sigma, back = rows[:, 0] * unit, rows[:, 1] * unit
        hard, temperature, x = rows[:, 2] * unit, rows[:, 3] * warm, rows[:, 4:]
        lam = jnp.sum(x * structure.weights, axis=1)
        over = jnp.abs(sigma - back) - yield_stress(parts, lam, temperature) - hard
        flow = jnp.maximum(over, 0.0) / parts.mu
        plastic = flow * jnp.sign(sigma - back)
        stress = rate - plastic - sigma * loss(parts, temperature)
        recovery = parts.q * jnp.maximum(jnp.abs(back), _LEAST) ** (parts.m - 1.0) * back * flow
        kinematic = (parts.C * plastic - recovery) / unit
        heated = _warmed(parts, sigma, flow, temperature) / warm
        hardened = _hardened(parts, hard, flow) / unit
        first = jnp.stack([stress, kinematic, hardened, heated], axis=1)
        rebuilt = (1.0 - x) / structure.rebuilding - structure.breaking * x * flow[:, None]
        return jnp.concatenate([first, rebuilt], axis=1).ravel()

    def stress_of(_: Any, y: Any) -> Any:
        return jnp.sum(y.reshape(count, -1)[:, 0] * unit)

    first = jnp.stack(
        [jnp.broadcast_to(stresses, (count,)) / unit, *jnp.zeros((2, count)), jnp.ones(count)],
        axis=1,
    )
    rest = jnp.concatenate([first, structure.start], axis=1).ravel()
    return Material(rest, slopes, stress_of, viscosity, jnp.sum(unit), _time(parts), True)


def _time(parts: Elements) -> Any:
    """Return the time scale / s: that of plastic flow, the shortest."""
    import jax.numpy as jnp

    return jnp.max(jnp.asarray(parts.mu / parts.G))


def _hardened(parts: Elements, hard: Any, flow: Any) -> Any:
    import jax.numpy as jnp

    if parts.hardening is None:
        return jnp.zeros_like(hard)
    top, speed = parts.hardening
    return speed * (top - hard) * flow


def _warmed(parts: Elements, sigma: Any, flow: Any, temperature: Any) -> Any:
    import jax.numpy as jnp

    heat = parts.heat
    if heat is None:
        return jnp.zeros_like(temperature)
    return (heat.chi * jnp.abs(sigma) * flow - heat.h * (temperature - heat.T_env)) / heat.rho_cp
