"""Models: RheoJAX's as pure functions, the user's own, their names and values, the catalogue."""

from __future__ import annotations

import threading

import cloudpickle
import jax
import jax.numpy as jnp
import numpy as np
import pytest
from tests.inference.helpers import constants_of, in_new_process

from rheojobs.errors import InputError, MissingExtraError
from rheojobs.inference.models.loading import load
from rheojobs.inference.models.model import Model
from rheojobs.inference.models.parameters import Alternative, Parameter
from rheojobs.inference.models.rheojax import registry

OMEGA = np.logspace(-2, 2, 9)


def decay(x, params):
    """Fall off exponentially."""
    return params[0] * jnp.exp(-x / params[1])


# --- RheoJAX's models ---------------------------------------------------------------------------


def test_maxwell_relaxation_is_the_formula():
    y = load("maxwell").predict(OMEGA, np.array([1e4, 2e3]), "relaxation", {})
    np.testing.assert_allclose(y, 1e4 * np.exp(-OMEGA / 0.2), rtol=1e-12)
    assert y.dtype == jnp.float64


def test_maxwell_oscillation_is_the_formula():
    y = load("maxwell").predict(OMEGA, np.array([1e4, 2e3]), "oscillation", {})
    wt = 1j * OMEGA * 0.2
    np.testing.assert_allclose(y, 1e4 * wt / (1 + wt), rtol=1e-12)


def test_two_columns_come_out_complex():
    model = load("generalized_maxwell", {"n_modes": 1})
    y = model.predict(OMEGA, np.array([5.0, 1e4, 0.2]), "oscillation", {})
    wt = 1j * OMEGA * 0.2
    np.testing.assert_allclose(y, 5 + 1e4 * wt / (1 + wt), rtol=1e-12)
    assert model.probe("oscillation", 2) is True


def test_generalized_maxwell_gives_stress_in_flow_and_startup():
    model = load("generalized_maxwell", {"n_modes": 1})
    params = np.array([0.0, 1e4, 0.2])
    np.testing.assert_allclose(model.predict(OMEGA, params, "flow_curve", {}), 2e3 * OMEGA)
    expected = 3.0 * 2e3 * (1 - np.exp(-OMEGA / 0.2))
    startup = model.predict(OMEGA, params, "startup", {"gamma_dot": 3.0})
    np.testing.assert_allclose(startup, expected, rtol=1e-9)


@pytest.mark.parametrize("name", ["dmt_local", "fikh", "mikh"])
def test_laos_follows_the_given_amplitude_and_frequency(name):
    model = load(name)
    params = np.array([p.default for p in model.parameters])
    t = np.linspace(0.0, 2.0, 50)
    small = model.predict(t, params, "laos", {"gamma_0": 0.01, "omega": 2.0})
    large = model.predict(t, params, "laos", {"gamma_0": 0.02, "omega": 2.0})
    assert np.isfinite(small).all()
    assert not np.allclose(small, large)


def test_configuration_changes_the_parameters_and_the_key():
    six, three = load("generalized_maxwell", {"n_modes": 6}), load("generalized_maxwell")
    assert len(six.parameters) == 13
    assert len(three.parameters) == 7
    assert six.key != three.key
    assert six.key[0] == "rheojax"
    hash(six.key)


def test_loading_twice_gives_the_same_object_also_from_threads():
    found = []
    threads = [threading.Thread(target=lambda: found.append(load("zener"))) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert {id(model) for model in found} == {id(load("zener"))}
    assert load(load("zener")) is load("zener")


def test_a_rheojax_model_is_pickled_by_name():
    model = load("generalized_maxwell", {"n_modes": 2})
    pickled = cloudpickle.dumps(model)
    assert len(pickled) < 500
    assert cloudpickle.loads(pickled) is model


def test_the_instance_is_not_changed_by_a_prediction():
    model = load("ml_ikh")
    before = dict(vars(model.function.instance))
    model.probe("relaxation", 8, constants_of("relaxation"))
    load("dmt_local").probe("laos", 8, constants_of("laos"))
    assert vars(model.function.instance) == before
    assert load("dmt_local").function.instance._gamma_0 is None


def test_units_descriptions_and_flags_come_along():
    g0 = load("maxwell").parameter("G0")
    assert (g0.unit, g0.bounds, g0.default) == ("Pa", (1e-3, 1e9), 1e5)
    assert "elastic" in g0.description.lower()
    assert load("carreau").flow_quantity == "viscosity"
    assert load("carreau").quantity("flow_curve") == "viscosity"
    assert load("vlb").quantity("creep") == "strain"
    assert load("maxwell").quantity("creep") == "creep compliance"
    lower, upper = load("maxwell").bounds
    np.testing.assert_array_equal(lower, [1e-3, 1e-6])
    np.testing.assert_array_equal(upper, [1e9, 1e12])


def test_priors_are_centred_on_the_values_given():
    model = load("mikh")
    own = model.prior_factory("G", 0.1, 1e9)
    moved = model.prior_factory("G", 0.1, 1e9, {"G": 7.0})
    assert float(moved.loc) == pytest.approx(np.log(7.0))
    assert float(own.loc) != float(moved.loc)
    assert load("mikh").function.instance.parameters.get_value("G") != 7.0


@pytest.mark.parametrize(
    ("name", "config", "message"),
    [
        ("maxwel", {}, "there is no model 'maxwel'; did you mean 'maxwell'?"),
        ("Maxwell", {}, "did you mean 'maxwell'?"),
        ("generalized_maxwell", {"n_mode": 3}, "did you mean 'n_modes'?"),
        ("generalized_maxwell", {"n_modes": 0}, "n_modes must be"),
        ("maxwell", {"n_modes": 2}, "maxwell has no setting 'n_modes'"),
        ("giesekus_multimode", {"n_modes": object()}, "settings are numbers"),
        (decay, {}, "Model.from_function"),
        (None, {}, "not as a NoneType"),
    ],
)
def test_what_cannot_be_loaded_says_why_on_one_line(name, config, message):
    with pytest.raises(InputError) as caught:
        load(name, config)
    assert message in str(caught.value)
    assert "\n" not in str(caught.value)


def test_without_rheojax_the_extra_is_named(monkeypatch, tmp_path):
    monkeypatch.setenv("RHEOJOBS_CACHE_DIR", str(tmp_path))  # where no model is kept
    for cache in ("_loaded", "_instances"):
        monkeypatch.setattr(registry, cache, {})
    monkeypatch.setattr(registry.importlib.util, "find_spec", lambda name: None)
    with pytest.raises(MissingExtraError, match=r"rheojobs\[rheology\]"):
        load("springpot", {})


def test_loading_writes_nothing_to_standard_output():
    code = "from rheojobs.inference.models.loading import load; load('hvm').probe('flow_curve', 4)"
    assert in_new_process(code) == ""


def test_importing_the_modules_imports_neither_jax_nor_rheojax():
    code = (
        "import sys; from rheojobs.inference.models import catalogue, model;"
        "from rheojobs.inference.models.rheojax import registry;"
        "print(sorted({'jax', 'rheojax', 'nlsq', 'numpyro', 'PySide6'} & set(sys.modules)))"
    )
    assert in_new_process(code).strip() == "[]"


# --- values and their names ---------------------------------------------------------------------


def test_tau_is_converted_with_what_is_given_known_or_default():
    maxwell = load("maxwell")
    assert maxwell.resolve_values({"G0": 1e6, "tau": 2.0}) == {"G0": 1e6, "eta": 2e6}
    assert maxwell.resolve_values({"tau": 2.0}, {"G0": 5.0, "eta": 1.0}) == {"G0": 5.0, "eta": 10.0}
    assert maxwell.resolve_values({"tau": 2.0}) == {"eta": 2e5}
    assert maxwell.resolve_values({}) == {}
    assert maxwell.derived({"G0": 5.0, "eta": 10.0}) == {"tau": 2.0}


@pytest.mark.parametrize(
    "name", ["maxwell", "zener", "vlb", "fractional_kelvin_voigt", "fractional_maxwell_gel"]
)
def test_alternatives_go_there_and_back_also_traced(name):
    model = load(name)
    values = {p.name: p.default for p in model.parameters}
    for other in model.alternatives:
        expected = values[other.replaces]
        value = model.derived(values)[other.name]
        assert other.to_parameter(value, values) == pytest.approx(expected)
        assert float(jax.jit(other.to_parameter)(value, values)) == pytest.approx(expected)
        assert float(jax.grad(other.to_parameter)(value, values)) != 0.0


def test_the_retardation_time_of_the_kelvin_voigt_element_is_that_of_its_creep():
    model = load("fractional_kelvin_voigt")
    values = model.resolve_values({"Ge": 1e3, "alpha": 0.99, "tau": 2.0})
    params = np.array([values[name] for name in model.names])
    creep = model.predict(np.array([2.0]), params, "creep", {})
    assert float(creep[0]) * 1e3 == pytest.approx(1 - np.exp(-1), abs=0.01)


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ({"taux": 1.0}, "maxwell has no parameter 'taux'; did you mean 'tau'?"),
        ({"tau": 1.0, "eta": 1.0}, "give 'tau' or 'eta', not both"),
        ({"G0": np.inf}, "G0 must be a finite number, not inf"),
        ({"G0": "much"}, "G0 must be a finite number, not 'much'"),
        ({"G0": -1.0}, "G0 = -1 Pa is outside its bounds, 0.001 to 1e+09 Pa"),
        ({"tau": 1e20}, "eta = 1e+25 Pa·s (from tau = 1e+20 s) is outside its bounds"),
    ],
)
def test_values_that_cannot_be_are_refused(values, message):
    with pytest.raises(InputError) as caught:
        load("maxwell").resolve_values(values)
    assert message in str(caught.value)


@pytest.mark.parametrize(
    ("name", "values"),
    [("vlb", {"tau": 0.0}), ("fractional_kelvin_voigt", {"tau": -1.0, "alpha": 0.5})],
)
def test_an_alternative_without_a_counterpart_is_refused(name, values):
    with pytest.raises(InputError, match="outside its bounds"):
        load(name).resolve_values(values)


# --- the user's own functions -------------------------------------------------------------------


def test_a_plain_function_is_a_model():
    model = Model.from_function(decay, {"A": (0, 10, 2.0), "tau": (1e-3, 1e3)}, "relaxation")
    assert model.name == "decay"
    assert model.description == "Fall off exponentially."
    assert model.parameter("A").default == 2.0
    assert model.parameter("tau").default is None
    assert model.probe("relaxation", 7) is False
    x = np.linspace(0, 1, 7)
    y = model.predict(x, np.array([2.0, 0.5]), "relaxation")
    np.testing.assert_allclose(y, 2 * np.exp(-x / 0.5))
    with pytest.raises(InputError, match="does not describe 'creep'"):
        model.probe("creep", 7)


def test_a_function_is_given_what_it_names():
    seen = []

    def third(x, params, mode):
        seen.append(mode)
        return params[0] * x

    def keywords(x, params, *, gamma_dot, test_mode="none"):
        seen.append((gamma_dot, test_mode))
        return params[0] * x

    def everything(x, params, **protocol):
        seen.append(protocol)
        return params[0] * x

    for function in (third, keywords, everything):
        model = Model.from_function(function, {"a": (0, 1)})
        model.predict(np.ones(2), np.ones(1), "startup", {"gamma_dot": 3.0, "omega": 1.0})
    assert seen == ["startup", (3.0, "startup"), {"gamma_dot": 3.0, "omega": 1.0}]
    with pytest.raises(InputError, match="keywords needs gamma_dot"):
        Model.from_function(keywords, {"a": (0, 1)}).probe("startup", 3)


def test_a_function_may_take_its_parameters_one_by_one():
    model = Model.from_function(
        lambda x, A, tau: A * jnp.exp(-x / tau), {"A": (0, 9), "tau": (0, 9)}
    )
    y = model.predict(np.array([0.0, 1.0]), np.array([3.0, 1.0]), "relaxation")
    np.testing.assert_allclose(y, [3.0, 3 / np.e])


def test_moduli_may_come_as_a_pair():
    model = Model.from_function(lambda x, p: (p[0] * x, p[1] * x), {"a": (0, 1), "b": (0, 1)})
    assert model.probe("oscillation", 5) is True
    y = model.predict(np.ones(2), np.array([1.0, 2.0]), "oscillation")
    np.testing.assert_array_equal(y, [1 + 2j, 1 + 2j])


@pytest.mark.parametrize(
    ("function", "message"),
    [
        (lambda x, p: np.asarray(x) * p[0], "not pure JAX"),
        (lambda x, p: x if p[0] > 0 else -x, "not pure JAX"),
        (lambda x, p: x[:3], r"an array of shape \(3,\) for 7 points"),
        (lambda x, p: x * 1j, "complex"),
        (lambda x, p: 1 / 0, "its function raised ZeroDivisionError"),
        (lambda x, p: p["A"], "cannot be run for relaxation: its function raised"),
    ],
)
def test_a_function_that_cannot_be_traced_is_refused_in_one_line(function, message):
    with pytest.raises(InputError, match=message) as caught:
        Model.from_function(function, {"A": (0, 1)}, name="mine").probe("relaxation", 7)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("function", "parameters", "message"),
    [
        (lambda x: x, {"a": (0, 1)}, "must take"),
        (lambda x, p, mode, other: x, {"a": (0, 1)}, "needs 'other'"),
        (3, {"a": (0, 1)}, "must be callable"),
        (decay, {}, "has no parameters"),
        (decay, {"a": (1, 0)}, "bounds of a are empty"),
        (decay, {"a": (0, 1, 2)}, "default of a, 2, is outside"),
        (decay, {"a": 3}, "give \\(lower, upper\\)"),
        (decay, [Parameter("a", 1, (0, 1)), Parameter("a", 1, (0, 1))], "two parameters"),
    ],
)
def test_a_malformed_model_is_refused(function, parameters, message):
    with pytest.raises(InputError, match=message):
        Model.from_function(function, parameters, name="mine")


def test_an_unknown_test_mode_is_refused():
    with pytest.raises(InputError, match="did you mean 'relaxation'"):
        Model.from_function(decay, {"a": (0, 1), "b": (0, 1)}, ("relaxatoin",))


def test_a_function_crosses_to_another_process(tmp_path):
    factor = jnp.array([2.0, 3.0])

    def make(offset):
        return lambda x, p: p[0] * factor[0] * x + offset

    tau = Alternative("b", "a", "", "", lambda v, p: 2 * v, lambda p: p["a"] / 2)
    model = Model.from_function(
        make(1.0), [Parameter("a", 1.0, (0, 5), "Pa")], name="line", alternatives=(tau,)
    )
    path = tmp_path / "model"
    path.write_bytes(cloudpickle.dumps(model))
    code = (
        f"import pickle, numpy as np; m = pickle.load(open({str(path)!r}, 'rb'));"
        "y = m.predict(np.array([1.0, 2.0]), np.array([4.0]), 'startup');"
        "print(m.key[2], y.tolist(), m.resolve_values({'b': 1.5}))"
    )
    assert in_new_process(code).strip() == f"{model.key[2]} [9.0, 17.0] {{'a': 3.0}}"


def test_keys_tell_functions_apart_and_know_copies_again():
    def make(offset):
        return lambda x, p: p[0] * x + offset

    def model(function, **bounds):
        return Model.from_function(function, bounds or {"a": (0, 1)}, name="m")

    assert model(make(1.0)).key == model(make(1.0)).key
    assert model(make(1.0)).key != model(make(2.0)).key
    assert model(make(1.0)).key != model(make(1.0), a=(0, 2)).key
    copied = cloudpickle.loads(cloudpickle.dumps(model(make(1.0))))
    assert model(copied.function).key == model(make(1.0)).key
    lock = threading.Lock()
    locked = model(lambda x, p: (lock, x)[1])
    assert locked.key != model(lambda x, p: (lock, x)[1]).key
