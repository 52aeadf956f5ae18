"""What several starts say about the best minimum: made up by hand, and in a fit with two modes."""

from __future__ import annotations

import jax.numpy as jnp
import numpy as np
import pytest

from rheojobs.inference.data.dataset import Dataset
from rheojobs.inference.fits.minima import minima_warnings
from rheojobs.inference.fits.task import fit
from rheojobs.inference.models.model import Model

pytestmark = pytest.mark.promise("right-or-refused")


def minimum(objective: float, tau: float, starts: int = 4) -> dict:
    return {"objective": objective, "parameters": {"tau": tau}, "starts": starts}


def told(*minima: dict, error: float = 0.1, is_given: bool = False, first: float = 10.0) -> str:
    found = minima_warnings(minima, {"tau": error}, 1.0, is_given, first)
    return "; ".join(found)


def test_minima_that_agree_say_nothing():
    assert told(minimum(10.0, 1.0)) == ""
    assert told(minimum(10.0, 1.0), minimum(90.0, 5.0)) == ""


def test_a_second_minimum_that_is_as_good_is_told():
    words = told(minimum(10.0, 1.0), minimum(12.0, 5.0))
    assert "a second minimum fits these data nearly as well" in words
    assert "tau = 5 against 1 ± 0.1" in words
    # 95 % exclude a rise of 3.84; and ends in one valley are no second minimum.
    assert told(minimum(10.0, 1.0), minimum(14.0, 5.0)) == ""
    assert told(minimum(10.0, 1.0), minimum(12.0, 1.2)) == ""


def test_a_minimum_that_one_start_found_is_told():
    assert "only 1 of 6 starts" in told(minimum(10.0, 1.0, 1), minimum(90.0, 5.0, 5))
    assert "none of 6 starts" in told(minimum(10.0, 1.0, 0), minimum(90.0, 5.0, 6))
    assert told(minimum(10.0, 1.0, 1), minimum(90.0, 5.0, 1)) == ""


def test_initial_values_that_lead_elsewhere_are_told():
    pair = minimum(10.0, 1.0), minimum(90.0, 5.0)
    assert "initial values lead to a higher minimum" in told(*pair, is_given=True, first=90.0)
    assert told(*pair, is_given=True, first=10.0) == ""


def test_a_fit_with_two_modes_says_so():
    """An even function of its shift: both signs fit the data alike, but for a small tilt."""
    model = Model.from_function(
        lambda x, p: p[1] + (p[0] ** 2 - 1.0) * x + 1e-3 * p[0] * x**2 + 0.0 * jnp.sin(x),
        {"shift": (-3.0, 3.0), "level": (0.5, 2.0)},
        test_modes="relaxation",
    )
    x = np.linspace(0.1, 2.0, 40)
    y = 1.0 + 0.44 * x + 0.05 * np.random.default_rng(0).standard_normal(40)
    result = fit(Dataset(x, y, "relaxation"), model, weights="uniform", multi_start=8)
    assert len(result.minima) == 2
    assert any("a second minimum fits these data" in text for text in result.warnings)
