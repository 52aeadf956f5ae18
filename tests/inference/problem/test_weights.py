"""The reason of the weights is the true one."""

from __future__ import annotations

import re

import pytest

from rheojobs.inference.data.dataset import Dataset
from rheojobs.inference.problem.weights import default_weights


@pytest.mark.parametrize(
    ("y", "weights", "reason"),
    [
        ([1.0, 50.0, 99.0], "uniform", "less than two decades"),
        ([1.0, 50.0, 500.0], "relative", "more than two decades"),
        ([-250.0, 50.0, 99.0], "uniform", "1 of 3 values is zero or negative"),
        ([0.0, -1.0, 1.0, 500.0], "uniform", "2 of 4 values are zero or negative.*the others span"),
        ([-3.0, -2.0, -1.0], "uniform", "3 of 3 values are zero or negative"),
    ],
)
def test_reasons(y: list[float], weights: str, reason: str) -> None:
    dataset = Dataset.of({"x": range(1, len(y) + 1), "y": y}, "relaxation")
    name, why = default_weights(dataset)
    assert name == weights
    assert re.search(reason, why)
