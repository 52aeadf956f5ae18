"""The equations that are shown are those that are computed: each is written here once more."""

from __future__ import annotations

from collections.abc import Callable
from math import gamma
from typing import Any

import numpy as np
import pytest

from rheojobs.inference.models.catalogue import catalogue
from rheojobs.inference.models.equations import _EQUATIONS, equation_of
from rheojobs.inference.models.loading import load

X = np.geomspace(0.05, 20.0, 9)
Formula = Callable[..., Any]


def mittag_leffler(order: float, z: Any) -> Any:
    """E_α(z) by its series, for small |z|."""
    return sum(z**k / gamma(order * k + 1) for k in range(120))


def wave(w: Any, modulus: float, time: float) -> Any:
    return modulus * 1j * w * time / (1 + 1j * w * time)


def waves(w: Any, p: dict[str, float], modulus: str, time: Callable[[int], float]) -> Any:
    count = sum(name.startswith(modulus) and name[len(modulus) :].isdigit() for name in p)
    first = 0 if f"{modulus}0" in p else 1
    numbers = range(first, first + count)
    return sum(wave(w, p[f"{modulus}{k}"], time(k)) for k in numbers)


# By the very text that is shown: whoever changes it has to write the formula anew.
FORMULAS: dict[str, Formula] = {
    "σ = σ_y + η_p γ̇": lambda x, p: p["sigma_y"] + p["eta_p"] * x,
    "η = η_∞ + (η₀ − η_∞) (1 + (λγ̇)²)^((n−1)/2)": lambda x, p: (
        p["eta_inf"]
        + (p["eta0"] - p["eta_inf"]) * (1 + (p["lambda_"] * x) ** 2) ** ((p["n"] - 1) / 2)
    ),
    "η = η_∞ + (η₀ − η_∞) (1 + (λγ̇)^a)^((n−1)/a)": lambda x, p: (
        p["eta_inf"]
        + (p["eta0"] - p["eta_inf"]) * (1 + (p["lambda_"] * x) ** p["a"]) ** ((p["n"] - 1) / p["a"])
    ),
    "η = η_∞ + (η₀ − η_∞) / (1 + (λγ̇)^m)": lambda x, p: (
        p["eta_inf"] + (p["eta0"] - p["eta_inf"]) / (1 + (p["lambda_"] * x) ** p["m"])
    ),
    "σ = σ_y + K γ̇^n": lambda x, p: p["sigma_y"] + p["K"] * x ** p["n"],
    "η = K γ̇^(n−1)": lambda x, p: p["K"] * x ** (p["n"] - 1),
    "G* = G₀ iωτ / (1 + iωτ), τ = η/G₀": lambda x, p: wave(x, p["G0"], p["eta"] / p["G0"]),
    "G = G₀ exp(−t/τ), τ = η/G₀": lambda x, p: p["G0"] * np.exp(-x * p["G0"] / p["eta"]),
    "J = 1/G₀ + t/η": lambda x, p: 1 / p["G0"] + x / p["eta"],
    "σ = η γ̇": lambda x, p: p["eta"] * x,
    "G* = Gₑ + Gₘ iωτ / (1 + iωτ), τ = η/Gₘ": lambda x, p: (
        p["Ge"] + wave(x, p["Gm"], p["eta"] / p["Gm"])
    ),
    "G = Gₑ + Gₘ exp(−t/τ), τ = η/Gₘ": lambda x, p: (
        p["Ge"] + p["Gm"] * np.exp(-x * p["Gm"] / p["eta"])
    ),
    "G* = c_α (iω)^α": lambda x, p: p["c_alpha"] * (1j * x) ** p["alpha"],
    "G = c_α t^(−α) / Γ(1 − α)": lambda x, p: (
        p["c_alpha"] * x ** -p["alpha"] / gamma(1 - p["alpha"])
    ),
    "J = t^α / (c_α Γ(1 + α))": lambda x, p: (
        x ** p["alpha"] / (p["c_alpha"] * gamma(1 + p["alpha"]))
    ),
    "G* = G_∞ + Σ Gₖ iωτₖ / (1 + iωτₖ)": lambda x, p: (
        p["G_inf"] + waves(x, p, "G_", lambda k: p[f"tau_{k}"])
    ),
    "G = G_∞ + Σ Gₖ exp(−t/τₖ)": lambda x, p: (
        p["G_inf"] + sum(p[f"G_{k}"] * np.exp(-x / p[f"tau_{k}"]) for k in (1, 2, 3))
    ),
    "1/G* = J_g + 1/(iωη₁) + Jₖ / (1 + (iωτₖ)^α)": lambda x, p: (
        1
        / (p["Jg"] + 1 / (1j * x * p["eta1"]) + p["Jk"] / (1 + (1j * x * p["tau_k"]) ** p["alpha"]))
    ),
    "J = J_g + t/η₁ + Jₖ (1 − E_α(−(t/τₖ)^α))": lambda x, p: (
        p["Jg"]
        + x / p["eta1"]
        + p["Jk"] * (1 - mittag_leffler(p["alpha"], -((x / p["tau_k"]) ** p["alpha"])))
    ),
    "G* = η₁ iω (1 + (iωτ₂)^α) / (1 + (iωτ₁)^α), τ₂ = τ₁ η₂/η₁": lambda x, p: (
        p["eta1"]
        * 1j
        * x
        * (1 + (1j * x * p["tau1"] * p["eta2"] / p["eta1"]) ** p["alpha"])
        / (1 + (1j * x * p["tau1"]) ** p["alpha"])
    ),
    "G* = Gₑ + c_α (iω)^α": lambda x, p: p["Ge"] + p["c_alpha"] * (1j * x) ** p["alpha"],
    "G = Gₑ + c_α t^(−α) / Γ(1 − α)": lambda x, p: (
        p["Ge"] + p["c_alpha"] * x ** -p["alpha"] / gamma(1 - p["alpha"])
    ),
    "1/G* = 1/Gₑ + 1/(Gₖ (1 + (iωτ)^α))": lambda x, p: (
        1 / (1 / p["Ge"] + 1 / (p["Gk"] * (1 + (1j * x * p["tau"]) ** p["alpha"])))
    ),
    "J = 1/Gₑ + (1 − E_α(−(t/τ)^α)) / Gₖ": lambda x, p: (
        1 / p["Ge"] + (1 - mittag_leffler(p["alpha"], -((x / p["tau"]) ** p["alpha"]))) / p["Gk"]
    ),
    "1/G* = 1/(c_α (iω)^α) + 1/(iωη)": lambda x, p: (
        1 / (1 / (p["c_alpha"] * (1j * x) ** p["alpha"]) + 1 / (1j * x * p["eta"]))
    ),
    "J = t^α / (c_α Γ(1 + α)) + t/η": lambda x, p: (
        x ** p["alpha"] / (p["c_alpha"] * gamma(1 + p["alpha"])) + x / p["eta"]
    ),
    "G* = Gₘ (iωτ_α)^α / (1 + (iωτ_α)^α)": lambda x, p: (
        p["Gm"] / (1 + (1j * x * p["tau_alpha"]) ** -p["alpha"])
    ),
    "G = Gₘ E_α(−(t/τ_α)^α)": lambda x, p: (
        p["Gm"] * mittag_leffler(p["alpha"], -((x / p["tau_alpha"]) ** p["alpha"]))
    ),
    "J = 1/Gₘ + (t/τ_α)^α / (Gₘ Γ(1 + α))": lambda x, p: (
        (1 + (x / p["tau_alpha"]) ** p["alpha"] / gamma(1 + p["alpha"])) / p["Gm"]
    ),
    "G* = c₁ (iω)^α / (1 + (iωτ)^β)": lambda x, p: (
        p["c1"] * (1j * x) ** p["alpha"] / (1 + (1j * x * p["tau"]) ** p["beta"])
    ),
    "G* = c₁ (iω)^α / (1 + (iωτ)^β) + c₂ (iω)^γ": lambda x, p: (
        p["c1"] * (1j * x) ** p["alpha"] / (1 + (1j * x * p["tau"]) ** p["beta"])
        + p["c2"] * (1j * x) ** p["gamma"]
    ),
    "G* = Gₑ + c_α (iω)^α (iωτ)^(1−α) / (1 + (iωτ)^(1−α))": lambda x, p: (
        p["Ge"]
        + p["c_alpha"] * (1j * x) ** p["alpha"] / (1 + (1j * x * p["tau"]) ** (p["alpha"] - 1))
    ),
    "G* = Gₑ + Gₘ (iωτ_α)^α / (1 + (iωτ_α)^α)": lambda x, p: (
        p["Ge"] + p["Gm"] / (1 + (1j * x * p["tau_alpha"]) ** -p["alpha"])
    ),
    "G = Gₑ + Gₘ E_α(−(t/τ_α)^α)": lambda x, p: (
        p["Ge"] + p["Gm"] * mittag_leffler(p["alpha"], -((x / p["tau_alpha"]) ** p["alpha"]))
    ),
    "G* = (η_p/λ₁) (iωλ₁)^β / (1 + (iωλ₁)^β) + iωη_s, β = beta_cc": lambda x, p: (
        p["eta_p"] / p["lambda_1"] / (1 + (1j * x * p["lambda_1"]) ** -p["beta_cc"])
        + 1j * x * p["eta_s"]
    ),
    "G* = Σ iωη_p,ₖ / (1 + iωλₖ) + iωη_s": lambda x, p: (
        sum(1j * x * p[f"eta_p_{k}"] / (1 + 1j * x * p[f"lambda_{k}"]) for k in range(3))
        + 1j * x * p["eta_s"]
    ),
    "G* = G iωτ_b / (1 + iωτ_b) + iωη_s": lambda x, p: (
        wave(x, p["G"], p["tau_b"]) + 1j * x * p["eta_s"]
    ),
    "σ = (G τ_b + η_s) γ̇": lambda x, p: (p["G"] * p["tau_b"] + p["eta_s"]) * x,
    "G* = Σ Gₖ iωτ_b,ₖ / (1 + iωτ_b,ₖ) + iωη_s": lambda x, p: (
        waves(x, p, "G_", lambda k: p[f"tau_b_{k}"]) + 1j * x * p["eta_s"]
    ),
    "G* = G₀ iωτ / (1 + iωτ) + iωη_s, τ = √(τ_rep τ_break)": lambda x, p: (
        wave(x, p["G_0"], (p["tau_rep"] * p["tau_break"]) ** 0.5) + 1j * x * p["eta_s"]
    ),
    "G* = G₀ iω / (k_d + iω)": lambda x, p: wave(x, p["G0"], 1 / p["k_d"]),
    "G = G₀ exp(−k_d t)": lambda x, p: p["G0"] * np.exp(-p["k_d"] * x),
    "σ = G₀ γ̇ / k_d": lambda x, p: p["G0"] * x / p["k_d"],
    "G* = Σ Gₖ iω / (k_d,ₖ + iω) + iωη_s": lambda x, p: (
        waves(x, p, "G_", lambda k: 1 / p[f"k_d_{k}"]) + 1j * x * p["eta_s"]
    ),
}

SHOWN = [(name, mode, text) for name, by in _EQUATIONS.items() for mode, text in by.items()]
ORDERS = {"alpha": 0.6, "beta": 0.4, "gamma": 0.3, "n": 0.7, "m": 0.8, "a": 1.3, "eta_s": 2.0}
ORDERS |= {"beta_cc": 0.8}


@pytest.mark.parametrize(("name", "mode", "text"), SHOWN, ids=[f"{n}-{m}" for n, m, _ in SHOWN])
def test_what_is_shown_is_what_is_computed(name: str, mode: str, text: str) -> None:
    model = load(name)
    assert mode in model.test_modes
    assert equation_of(name, mode) == text
    # None of them a default, at which terms may vanish; times near those that are looked at.
    params = {p.name: ORDERS.get(p.name, 1.1 * float(p.default or 1.0)) for p in model.parameters}
    if name in ("maxwell", "zener"):
        params["eta"] = 2.0 * params.get("G0", params.get("Gm", 0.0))
    if name == "fractional_maxwell_gel":
        params["eta"] = 30.0
    x = X[X < 3.0] if "E_α" in text else X
    values = np.array([params[p.name] for p in model.parameters])
    computed = np.asarray(model.predict(x, values, mode))
    written = FORMULAS[text](x, params)
    if mode == "flow_curve" and text.startswith("η") and model.flow_quantity == "stress":
        written = written * x
    np.testing.assert_allclose(computed, written, rtol=1e-6)


def test_each_formula_belongs_to_an_equation() -> None:
    assert set(FORMULAS) == {text for _, _, text in SHOWN}


def test_every_model_has_an_equation_or_a_line() -> None:
    for info in catalogue():
        assert info.equation() or info.description, info.name
    assert equation_of("maxwell", "startup") == equation_of("maxwell")
    assert equation_of("dmt_local", "creep") == ""
