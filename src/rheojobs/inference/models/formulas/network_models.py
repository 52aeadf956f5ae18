"""RheoJAX's transient networks and its Giesekus fluid, by the equations of their own start-up.

Where these are linear in the shear stress, creep has a closed form.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from rheojobs.inference.models.formulas import shear_flow
from rheojobs.inference.models.formulas.linear_modes import compliance
from rheojobs.inference.models.formulas.networks import bell, bridges, giesekus, network
from rheojobs.inference.models.formulas.shear_flow import Material
from rheojobs.inference.models.rheojax.private_equations import vitrimer
from rheojobs.inference.models.rheojax.private_names import network_kind
from rheojobs.inference.models.rheojax.replacements import INNER

__all__ = [
    "across_gap_creep",
    "across_gap_startup",
    "cates_creep",
    "generalized_maxwell_creep",
    "giesekus_creep",
    "loop_bridge_creep",
    "loop_bridge_laos",
    "loop_bridge_oscillation",
    "loop_bridge_startup",
    "multi_network_creep",
    "multi_species_creep",
    "single_mode_creep",
    "sticky_rouse_creep",
    "variant_creep",
    "vitrimer_creep",
]

_Constants = Mapping[str, Any]


def _named(instance: Any, params: Any) -> dict[str, Any]:
    return dict(zip(instance.parameters, params, strict=True))


def _single_mode(instance: Any, p: Mapping[str, Any]) -> Material:
    """Return RheoJAX's network of one mode with its kinetics, springs and slip."""
    import jax.numpy as jnp

    rate = 1.0 / p["tau_b"]
    breaking = {
        "constant": lambda _: rate,
        "stretch_creation": lambda _: rate,
        "bell": bell(rate, p.get("nu", 0.0)),
        "power_law": lambda stretch: rate * stretch ** p.get("m_break", 0.0),
    }[instance.breakage]
    forming = (
        (lambda stretch: jnp.maximum(1.0 + p["kappa"] * (stretch - 1.0), 0.0) * rate)
        if instance.breakage == "stretch_creation"
        else (lambda _: rate)
    )
    peterlin = None
    if instance.stress_type == "fene":
        square = p["L_max"] ** 2

        def peterlin(trace: Any) -> Any:
            return (square - 3.0) / jnp.maximum(square - trace, 1e-10)

    return network(p["G"], breaking, forming, p["eta_s"], p["tau_b"], peterlin, instance.xi)


def single_mode_creep(instance: Any, x: Any, params: Any, constants: _Constants) -> Any:
    """Return the strain of `TNTSingleMode`."""
    p, held = _named(instance, params), constants["sigma_applied"]
    plain = (instance.breakage, instance.stress_type, instance.xi) == ("constant", "linear", 0.0)
    if not plain:
        return shear_flow.creep(_single_mode(instance, p), held, x)
    return held * compliance(x, [p["G"]], [1.0 / p["tau_b"]], p["eta_s"])


def variant_creep(instance: Any, x: Any, params: Any, constants: _Constants) -> Any:
    """Return the strain of `VLBVariant`."""
    import jax.numpy as jnp

    p, held = _named(instance, params), constants["sigma_applied"]
    breakage, springs = network_kind(instance)
    if (breakage, springs) == ("constant", "linear"):
        return held * compliance(x, [p["G0"]], [p["k_d_0"]], p["eta_s"])
    rate = bell(p["k_d_0"], p.get("nu", 0.0))
    peterlin = None
    if springs == "fene":
        square = p["L_max"] ** 2

        def peterlin(trace: Any) -> Any:
            return square / jnp.maximum(square - trace + 3.0, 1e-10)

    material = network(p["G0"], rate, rate, p["eta_s"], 1.0 / p["k_d_0"], peterlin)
    return shear_flow.creep(material, held, x)


def cates_creep(instance: Any, x: Any, params: Any, constants: _Constants) -> Any:
    """Return the strain of `TNTCates`, whose relaxation time is the root of two times' product."""
    import jax.numpy as jnp

    modulus, reptation, breaking, solvent = params
    rate = 1.0 / jnp.sqrt(reptation * breaking)
    return constants["sigma_applied"] * compliance(x, [modulus], [rate], solvent)


def multi_species_creep(instance: Any, x: Any, params: Any, constants: _Constants) -> Any:
    """Return the strain of `TNTMultiSpecies`."""
    moduli, times, solvent = params[0:-1:2], params[1:-1:2], params[-1]
    return constants["sigma_applied"] * compliance(x, moduli, 1.0 / times, solvent)


def sticky_rouse_creep(instance: Any, x: Any, params: Any, constants: _Constants) -> Any:
    """Return the strain of `TNTStickyRouse`, whose times are Rouse's plus that of a sticker."""
    moduli, times, sticker, solvent = params[0:-2:2], params[1:-2:2], params[-2], params[-1]
    rates = 1.0 / (times + sticker)
    return constants["sigma_applied"] * compliance(x, moduli, rates, solvent)


def multi_network_creep(instance: Any, x: Any, params: Any, constants: _Constants) -> Any:
    """Return the strain of `VLBMultiNetwork`, with its permanent network if it has one."""
    import jax.numpy as jnp

    p = _named(instance, params)
    places = range(sum(name.startswith("k_d_") for name in p))
    moduli, rates = (jnp.stack([p[f"{name}_{k}"] for k in places]) for name in ("G", "k_d"))
    held = constants["sigma_applied"]
    return held * compliance(x, moduli, rates, p["eta_s"], p.get("G_e", 0.0))


def generalized_maxwell_creep(instance: Any, x: Any, params: Any, constants: _Constants) -> Any:
    """Return the compliance of `GeneralizedMaxwell`, which is independent of the data's steps."""
    modes = (params.shape[0] - 1) // 2
    return compliance(x, params[1 : 1 + modes], 1.0 / params[1 + modes :], 0.0, params[0])


def giesekus_creep(instance: Any, x: Any, params: Any, constants: _Constants) -> Any:
    """Return the strain of `GiesekusSingleMode`."""
    p = _named(instance, params)
    material = giesekus(p["eta_p"], p["lambda_1"], p["alpha"], p["eta_s"])
    return shear_flow.creep(material, constants["sigma_applied"], x)


def _loop_bridge(params: Any) -> Material:
    modulus, detaching, attaching, force, _, solvent = params
    return bridges(modulus, detaching, attaching, force, solvent)


def loop_bridge_creep(instance: Any, x: Any, params: Any, constants: _Constants) -> Any:
    """Return the strain of `TNTLoopBridge`, from the rest of its kinetics."""
    return shear_flow.creep(_loop_bridge(params), constants["sigma_applied"], x)


def loop_bridge_startup(instance: Any, x: Any, params: Any, constants: _Constants) -> Any:
    """Return the stress of `TNTLoopBridge`, from the rest of its kinetics."""
    return shear_flow.startup(_loop_bridge(params), constants["gamma_dot"], x)


def loop_bridge_laos(instance: Any, x: Any, params: Any, constants: _Constants) -> Any:
    """Return the stress of `TNTLoopBridge`, from the rest of its kinetics."""
    return shear_flow.laos(_loop_bridge(params), constants["gamma_0"], constants["omega"], x)


def loop_bridge_oscillation(instance: Any, x: Any, params: Any, constants: _Constants) -> Any:
    """Return G* of `TNTLoopBridge`: that of its bridges at rest."""
    import jax.numpy as jnp

    modulus, detaching, attaching, _, _, solvent = params
    iw = 1j * jnp.asarray(x, dtype=float)
    part = detaching / (attaching + detaching)
    return part * modulus * iw * detaching / (1.0 + iw * detaching) + iw * solvent


def vitrimer_creep(instance: Any, x: Any, params: Any, constants: _Constants) -> Any:
    """Return the strain of `HVMLocal` and `HVNMLocal`, by the equations of their start-up."""
    material = vitrimer(instance, _named(instance, params))
    return shear_flow.creep(material, constants["sigma_applied"], x)


def _is_uniform(instance: Any) -> bool:
    """Whether a network across a gap flows alike everywhere: its shear stress is then linear."""
    return network_kind(instance) == ("constant", "linear")


def across_gap_startup(instance: Any, x: Any, params: Any, constants: _Constants) -> Any:
    """Return the wall's stress of `VLBNonlocal`: mean(G0 mu_xy) + eta_s rate."""
    import jax.numpy as jnp

    if not _is_uniform(instance):
        return INNER["VLBNonlocal", "startup"](instance, _ordered(x), params, constants)[_place(x)]
    p, rate, t = _named(instance, params), constants["gamma_dot"], jnp.asarray(x, dtype=float)
    grown = -jnp.expm1(-p["k_d_0"] * t) / p["k_d_0"]
    return rate * (p["G0"] * grown + p["eta_s"])


def across_gap_creep(instance: Any, x: Any, params: Any, constants: _Constants) -> Any:
    """Return the mean strain of `VLBNonlocal`."""
    if not _is_uniform(instance):
        return INNER["VLBNonlocal", "creep"](instance, _ordered(x), params, constants)[_place(x)]
    p = _named(instance, params)
    return constants["sigma_applied"] * compliance(x, [p["G0"]], [p["k_d_0"]], p["eta_s"])


def _ordered(x: Any) -> Any:
    import jax.numpy as jnp

    return jnp.append(0.0, jnp.sort(jnp.asarray(x, dtype=float)))


def _place(x: Any) -> Any:
    import jax.numpy as jnp

    return 1 + jnp.argsort(jnp.argsort(jnp.asarray(x)))
