"""Stress and modulus, strain and compliance: related by the constant of the test, or refused."""

from __future__ import annotations

import numpy as np
import pytest

from rheojobs.errors import InputError
from rheojobs.inference.data.dataset import Dataset
from rheojobs.inference.data.step_quantity import as_step_quantity, divided

pytestmark = pytest.mark.promise("right-or-refused")

STRESS = {
    "x": [1.0, 2.0, 4.0], "y": [10.0, 8.0, 6.0], "sigma": [1.0, 1.0, 1.0],
    "quantity": "shear stress", "y_unit": "Pa", "x_unit": "s",
}  # fmt: skip
STRAIN = {"x": [1.0, 2.0], "y": [0.05, 0.1], "quantity": "strain", "x_unit": "s"}


def test_a_stress_becomes_a_modulus_with_its_deviations() -> None:
    dataset = divided(Dataset.of(STRESS, "relaxation", {"gamma_0": 0.02}))
    assert (dataset.quantity, dataset.y_unit) == ("relaxation modulus", "Pa")
    np.testing.assert_allclose(dataset.y, [500, 400, 300])
    assert dataset.sigma is not None
    np.testing.assert_allclose(dataset.sigma, 50)
    # A model of the stress gets the stress back.
    again = as_step_quantity(dataset, "shear stress", "fluidity_local")
    np.testing.assert_allclose(again.y, [10, 8, 6])


def test_a_strain_becomes_a_compliance() -> None:
    dataset = divided(Dataset.of(STRAIN, "creep", {"sigma_applied": 50}))
    assert (dataset.quantity, dataset.y_unit) == ("creep compliance", "1/Pa")
    np.testing.assert_allclose(dataset.y, [1e-3, 2e-3])
    again = as_step_quantity(dataset, "strain", "fluidity_local")
    np.testing.assert_allclose(again.y, [0.05, 0.1])


def test_a_viscosity_of_a_start_up_is_multiplied_by_the_rate() -> None:
    data = {"x": [1.0, 2.0], "y": [3.0, 4.0], "quantity": "viscosity", "y_unit": "Pa s"}
    dataset = Dataset.of(data, "startup", {"gamma_dot": 10})
    np.testing.assert_allclose(as_step_quantity(dataset, "shear stress", "maxwell").y, [30, 40])


@pytest.mark.parametrize(
    ("data", "mode", "wanted", "words"),
    [
        (STRESS, "relaxation", "relaxation modulus", r"are a shear stress, .*gamma_0 \(strain"),
        (STRAIN, "creep", "creep compliance", "are a strain, .*sigma_applied"),
        (STRAIN, "startup", "shear stress", "are a strain; zener predicts the shear stress"),
        (STRAIN, "laos", "shear stress", "are a strain; zener predicts the shear stress"),
        (STRAIN, "relaxation", "relaxation modulus", "are a strain; zener predicts"),
    ],
)
def test_without_the_constant_it_is_refused(data, mode: str, wanted: str, words: str) -> None:
    dataset = divided(Dataset.of(data, mode))
    with pytest.raises(InputError, match=words):
        as_step_quantity(dataset, wanted, "zener")


def test_a_constant_of_zero_is_refused() -> None:
    with pytest.raises(InputError, match="gamma_0 is zero"):
        divided(Dataset.of(STRESS, "relaxation", {"gamma_0": 0.0}))


@pytest.mark.parametrize("quantity", ["", "relaxation modulus", "storage modulus"])
def test_other_moduli_and_unknown_quantities_are_taken_as_they_are(quantity: str) -> None:
    dataset = Dataset.of(STRESS | {"quantity": quantity}, "relaxation")
    assert as_step_quantity(dataset, "relaxation modulus", "zener") is dataset
