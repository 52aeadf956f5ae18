"""The four samplings that both windows run: alike in model, data and number of draws."""

from __future__ import annotations

__all__ = ["CHAINS", "DRAWS", "MODELS", "WARMUP"]

MODELS = (
    "fractional_maxwell_liquid",
    "fractional_zener_ss",
    "maxwell",
    "fractional_kelvin_voigt",
)
"""Each is another program to compile."""

WARMUP, DRAWS, CHAINS = 1000, 200_000, 2
"""More draws than there is time for: they are stopped when the measuring is over."""
