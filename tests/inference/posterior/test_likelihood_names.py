from __future__ import annotations

import numpy as np
import pytest

from rheojobs import Dataset
from rheojobs.inference.posterior.likelihood_names import likelihood_of, suited_likelihood

X = np.geomspace(1e-2, 1e2, 9)


@pytest.mark.parametrize(
    ("dataset", "suited"),
    [
        (Dataset(X, X * (1 + 1j), "oscillation"), "relative"),
        (Dataset(X, 1e3 / X, "relaxation"), "relative"),
        (Dataset(X, 1e3 / (1 + X / 50), "relaxation"), "constant"),
        (Dataset(X, np.sin(X), "startup"), "constant"),
        (Dataset(X, 1e3 / X, "relaxation", sigma=0.1 * X), "sigma"),
    ],
)
def test_the_noise_suits_the_data_as_the_weights_of_a_fit_do(dataset: Dataset, suited: str) -> None:
    name, reason = suited_likelihood(dataset)
    assert name == suited
    assert reason
    assert likelihood_of(dataset, name) == name
