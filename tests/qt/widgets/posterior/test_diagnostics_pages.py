from __future__ import annotations

from datetime import UTC, datetime

import numpy as np
import pyqtgraph as pg
import xarray as xr
from pytestqt.qtbot import QtBot
from qtpy.QtGui import QColor, QPalette

from rheojobs.inference.results.bayesian_result import BayesianResult
from rheojobs.qt.widgets.posterior.convergence_table import ConvergenceTable
from rheojobs.qt.widgets.posterior.pairs_plot import PairsPlot
from rheojobs.qt.widgets.posterior.rank_plot import rank_heights


def test_divergences_are_marked_where_they_are(qtbot: QtBot) -> None:
    rng = np.random.default_rng(0)
    draws = {name: rng.normal(size=(2, 100)) for name in ("a", "b")}
    diverging = np.zeros((2, 100), dtype=bool)
    diverging[1, [3, 7]] = True
    tree = xr.DataTree.from_dict(
        {"sample_stats": xr.Dataset({"diverging": (("chain", "draw"), diverging)})}
    )
    flat = {name: values.reshape(-1) for name, values in draws.items()}
    result = BayesianResult(
        "m", flat, {}, {}, 100, 2, 1.0, datetime.now(UTC), inference_data=tree, units={"a": "Pa"}
    )
    plot = PairsPlot()
    qtbot.addWidget(plot)
    plot.resize(500, 400)
    plot.show_result(result)
    assert "2 divergences, marked ×" in plot.explanation.text()
    assert plot.plots == {}
    plot.show()
    qtbot.waitUntil(lambda: plot.is_drawn)
    items = plot.plots[1, 0].items
    good, bad = [item for item in items if isinstance(item, pg.ScatterPlotItem)]
    assert len(good.data) == 198
    np.testing.assert_array_equal(bad.data["x"], draws["a"][1, [3, 7]])
    np.testing.assert_array_equal(bad.data["y"], draws["b"][1, [3, 7]])
    assert plot.plots[1, 0].getAxis("bottom").labelText == "a / Pa"


def test_ranks_are_alike_where_chains_are() -> None:
    rng = np.random.default_rng(1)
    alike = rank_heights(rng.normal(size=(4, 2000)))
    assert alike.shape == (4, 20)
    np.testing.assert_allclose(alike.mean(axis=0), 1.0)
    assert np.abs(alike - 1.0).max() < 0.5
    apart = rank_heights(np.stack([rng.normal(size=2000), rng.normal(3.0, 1.0, 2000)]))
    assert apart[0, 0] > 1.9
    assert apart[1, 0] < 0.1


def test_the_table_says_in_words_how_good_the_draws_are(qtbot: QtBot) -> None:
    table = ConvergenceTable()
    qtbot.addWidget(table)
    nan = float("nan")
    numbers = {
        "r_hat": {"a": 1.0, "b": 1.2, "c": 1.0, "d": nan, "e": nan},
        "ess_bulk": {"a": 900.0, "b": 900.0, "c": 100.0, "d": nan, "e": 900.0},
        "ess_tail": {"a": 900.0, "b": 900.0, "c": 900.0, "d": nan, "e": 900.0},
        "mean": dict.fromkeys("abcde", 1.0),
        "std": dict.fromkeys("abcde", 0.1),
    }
    table.show_numbers(numbers, {"a": "Pa"})
    assert table.words() == [
        "good",
        "the chains disagree",
        "25 % of the draws needed",
        "too few draws to tell, or stuck",
        "enough draws, but only one chain",
    ]
    colors = [table.item(row, 7).foreground().color() for row in (0, 1)]
    assert colors[0] != colors[1]
    # On a dark background they are lighter.
    table.setPalette(QPalette(QColor("#303236")))
    darker = [table.item(row, 7).foreground().color() for row in (0, 1)]
    assert all(new.lightness() > old.lightness() for new, old in zip(darker, colors, strict=True))
