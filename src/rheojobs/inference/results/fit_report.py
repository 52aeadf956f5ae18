"""Report a fit in words and numbers: as Markdown, and as facts for the command and the window."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from rheojobs.inference.data.arrays import parts_of
from rheojobs.inference.results.fit_result import FitResult

__all__ = ["facts", "markdown", "remark"]

LOSS_WORDS = {"soft_l1": "soft L1", "huber": "Huber's", "cauchy": "Cauchy's"}


def remark(fit: FitResult, name: str) -> str:
    """Return a short remark on a parameter, such as ``"fixed"``; empty if there is none."""
    if name in fit.fixed:
        return "fixed"
    if name in fit.tied:
        return f"= {fit.tied[name]}"
    value, error = fit.parameters[name], fit.uncertainties.get(name, math.nan)
    if words := fit.bound_reached(name):
        return f"at its {words} bound"
    if math.isinf(error):
        return "not determined by the data"
    if math.isfinite(error) and error > abs(value) > 0:
        return "hardly determined by the data"
    return ""


def facts(fit: FitResult) -> list[tuple[str, str]]:
    """Return the quality of a fit and how it was made, as pairs of a label and a text."""
    in_logarithms = (
        fit.weights == "relative" and _is_positive(fit.fitted) and _is_positive(_data(fit))
    )
    of_logarithms = " (of the logarithms)" if in_logarithms else ""
    typical = ""
    if fit.is_relative and fit.reduced_chi_squared > 0:
        typical = f" (typical deviation {100 * math.sqrt(fit.reduced_chi_squared):.2g} %)"
    found = [
        ("R²", f"{fit.r_squared:.6g}{of_logarithms}"),
        ("mean deviation", f"{fit.mpe:.3g} %"),
        ("reduced χ²", f"{fit.reduced_chi_squared:.4g}{typical}"),
        ("AIC, AICc, BIC", _criteria(fit)),
        ("weights", _weights(fit)),
    ]
    if fit.loss != "linear":
        words = LOSS_WORDS.get(fit.loss, fit.loss)
        found.append(("loss", f"{words}; residuals beyond {fit.loss_scale:.3g} count for less"))
    if fit.weights == "sigma":
        found.append(("uncertainties", "from σ alone, not scaled by the reduced χ²"))
    if math.isfinite(fit.residual_correlation):
        found.append(("lag-1 correlation of residuals", _correlation(fit)))
    found.append(("iterations", f"{fit.n_iterations} in {_seconds(fit.fit_time)}"))
    found.append(("ended with", fit.message or ("converged" if fit.success else "no convergence")))
    return found


def _criteria(fit: FitResult) -> str:
    if fit.loss != "linear":
        return "none: a robust loss is no likelihood"
    return f"{fit.aic:.1f}, {_shown(fit.aicc)}, {fit.bic:.1f}"


def _shown(aicc: float) -> str:
    return f"{aicc:.1f}" if math.isfinite(aicc) else "∞ (too few data)"


def _correlation(fit: FitResult) -> str:
    words = f"{fit.residual_correlation:.2f}"
    if fit.residual_correlation > 0:
        words += f" (as of {fit.independent_values:.0f} independent values among {fit.values})"
    return words


def _data(fit: FitResult) -> NDArray[Any] | None:
    if fit.fitted is None or fit.residuals is None:
        return None
    return np.asarray(fit.fitted + fit.residuals)


def _is_positive(values: NDArray[Any] | None) -> bool:
    if values is None:  # a result without its curve: assume the usual case, positive values
        return True
    return all(bool((part > 0).all()) for part in parts_of(values))


def _weights(fit: FitResult) -> str:
    divided = "each residual divided by its datum"
    relative = f"relative: {divided}"
    if _is_positive(_data(fit)):  # then the logarithm is taken
        relative = "relative: residuals are ln(model/data), so 10 % high or low counts the same"
    words = {
        "relative": relative,
        "divided": f"divided: {divided}",
        "uniform": "uniform: all residuals count the same",
        "sigma": "sigma: each residual divided by its standard deviation",
    }.get(fit.weights, fit.weights)
    return f"{words}; chosen because {fit.weights_reason}" if fit.weights_reason else words


def _seconds(seconds: float) -> str:
    return f"{1e3 * seconds:.0f} ms" if seconds < 1 else f"{seconds:.1f} s"


def markdown(fit: FitResult, title: str = "") -> str:
    """Write the full report.

    Parameters
    ----------
    fit : FitResult
        The result.
    title : str
        A name of the data, usually the file's.
    """
    heading = f"Fit of {fit.model_name}" + (f" to {title}" if title else "")
    parts = [f"# {heading}", f"{fit.test_mode}, {fit.timestamp:%Y-%m-%d %H:%M %Z}".strip()]
    parts.append(_parameters(fit))
    parts.append(_table(("", ""), facts(fit)))
    if fit.warnings:
        parts += ["## Warnings", "\n".join(f"- {text}" for text in fit.warnings)]
    if fit.correlation is not None and np.isfinite(fit.correlation).sum() > 1:
        parts += ["## Correlations", _correlations(fit)]
    if fit.minima:
        parts += ["## Minima", _minima(fit)]
    return "\n\n".join(parts) + "\n"


def _parameters(fit: FitResult) -> str:
    head = ["parameter", "estimate", "standard error", "unit"]
    if fit.intervals:
        head.append("95 % interval (profile likelihood)")
    rows = []
    for name, value in fit.parameters.items():
        error = fit.uncertainties.get(name, math.nan)
        settled = name in fit.fixed
        row = [name, f"{value:.6g}", "–" if settled else _number(error), fit.units.get(name, "")]
        if fit.intervals:
            ends = fit.intervals.get(name)
            row.append("–" if ends is None else f"{_number(ends[0])} … {_number(ends[1])}")
        rows.append([*row, remark(fit, name)])
    return _table([*head, ""], rows)


def _correlations(fit: FitResult) -> str:
    assert fit.correlation is not None
    names = list(fit.parameters)
    kept = [k for k in range(len(names)) if math.isfinite(fit.correlation[k, k])]
    rows = [
        [names[k], *(f"{fit.correlation[k, other]:.3f}" for other in kept[: index + 1])]
        + [""] * (len(kept) - index - 1)
        for index, k in enumerate(kept)
    ]
    return _table(["", *(names[k] for k in kept)], rows)


def _minima(fit: FitResult) -> str:
    head = ["objective", "starts", *fit.parameters]
    rows = [
        [
            f"{minimum['objective']:.6g}",
            str(minimum["starts"]),
            *(f"{value:.4g}" for value in minimum["parameters"].values()),
        ]
        for minimum in fit.minima
    ]
    return _table(head, rows)


def _number(value: float) -> str:
    if math.isfinite(value):
        return f"{value:.4g}"
    return "–" if math.isnan(value) else "∞" if value > 0 else "−∞"


def _table(head: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    lines = [head, ["---"] * len(head), *rows]
    return "\n".join(f"| {' | '.join(_cell(text) for text in line)} |" for line in lines)


def _cell(text: str) -> str:
    return text.replace("|", "\\|").replace("*", "\\*").replace("_", "\\_")
