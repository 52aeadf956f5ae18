"""RheoJAX's Mittag-Leffler function takes its quick path, and gives the same values."""

from __future__ import annotations

import jax.numpy as jnp
import numpy as np

from rheojobs.inference.models.loading import load


def test_the_quick_path_of_the_mittag_leffler_function_gives_the_same_values():
    from rheojax.utils import mittag_leffler

    load("fractional_kv_zener")  # puts it in
    chosen = mittag_leffler._mittag_leffler_hybrid
    assert chosen.quickened
    z = -jnp.logspace(-3, 4, 40)
    for order in (0.1, 0.5, 0.9):
        each = jnp.full(z.shape, order)  # an order for each point: the general path
        np.testing.assert_allclose(chosen(z, order, 1.0), chosen(z, each, 1.0), atol=1e-12)
    np.testing.assert_allclose(
        chosen(jnp.array([-2.0, -0.5]), 0.9999999, 1.0), np.exp([-2.0, -0.5]), rtol=1e-5
    )
