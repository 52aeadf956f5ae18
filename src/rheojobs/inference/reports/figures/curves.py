"""Draw data, fitted curves, predictive bands and residuals."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from matplotlib.ticker import MaxNLocator
from numpy.typing import NDArray

from rheojobs.inference.data.axis_labels import y_label
from rheojobs.inference.data.axis_scales import are_logarithmic
from rheojobs.inference.models.labels import title_of
from rheojobs.inference.reports.figures.labels import short_name, x_label
from rheojobs.inference.reports.figures.style import BLUE, GREY, RED
from rheojobs.inference.results.residuals import Residuals, residuals_of

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure, SubFigure

    from rheojobs.inference.data.dataset import Dataset
    from rheojobs.inference.results.bayesian_result import BayesianResult
    from rheojobs.inference.results.fit_result import FitResult

__all__ = ["draw_fit", "draw_predictive", "limit_to_data", "scales"]

BAND = 0.95


@dataclass(frozen=True)
class _Part:
    """One measured component, ordered by x."""

    name: str
    observed: NDArray[np.float64]
    fitted: NDArray[np.float64] | None
    colour: str
    hollow: bool
    band: NDArray[np.float64] | None = None


def draw_fit(figure: Figure, dataset: Dataset, fit: FitResult) -> None:
    """Draw data, fitted curve and residuals."""
    order = np.argsort(dataset.x, kind="stable")
    parts, quantity = _parts(dataset, fit, None, order)
    top, bottom = figure.subplots(2, 1, sharex=True, height_ratios=(3, 1))
    _draw_curves(top, dataset, parts, order, quantity)
    top.set(title=_title(dataset, fit.model_name), xlabel="")
    top.tick_params(labelbottom=False)
    _draw_residuals(bottom, dataset, parts, order, quantity, fit)


def _parts(
    dataset: Dataset,
    fit: FitResult | None,
    result: BayesianResult | None,
    order: NDArray[np.intp],
) -> tuple[list[_Part], tuple[str, str]]:
    """Return the measured, fitted and predicted values, and the quantity with its unit."""
    observed: NDArray[Any] = dataset.y
    fitted = None if fit is None or fit.fitted is None else fit.fitted[order]
    if fit is not None and fit.fitted is not None and fit.residuals is not None:
        observed = fit.fitted + fit.residuals
    bands = _bands(result)
    tree = result.inference_data if result is not None else None
    if tree is not None and "y" in tree["observed_data"]:
        observed = np.asarray(tree["observed_data"]["y"])
    quantity = (dataset.quantity, dataset.y_unit)
    if dataset.test_mode == "flow_curve" and not np.allclose(observed, dataset.y, rtol=1e-6):
        # The model predicts viscosity for data of stress, or the reverse.
        other = dataset.as_flow_quantity("viscosity" if "stress" in quantity[0] else "stress")
        quantity = (other.quantity, other.y_unit)
    observed = observed[order]
    if not np.iscomplexobj(observed):
        band = bands.get("y")
        return [_Part("data", observed, fitted, BLUE, False, _ordered(band, order))], quantity
    storage, loss = bands.get("storage_modulus"), bands.get("loss_modulus")
    real = None if fitted is None else fitted.real
    imaginary = None if fitted is None else fitted.imag
    return [
        _Part("G′", observed.real, real, BLUE, False, _ordered(storage, order)),
        _Part("G″", observed.imag, imaginary, RED, True, _ordered(loss, order)),
    ], quantity


def _ordered(
    band: NDArray[np.float64] | None, order: NDArray[np.intp]
) -> NDArray[np.float64] | None:
    return None if band is None else band[:, order]


def _bands(result: BayesianResult | None) -> dict[str, NDArray[np.float64]]:
    """Return lower end, median and upper end of the predictions, each (3, n)."""
    tree = result.inference_data if result is not None else None
    if tree is None or "posterior_predictive" not in tree.children:
        return {}
    outside = 50.0 * (1.0 - BAND)
    return {
        str(name): np.percentile(np.asarray(values), [outside, 50.0, 100.0 - outside], axis=(0, 1))
        for name, values in tree["posterior_predictive"].data_vars.items()
    }


def scales(dataset: Dataset, values: NDArray[np.float64]) -> tuple[str, str]:
    """Choose the scales: logarithmic if the data, `values`, are positive and span decades."""
    x, y = are_logarithmic(dataset.test_mode, dataset.x, values)
    return "log" if x else "linear", "log" if y else "linear"


def _draw_curves(
    axes: Axes,
    dataset: Dataset,
    parts: Sequence[_Part],
    order: NDArray[np.intp],
    quantity: tuple[str, str],
) -> None:
    x = dataset.x[order]
    everything = np.concatenate([part.observed for part in parts])
    x_scale, y_scale = scales(dataset, everything)
    axes.set_xscale(x_scale)
    axes.set_yscale(y_scale)
    size = 4.2 if len(x) <= 150 else 2.2
    for part in parts:
        label = part.name
        if part.band is not None:
            low, _, high = part.band
            # A logarithmic axis cannot show the part of the band at zero and below.
            floor = 1e-3 * everything.min() if y_scale == "log" else -np.inf
            axes.fill_between(
                x,
                np.maximum(low, floor),
                np.maximum(high, floor),
                color=part.colour,
                alpha=0.18,
                linewidth=0,
                zorder=1,
                label=f"{100 * BAND:.0f} % predictive{'' if label == 'data' else f', {label}'}",
            )
        axes.plot(
            x,
            part.observed,
            linestyle="none",
            marker="s" if part.hollow else "o",
            markersize=size,
            markerfacecolor="white" if part.hollow else part.colour,
            markeredgecolor=part.colour,
            markeredgewidth=0.8,
            label=label if label == "data" else f"{label} data",
            zorder=3,
        )
        if part.fitted is not None:
            axes.plot(
                x,
                part.fitted,
                color="black" if label == "data" else part.colour,
                linewidth=1.3,
                zorder=4,
                label="fit" if label == "data" else f"{label} fit",
            )
    limit_to_data(axes, everything)
    axes.set_xlabel(x_label(dataset.test_mode, dataset.x_unit))
    axes.set_ylabel(y_label(dataset.test_mode or "", *quantity))
    axes.legend(loc="best", ncols=max(1, len(parts)))


def limit_to_data(axes: Axes, values: NDArray[np.float64]) -> None:
    """Limit a logarithmic axis to the data, with a margin: a curve may fall far below them."""
    if axes.get_yscale() == "log":
        factor = max(1.5, float(values.max() / values.min()) ** 0.08)
        axes.set_ylim(values.min() / factor, values.max() * factor)


def _title(dataset: Dataset, model: str) -> str:
    return f"{title_of(model)}: {short_name(dataset.name)}"


def _draw_residuals(
    axes: Axes,
    dataset: Dataset,
    parts: Sequence[_Part],
    order: NDArray[np.intp],
    quantity: tuple[str, str],
    fit: FitResult | None,
) -> None:
    """Draw residuals in the unit in which the fit counts them: σ, percent or the data's."""
    x_scale, _ = scales(dataset, np.concatenate([part.observed for part in parts]))
    axes.set_xscale(x_scale)
    axes.axhline(0.0, color=GREY, linewidth=0.8)
    shown = _residuals(dataset, parts, order, quantity[1], fit)
    for part, residual in zip(parts, shown.parts, strict=True):
        axes.plot(
            shown.x,
            residual,
            linestyle="-",
            linewidth=0.5,
            color=part.colour,
            marker="s" if part.hollow else "o",
            markersize=3.2 if len(shown.x) <= 150 else 1.8,
            markerfacecolor="white" if part.hollow else part.colour,
            markeredgecolor=part.colour,
            markeredgewidth=0.7,
        )
    low, high = axes.get_ylim()
    reach = 1.08 * max(abs(low), abs(high))
    axes.set_ylim(-reach, reach)
    axes.yaxis.set_major_locator(MaxNLocator(4, symmetric=True))
    axes.set_xlabel(x_label(dataset.test_mode, dataset.x_unit))
    axes.set_ylabel(f"residual / {shown.unit}" if shown.unit else "residual")


def _residuals(
    dataset: Dataset,
    parts: Sequence[_Part],
    order: NDArray[np.intp],
    unit: str,
    fit: FitResult | None,
) -> Residuals:
    observed, fitted = (
        np.stack([np.asarray(getattr(part, name)) for part in parts])
        for name in ("observed", "fitted")
    )
    if len(parts) == 2:
        observed, fitted = observed[0] + 1j * observed[1], fitted[0] + 1j * fitted[1]
    else:
        observed, fitted = observed[0], fitted[0]
    sigma = None
    if fit is not None and fit.weights == "sigma" and dataset.sigma is not None:
        sigma = dataset.sigma[order]
        if not np.iscomplexobj(observed):
            sigma = sigma * np.abs(observed / dataset.y[order])  # 1 if the quantity is the same
    return residuals_of(
        dataset.x[order],
        observed,
        fitted,
        sigma=sigma,
        is_relative=fit is not None and fit.is_relative,
        unit=unit,
    )


def draw_predictive(
    figure: SubFigure, dataset: Dataset, result: BayesianResult, fit: FitResult | None
) -> None:
    """Draw data with the posterior predictive band, and the curve and residuals of a fit."""
    order = np.argsort(dataset.x, kind="stable")
    parts, quantity = _parts(dataset, fit, result, order)
    if any(part.fitted is not None for part in parts):
        top, bottom = figure.subplots(2, 1, sharex=True, height_ratios=(3.2, 1))
        top.tick_params(labelbottom=False)
        _draw_curves(top, dataset, parts, order, quantity)
        top.set_xlabel("")
        _draw_residuals(bottom, dataset, parts, order, quantity, fit)
    else:
        top = figure.subplots()
        _draw_curves(top, dataset, parts, order, quantity)
    top.set_title(_title(dataset, result.model_name))
