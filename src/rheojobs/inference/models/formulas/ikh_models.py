"""RheoJAX's isotropic-kinematic hardening models by one system of equations for all of their tests.

RheoJAX has three: return mapping on the data's own spacing, rate equations, and other rate
equations for creep.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from rheojobs.inference.models.formulas import shear_flow
from rheojobs.inference.models.formulas.hardening import (
    Elements,
    Heat,
    elements,
    loss,
    structure_of,
    yield_stress,
)
from rheojobs.inference.models.formulas.shear_flow import Material

__all__ = ["creep", "flow_curve", "laos", "oscillation", "relaxation", "startup"]

_BROKEN = 0.5
"""The structure when a relaxation begins, as RheoJAX has it."""
_HALVINGS = 60

Formula = Callable[[Any, Any, Any, Mapping[str, Any]], Any]


def _named(instance: Any, params: Any) -> dict[str, Any]:
    return dict(zip(instance.parameters, params, strict=True))


def _indexed(named: Mapping[str, Any], name: str, places: range) -> Any:
    import jax.numpy as jnp

    return jnp.stack([named[f"{name}_{k}"] for k in places])


def _one(value: Any) -> Any:
    import jax.numpy as jnp

    return jnp.reshape(jnp.asarray(value, dtype=float), (1, 1))


def _mikh(instance: Any, named: Mapping[str, Any], start: float) -> Elements:
    p = named
    structure = structure_of(_one(p["tau_thix"]), _one(p["Gamma"]), _one(1.0), start)
    return Elements(
        G=p["G"],
        loss=1.0 / p["eta"],
        C=p["C"],
        q=p["gamma_dyn"],
        m=p["m"],
        sigma_y0=p["sigma_y0"],
        delta_sigma_y=p["delta_sigma_y"],
        mu=p["mu_p"],
        structure=structure,
    )


def _ml_ikh(instance: Any, named: Mapping[str, Any], start: float) -> Elements:
    import jax.numpy as jnp

    p, modes = named, range(1, instance.n_modes + 1)
    thix, breaking = _indexed(p, "tau_thix", modes), _indexed(p, "Gamma", modes)
    if instance.yield_mode == "weighted_sum":
        weights = _indexed(p, "w", modes)[None]
        structure = structure_of(thix[None], breaking[None], weights, start)
        return Elements(
            p["G"],
            0.0,
            p["C"],
            p["gamma_dyn"],
            p["m"],
            p["sigma_y0"],
            p["k3"],
            p["mu_p"],
            structure,
        )
    structure = structure_of(thix[:, None], breaking[:, None], jnp.ones((len(modes), 1)), start)
    return Elements(
        G=jnp.maximum(_indexed(p, "G", modes), 1e-30),
        loss=0.0,
        C=_indexed(p, "C", modes),
        q=_indexed(p, "gamma_dyn", modes),
        m=1.0,
        sigma_y0=_indexed(p, "sigma_y0", modes),
        delta_sigma_y=_indexed(p, "delta_sigma_y", modes),
        mu=p["mu_p"],
        structure=structure,
    )


def _fractional(instance: Any, named: Mapping[str, Any], start: float) -> Elements:
    """Return the elements of FIKH, or of FMLIKH with its modes.

    These serve for the limits of small strains and of steady flow alone, where the order of the
    structure's derivative does not matter.
    """
    import jax.numpy as jnp

    p = named
    if "G" in p:
        moduli, eta, back, q = (jnp.reshape(p[k], (1,)) for k in ("G", "eta", "C", "gamma_dyn"))
    else:
        modes = range(sum(name.startswith("eta_") and name[4:].isdigit() for name in p))
        moduli, eta, back, q = (_indexed(p, k, modes) for k in ("G", "eta", "C", "gamma_dyn"))
    structure = structure_of(_one(p["tau_thix"]), _one(p["Gamma"]), _one(1.0), start)
    heat = Heat(**{key: p[key] for key in Heat._fields}) if "rho_cp" in p else None
    hardening = (p["Q_iso"], p["b_iso"]) if "Q_iso" in p else None
    return Elements(
        G=moduli,
        loss=1.0 / eta,
        C=back,
        q=q,
        m=p["m"],
        sigma_y0=p["sigma_y0"],
        delta_sigma_y=p["delta_sigma_y"],
        mu=p["mu_p"],
        structure=structure,
        heat=heat,
        hardening=hardening,
    )


_MAKERS: Mapping[str, Callable[[Any, Mapping[str, Any], float], Elements]] = {
    "MIKH": _mikh,
    "MLIKH": _ml_ikh,
    "FIKH": _fractional,
    "FMLIKH": _fractional,
}


def _parts(instance: Any, params: Any, start: float = 1.0) -> tuple[Elements, Any]:
    named = _named(instance, params)
    return _MAKERS[type(instance).__name__](instance, named, start), named["eta_inf"]


def _material(instance: Any, params: Any) -> Material:
    return elements(*_parts(instance, params))


def creep(instance: Any, x: Any, params: Any, constants: Mapping[str, Any]) -> Any:
    """Return the strain; the elements share its rate, and the elastic strain is part of it."""
    return shear_flow.creep(_material(instance, params), constants["sigma_applied"], x)


def startup(instance: Any, x: Any, params: Any, constants: Mapping[str, Any]) -> Any:
    """Return the stress."""
    return shear_flow.startup(_material(instance, params), constants["gamma_dot"], x)


def laos(instance: Any, x: Any, params: Any, constants: Mapping[str, Any]) -> Any:
    """Return the stress."""
    material = _material(instance, params)
    return shear_flow.laos(material, constants["gamma_0"], constants["omega"], x)


def relaxation(instance: Any, x: Any, params: Any, constants: Mapping[str, Any]) -> Any:
    """Return the stress that is left of sigma_0; modes share it as RheoJAX has it."""
    import jax.numpy as jnp

    parts, viscosity = _parts(instance, params, _BROKEN)
    count = parts.structure.start.shape[0]
    moduli = jnp.broadcast_to(parts.G, (count,))
    shared = 1.0 / count if type(instance).__name__ == "MLIKH" else moduli / jnp.sum(moduli)
    material = elements(parts, viscosity, constants["sigma_0"] * shared)
    return shear_flow.startup(material, 0.0, x)


def oscillation(instance: Any, x: Any, params: Any, constants: Mapping[str, Any]) -> Any:
    """Return G*, the limit of small strains: below yield the elements are Maxwell's."""
    import jax.numpy as jnp

    parts, viscosity = _parts(instance, params)
    warm = None if parts.heat is None else parts.heat.T_env
    rates = jnp.atleast_1d(parts.G * loss(parts, warm))
    iw = 1j * jnp.asarray(x, dtype=float)[:, None]
    return jnp.sum(parts.G * iw / (iw + rates), axis=1) + iw[:, 0] * viscosity


def flow_curve(instance: Any, x: Any, params: Any, constants: Mapping[str, Any]) -> Any:
    """Return the steady stress, which start-up tends to: backstress and heating are part of it."""
    import jax
    import jax.numpy as jnp

    parts, viscosity = _parts(instance, params)
    rate = jnp.abs(jnp.asarray(x, dtype=float))[:, None]
    back = (parts.C / jnp.maximum(parts.q, 1e-30)) ** (1.0 / parts.m)
    back = back + (0.0 if parts.hardening is None else parts.hardening[0])

    def steady(sigma: Any) -> Any:
        """Return the stress that plastic flow needs at the temperature that `sigma` makes."""
        heat = parts.heat
        warm = 298.15
        if heat is not None:
            warm = heat.T_env + heat.chi * sigma * rate / jnp.maximum(heat.h, 1e-12)
        plastic = jnp.maximum(rate - sigma * loss(parts, warm), 0.0)
        structure = parts.structure
        lam = 1.0 / (1.0 + structure.breaking * structure.rebuilding * plastic)
        return back + yield_stress(parts, lam, warm) + parts.mu * plastic

    def halve(_: Any, ends: tuple[Any, Any]) -> tuple[Any, Any]:
        middle = (ends[0] + ends[1]) / 2.0
        low = steady(middle) > middle
        return jnp.where(low, middle, ends[0]), jnp.where(low, ends[1], middle)

    top = steady(jnp.zeros_like(rate * back))
    ends = jax.lax.fori_loop(0, _HALVINGS, halve, (jnp.zeros_like(top), top))
    root = jax.lax.stop_gradient((ends[0] + ends[1]) / 2.0)
    # Only this last step is differentiated: at the root, its derivatives are the root's.
    value, slope = jax.jvp(steady, (root,), (jnp.ones_like(root),))
    root = root + (value - root) / (1.0 - slope)
    viscous = rate / jnp.maximum(
        loss(parts, 298.15 if parts.heat is None else parts.heat.T_env), 1e-300
    )
    stress = jnp.sum(jnp.minimum(root, viscous), axis=1) + viscosity * rate[:, 0]
    return jnp.sign(x) * stress
