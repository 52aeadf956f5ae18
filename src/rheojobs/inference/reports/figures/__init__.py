"""Draw figures of fits and posteriors for a report: data, curve, band, traces, pairs.

Needs only results and datasets; changes no global state of matplotlib.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from rheojobs.inference.reports.figures.curves import draw_fit, draw_predictive
from rheojobs.inference.reports.figures.draws import (
    TRACE_COLUMNS,
    draw_pairs,
    draw_traces,
    most_correlated,
)
from rheojobs.inference.reports.figures.style import new_figure, style

if TYPE_CHECKING:
    from matplotlib.figure import Figure

    from rheojobs.inference.data.dataset import Dataset
    from rheojobs.inference.results.bayesian_result import BayesianResult
    from rheojobs.inference.results.fit_result import FitResult

__all__ = ["fit_figure", "posterior_figure"]


def fit_figure(dataset: Dataset, fit: FitResult) -> Figure:
    """Draw data, fitted curve and residuals.

    Parameters
    ----------
    dataset : Dataset
        The fitted data.
    fit : FitResult
        The fit.
    """
    with style():
        figure = new_figure(6.4, 6.0)
        draw_fit(figure, dataset, fit)
        figure.draw_without_rendering()
    return figure


def posterior_figure(
    dataset: Dataset, result: BayesianResult, fit: FitResult | None = None
) -> Figure:
    """Draw data with the posterior predictive band, the trace of each chain, and pairs.

    Parameters
    ----------
    dataset : Dataset
        The data of the sampling.
    result : BayesianResult
        The draws.
    fit : FitResult, optional
        The fit from which the sampling started; its curve is drawn too.
    """
    draws = {
        name: values.reshape(result.num_chains, -1)
        for name, values in result.posterior_samples.items()
    }
    shown = most_correlated(draws)
    rows = math.ceil(len(draws) / TRACE_COLUMNS)
    pairs_size = max(5.0, 1.35 * len(shown))
    traces_height = max(1.7, 1.15 * rows)
    left_height = 5.4 + traces_height
    with style():
        figure = new_figure(6.6 + pairs_size, max(left_height, pairs_size + 0.5))
        halves = figure.subfigures(1, 2, squeeze=False, width_ratios=(6.6, pairs_size))
        left, right = halves[0]
        stack = left.subfigures(2, 1, squeeze=False, height_ratios=(5.4, traces_height))
        upper, lower = stack[:, 0]
        draw_predictive(upper, dataset, result, fit)
        draw_traces(lower, draws, result.units)
        draw_pairs(right, {name: draws[name] for name in shown}, result.units, len(draws))
        figure.draw_without_rendering()
    return figure
