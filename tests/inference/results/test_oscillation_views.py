from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from rheojobs.inference.results.oscillation_views import VIEWS, OscillationView

VIEW = {view.name: view for view in VIEWS}
G0, TAU = 2.0e4, 0.7
OMEGA = np.logspace(-2, 2, 41)
STORAGE = G0 * (OMEGA * TAU) ** 2 / (1 + (OMEGA * TAU) ** 2)
LOSS = G0 * OMEGA * TAU / (1 + (OMEGA * TAU) ** 2)


def shown(name: str) -> tuple[np.ndarray, ...]:
    x, parts = VIEW[name].points(OMEGA, STORAGE, LOSS)
    return (x, *parts)


def test_a_maxwell_element_is_a_semicircle_in_the_cole_cole_plot() -> None:
    real, imaginary = shown("cole_cole")
    half = G0 * TAU / 2
    np.testing.assert_allclose(np.hypot(real - half, imaginary), half, rtol=1e-12)


def test_its_loss_tangent_is_that_of_one_relaxation_time() -> None:
    omega, tangent = shown("tan_delta")
    assert omega is OMEGA
    np.testing.assert_allclose(tangent, 1 / (OMEGA * TAU), rtol=1e-12)


def test_its_complex_viscosity_falls_from_the_zero_shear_viscosity() -> None:
    _, viscosity = shown("viscosity")
    np.testing.assert_allclose(viscosity, G0 * TAU / np.sqrt(1 + (OMEGA * TAU) ** 2), rtol=1e-12)


def test_its_phase_angle_follows_from_the_modulus() -> None:
    modulus, angle = shown("van_gurp_palmen")
    np.testing.assert_allclose(angle, np.degrees(np.arccos(modulus / G0)), rtol=1e-6)
    assert (np.diff(angle) < 0).all()


def test_the_usual_view_shows_the_moduli_as_they_are() -> None:
    omega, storage, loss = shown("moduli")
    assert (omega is OMEGA, storage is STORAGE, loss is LOSS) == (True, True, True)
    assert [view.is_modulus_view for view in VIEWS] == [True, False, False, False, False]


@pytest.mark.parametrize("view", VIEWS, ids=lambda view: view.name)
def test_each_view_names_what_it_shows(view: OscillationView) -> None:
    _, parts = view.points(OMEGA, STORAGE, LOSS)
    assert len(parts) == len(view.symbols)
    assert all(symbol in view.y_label for symbol in view.symbols)


@given(
    omega=st.floats(1e-6, 1e6),
    storage=st.floats(1e-6, 1e12),
    loss=st.floats(1e-6, 1e12),
)
def test_the_views_agree_with_each_other(omega: float, storage: float, loss: float) -> None:
    arrays = [np.array([value]) for value in (omega, storage, loss)]
    found = {view.name: view.points(*arrays) for view in VIEWS}
    real, (imaginary,) = found["cole_cole"]
    (viscosity,) = found["viscosity"][1]
    modulus, (angle,) = found["van_gurp_palmen"]
    (tangent,) = found["tan_delta"][1]
    np.testing.assert_allclose(np.hypot(real, imaginary), viscosity, rtol=1e-9)
    np.testing.assert_allclose(viscosity * omega, modulus, rtol=1e-9)
    np.testing.assert_allclose(np.degrees(np.arctan(tangent)), angle, rtol=1e-6)


def test_a_quantity_that_is_not_defined_is_not_finite() -> None:
    zero, one = np.zeros(1), np.ones(1)
    assert not np.isfinite(VIEW["tan_delta"].points(one, zero, one)[1][0]).any()
    assert not np.isfinite(VIEW["cole_cole"].points(zero, one, one)[0]).any()
