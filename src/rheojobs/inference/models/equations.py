"""The equation of a model in one line, for each test that has one.

Symbols are those of the field: the parameter `tau_alpha` is τ_α, and `G0` is G₀. The tests compare
each equation with the model's own function.
"""

from __future__ import annotations

__all__ = ["equation_of"]

_TAU = "τ = η/G₀"
_GIESEKUS = {"oscillation": "G* = (η_p/λ₁) (iωλ₁)^β / (1 + (iωλ₁)^β) + iωη_s, β = beta_cc"}
_GIESEKUS_MODES = {"oscillation": "G* = Σ iωη_p,ₖ / (1 + iωλₖ) + iωη_s"}
_TNT = {
    "oscillation": "G* = G iωτ_b / (1 + iωτ_b) + iωη_s",
    "flow_curve": "σ = (G τ_b + η_s) γ̇",
}
_VLB = {
    "oscillation": "G* = G₀ iω / (k_d + iω)",
    "relaxation": "G = G₀ exp(−k_d t)",
    "flow_curve": "σ = G₀ γ̇ / k_d",
}
_POYNTING_THOMSON = {
    "oscillation": "1/G* = 1/Gₑ + 1/(Gₖ (1 + (iωτ)^α))",
    "creep": "J = 1/Gₑ + (1 − E_α(−(t/τ)^α)) / Gₖ",
}
_EQUATIONS: dict[str, dict[str, str]] = {
    "bingham": {"flow_curve": "σ = σ_y + η_p γ̇"},
    "carreau": {"flow_curve": "η = η_∞ + (η₀ − η_∞) (1 + (λγ̇)²)^((n−1)/2)"},
    "carreau_yasuda": {"flow_curve": "η = η_∞ + (η₀ − η_∞) (1 + (λγ̇)^a)^((n−1)/a)"},
    "cross": {"flow_curve": "η = η_∞ + (η₀ − η_∞) / (1 + (λγ̇)^m)"},
    "herschel_bulkley": {"flow_curve": "σ = σ_y + K γ̇^n"},
    "power_law": {"flow_curve": "η = K γ̇^(n−1)"},
    "maxwell": {
        "oscillation": f"G* = G₀ iωτ / (1 + iωτ), {_TAU}",
        "relaxation": f"G = G₀ exp(−t/τ), {_TAU}",
        "creep": "J = 1/G₀ + t/η",
        "flow_curve": "σ = η γ̇",
    },
    "zener": {
        "oscillation": "G* = Gₑ + Gₘ iωτ / (1 + iωτ), τ = η/Gₘ",
        "relaxation": "G = Gₑ + Gₘ exp(−t/τ), τ = η/Gₘ",
    },
    "springpot": {
        "oscillation": "G* = c_α (iω)^α",
        "relaxation": "G = c_α t^(−α) / Γ(1 − α)",
        "creep": "J = t^α / (c_α Γ(1 + α))",
    },
    "generalized_maxwell": {
        "oscillation": "G* = G_∞ + Σ Gₖ iωτₖ / (1 + iωτₖ)",
        "relaxation": "G = G_∞ + Σ Gₖ exp(−t/τₖ)",
    },
    "fractional_burgers": {
        "oscillation": "1/G* = J_g + 1/(iωη₁) + Jₖ / (1 + (iωτₖ)^α)",
        "creep": "J = J_g + t/η₁ + Jₖ (1 − E_α(−(t/τₖ)^α))",
    },
    "fractional_jeffreys": {
        "oscillation": "G* = η₁ iω (1 + (iωτ₂)^α) / (1 + (iωτ₁)^α), τ₂ = τ₁ η₂/η₁",
    },
    "fractional_kelvin_voigt": {
        "oscillation": "G* = Gₑ + c_α (iω)^α",
        "relaxation": "G = Gₑ + c_α t^(−α) / Γ(1 − α)",
    },
    "fractional_kv_zener": _POYNTING_THOMSON,
    "fractional_poynting_thomson": _POYNTING_THOMSON,
    "fractional_maxwell_gel": {
        "oscillation": "1/G* = 1/(c_α (iω)^α) + 1/(iωη)",
        "creep": "J = t^α / (c_α Γ(1 + α)) + t/η",
    },
    "fractional_maxwell_liquid": {
        "oscillation": "G* = Gₘ (iωτ_α)^α / (1 + (iωτ_α)^α)",
        "relaxation": "G = Gₘ E_α(−(t/τ_α)^α)",
        "creep": "J = 1/Gₘ + (t/τ_α)^α / (Gₘ Γ(1 + α))",
    },
    "fractional_maxwell_model": {
        "oscillation": "G* = c₁ (iω)^α / (1 + (iωτ)^β)",
    },
    "fractional_zener_ll": {
        "oscillation": "G* = c₁ (iω)^α / (1 + (iωτ)^β) + c₂ (iω)^γ",
    },
    "fractional_zener_sl": {
        "oscillation": "G* = Gₑ + c_α (iω)^α (iωτ)^(1−α) / (1 + (iωτ)^(1−α))",
    },
    "fractional_zener_ss": {
        "oscillation": "G* = Gₑ + Gₘ (iωτ_α)^α / (1 + (iωτ_α)^α)",
        "relaxation": "G = Gₑ + Gₘ E_α(−(t/τ_α)^α)",
    },
    "giesekus": _GIESEKUS,
    "giesekus_single": _GIESEKUS,
    "giesekus_multi": _GIESEKUS_MODES,
    "giesekus_multimode": _GIESEKUS_MODES,
    "tnt": _TNT,
    "tnt_single_mode": _TNT,
    "tnt_multi_species": {"oscillation": "G* = Σ Gₖ iωτ_b,ₖ / (1 + iωτ_b,ₖ) + iωη_s"},
    "tnt_cates": {"oscillation": "G* = G₀ iωτ / (1 + iωτ) + iωη_s, τ = √(τ_rep τ_break)"},
    "vlb": _VLB,
    "vlb_local": _VLB,
    "vlb_multi_network": {"oscillation": "G* = Σ Gₖ iω / (k_d,ₖ + iω) + iωη_s"},
}


def equation_of(name: str, test_mode: str | None = None) -> str:
    """Return the equation of one of RheoJAX's models.

    Parameters
    ----------
    name : str
        The model's.
    test_mode : str, optional
        The test to be described; if there is no equation for it, or it is not given, the most
        characteristic of the model's equations is returned.

    Returns
    -------
    str
        Empty if none fits on a line.
    """
    equations = _EQUATIONS.get(name, {})
    first = next(iter(equations.values()), "")
    return equations.get(test_mode or "", first)
