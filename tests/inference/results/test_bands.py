from __future__ import annotations

from datetime import UTC, datetime

import numpy as np
import xarray as xr

from rheojobs.inference.results.bands import predictive_bands
from rheojobs.inference.results.bayesian_result import BayesianResult


def result(tree: xr.DataTree | None) -> BayesianResult:
    return BayesianResult("m", {}, {}, {}, 500, 4, 1.0, datetime.now(UTC), inference_data=tree)


def test_the_band_holds_95_percent_and_is_in_order() -> None:
    x = np.linspace(10.0, 1.0, 1000)
    draws = np.random.default_rng(1).normal(x, 1.0, (4, 500, x.size))
    tree = xr.DataTree.from_dict(
        {
            "constant_data": xr.Dataset({"x": ("point", x)}),
            "posterior_predictive": xr.Dataset({"y": (("chain", "draw", "point"), draws)}),
        }
    )
    (band,) = predictive_bands(result(tree))
    assert band.x.size == 200
    assert (np.diff(band.x) > 0).all()
    np.testing.assert_allclose(band.low, band.x - 1.96, atol=0.4)
    np.testing.assert_allclose(band.high, band.x + 1.96, atol=0.4)


def test_without_predictions_there_is_no_band() -> None:
    assert predictive_bands(result(None)) == []
    tree = xr.DataTree.from_dict({"posterior": xr.Dataset()})
    assert predictive_bands(result(tree)) == []
