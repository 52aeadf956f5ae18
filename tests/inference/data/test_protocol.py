"""The constants of a test, as they are given."""

from __future__ import annotations

import math

import pytest

from rheojobs.errors import InputError
from rheojobs.inference.data.dataset import Dataset
from rheojobs.inference.data.protocol import MODE_CONSTANTS, PROTOCOL_CONSTANTS, check_protocol
from rheojobs.inference.data.test_modes import TEST_MODES


def test_constants_become_floats() -> None:
    assert check_protocol({"gamma_dot": "10", "omega": 2}) == {"gamma_dot": 10.0, "omega": 2.0}
    assert check_protocol(None) == {}


def test_an_unknown_name_is_refused_with_the_nearest() -> None:
    with pytest.raises(InputError, match="no constant 'gama_dot'; did you mean 'gamma_dot'"):
        check_protocol({"gama_dot": 1})
    with pytest.raises(InputError, match="did you mean 'gamma_dot'"):
        Dataset.of(([1.0, 2.0], [1.0, 2.0]), "startup", {"gama_dot": 1})


@pytest.mark.parametrize("value", ["fast", None, math.nan, math.inf, True])
def test_what_is_no_finite_number_is_refused(value: object) -> None:
    with pytest.raises(InputError, match=r"gamma_dot \(shear rate, 1/s\) must be a finite number"):
        check_protocol({"gamma_dot": value})


def test_anything_but_a_mapping_is_refused() -> None:
    with pytest.raises(InputError, match="must map names to numbers, not be a list"):
        check_protocol(["gamma_dot"])


def test_every_mode_names_constants_that_there_are() -> None:
    assert set(MODE_CONSTANTS) == set(TEST_MODES)
    assert set().union(*MODE_CONSTANTS.values()) == set(PROTOCOL_CONSTANTS)
