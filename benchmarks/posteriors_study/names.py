"""The posteriors and the samplers that the study knows, for the command: it imports nothing."""

from __future__ import annotations

__all__ = ["MAXIMUM", "OURS", "POSTERIORS", "SIDES"]

OURS = "ours"
MAXIMUM = "ours, from the maximum"

SIDES = (
    OURS,
    MAXIMUM,
    "NumPyro, jitted",
    "NumPyro, jitted, dense, 0.95",
    "blackjax, jitted",
    "nutpie, Numba",
    "DREAM of bumps, from the maximum",
)
"""In the order of the tables."""

POSTERIORS = (
    "maxwell 60",
    "maxwell 1000",
    "springpot 40, poor",
    "zener 200",
    "zener 40",
    "fractional_maxwell_liquid 60",
    "fractional_maxwell_liquid 60, RheoJAX",
    "generalized_maxwell, 6 modes",
    "carreau 60",
    "carreau 30, power law only",
    "carreau 60, RheoJAX",
    "herschel_bulkley 40",
    "giesekus start-up 40",
    "eight schools",
    "banana",
    "funnel, 4 dimensions",
    "normal, 15 dimensions",
    "Student-t regression",
    "logistic growth",
)
"""The names of the cases."""
