from __future__ import annotations

import pytest

from rheojobs.inference.expressions.parameter_symbols import (
    mathtext_of,
    parameter_symbol,
    with_symbols,
)
from rheojobs.inference.reports.figures.labels import parameter_label


@pytest.mark.parametrize(
    ("name", "text", "mathtext"),
    [
        ("tau", "τ", r"$\tau$"),
        ("tau_1", "τ₁", r"$\tau_{1}$"),
        ("G0", "G₀", "$G_{0}$"),
        ("G_12", "G₁₂", r"$G_{\mathrm{12}}$"),
        ("tau_alpha", "τ_α", r"$\tau_{\alpha}$"),
        ("eta_inf", "η_∞", r"$\eta_{\infty}$"),
        ("sigma_real", "σ_G′", r"$\sigma_{G\prime}$"),
        ("sigma_imag", "σ_G″", r"$\sigma_{G\prime\prime}$"),
        ("gamma_dot", "γ̇", r"$\dot{\gamma}$"),
        ("gamma_dot_c", "γ̇_c", r"$\dot{\gamma}_{c}$"),
        ("Gm", "Gₘ", "$G_{m}$"),
        ("eta_s", "η_s", r"$\eta_{s}$"),
        ("lambda_", "λ", r"$\lambda$"),
        ("tau_R_0", "τ_R₀", r"$\tau_{\mathrm{R,0}}$"),
        ("hill_N", "hill_N", "hill N"),
        ("smoothing_width", "smoothing_width", "smoothing width"),
        ("kBT", "kBT", "kBT"),
    ],
)
def test_a_name_is_written_with_symbols_in_text_and_in_figures(
    name: str, text: str, mathtext: str
) -> None:
    assert parameter_symbol(name) == text
    assert mathtext_of(name) == mathtext
    assert parameter_label(name, "") == mathtext


@pytest.mark.parametrize("name", ["τ", "my value", "", "a-b", "_"])
def test_a_name_that_is_no_symbol_stays_as_it_is(name: str) -> None:
    assert parameter_symbol(name) == name


def test_names_in_a_sentence_become_symbols() -> None:
    text = "the data do not determine tau_1, tau; tau_12 and a datum stay"
    shown = with_symbols(text, ["tau", "tau_1", "a", "x"])
    assert shown == "the data do not determine τ₁, τ; tau_12 and a datum stay"
    assert with_symbols(text, []) == text
