"""A fit in a hot process against SciPy's `curve_fit` with the same model in NumPy.

Of few points and of very many: the one has overhead, the other has one core and differences.
"""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import curve_fit

from rheojobs import Dataset, fit

__all__ = ["compare_with_scipy"]

SIZES = (60, 10_000, 1_000_000)
NOISE = 0.02
START = 1.7
"""Both begin at values that are off by that factor."""

type Curve = Callable[..., NDArray[np.float64]]


def _maxwell(t: NDArray[np.float64], G0: float, eta: float) -> NDArray[np.float64]:
    return G0 * np.exp(-t * G0 / eta)


def _carreau(
    rate: NDArray[np.float64], eta0: float, eta_inf: float, lambda_: float, n: float
) -> NDArray[np.float64]:
    return eta_inf + (eta0 - eta_inf) * (1 + (lambda_ * rate) ** 2) ** ((n - 1) / 2)


CASES: dict[str, tuple[str, Curve, dict[str, float], tuple[float, float], str]] = {
    "maxwell": ("relaxation", _maxwell, {"G0": 1e5, "eta": 3e5}, (0.01, 8.0), ""),
    "carreau": (
        "flow_curve",
        _carreau,
        {"eta0": 1e3, "eta_inf": 1.0, "lambda_": 10.0, "n": 0.4},
        (1e-3, 1e3),
        "viscosity",
    ),
}


def compare_with_scipy(repeats: int, say: Callable[[str], object]) -> dict[str, Any]:
    """Fit data of each size, by turns; gives medians in seconds and how far results are apart."""
    found: dict[str, Any] = {}
    for model, (mode, curve, truth, (low, high), quantity) in CASES.items():
        names = list(truth)
        start = {name: value * (START if name != "n" else 1.2) for name, value in truth.items()}
        rows = []
        for size in SIZES:
            x = np.geomspace(low, high, size)
            rng = np.random.default_rng(size)
            y = curve(x, **truth) * (1 + NOISE * rng.standard_normal(size))
            data = Dataset(x, y, mode, quantity=quantity)
            options: dict[str, Any] = {"initial_params": start, "weights": "relative"}
            fit(data, model, **options)  # compiles
            ours, theirs = [], []
            for _ in range(repeats if size < 100_000 else max(1, repeats // 4)):
                began = time.perf_counter()
                result = fit(data, model, **options)
                ours.append(time.perf_counter() - began)
                began = time.perf_counter()
                values, _ = curve_fit(
                    curve,
                    x,
                    y,
                    p0=[start[name] for name in names],
                    sigma=np.abs(y),
                    bounds=(0, np.inf),
                    x_scale=[abs(start[name]) for name in names],
                )
                theirs.append(time.perf_counter() - began)
            apart = max(
                abs(result.parameters[name] / value - 1)
                for name, value in zip(names, values, strict=True)
            )
            rows.append(
                {
                    "points": size,
                    "ours": statistics.median(ours),
                    "scipy": statistics.median(theirs),
                    "apart": apart,
                }
            )
            row = rows[-1]
            say(f"  {model}, {size} points: {row['ours']:.4f} s, SciPy {row['scipy']:.4f} s")
        found[model] = rows
    return found
