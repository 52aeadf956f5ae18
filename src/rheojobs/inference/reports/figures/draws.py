"""Plot draws of a posterior: traces of the chains, and pairs of parameters."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np
from matplotlib.ticker import MaxNLocator, NullFormatter
from numpy.typing import NDArray

from rheojobs.inference.reports.figures.labels import parameter_label
from rheojobs.inference.reports.figures.style import BLUE, CHAIN_COLOURS, GREY, RED

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import SubFigure

__all__ = ["TRACE_COLUMNS", "draw_pairs", "draw_traces", "most_correlated"]

MAX_PAIRS = 8
"""The most parameters in the matrix of pairs: with more it is illegible."""

MAX_DOTS = 1500
TRACE_COLUMNS = 3


def _power_of(values: NDArray[np.float64]) -> int:
    """Choose the power of ten that is moved to a label, so that ticks stay short."""
    largest = float(np.max(np.abs(values), initial=0.0))
    if largest == 0.0 or not math.isfinite(largest):
        return 0
    power = math.floor(math.log10(largest))
    return 0 if -1 <= power <= 2 else power


def draw_traces(
    figure: SubFigure, draws: dict[str, NDArray[np.float64]], units: dict[str, str]
) -> None:
    """Plot the trace of each parameter, (chains, draws)."""
    rows = math.ceil(len(draws) / TRACE_COLUMNS)
    grid = figure.subplots(rows, TRACE_COLUMNS, sharex=True, squeeze=False)
    for axes in grid.ravel()[len(draws) :]:
        axes.set_visible(False)
    figure.suptitle("Draws after the warm-up, one colour for each chain", fontsize=10)
    for number, (axes, (name, values)) in enumerate(zip(grid.ravel(), draws.items(), strict=False)):
        power = _power_of(values)
        for chain, row in enumerate(values):
            axes.plot(
                np.arange(row.size),
                row / 10.0**power,
                color=CHAIN_COLOURS[chain % len(CHAIN_COLOURS)],
                linewidth=0.4,
                alpha=0.7,
                rasterized=True,
            )
        axes.set_xlim(0, values.shape[1])
        axes.set_title(parameter_label(name, units.get(name, ""), power), fontsize=8.5, pad=3)
        axes.tick_params(labelsize=7.5)
        axes.yaxis.set_major_locator(MaxNLocator(3))
        axes.xaxis.set_major_locator(MaxNLocator(3, integer=True))
        axes.tick_params(labelbottom=number + TRACE_COLUMNS >= len(draws))
    figure.supxlabel("draw", fontsize=8.5)


def most_correlated(draws: dict[str, NDArray[np.float64]]) -> list[str]:
    """Choose the parameters of the pairs: all, or the most correlated ones."""
    names = list(draws)
    if len(names) <= MAX_PAIRS:
        return names
    with np.errstate(all="ignore"):
        matrix = np.abs(np.corrcoef(np.stack([draws[name].ravel() for name in names])))
    np.fill_diagonal(matrix, 0.0)
    strength = np.nan_to_num(matrix).max(axis=1)
    chosen = set(np.argsort(-strength, kind="stable")[:MAX_PAIRS].tolist())
    return [name for number, name in enumerate(names) if number in chosen]


def draw_pairs(
    figure: SubFigure,
    draws: dict[str, NDArray[np.float64]],
    units: dict[str, str],
    count: int,
) -> None:
    """Plot each parameter against each other, with its histogram on the diagonal.

    Parameters
    ----------
    figure : SubFigure
        The figure to draw in.
    draws : dict of str to ndarray, shape (chains, draws)
        The draws shown.
    units : dict of str to str
        Of the parameters.
    count : int
        The number of parameters, including those that are not shown.
    """
    names = list(draws)
    size = len(names)
    grid = figure.subplots(size, size, squeeze=False)
    few = f" (the {size} most correlated of {count})" if size < count else ""
    figure.suptitle(f"Pairs of parameters{few}, and how they correlate", fontsize=10)
    powers = {name: _power_of(values) for name, values in draws.items()}
    scaled = {name: values.ravel() / 10.0 ** powers[name] for name, values in draws.items()}
    labels = {name: parameter_label(name, units.get(name, ""), powers[name]) for name in names}
    every = max(1, math.ceil(next(iter(scaled.values())).size / MAX_DOTS))
    for row, below in enumerate(names):
        for column, above in enumerate(names):
            axes = grid[row, column]
            if column > row:
                _draw_correlation(axes, scaled[below], scaled[above])
                continue
            if column == row:
                _draw_histogram(axes, scaled[below])
            else:
                _draw_pair(axes, scaled[above], scaled[below], every)
            axes.set_xlim(*_limits(scaled[above]))
            axes.xaxis.set_major_locator(MaxNLocator(3, prune="both"))
            axes.tick_params(labelsize=7.5)
            if row == size - 1:
                axes.set_xlabel(labels[above], fontsize=8.5)
            else:
                axes.xaxis.set_major_formatter(NullFormatter())
            if column == 0 and row > 0:
                axes.set_ylabel(labels[below], fontsize=8.5)
            elif column != row:
                axes.yaxis.set_major_formatter(NullFormatter())
    figure.align_ylabels(grid[:, 0])


def _draw_correlation(axes: Axes, x: NDArray[np.float64], y: NDArray[np.float64]) -> None:
    """Write the correlation of two parameters; stronger ones are darker."""
    with np.errstate(all="ignore"):
        correlation = round(float(np.nan_to_num(np.corrcoef(x, y)[0, 1])), 2) + 0.0  # no -0.00
    axes.set(xticks=[], yticks=[], facecolor=BLUE if correlation > 0 else RED)
    axes.patch.set_alpha(0.35 * abs(correlation))
    axes.text(
        0.5,
        0.5,
        f"{correlation:.2f}".replace("-", "−"),
        transform=axes.transAxes,
        ha="center",
        va="center",
        fontsize=8.5,
        color="black" if abs(correlation) > 0.1 else GREY,
    )
    for spine in axes.spines.values():
        spine.set_color("#d1d5db")


def _limits(values: NDArray[np.float64]) -> tuple[float, float]:
    """Return the range of all but a few outlying draws, with a margin."""
    low, high = np.percentile(values, [0.1, 99.9])
    margin = 0.08 * (high - low) or 0.5 * max(abs(float(low)), 1e-12)
    return float(low - margin), float(high + margin)


def _draw_histogram(axes: Axes, values: NDArray[np.float64]) -> None:
    low, high = _limits(values)
    axes.hist(values, bins=np.linspace(low, high, 36).tolist(), color=BLUE, alpha=0.85)
    axes.set_yticks([])


def _draw_pair(axes: Axes, x: NDArray[np.float64], y: NDArray[np.float64], every: int) -> None:
    axes.plot(
        x[::every],
        y[::every],
        linestyle="none",
        marker=".",
        markersize=1.6,
        markeredgewidth=0,
        alpha=0.5,
        color=BLUE,
        rasterized=True,
    )
    axes.set_ylim(*_limits(y))
    axes.yaxis.set_major_locator(MaxNLocator(3, prune="both"))
