"""Draw the best models of a comparison over the data, and their residuals.

A model whose curve coincides with one already drawn shares its line.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from matplotlib.lines import Line2D
from matplotlib.ticker import MaxNLocator
from numpy.typing import NDArray

from rheojobs.inference.comparison.ranking import ComparedModel, Comparison, as_measured, same_curve
from rheojobs.inference.data.axis_labels import y_label
from rheojobs.inference.reports.figures.curves import limit_to_data, scales
from rheojobs.inference.reports.figures.labels import short_name, x_label
from rheojobs.inference.reports.figures.style import GREY, new_figure, style

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure
    from matplotlib.typing import LineStyleType

__all__ = ["comparison_figure"]

DRAWN = 5
RESIDUAL_ROOM = 3.0
"""The range of the residuals' axis, in units of the largest residual of the best two models."""

MODEL_COLOURS = ("#0072b2", "#d55e00", "#009e73", "#cc79a7", "#e69f00")
"""Distinguishable with every kind of colour vision (Okabe & Ito 2008)."""

DASHES: tuple[LineStyleType, ...] = (
    "-",
    (0, (6, 2)),
    (0, (3, 1.5)),
    (0, (6, 2, 1, 2)),
    (0, (1, 1)),
)
MARKERS = ("o", "s", "^", "D", "v")
INK = "#1f2933"


def comparison_figure(comparison: Comparison) -> Figure:
    """Draw the data with the curves of the best models, and the residuals of each.

    Parameters
    ----------
    comparison : Comparison
        With at least one model that could be fitted.
    """
    with style():
        figure = new_figure(7.2, 6.6)
        _draw(figure, comparison)
        figure.draw_without_rendering()
    return figure


def _draw(figure: Figure, comparison: Comparison) -> None:
    """Draw data and curves above, residuals below."""
    groups = distinct(comparison)
    data = comparison.dataset
    order = np.argsort(data.x, kind="stable")
    x = data.x[order]
    observed = _components(data.y[order])
    everything = np.concatenate(list(observed.values()))
    x_scale, y_scale = scales(data, everything)
    top, bottom = figure.subplots(2, 1, sharex=True, height_ratios=(2.6, 1))
    top.set_xscale(x_scale)
    top.set_yscale(y_scale)
    few = len(x) <= 150
    for (name, values), filled in zip(observed.items(), (True, False), strict=False):
        top.plot(
            x,
            values,
            linestyle="none",
            marker="o",
            markersize=4.6 if few else 2.4,
            markerfacecolor="#c3cad3" if filled else "white",
            markeredgecolor=GREY,
            markeredgewidth=0.8,
            label=f"{name} data" if name else "data",
            zorder=2,
        )
    bottom.axhline(0.0, color=GREY, linewidth=0.8)
    reaches: list[float] = []
    # The best one last, so that no other curve covers it.
    for place in reversed(range(len(groups))):
        colour, dashes, marker = MODEL_COLOURS[place], DASHES[place], MARKERS[place]
        reaches.append(0.0)
        curve = as_measured(data, groups[place][0].fit)[order]
        for number, (values, fitted) in enumerate(
            zip(observed.values(), _components(curve).values(), strict=True)
        ):
            top.plot(x, fitted, color=colour, linestyle=dashes, linewidth=1.7, zorder=9 - place)
            residual = values - fitted
            if y_scale == "log":
                residual = 100.0 * residual / values
            reaches[-1] = max(reaches[-1], float(np.max(np.abs(residual))))
            bottom.plot(
                x,
                residual,
                linestyle="none",
                marker=marker,
                markersize=3.4 if few else 2.0,
                markerfacecolor=colour if number == 0 else "white",
                markeredgecolor=colour,
                markeredgewidth=0.7,
                zorder=9 - place,
            )
    limit_to_data(top, everything)
    _limit_residuals(bottom, reaches[::-1])
    top.set_ylabel(y_label(data.test_mode or "", data.quantity, data.y_unit))
    top.tick_params(labelbottom=False)
    bottom.set_xlabel(x_label(data.test_mode, data.x_unit))
    unit = "%" if y_scale == "log" else data.y_unit
    bottom.set_ylabel(f"residual / {unit}" if unit else "residual")
    top.set_title(_title(comparison))
    _legend(top, groups)


def distinct(comparison: Comparison) -> list[list[ComparedModel]]:
    """Return the best models, as at most `DRAWN` lists of models that share a curve."""
    groups: list[list[ComparedModel]] = []
    for row in comparison.models:
        home = next(
            (group for group in groups if same_curve(comparison.dataset, group[0].fit, row.fit)),
            None,
        )
        if home is not None:
            home.append(row)
        elif len(groups) < DRAWN:
            groups.append([row])
    return groups


def _components(y: NDArray[np.float64] | NDArray[np.complex128]) -> dict[str, NDArray[np.float64]]:
    return {"G′": y.real, "G″": y.imag} if np.iscomplexobj(y) else {"": y.real}


def _limit_residuals(axes: Axes, reaches: list[float]) -> None:
    """Scale the axis to the best two: a model that misses the data would flatten them."""
    reach = 1.08 * min(max(reaches), RESIDUAL_ROOM * max(reaches[:2])) or 1.0
    axes.set_ylim(-reach, reach)
    axes.yaxis.set_major_locator(MaxNLocator(4, symmetric=True))


def _title(comparison: Comparison) -> str:
    by = "leave-one-out" if comparison.by_loo else "AICc"
    return f"{short_name(comparison.dataset.name)}: the best models by {by}"


def _legend(axes: Axes, groups: list[list[ComparedModel]]) -> None:
    """Label the curves with their weights, and models that share a curve together."""
    handles, labels = axes.get_legend_handles_labels()
    for place, group in enumerate(groups):
        handles.append(
            Line2D(
                [],
                [],
                color=MODEL_COLOURS[place],
                linestyle=DASHES[place],
                linewidth=1.7,
                marker=MARKERS[place],
                markersize=4.0,
            )
        )
        labels.append(_describe(group))
    # Outside the axes: curves of several models leave no corner free.
    axes.get_figure(root=True).legend(  # type: ignore[union-attr]
        handles, labels, loc="outside lower center", handlelength=3.4, labelcolor=INK
    )


def _describe(group: list[ComparedModel]) -> str:
    first = group[0]
    if first.loo is not None:
        apart = f", Δelpd {first.loo.difference:.1f}" if first.loo.difference else ", best elpd"
        words = f"{first.label}: weight {weight_text(first.loo.weight)}{apart}"
    else:
        words = f"{first.label}: weight {weight_text(first.weight)}"
        words += f", Δ {first.delta:.1f}" if first.delta else ""
    words = words.replace("-", "−")
    others = [row.label for row in group[1:]]
    if others:
        shown = ", ".join(others[:2]) + (f" and {len(others) - 2} more" if len(others) > 2 else "")
        words += f"\n   same curve: {shown}"
    return words


def weight_text(weight: float) -> str:
    """Format a weight with two digits, without rounding small ones to zero."""
    if not np.isfinite(weight):
        return "–"
    return f"{weight:.2f}" if weight >= 0.01 else "< 0.01"
