"""RheoJAX's fluidity models: Maxwell fluids whose fluidity f / (Pa s)⁻¹ ages and is rejuvenated.

    dσ/dt = G (γ̇ − f σ), so that the strain in creep is σ/G + ∫ f σ dt

The two with a gap begin with the same fluidity everywhere, which then stays so: they are solved
at one point, and their cooperative length has no effect.

Sources: Coussot et al., Phys. Rev. Lett. 88 (2002) 175501; Picard et al., Eur. Phys. J. E 8 (2002)
371; Saramito, J. Non-Newton. Fluid Mech. 145 (2007) 1 (elastic below yield).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from rheojobs.inference.models.formulas import shear_flow
from rheojobs.inference.models.formulas.shear_flow import Material
from rheojobs.inference.models.formulas.stiff_solver import solve

__all__ = [
    "gap_creep",
    "gap_laos",
    "gap_relaxation",
    "gap_startup",
    "local_creep",
    "local_relaxation",
    "saramito_creep",
    "saramito_gap_creep",
    "saramito_laos",
    "saramito_oscillation",
    "saramito_startup",
]

_Constants = Mapping[str, Any]
_SOFT = 0.01  # the part of the yield stress over which RheoJAX rounds the onset of flow


def _named(instance: Any, params: Any) -> dict[str, Any]:
    return dict(zip(instance.parameters, params, strict=True))


def _power(rate: Any, exponent: Any) -> Any:
    """Return |rate|^exponent, zero at rest, with finite slopes."""
    import jax.numpy as jnp

    size = jnp.abs(rate)
    return jnp.where(size > 0.0, jnp.where(size > 0.0, size, 1.0) ** exponent, 0.0)


def _flowing(change: Callable[[Any, Any], Any], start: Any, held: Any, modulus: Any, t: Any) -> Any:
    """Return the creep strain of a fluidity that follows df/dt = change(f, rate), rate = f · held.

    `start` is the fluidity at first, in whose units it is solved.
    """
    import jax.numpy as jnp

    def field(_: Any, y: Any) -> Any:
        rate = y[1] * start * held
        return jnp.stack([rate, change(y[1] * start, rate) / start])

    first = 1e-6 * jnp.max(t)
    begin = jnp.stack([held / modulus, jnp.ones_like(modulus)])
    scale = jnp.stack([jnp.abs(held) / modulus, jnp.ones_like(modulus)])
    return solve(field, begin, t, atol=1e-10 * scale, first=first)[:, 0]


def _aging(p: Mapping[str, Any]) -> Callable[[Any, Any], Any]:
    """Return df/dt of `FluidityLocal`."""

    def change(f: Any, rate: Any) -> Any:
        rejuvenated = p["a"] * _power(rate, p["n_rejuv"]) * (p["f_inf"] - f)
        return (p["f_eq"] - f) / p["theta"] + rejuvenated

    return change


def local_creep(instance: Any, x: Any, params: Any, constants: _Constants) -> Any:
    """Return the strain of `FluidityLocal`, its elastic part included."""
    p = _named(instance, params)
    return _flowing(_aging(p), p["f_eq"], constants["sigma_applied"], p["G"], x)


def local_relaxation(instance: Any, x: Any, params: Any, constants: _Constants) -> Any:
    """Return the stress of `FluidityLocal` that is left of sigma_0; f is f_inf at first.

    Without shear, f = f_eq + (f_inf − f_eq) exp(−t/θ), and σ = σ₀ exp(−G ∫ f dt).
    """
    import jax.numpy as jnp

    p, t = _named(instance, params), jnp.asarray(x, dtype=float)
    excess = (p["f_inf"] - p["f_eq"]) * p["theta"]
    passed = p["f_eq"] * t - excess * jnp.expm1(-t / p["theta"])
    return constants["sigma_0"] * jnp.exp(-p["G"] * passed)


def _steady_fluidity(p: Mapping[str, Any], stress: Any) -> Any:
    """Return Herschel and Bulkley's rate over the stress, rounded as RheoJAX rounds it."""
    import jax
    import jax.numpy as jnp

    width = jnp.clip(_SOFT * p["tau_y"], 0.1, 10.0)
    over = width * jax.nn.softplus((jnp.abs(stress) - p["tau_y"]) / width)
    return (over / p["K"]) ** (1.0 / p["n_flow"]) / (jnp.abs(stress) + 1e-12)


def _gap(p: Mapping[str, Any]) -> Material:
    """Return `FluidityNonlocal` at one point; the state is σ/G and f/f_eq."""
    import jax.numpy as jnp

    modulus, unit = p["G"], p["f_eq"]

    def slopes(y: Any, rate: Any) -> Any:
        stress, f = y[0] * modulus, y[1] * unit
        return jnp.stack(
            [rate - f * stress, (_steady_fluidity(p, stress) / unit - y[1]) / p["theta"]]
        )

    return Material(
        rest=jnp.array([0.0, 1.0]),
        slopes=slopes,
        stress=lambda _, y: y[0] * modulus,
        solvent=0.0,
        modulus=modulus,
        time=p["theta"],
    )


def gap_startup(instance: Any, x: Any, params: Any, constants: _Constants) -> Any:
    """Return the stress of `FluidityNonlocal`."""
    return shear_flow.startup(_gap(_named(instance, params)), constants["gamma_dot"], x)


def gap_laos(instance: Any, x: Any, params: Any, constants: _Constants) -> Any:
    """Return the stress of `FluidityNonlocal`."""
    material = _gap(_named(instance, params))
    return shear_flow.laos(material, constants["gamma_0"], constants["omega"], x)


def gap_creep(instance: Any, x: Any, params: Any, constants: _Constants) -> Any:
    """Return the strain of `FluidityNonlocal`, its elastic part included."""
    p, held = _named(instance, params), constants["sigma_applied"]
    steady = _steady_fluidity(p, held)
    return _flowing(lambda f, _: (steady - f) / p["theta"], p["f_eq"], held, p["G"], x)


def gap_relaxation(instance: Any, x: Any, params: Any, constants: _Constants) -> Any:
    """Return the stress of `FluidityNonlocal` that is left of sigma_0, f being f_inf at first."""
    import jax.numpy as jnp

    p = _named(instance, params)
    start = jnp.stack([constants["sigma_0"] / p["G"], p["f_inf"] / p["f_eq"]])
    return shear_flow.startup(_gap(p)._replace(rest=start), 0.0, x)


def _yield(p: Mapping[str, Any], instance: Any, f: Any) -> Any:
    import jax.numpy as jnp

    if instance.coupling != "full":
        return p["tau_y0"]
    return p["tau_y0"] + p["tau_y_coupling"] / jnp.maximum(f, 1e-20) ** p["m_yield"]


def _flowing_part(size: Any, threshold: Any) -> Any:
    """Return Saramito's max(0, 1 − τ_y/|τ|), rounded as RheoJAX rounds it."""
    import jax
    import jax.numpy as jnp

    raw = 1.0 - threshold / (size + 1e-20)
    return jnp.clip(_SOFT * jax.nn.softplus(raw / _SOFT), 0.0, 1.0)


def _saramito(instance: Any, p: Mapping[str, Any], held: bool) -> Material:
    """Return `FluiditySaramitoLocal`; the state is τ_xx/G, τ_xy/G and f/f_age (τ_yy stays 0).

    Rejuvenation goes by the shear rate, and under a held stress (`held`) by the plastic one, as
    in RheoJAX: the step of elastic strain does not rejuvenate.
    """
    import jax.numpy as jnp

    modulus, unit = p["G"], p["f_age"]

    def slopes(y: Any, rate: Any) -> Any:
        xx, xy, f = y[0], y[1], y[2] * unit
        # RheoJAX's measure: the deviator has zz = -xx.
        size = modulus * jnp.sqrt(xx**2 + xy**2 + 1e-40)
        leak = _flowing_part(size, _yield(p, instance, f)) * modulus * f
        driving = leak * xy if held else rate
        rejuvenated = p["b"] * _power(driving, p["n_rej"]) * (p["f_flow"] - f)
        aged = (p["f_age"] - f) / p["t_a"] + rejuvenated
        return jnp.stack([2.0 * rate * xy - leak * xx, rate - leak * xy, aged / unit])

    return Material(
        rest=jnp.array([0.0, 0.0, 1.0]),
        slopes=slopes,
        stress=lambda _, y: y[1] * modulus,
        solvent=p["eta_s"],
        modulus=modulus,
        time=p["t_a"],
    )


def saramito_startup(instance: Any, x: Any, params: Any, constants: _Constants) -> Any:
    """Return the stress of `FluiditySaramitoLocal`, its solvent included."""
    p = _named(instance, params)
    return shear_flow.startup(_saramito(instance, p, False), constants["gamma_dot"], x)


def saramito_laos(instance: Any, x: Any, params: Any, constants: _Constants) -> Any:
    """Return the stress of `FluiditySaramitoLocal`, its solvent included."""
    material = _saramito(instance, _named(instance, params), False)
    return shear_flow.laos(material, constants["gamma_0"], constants["omega"], x)


def saramito_creep(instance: Any, x: Any, params: Any, constants: _Constants) -> Any:
    """Return the strain of `FluiditySaramitoLocal`, with its normal stress and its solvent."""
    material = _saramito(instance, _named(instance, params), True)
    return shear_flow.creep(material, constants["sigma_applied"], x)


def saramito_oscillation(instance: Any, x: Any, params: Any, constants: _Constants) -> Any:
    """Return G* of `FluiditySaramitoLocal`: below yield it is elastic, beside its solvent."""
    import jax.numpy as jnp

    p = _named(instance, params)
    return p["G"] + 1j * jnp.asarray(x, dtype=float) * p["eta_s"]


def saramito_gap_creep(instance: Any, x: Any, params: Any, constants: _Constants) -> Any:
    """Return the strain of `FluiditySaramitoNonlocal`, whose flow has no normal stress."""
    import jax.numpy as jnp

    p, held = _named(instance, params), constants["sigma_applied"]

    def field(_: Any, y: Any) -> Any:
        f = y[1] * p["f_age"]
        rate = _flowing_part(jnp.abs(held), _yield(p, instance, f)) * f * held
        rejuvenated = p["b"] * _power(rate, p["n_rej"]) * (p["f_flow"] - f)
        aged = (p["f_age"] - f) / p["t_a"] + rejuvenated
        return jnp.stack([rate, aged / p["f_age"]])

    elastic = held / p["G"]
    start = jnp.stack([elastic, jnp.ones_like(elastic)])
    scale = jnp.stack([jnp.abs(elastic), jnp.ones_like(elastic)])
    return solve(field, start, x, atol=1e-10 * scale)[:, 0]
