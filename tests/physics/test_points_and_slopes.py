"""A prediction depends on its own x alone, and its slopes are those of differences."""

from __future__ import annotations

import jax
import numpy as np
import pytest
from tests.physics.held_against import FULL
from tests.physics.test_linear_identities import MODES, PARAMS

from rheojobs.inference.models.loading import load

pytestmark = pytest.mark.physics

PAIRS = [(name, mode) for name in PARAMS for mode in MODES]
PAIRS += [("sgr_conventional", "flow_curve"), ("sgr_generic", "flow_curve")]
PAIRS += [("maxwell", "flow_curve"), ("generalized_maxwell", "flow_curve")]
CHOSEN = PAIRS if FULL else PAIRS[3::14]
X = np.array([3.0, 0.02, 1.0, 3.0, 0.4, 50.0])  # unordered, with a repeat


def values_of(name: str, mode: str) -> np.ndarray:
    parameters = load(name).for_test(mode).parameters
    defaults = [p.default if p.default is not None else 1.0 for p in parameters]
    return np.array(PARAMS.get(name, defaults))


@pytest.mark.parametrize(("name", "mode"), CHOSEN)
def test_other_points_and_their_order_do_not_matter(name: str, mode: str) -> None:
    model, params = load(name), values_of(name, mode)
    together = np.asarray(model.predict(X, params, mode))
    in_order = np.asarray(model.predict(np.sort(X), params, mode))
    np.testing.assert_allclose(together, in_order[np.searchsorted(np.sort(X), X)], rtol=1e-12)
    alone = [np.asarray(model.predict(X[k : k + 1], params, mode))[0] for k in range(len(X))]
    np.testing.assert_allclose(together, alone, rtol=1e-9)


@pytest.mark.parametrize(("name", "mode"), CHOSEN)
def test_slopes_are_those_of_differences(name: str, mode: str) -> None:
    model, params = load(name), values_of(name, mode)

    def parts(values):
        out = model.predict(X, values, mode)
        return jax.numpy.stack([out.real, out.imag])

    slopes = np.asarray(jax.jit(jax.jacfwd(parts))(params))
    parts = jax.jit(parts)
    for k in np.flatnonzero(params):
        step = 1e-4 * np.eye(len(params))[k] * params[k]
        ends = [np.asarray(parts(params + sign * step)) for sign in (1.0, -1.0)]
        known = (ends[0] - ends[1]) / (2.0 * step[k])
        size = 1e-5 * np.abs(ends[0]).max() / params[k]
        np.testing.assert_allclose(slopes[..., k], known, rtol=1e-5, atol=size)
