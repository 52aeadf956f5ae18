"""Pairs in which RheoJAX predicts another quantity than the test measures.

A solid has no steady flow: its stress grows with the strain for ever. RheoJAX leaves the spring
out. If the spring can be zero, a flow curve is fitted with it at zero, else it is refused.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from rheojobs.inference.models.rheojax.repair import Formula, Narrowed, Repair, refused, replaced

__all__ = ["BOUNDS", "REPAIRS"]


def _flow_of_liquid(spring: str, is_viscosity: bool = False) -> Formula:
    """Return the flow of a model that is a liquid only if the named spring's modulus is zero."""

    def predict(instance: Any, x: Any, params: Any, constants: Mapping[str, Any]) -> Any:
        import jax.numpy as jnp

        rate = jnp.asarray(x)
        out = instance.model_function(rate, params, "flow_curve")
        stress = out * rate if is_viscosity else out
        modulus = params[list(instance.parameters).index(spring)]
        return jnp.where(modulus > 0, jnp.sign(rate) * jnp.inf, stress)

    return predict


def _spring_left_out(spring: str) -> str:
    return f"a solid with {spring} > 0 has no steady flow, and RheoJAX leaves {spring} out"


_SPRINGS = {"GeneralizedMaxwell": "G_inf", "HVMLocal": "G_P", "HVNMLocal": "G_P"}

REPAIRS: dict[tuple[str, str], Repair] = {
    **{
        (kind, "flow_curve"): replaced(
            _spring_left_out(spring),
            _flow_of_liquid(spring, is_viscosity=kind == "GeneralizedMaxwell"),
        )
        for kind, spring in _SPRINGS.items()
    },
    ("Zener", "flow_curve"): refused(
        _spring_left_out("Ge"), "fit maxwell, which is this model without the spring"
    ),
    ("SPPYieldStress", "laos"): refused(
        "RheoJAX predicts the static yield stress over the strain amplitude, not the stress over "
        "time",
        "fit power_law to yield stresses over amplitudes, or another model to the wave",
    ),
}

BOUNDS: Narrowed = {(kind, "flow_curve"): {spring: (0.0, 0.0)} for kind, spring in _SPRINGS.items()}
