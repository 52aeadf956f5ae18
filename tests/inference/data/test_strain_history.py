"""The constants of a test, from the strain that RheoData brings, and by RheoJAX's other names."""

from __future__ import annotations

from types import SimpleNamespace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from rheojobs.errors import InputError
from rheojobs.inference.data.dataset import Dataset
from rheojobs.inference.data.strain_history import constants_of_strain

T = np.linspace(0.05, 10.0, 200)


@given(st.floats(1e-4, 1e4))
def test_a_strain_that_grows_at_a_constant_rate(rate):
    found = constants_of_strain("startup", T, rate * T)
    assert found == {"gamma_dot": pytest.approx(rate)}


@given(st.floats(1e-3, 1e3), st.floats(0.1, 15.0))
def test_a_strain_that_oscillates(gamma_0, omega):
    found = constants_of_strain("laos", T, gamma_0 * np.sin(omega * T))
    assert found["gamma_0"] == pytest.approx(gamma_0, rel=1e-6)
    assert found["omega"] == pytest.approx(omega, rel=1e-6)


@pytest.mark.parametrize(
    ("mode", "strain", "words"),
    [
        ("startup", np.sqrt(T), "constant shear rate"),
        ("laos", np.cos(T), "sin"),
        ("laos", T, "no sine|deviates"),
        ("laos", np.sin(T) + 0.1 * np.sin(3 * T), "deviates"),
        ("startup", np.zeros(200), "not zero everywhere"),
        ("startup", T[1:], "199 values, x has 200"),
        ("startup", np.full(200, np.nan), "finite"),
    ],
)
def test_any_other_strain_is_refused(mode, strain, words):
    with pytest.raises(InputError, match=words):
        constants_of_strain(mode, T, strain)


def test_unequal_times_need_the_constants():
    with pytest.raises(InputError, match="unequal times"):
        constants_of_strain("laos", np.geomspace(0.1, 10.0, 50), np.ones(50))


def rheodata(mode, **metadata):
    """As RheoJAX's `RheoData` has them."""
    return SimpleNamespace(x=T, y=1.0 + T, metadata={"test_mode": mode} | metadata)


def test_rheodata_brings_its_strain():
    data = Dataset.of(rheodata("startup", strain=2.0 * T))
    assert data.protocol == {"gamma_dot": pytest.approx(2.0)}
    data = Dataset.of(rheodata("laos", strain=(0.5 * np.sin(T)).tolist()))
    assert data.protocol == {"gamma_0": pytest.approx(0.5), "omega": pytest.approx(1.0)}
    # A constant that is named prevails.
    assert Dataset.of(rheodata("startup", strain=2.0 * T, gdot=3.0)).protocol["gamma_dot"] == 3.0


@pytest.mark.parametrize(
    ("mode", "name", "canonical"),
    [
        ("startup", "gdot", "gamma_dot"),
        ("creep", "stress_target", "sigma_applied"),
        ("laos", "gamma0", "gamma_0"),
        ("laos", "omega_laos", "omega"),
        ("relaxation", "sigma_0", "sigma_0"),
    ],
)
def test_other_names_of_the_constants(mode, name, canonical):
    assert Dataset.of(rheodata(mode, **{name: 2.5})).protocol == {canonical: 2.5}
    assert Dataset.of((T, T), mode, {name: 2.5}).protocol == {canonical: 2.5}


def test_one_constant_by_two_names():
    both = {"gdot": 1.0, "gamma_dot": 1.0}
    assert Dataset.of((T, T), "startup", both).protocol == {"gamma_dot": 1.0}
    with pytest.raises(InputError, match="gamma_dot twice, as 2 and as gdot = 1"):
        Dataset.of((T, T), "startup", {"gamma_dot": 2.0, "gdot": 1.0})
