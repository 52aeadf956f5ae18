"""Access private names of RheoJAX that `RheojaxFunction` and the registry need.

These are `rheojax.models._ensure_all_registered`, and of instances `_use_forward_mode_ad`,
`_extract_time_strain`, `_gamma_0`, `_omega_laos`, `_relaxation_sigma_0`, `_breakage` and
`_stress_type`.
"""

from __future__ import annotations

from typing import Any

__all__ = [
    "keep_laos",
    "keep_stress_scale",
    "network_kind",
    "register_models",
    "takes_strain",
    "wants_forward_mode",
]


def register_models(package: Any) -> None:
    """Make `rheojax.models` import all of its models, which it otherwise does one by one."""
    package._ensure_all_registered()


def wants_forward_mode(instance: Any) -> bool:
    """Whether a model declares that only forward-mode differentiation works."""
    return bool(getattr(instance, "_use_forward_mode_ad", False))


def takes_strain(instance: Any) -> bool:
    """Whether a model reads the strain over time, as the isotropic-kinematic ones do."""
    return hasattr(instance, "_extract_time_strain")


def keep_laos(instance: Any, gamma_0: Any, omega: Any) -> None:
    """Set, on a copy of the instance, the attributes that give `DMTLocal` its strain wave."""
    instance._gamma_0, instance._omega_laos = gamma_0, omega


def keep_stress_scale(instance: Any, sigma_0: float) -> None:
    """Set, on a copy of the instance, the stress that scales `TNTStickyRouse`'s relaxation."""
    instance._relaxation_sigma_0 = sigma_0


def network_kind(instance: Any) -> tuple[str, str]:
    """Return how the chains of a transient network break, and what springs they are."""
    return instance._breakage, instance._stress_type
