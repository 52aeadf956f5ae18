"""RheoJAX's thixotropic model (`DMTLocal`), whose structure λ sets viscosity and modulus.

    dλ/dt = (1 − λ − a λ |γ̇|^c)/t_eq,  dσ/dt = G(λ) γ̇ − σ G(λ)/η(λ, γ̇)

Without elasticity σ = η γ̇. RheoJAX steps from one time of the data to the next.

Source: de Souza Mendes & Thompson, Rheol. Acta 52 (2013) 673; Papanastasiou, J. Rheol. 31 (1987)
385 (regularized yield stress).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from rheojobs.inference.models.formulas.stiff_solver import solve

__all__ = ["creep", "laos", "relaxation", "startup"]

_Constants = Mapping[str, Any]
_BROKEN = 0.5
"""The structure when a relaxation begins, as RheoJAX has it."""
_SHARP = 1e6  # s
_NEWTON_STEPS = 12


def _named(instance: Any, params: Any) -> dict[str, Any]:
    return dict(zip(instance.parameters, params, strict=True))


def _viscosity(instance: Any, p: Mapping[str, Any], lam: Any, rate: Any) -> Any:
    import jax.numpy as jnp

    if instance.closure == "exponential":
        return p["eta_inf"] * (p["eta_0"] / p["eta_inf"]) ** lam
    size, lam = jnp.maximum(jnp.abs(rate), 1e-12), jnp.maximum(lam, 1e-10)
    yielding = p["tau_y0"] * lam ** p["m1"] * -jnp.expm1(-_SHARP * size) / size
    return yielding + p["K0"] * lam ** p["m2"] * size ** (p["n_flow"] - 1.0) + p["eta_inf"]


def _modulus(p: Mapping[str, Any], lam: Any) -> Any:
    import jax.numpy as jnp

    return p["G0"] * jnp.maximum(lam, 1e-10) ** p["m_G"]


def _rebuilt(p: Mapping[str, Any], lam: Any, rate: Any) -> Any:
    import jax.numpy as jnp

    return (1.0 - lam - p["a"] * lam * (jnp.abs(rate) + 1e-12) ** p["c"]) / p["t_eq"]


def _stress(
    instance: Any, params: Any, rate_at: Callable[[Any], Any], t: Any, first: Any, lam: float
) -> Any:
    """Return the stress under a given shear rate, from the stress `first` and structure `lam`."""
    import jax
    import jax.numpy as jnp

    p, t = _named(instance, params), jnp.asarray(t, dtype=float)
    if not instance.include_elasticity:
        start = jnp.array([lam])
        row = solve(lambda s, y: _rebuilt(p, y, rate_at(s)), start, t)[:, 0]
        rates = jax.vmap(rate_at)(t)
        return _viscosity(instance, p, row, rates) * rates
    unit = p["G0"]

    def field(s: Any, y: Any) -> Any:
        rate = rate_at(s)
        modulus = _modulus(p, y[1])
        leak = y[0] * modulus / jnp.maximum(_viscosity(instance, p, y[1], rate), 1e-12)
        return jnp.stack([modulus / unit * rate - leak, _rebuilt(p, y[1], rate)])

    start = jnp.stack([jnp.asarray(first / unit, dtype=float), jnp.asarray(lam)])
    return unit * solve(field, start, t, atol=1e-12)[:, 0]


def startup(instance: Any, x: Any, params: Any, constants: _Constants) -> Any:
    """Return the stress, from rest with all structure."""
    rate = constants["gamma_dot"]
    return _stress(instance, params, lambda s: rate + 0.0 * s, x, 0.0, 1.0)


def laos(instance: Any, x: Any, params: Any, constants: _Constants) -> Any:
    """Return the stress, from rest with all structure."""
    import jax.numpy as jnp

    amplitude, omega = constants["gamma_0"], constants["omega"]
    return _stress(instance, params, lambda s: amplitude * omega * jnp.cos(omega * s), x, 0.0, 1.0)


def relaxation(instance: Any, x: Any, params: Any, constants: _Constants) -> Any:
    """Return the stress that is left of sigma_0, from half the structure."""
    return _stress(instance, params, lambda s: 0.0 * s, x, constants["sigma_0"], _BROKEN)


def creep(instance: Any, x: Any, params: Any, constants: _Constants) -> Any:
    """Return the strain, with the elastic one of the structure that is left."""
    import jax.numpy as jnp

    p, held = _named(instance, params), constants["sigma_applied"]
    elastic = held / p["G0"] if instance.include_elasticity else 1.0

    def field(_: Any, y: Any) -> Any:
        rate = _rate(instance, p, held, y[1])
        return jnp.stack([rate / elastic, _rebuilt(p, y[1], rate)])

    state = solve(field, jnp.array([0.0, 1.0]), x)
    flown = elastic * state[:, 0]
    if not instance.include_elasticity:
        return flown
    return flown + held / _modulus(p, state[:, 1])


def _rate(instance: Any, p: Mapping[str, Any], held: Any, lam: Any) -> Any:
    """Return the shear rate / s⁻¹ of viscous flow under a held stress."""
    import jax
    import jax.numpy as jnp

    if instance.closure == "exponential":
        return held / _viscosity(instance, p, lam, 0.0)
    lam = jnp.maximum(lam, 1e-10)
    over = held - p["tau_y0"] * lam ** p["m1"]
    consistency, rest = p["K0"] * lam ** p["m2"], jnp.maximum(over, 1e-12)

    def newton(_: Any, log_rate: Any) -> Any:
        # Log stress over log rate has slopes between n and 1.
        power = consistency * jnp.exp(p["n_flow"] * log_rate)
        viscous = p["eta_inf"] * jnp.exp(log_rate)
        slope = (p["n_flow"] * power + viscous) / (power + viscous)
        return log_rate - (jnp.log(power + viscous) - jnp.log(rest)) / slope

    guess = jnp.log(rest / (consistency + p["eta_inf"]))
    log_rate = jax.lax.fori_loop(0, _NEWTON_STEPS, newton, guess)
    return jnp.where(over > 1e-12, jnp.exp(log_rate), 1e-12)
