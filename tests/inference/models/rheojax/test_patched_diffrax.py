"""Differential equations as a fit needs them: exact, and no curve where they were given up."""

from __future__ import annotations

import jax
import numpy as np

from rheojobs.inference.models.loading import load

X = np.geomspace(0.1, 100.0, 20)
GIVEN = {"gamma_dot": 1.0}


def params(**changed: float) -> np.ndarray:
    """Give the default parameters of the local fluidity model, some of them changed."""
    model = load("fluidity_local")
    return np.array([changed.get(item.name, item.default) for item in model.parameters])


def test_what_is_given_up_is_no_curve_of_zeros():
    at = params(G=1e8, f_eq=1.0, f_inf=1.0)  # stress relaxes 1e10 times before the end
    assert not np.isfinite(load("fluidity_local").predict(X, at, "startup", GIVEN)).any()


def test_the_slopes_are_those_of_the_curve():
    model = load("fluidity_local")
    curve = jax.jit(lambda p: model.predict(X, p, "startup", GIVEN))
    at = params(G=1e3)
    slopes = np.asarray(jax.jit(jax.jacfwd(curve))(at))
    for k, name in enumerate(model.names):
        if name in ("f_eq", "f_inf", "G", "theta"):
            step = 1e-4 * at[k] * (np.arange(len(at)) == k)
            rise = (np.asarray(curve(at + step)) - np.asarray(curve(at - step))) / 2e-4
            np.testing.assert_allclose(
                slopes[:, k] * at[k], rise, atol=3e-5 * np.abs(rise).max() + 1e-9, err_msg=name
            )
