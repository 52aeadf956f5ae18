"""What `Dataset` takes, refuses and tells."""

from __future__ import annotations

import math
import pickle
import types
import warnings

import numpy as np
import pytest

from rheojobs.errors import InputError
from rheojobs.inference.data.dataset import Dataset
from rheojobs.inference.data.units import si_factor

pytestmark = pytest.mark.promise("right-or-refused", "one-line-errors")

X = np.array([1.0, 2.0, 4.0])
Y = np.array([9.0, 6.0, 3.0])


def lookalike(**fields: object) -> object:
    """An object shaped as RheoData, whose own detection must not be asked."""

    class Lookalike:
        @property
        def test_mode(self) -> str:
            raise AssertionError("the guess of RheoData was asked")

    data = Lookalike()
    data.__dict__.update({"metadata": {}, "x_units": None, "y_units": None} | fields)
    return data


@pytest.mark.parametrize(
    ("unit", "quantity", "factor"),
    [
        ("Hz", "frequency", 2 * math.pi),
        ("1/s", "frequency", 2 * math.pi),
        ("1/s", "angular frequency", 1.0),
        ("rad/s", "frequency", 1.0),
        ("rad s⁻¹", "angular frequency", 1.0),
        ("kPa", "shear stress", 1e3),
        ("[MPa]", "storage modulus", 1e6),
        ("GPa", "relaxation modulus", 1e9),
        ("dyn/cm^2", "shear stress", 0.1),
        ("min", "time", 60.0),
        ("ms", "time", 1e-3),
        ("h", "time", 3600.0),
        ("mPa·s", "viscosity", 1e-3),
        ("mPa.s", "viscosity", 1e-3),
        ("Pa s", "viscosity", 1.0),
        ("cP", "viscosity", 1e-3),
        ("1/min", "shear rate", 1 / 60),
        ("min^-1", "shear rate", 1 / 60),
        ("s-1", "shear rate", 1.0),
        ("1/MPa", "creep compliance", 1e-6),
        ("MPa⁻¹", "creep compliance", 1e-6),
        ("1/kPa", "creep compliance", 1e-3),
        ("%", "strain", 0.01),
        ("°", "phase angle", math.pi / 180),
        ("", "time", 1.0),
    ],
)
def test_units_become_si(unit: str, quantity: str, factor: float) -> None:
    assert si_factor(unit, quantity) == pytest.approx(factor, rel=1e-12)


@pytest.mark.parametrize(
    ("unit", "quantity"), [("Pa", "time"), ("fortnight", "time"), ("Hz", "shear rate"), ("s", "x")]
)
def test_units_of_something_else_are_refused(unit: str, quantity: str) -> None:
    assert si_factor(unit, quantity) is None


def test_a_pair_is_copied_to_float64() -> None:
    x = np.array([1, 2, 3, 4], dtype=np.int32)[::2]
    y = np.array([5.0, 6.0], dtype=np.float32)
    dataset = Dataset.of((x, y), "relaxation", {"gamma_0": 1})
    assert dataset.x.dtype == dataset.y.dtype == np.float64
    assert dataset.x.flags.c_contiguous
    assert not np.shares_memory(dataset.x, x)
    assert (dataset.test_mode, dataset.protocol) == ("relaxation", {"gamma_0": 1.0})


def test_mapping_and_precedence() -> None:
    data = {"x": [1, 2], "y": [3, 4], "test_mode": "creep", "protocol": {"sigma_applied": 5}}
    assert Dataset.of(data).test_mode == "creep"
    dataset = Dataset.of(data, "start up", {"gamma_dot": 2.0})
    assert dataset.test_mode == "startup"
    assert dataset.protocol == {"sigma_applied": 5.0, "gamma_dot": 2.0}
    again = Dataset.of(dataset, protocol={"gamma_dot": 3.0})
    assert again.protocol["gamma_dot"] == 3.0
    assert again.test_mode == "startup"


def test_two_columns_are_the_moduli() -> None:
    dataset = Dataset.of((X, np.column_stack([Y, 2 * Y])))
    assert dataset.test_mode == "oscillation"
    np.testing.assert_array_equal(dataset.y, Y + 2j * Y)
    assert dataset.y.dtype == np.complex128


def test_rheodata_lookalike() -> None:
    data = lookalike(x=X, y=Y, x_units="s", y_units="1/Pa", metadata={"sigma_applied": 10.0})
    dataset = Dataset.of(data)
    assert (dataset.test_mode, dataset.x_unit, dataset.y_unit) == ("creep", "s", "1/Pa")
    assert dataset.protocol == {"sigma_applied": 10.0}
    said = lookalike(x=X, y=Y, metadata={"test_mode": "rotation"})
    assert Dataset.of(said).test_mode == "flow_curve"
    assert Dataset.of(lookalike(x=X, y=Y)).test_mode is None
    plain = types.SimpleNamespace(x=X, y=Y, test_mode="startup")
    assert Dataset.of(plain).test_mode == "startup"


def test_rheodata_itself_neither_warns_nor_guesses() -> None:
    core = pytest.importorskip("rheojax.core.data", reason="RheoJAX is not installed")
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        flow = Dataset.of(core.RheoData(x=X, y=Y, x_units="1/s", y_units="Pa"))
        explicit = Dataset.of(core.RheoData(x=X, y=Y, initial_test_mode="relaxation"))
        untold = Dataset.of(core.RheoData(x=X, y=Y))
    assert (flow.test_mode, explicit.test_mode) == ("flow_curve", "relaxation")
    assert untold.test_mode is None


@pytest.mark.parametrize(
    ("x", "y", "mode", "message"),
    [
        ([1.0] * 12, [1.0] * 11, None, "x has 12 values, y has 11"),
        ([], [], None, "the data are empty"),
        ([[1.0, 2.0]], [1.0, 2.0], None, r"x must be one-dimensional: its shape is \(1, 2\)"),
        (["a", "b"], [1.0, 2.0], None, "x is not numeric"),
        ([1.0, None], [1.0, 2.0], None, "x has 1 NaN"),
        ([1.0, 2.0], [True, False], None, "y is not numeric"),
        ([1.0, 2.0], [[1.0], [1.0, 2.0]], None, "y is not numeric"),
        ([1j, 2.0], [1.0, 2.0], None, "x is complex"),
        ([1, 2, 3], [1, np.nan, np.inf], None, "y has 2 NaN or infinite of 3 .* index 1"),
        ([np.inf, 2], [1, 2], None, "x has 1 NaN or infinite of 2 .* index 0"),
        ([1, 2], [1, complex(1, np.nan)], None, "y has 1 NaN"),
        ([0, 1], [1, 2], "relaxation", r"time must be positive: 1 of 2 .* index 0 \(0\)"),
        ([1, -1], [1, 2], "flow_curve", r"shear rate must be positive: .* index 1 \(-1\)"),
        ([0, 1], [1j, 2j], "saos", "angular frequency must be positive"),
        ([-1, 1], [1, 2], "startup", "time must be zero or more"),
        ([1, 2], [1j, 2j], "creep", "only an oscillation has G' \\+ iG''"),
        ([1, 2], [1, 2], "oscillation", "needs G' and G''"),
        (np.ma.masked_equal([1, 2], 2), [1, 2], None, "x has masked values"),
    ],
)
def test_bad_data_get_one_line(x: object, y: object, mode: str | None, message: str) -> None:
    with pytest.raises(InputError, match=message) as caught:
        Dataset.of((x, y), mode)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("mode", ["startup", "laos"])
def test_time_zero_is_allowed_where_a_test_begins_at_rest(mode: str) -> None:
    assert Dataset.of(([0.0, 1.0], [0.0, 1.0]), mode).x[0] == 0.0


@pytest.mark.parametrize("data", ["file.csv", 3, None, {"x": [1.0]}, (1, 2, 3)])
def test_what_holds_no_data_is_refused(data: object) -> None:
    with pytest.raises(InputError):
        Dataset.of(data)


@pytest.mark.parametrize("value", ["fast", None, math.nan])
def test_protocol_constants_are_finite_numbers(value: object) -> None:
    with pytest.raises(InputError, match="gamma_dot"):
        Dataset.of((X, Y), "startup", {"gamma_dot": value})  # type: ignore[dict-item]


def test_untold_mode_says_how_to_name_it() -> None:
    with pytest.raises(InputError, match=r"name it with test_mode.*relaxation, creep"):
        Dataset.of((X, Y)).require_test_mode()
    assert Dataset.of((X, Y), "creep").require_test_mode() == "creep"


def test_summary() -> None:
    x = np.linspace(0.2009, 4900, 1799)
    dataset = Dataset(x, x, "relaxation", x_unit="s")
    assert dataset.summary() == "relaxation, 1,799 points, t = 0.2009–4,900 s"
    assert Dataset(X[:1], Y[:1]).summary() == "unknown test mode, 1 point, x = 1"
    started = Dataset(X, Y, "startup", protocol={"gamma_dot": 10.0})
    assert started.summary() == "startup, 3 points, t = 1–4, gamma_dot = 10"


def test_flow_quantities_convert_both_ways() -> None:
    stress = Dataset(X, Y, "flow_curve", quantity="shear stress", y_unit="Pa")
    viscosity = stress.as_flow_quantity("viscosity")
    np.testing.assert_allclose(viscosity.y, Y / X)
    assert (viscosity.quantity, viscosity.y_unit) == ("viscosity", "Pa s")
    np.testing.assert_allclose(viscosity.as_flow_quantity("stress").y, Y)
    assert stress.as_flow_quantity("stress") is stress
    by_unit = Dataset(X, Y, "flow_curve", y_unit="Pa s").as_flow_quantity("stress")
    np.testing.assert_allclose(by_unit.y, Y * X)
    untold = Dataset(X, Y, "flow_curve").as_flow_quantity("stress")
    np.testing.assert_array_equal(untold.y, Y)
    assert "taken as shear stress" in untold.notes[-1]


def test_only_flow_curves_have_flow_quantities() -> None:
    with pytest.raises(InputError, match="only a flow curve"):
        Dataset(X, Y, "creep").as_flow_quantity("stress")
    with pytest.raises(InputError, match="did you mean 'viscosity'"):
        Dataset(X, Y, "flow_curve").as_flow_quantity("viscosty")  # type: ignore[arg-type]


def test_thin() -> None:
    dataset = Dataset(np.arange(1.0, 11.0), np.arange(10.0), "creep", name="a")
    thinned = dataset.thin(4)
    np.testing.assert_array_equal(thinned.x, [1.0, 5.0, 9.0])
    assert thinned.name == "a"
    assert thinned.notes == ("kept 3 of 10 rows, 1 in 4",)
    assert dataset.thin(1) is dataset
    with pytest.raises(InputError, match="whole number"):
        dataset.thin(0)


def test_pickles_with_a_foreign_mapping() -> None:
    protocol = types.MappingProxyType({"omega": 1.0})
    dataset = Dataset(X, Y + 1j, "oscillation", protocol=protocol, notes=("a",))
    back = pickle.loads(pickle.dumps(dataset))
    np.testing.assert_array_equal(back.y, dataset.y)
    assert (back.protocol, back.notes, len(back)) == ({"omega": 1.0}, ("a",), 3)
