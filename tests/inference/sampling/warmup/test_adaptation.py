"""What a chain learns in its warm-up, beside NumPyro's own."""

from __future__ import annotations

import jax.numpy as jnp
import numpy as np
import pytest
from numpyro.infer.hmc_util import dual_averaging

from rheojobs.inference.sampling.warmup.adaptation import Moments, StepSize


def test_the_step_size_moves_as_that_of_numpyro():
    begin, update = dual_averaging()
    center = jnp.log(10 * 0.3)
    theirs, ours = begin(center), StepSize.around(center)
    for missing in np.random.default_rng(0).uniform(-0.2, 0.9, 50):
        theirs, ours = update(missing, theirs), ours.after(missing)
        assert [float(value) for value in ours] == pytest.approx([float(v) for v in theirs])


def test_moments_are_those_of_all_positions():
    positions = np.random.default_rng(0).normal(size=(40, 3)) @ np.diag([1.0, 10.0, 0.1])
    moments = Moments.none(3)
    for position in positions:
        moments = moments.after(jnp.asarray(position))
    assert np.asarray(moments.mean) == pytest.approx(positions.mean(axis=0))
    assert np.asarray(moments.scatter) / 39 == pytest.approx(np.cov(positions.T))
    assert int(moments.count) == 40
