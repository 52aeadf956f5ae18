"""The inverse Laplace transform, against transforms whose inverse is known."""

from __future__ import annotations

import jax
import numpy as np
import pytest

from rheojobs.inference.models.rheojax.inverse_laplace import inverse
from rheojobs.inference.programs.jax_setup import configure_jax

TIMES = np.geomspace(1e-6, 1e6, 40)


@pytest.mark.parametrize(
    ("transform", "known"),
    [
        (lambda s: 1 / s, np.ones_like),
        (lambda s: 1 / s**2, lambda t: t),
        (lambda s: 1 / s**1.5, lambda t: 2 * np.sqrt(t / np.pi)),
        (lambda s: 1 / (s * (s + 1)), lambda t: -np.expm1(-t)),
    ],
)
def test_an_inverse_is_what_was_transformed(transform, known):
    configure_jax()
    np.testing.assert_allclose(inverse(transform, TIMES), known(TIMES), rtol=1e-9)


def test_what_has_died_away_is_zero_to_a_part_of_what_it_was():
    configure_jax()
    values = np.asarray(inverse(lambda s: 1 / (s + 1), TIMES))
    np.testing.assert_allclose(values, np.exp(-TIMES), atol=1e-10)


def test_an_inverse_begins_at_zero():
    configure_jax()
    values = np.asarray(inverse(lambda s: 1 / (s * (s + 1)) + 3 / s, np.array([0.0, 1.0])))
    np.testing.assert_allclose(values, [3.0, 3.0 - np.expm1(-1.0)], rtol=1e-9)


def test_slopes_are_those_of_the_inverse():
    configure_jax()
    slope = jax.jacfwd(lambda k: inverse(lambda s: 1 / (s + k), np.array([0.5, 2.0])))(0.7)
    np.testing.assert_allclose(slope, [-0.5 * np.exp(-0.35), -2.0 * np.exp(-1.4)], rtol=1e-9)
