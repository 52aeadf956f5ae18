"""The rate equations of RheoJAX's vitrimers, which no public name gives.

These are `_make_startup_vector_field` and `_hvm_initial_state` of `rheojax.models.hvm`,
`_make_hvnm_startup_vector_field`, `_hvnm_initial_state` and `_default_hvnm_args` of
`rheojax.models.hvnm`, the kernels of both, and the settings of their instances.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from rheojobs.inference.models.formulas.shear_flow import Material

__all__ = ["vitrimer"]

_GAP = 1e-9
"""The distance between filler and interphase / m, as RheoJAX has it."""


def vitrimer(instance: Any, named: Mapping[str, Any]) -> Material:
    """Return the equations of `HVMLocal`, or of `HVNMLocal` with filler, in simple shear."""
    if "beta_I" in named:
        return _filled(instance, named)
    return _plain(instance, named)


def _plain(instance: Any, named: Mapping[str, Any]) -> Material:
    from rheojax.models.hvm import _kernels, _kernels_diffrax

    args = {"G_D": 0.0, "k_d_D": 1.0, "Gamma_0": 0.0, "lambda_crit": 10.0, **named}
    field = _kernels_diffrax._make_startup_vector_field(
        instance._kinetics, instance._include_damage, instance._include_dissociative
    )
    moduli = args["G_P"], args["G_E"], args["G_D"]

    def stress(_: Any, y: Any) -> Any:
        return _kernels.hvm_total_stress_shear(y[9], y[2], y[5], y[8], *moduli, y[10])

    return Material(
        rest=_kernels_diffrax._hvm_initial_state(),
        slopes=lambda y, rate: field(0.0, y, {**args, "gamma_dot": rate}),
        stress=stress,
        solvent=0.0,
        modulus=sum(moduli),
        time=_shortest(args),
    )


def _filled(instance: Any, named: Mapping[str, Any]) -> Material:
    from rheojax.models.hvnm import _kernels, _kernels_diffrax

    phi, radius = named["phi"], named["R_NP"]
    part = _kernels.hvnm_interphase_fraction(phi, radius, _GAP, named["delta_m"])
    interphase = _kernels.hvnm_interphase_modulus(named["G_E"], named["beta_I"], part)
    amplified = _kernels.hvnm_guth_gold(phi)
    around = _kernels.hvnm_guth_gold(_kernels.hvnm_effective_phi(phi, radius, _GAP))
    extra = {"G_I_eff": interphase, "X_phi": amplified, "X_I": around}
    args = _kernels_diffrax._default_hvnm_args({**named, **extra})
    field = _kernels_diffrax._make_hvnm_startup_vector_field(
        instance._kinetics,
        instance._include_damage,
        instance._include_dissociative,
        instance._include_interfacial_damage,
    )
    moduli = args["G_P"], args["G_E"], args["G_D"], interphase, amplified, around

    def stress(_: Any, y: Any) -> Any:
        return _kernels.hvnm_total_stress_shear(
            y[9], y[2], y[5], y[8], y[13], y[16], *moduli, y[10], y[17]
        )

    return Material(
        rest=_kernels_diffrax._hvnm_initial_state(),
        slopes=lambda y, rate: field(0.0, y, {**args, "gamma_dot": rate}),
        stress=stress,
        solvent=0.0,
        modulus=args["G_P"] * amplified + args["G_E"] + args["G_D"] + interphase * around,
        time=_shortest(args),
    )


def _shortest(args: Mapping[str, Any]) -> Any:
    """Return the shortest relaxation time / s without stress."""
    import jax.numpy as jnp
    from rheojax.models.hvm import _kernels

    exchange = 2.0 * _kernels.hvm_ber_rate_constant(args["nu_0"], args["E_a"], args["T"])
    return 1.0 / jnp.maximum(exchange, args["k_d_D"])
