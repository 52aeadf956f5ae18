"""Our posterior is RheoJAX's: its own `fit_bayesian` on two real files, run and compared."""

from __future__ import annotations

import warnings

import numpy as np
import pytest
from numpyro.diagnostics import effective_sample_size

from rheojobs.inference.fits.task import fit
from rheojobs.inference.sampling.sample import sample

pytestmark = pytest.mark.promise("rheojax-posterior")

CASES = {"maxwell": "ps145", "zener": "fish"}


@pytest.fixture
def fish(shared_data):
    from rheojobs.inference.data.reading.read import read

    return read(shared_data / "fish_muscle_relaxation.csv").thin(6)


@pytest.mark.slow
@pytest.mark.parametrize("name", [*CASES, "fractional_maxwell_liquid"])
def test_posterior_means_are_those_of_fit_bayesian(name, request):
    from rheojax.core.registry import ModelRegistry

    data = request.getfixturevalue(CASES.get(name, "polyisoprene"))
    best = fit(data, name)
    ours = sample(
        data,
        name,
        num_warmup=1000,
        num_samples=2000,
        warm_start=best.parameters,
        seed=5,
        default_priors="rheojax",
        likelihood="constant",
        target_accept=0.99,  # RheoJAX's own choice, against bias from divergences
    )
    theirs = ModelRegistry.create(name)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # its opinion of its own convergence
        drawn = theirs.fit_bayesian(
            data.x,
            data.y,
            test_mode=data.test_mode,
            num_warmup=500,
            num_samples=1000,
            num_chains=4,
            initial_values=best.parameters,
            seed=5,
            progress_bar=False,
        )
    assert set(drawn.posterior_samples) == set(ours.posterior_samples)
    for parameter, row in ours.summary.items():
        draws = np.asarray(drawn.posterior_samples[parameter]).reshape(4, -1)
        error = draws.std() / np.sqrt(float(effective_sample_size(draws)))
        assert abs(row["mean"] - draws.mean()) < 5 * np.hypot(error, row["mcse_mean"]), parameter
        # The middle half, since the relaxation time has a tail whose variance is chance.
        low, high = np.quantile(draws, [0.25, 0.75])
        assert row["q75"] - row["q25"] == pytest.approx(high - low, rel=0.15), parameter
