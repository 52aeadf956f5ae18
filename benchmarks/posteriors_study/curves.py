"""The curves of the posteriors as formulas of any array library: for PyMC, which has no JAX.

Each takes the library (`numpy` or `pytensor.tensor`), x and the parameters by name, and returns
the rows of the prediction: one, or G' and G''.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from typing import Any

import numpy as np

from posteriors_study.published import COVARIANCE, SIZE

__all__ = ["CURVES", "Curve"]

type Parameters = Mapping[str, Any]
type Curve = Callable[[Any, Any, Parameters], list[Any]]


def _maxwell(xp: Any, t: Any, p: Parameters) -> list[Any]:
    return [p["G0"] * xp.exp(-t * p["G0"] / p["eta"])]


def _springpot(xp: Any, t: Any, p: Parameters) -> list[Any]:
    return [p["c_alpha"] * xp.exp(-p["alpha"] * xp.log(t) - xp.gammaln(1.0 - p["alpha"]))]


def _zener(xp: Any, w: Any, p: Parameters) -> list[Any]:
    phase = w * p["eta"] / p["Gm"]
    loss = p["Gm"] * phase / (1.0 + phase**2)
    return [p["Ge"] + loss * phase, loss]


def _fractional_maxwell_liquid(xp: Any, w: Any, p: Parameters) -> list[Any]:
    """G* = Gm s / (1 + s) with s = (iωτ)^α, in its real and imaginary part."""
    size, angle = xp.exp(p["alpha"] * xp.log(w * p["tau_alpha"])), 0.5 * math.pi * p["alpha"]
    real, imag = size * xp.cos(angle), size * xp.sin(angle)
    below = (1.0 + real) ** 2 + imag**2
    return [p["Gm"] * (real * (1.0 + real) + imag**2) / below, p["Gm"] * imag / below]


def _generalized_maxwell(xp: Any, w: Any, p: Parameters) -> list[Any]:
    count = sum(name.startswith("tau_") for name in p)
    moduli = xp.stack([p[f"G_{k + 1}"] for k in range(count)])
    phase = w[:, None] * xp.stack([p[f"tau_{k + 1}"] for k in range(count)])
    loss = moduli * phase / (1.0 + phase**2)
    return [p["G_inf"] + (loss * phase).sum(1), loss.sum(1)]


def _carreau(xp: Any, rate: Any, p: Parameters) -> list[Any]:
    factor = (1.0 + (p["lambda_"] * rate) ** 2) ** ((p["n"] - 1.0) / 2.0)
    return [p["eta_inf"] + (p["eta0"] - p["eta_inf"]) * factor]


def _herschel_bulkley(xp: Any, rate: Any, p: Parameters) -> list[Any]:
    return [p["sigma_y"] + p["K"] * rate ** p["n"]]


def _schools(xp: Any, x: Any, p: Parameters) -> list[Any]:
    return [p["mu"] + p["tau"] * xp.stack([p[f"eta_{k}"] for k in range(8)])]


def _banana(xp: Any, x: Any, p: Parameters) -> list[Any]:
    return [(p["q"] - 0.5 * p["p"] ** 2) / 0.5 + 0.0 * x]


def _funnel(xp: Any, x: Any, p: Parameters) -> list[Any]:
    return [xp.stack([p[name] for name in "abc"]) * xp.exp(-0.5 * p["v"])]


def _normal(xp: Any, x: Any, p: Parameters) -> list[Any]:
    whiten = np.linalg.inv(np.linalg.cholesky(COVARIANCE))
    return [(whiten * xp.stack([p[f"z_{k}"] for k in range(SIZE)])).sum(1)]


def _line(xp: Any, x: Any, p: Parameters) -> list[Any]:
    return [p["a"] + p["b"] * x]


def _growth(xp: Any, x: Any, p: Parameters) -> list[Any]:
    return [p["K"] / (1.0 + xp.exp(-p["r"] * (x - p["t0"])))]


CURVES: dict[str, Curve] = {
    "maxwell": _maxwell,
    "springpot": _springpot,
    "zener": _zener,
    "fractional_maxwell_liquid": _fractional_maxwell_liquid,
    "generalized_maxwell": _generalized_maxwell,
    "carreau": _carreau,
    "herschel_bulkley": _herschel_bulkley,
    "schools": _schools,
    "banana": _banana,
    "funnel": _funnel,
    "normal": _normal,
    "line": _line,
    "growth": _growth,
}
"""By the model's name, in the test mode of the posteriors. Giesekus' equations are not there."""
