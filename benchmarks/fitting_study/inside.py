"""A fit in a hot process against SciPy's and NLSQ's `curve_fit`: the same model and residuals.

Of few points and of very many: the one has overhead, the other has one core and differences.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import partial
from pathlib import Path
from typing import Any

import jax.numpy as jnp
import nlsq
import numpy as np
from scipy.optimize import curve_fit
from side_by_side.measure import by_turns, timed
from side_by_side.table import Table, median, ratio
from side_by_side.table import seconds as written

from rheojobs import Dataset, fit

__all__ = ["measure", "tables"]

SIZES = (60, 10_000, 1_000_000)
NOISE = 0.02

START = 1.7
"""All begin at values that are off by that factor."""

SIDES = ("rheojobs", "SciPy", "NLSQ")


def _maxwell(np: Any, t: Any, G0: Any, eta: Any) -> Any:
    return G0 * np.exp(-t * G0 / eta)


def _carreau(np: Any, rate: Any, eta0: Any, eta_inf: Any, lambda_: Any, n: Any) -> Any:
    return eta_inf + (eta0 - eta_inf) * (1 + (lambda_ * rate) ** 2) ** ((n - 1) / 2)


CASES: dict[str, tuple[str, Callable[..., Any], dict[str, float], tuple[float, float], str]] = {
    "maxwell": ("relaxation", _maxwell, {"G0": 1e5, "eta": 3e5}, (0.01, 8.0), ""),
    "carreau": (
        "flow_curve",
        _carreau,
        {"eta0": 1e3, "eta_inf": 100.0, "lambda_": 10.0, "n": 0.4},
        (1e-3, 1e3),
        "viscosity",
    ),
}


def measure(
    settings: Mapping[str, Any], folder: Path, say: Callable[[str], None]
) -> dict[str, Any]:
    """Fit data of each size, by turns; return medians in seconds and how far results are apart."""
    found: dict[str, Any] = {model: [] for model in CASES}
    for model, size in ((model, size) for model in CASES for size in SIZES):
        fits = _fits(model, size)
        first = {side: run() for side, run in fits.items()}  # compiles
        repeats = settings["repeats"] if size < 100_000 else max(1, settings["repeats"] // 4)
        turns = by_turns({side: partial(timed, run) for side, run in fits.items()}, repeats)
        row: dict[str, Any] = {"points": size}
        for side in SIDES:
            row[side] = median(seconds for seconds, _ in turns[side])
            row[f"{side} apart"] = float(np.max(np.abs(first[side] / first["SciPy"] - 1)))
        found[model].append(row)
        say(f"{model}, {size} points: {', '.join(f'{side} {row[side]:.4f} s' for side in SIDES)}")
    return found


def _fits(model: str, size: int) -> dict[str, Callable[[], Any]]:
    """Return a fit of each side; all minimize the sum of (model - data)²."""
    mode, curve, truth, (low, high), quantity = CASES[model]
    start = {name: value * (START if name != "n" else 1.2) for name, value in truth.items()}
    x = np.geomspace(low, high, size)
    noise = np.random.default_rng(size).standard_normal(size)
    y = curve(np, x, **truth) * (1 + NOISE * noise)
    data = Dataset(x, y, mode, quantity=quantity)
    kept = nlsq.CurveFit()
    common: dict[str, Any] = {"p0": list(start.values()), "bounds": (0, np.inf)}

    def ours() -> Any:
        found = fit(data, model, initial_params=start, weights="uniform").parameters
        return np.array([found[name] for name in start])

    def theirs() -> Any:
        values, _ = kept.curve_fit(in_jax, x, y, **common)
        return np.asarray(values)

    def in_jax(*args: Any) -> Any:
        return curve(jnp, *args)

    return {
        "rheojobs": ours,
        "SciPy": lambda: curve_fit(
            lambda *args: curve(np, *args), x, y, x_scale=list(start.values()), **common
        )[0],
        "NLSQ": theirs,
    }


def tables(found: Mapping[str, Any]) -> list[Table]:
    """Compare the three."""
    columns = ["model", "points", *(f"{side} / s" for side in SIDES), "SciPy : ours"]
    columns += ["NLSQ : ours", "ours apart from SciPy", "NLSQ apart from SciPy"]
    table = Table("In a hot process, from the same start, unweighted residuals", columns)
    for model, rows in found.items():
        for row in rows:
            ours = row["rheojobs"]
            table.add(
                model,
                f"{row['points']:,}",
                *(written(row[side]) for side in SIDES),
                *(ratio(row[side], ours, 2) for side in ("SciPy", "NLSQ")),
                *(f"{row[f'{side} apart']:.0e}" for side in ("rheojobs", "NLSQ")),
            )
    return [table]
