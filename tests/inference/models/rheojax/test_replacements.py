"""Predictions from inside RheoJAX's models: they are what RheoJAX's own methods give."""

from __future__ import annotations

import copy

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from rheojobs.errors import InputError
from rheojobs.inference.data.protocol import MODE_CONSTANTS
from rheojobs.inference.models.loading import load
from rheojobs.inference.models.rheojax import function

TIMES = np.linspace(0.1, 4.0, 12)


def instance_of(model):
    """Give RheoJAX's model itself, fetched where ours is still made of what is kept of it."""
    function = model.function
    return getattr(function, "_function", lambda: function)().instance


def instance_with(model, params):
    """Give a copy of RheoJAX's model that has those parameters."""
    instance = copy.deepcopy(instance_of(model))
    for name, value in zip(model.names, params, strict=True):
        instance.parameters.set_value(name, float(value))
    return instance


@pytest.mark.parametrize(
    ("mode", "constants", "runner"),
    [
        pytest.param("startup", {"gamma_dot": 1.0}, "run_startup", marks=pytest.mark.slow),
        ("relaxation", {"gamma_0": 0.5}, "run_relaxation"),
        ("laos", {"gamma_0": 2.0, "omega": 1.0}, "run_laos"),
    ],
)
def test_hebraud_lequeux_is_that_of_rheojax_on_a_finer_grid(mode, constants, runner):
    from rheojax.utils import hl_kernels

    model = load("hebraud_lequeux")
    ours = model.predict(TIMES, np.array([0.3, 1.0, 1.0]), mode, constants)
    theirs = getattr(hl_kernels, runner)(TIMES, *constants.values(), 0.3, 1.0, 1.0)
    assert np.abs(ours - theirs).max() < 0.02 * np.abs(theirs).max()


def test_hebraud_lequeux_has_no_scales_but_tau_and_sigma_c():
    model = load("hebraud_lequeux")
    one = model.predict(TIMES, np.array([0.3, 1.0, 1.0]), "startup", {"gamma_dot": 1.5})
    other = model.predict(TIMES * 3, np.array([0.3, 3.0, 7.0]), "startup", {"gamma_dot": 0.5})
    np.testing.assert_allclose(other, 7 * one, rtol=1e-9)


@pytest.mark.slow
def test_the_flow_curve_of_hebraud_and_lequeux_is_about_that_of_rheojax():
    model, params = load("hebraud_lequeux"), np.array([0.3, 1.0, 1.0])
    rates = np.logspace(-1, 0, 5)  # beyond, RheoJAX's stresses are cut off at five thresholds
    instance = instance_with(model, params)
    instance._test_mode = "flow_curve"
    np.testing.assert_allclose(
        model.predict(rates, params, "flow_curve"), instance._predict(rates), rtol=0.07
    )


@pytest.mark.parametrize("amplitude", [0.05, 0.8])
@pytest.mark.parametrize("name", ["sgr_conventional", "sgr_generic"])
def test_the_waves_of_soft_glassy_rheology_are_those_that_rheojax_simulates(name, amplitude):
    model, params = load(name, {"formula": "rheojax"}), np.array([1.4, 300.0, 0.01])
    _, theirs = instance_with(model, params).simulate_laos(amplitude, 2.0)
    times = np.linspace(0.0, 2 * np.pi, len(theirs), endpoint=False)
    ours = model.predict(times, params, "laos", {"gamma_0": amplitude, "omega": 2.0})
    np.testing.assert_allclose(ours, theirs, rtol=1e-6, atol=1e-6 * np.abs(theirs).max())


@pytest.mark.parametrize(
    ("mode", "constants"),
    [
        ("startup", {"gamma_dot": 2.0}),
        ("creep", {"sigma_applied": 300.0}),
        ("laos", {"gamma_0": 0.5, "omega": 2.0}),
    ],
)
def test_sticky_rouse_transients_are_those_of_the_model(mode, constants):
    model = load("tnt_sticky_rouse", {"formula": "rheojax"})
    params = np.array([p.default or 1.0 for p in model.parameters])
    instance, modes = instance_with(model, params), 2 * instance_of(model).n_modes
    theirs = getattr(
        instance, f"_predict_{mode}"
    )(
        jnp.append(0.0, TIMES),  # RheoJAX begins at rest at the first time, we at zero
        *constants.values(),
        params[0:modes:2],
        params[1:modes:2] + params[modes],
        params[modes + 1],
    )
    np.testing.assert_allclose(
        model.predict(TIMES, params, mode, constants), theirs[1:], rtol=1e-4, atol=1e-6
    )


@pytest.mark.parametrize(
    ("name", "mode", "constants"),
    [
        ("giesekus", "startup", {"gamma_dot": 2.0}),
        ("giesekus", "creep", {"sigma_applied": 30.0}),
        ("fluidity_local", "startup", {"gamma_dot": 2.0}),
        ("mikh", "startup", {"gamma_dot": 2.0}),
        ("fikh", "laos", {"gamma_0": 0.5, "omega": 2.0}),
        ("hvm", "relaxation", {"gamma_0": 0.1}),
    ],
)
def test_a_test_begins_at_zero_wherever_the_data_begin(name, mode, constants):
    model = load(name)
    params = np.array([1.0 if p.default is None else p.default for p in model.parameters])
    times = np.linspace(0.0, 3.0, 49)
    whole = np.asarray(model.predict(times, params, mode, constants))
    late = np.asarray(model.predict(times[16:], params, mode, constants))
    # MIKH and FIKH step from point to point: with other steps they differ a little.
    np.testing.assert_allclose(late, whole[16:], rtol=0.02, atol=0.02 * np.ptp(whole))


def test_the_flow_curve_of_the_nonlocal_thixotropic_model_is_its_own():
    model = load("dmt_nonlocal")
    params = np.array([p.default for p in model.parameters])
    rates = np.logspace(-2, 2, 9)
    np.testing.assert_allclose(
        model.predict(rates, params, "flow_curve"),
        instance_with(model, params)._predict(rates, test_mode="flow_curve"),
        rtol=1e-6,
    )


@pytest.mark.slow
def test_the_network_across_the_gap_is_what_rheojax_simulates():
    model = load("vlb_nonlocal", {"formula": "rheojax"})
    params = np.array([1e3, 2.0, 30.0, 1e-9])
    instance = instance_with(model, params)
    times = np.linspace(0.1, 2.0, 20)
    startup = instance.simulate_startup(3.0, t_end=2.0, dt=0.1)
    np.testing.assert_allclose(
        model.predict(times, params, "startup", {"gamma_dot": 3.0}),
        startup["stress"][1:],
        rtol=2e-3,
    )
    creep = instance.simulate_creep(500.0, t_end=2.0, dt=0.1)
    rates = creep["gamma_dot"].mean(axis=1)
    strain = np.concatenate([[0.0], np.cumsum((rates[1:] + rates[:-1]) / 2 * 0.1)])
    ours = model.predict(times, params, "creep", {"sigma_applied": 500.0})
    # Between the coarse points of the first jump the trapezoids are too large.
    np.testing.assert_allclose(np.diff(ours)[5:], np.diff(strain)[6:], rtol=0.01)


@pytest.mark.parametrize(
    ("name", "mode"),
    [("tnt", "startup"), ("fluidity_local", "creep"), ("mikh", "relaxation"), ("fikh", "creep")],
)
def test_models_that_solve_equations_have_a_jacobian(name, mode):
    model = load(name)
    assert model.forward_mode
    params = np.array([p.default for p in model.parameters])
    constants = dict.fromkeys(MODE_CONSTANTS[mode], 20.0)
    times = np.linspace(0.05, 1.0, 5)
    jacobian = jax.jacfwd(lambda p: model.predict(times, p, mode, constants))(params)
    step = 1e-5 * params[0]
    moved = params + step * np.eye(len(params))[0]
    slope = model.predict(times, moved, mode, constants) - model.predict(
        times, params, mode, constants
    )
    np.testing.assert_allclose(jacobian[:, 0], slope / step, rtol=0.05, atol=1e-6)


def test_rheojax_itself_still_differentiates_backwards():
    model = load("tnt")
    params = np.array([p.default for p in model.parameters])
    model.predict(TIMES, params, "startup", {"gamma_dot": 1.0})
    own = copy.copy(instance_of(model))
    gradient = jax.grad(
        lambda p: jnp.sum(own.model_function(TIMES[:7], p, "startup", gamma_dot=1.0))
    )(jnp.asarray(params))
    assert np.isfinite(gradient).all()


def test_equations_that_take_too_many_steps_are_given_up():
    model = load("tnt")
    params = np.array([1e3, 1e-9, 0.0])  # a billion relaxation times
    clipped = np.clip(params, *model.bounds)
    assert not np.isfinite(model.predict(TIMES, clipped, "startup", {"gamma_dot": 1.0})).all()


def test_a_constant_that_is_missing_is_asked_for_inside_too():
    with pytest.raises(InputError, match=r"needs gamma_0 .*give it with protocol"):
        load("sgr_generic", {"formula": "rheojax"}).predict(
            TIMES, np.array([1.4, 300.0, 0.01]), "laos", {"omega": 1.0}
        )
    with pytest.raises(InputError, match="needs gamma_dot"):
        load("tnt_sticky_rouse").probe("startup", 5)


@pytest.mark.parametrize("force", [0.0, 1.0, 6.0])
def test_the_steady_flow_of_loops_and_bridges_is_that_of_rheojax(force):
    model = load("tnt_loop_bridge")
    params = np.array([500.0, 2.0, 5.0, force, 0.5, 0.3])
    rates = np.array([-0.3, 1e-3, 0.1, 1.0, 20.0])
    theirs = instance_of(model)._flow_curve_internal(jnp.asarray(rates), *params)
    np.testing.assert_allclose(model.predict(rates, params, "flow_curve"), theirs, rtol=1e-3)


def test_the_slopes_of_the_steady_flow_are_those_of_its_root():
    model, rates = load("tnt_loop_bridge"), np.array([0.01, 1.0, 1e4])
    params = np.array([500.0, 2.0, 5.0, 3.0, 0.5, 0.3])
    slopes = jax.jacfwd(lambda p: model.predict(rates, p, "flow_curve"))(params)
    for k, value in enumerate(params):
        step = 1e-5 * value * (np.arange(6) == k)
        ends = [np.asarray(model.predict(rates, params + s * step, "flow_curve")) for s in (1, -1)]
        np.testing.assert_allclose(
            slopes[:, k], (ends[0] - ends[1]) / (2e-5 * value), rtol=1e-5, atol=1e-6
        )


# Compliance and modulus belong together: their convolution over time is the time.
@pytest.mark.parametrize(
    ("name", "params"),
    [
        ("fractional_zener_ll", [1000.0, 300.0, 0.5, 0.4, 0.3, 1.0]),
        ("fractional_zener_sl", [1000.0, 500.0, 0.5, 1.0]),
        ("fractional_burgers", [1e-3, 2000.0, 2e-3, 0.6, 0.5]),
    ],
)
def test_a_converted_function_belongs_to_the_one_it_is_converted_from(name, params):
    model = load(name)
    nodes, weights = np.polynomial.legendre.leggauss(400)
    # Much happens near both ends: nodes are dense there.
    at = 2.0 * np.sin(np.pi / 4 * (nodes + 1)) ** 2
    widths = weights * np.pi / 4 * 2.0 * np.sin(np.pi / 2 * (nodes + 1))
    modulus = np.asarray(model.predict(at, np.array(params), "relaxation"))
    compliance = np.asarray(model.predict(2.0 - at, np.array(params), "creep"))
    assert np.sum(widths * modulus * compliance) == pytest.approx(2.0, rel=2e-3)


def test_the_compliance_of_a_fractional_jeffreys_liquid_has_its_known_ends():
    model, params = load("fractional_jeffreys"), np.array([1000.0, 200.0, 0.7, 1.0])
    early, late = np.array([0.0, 1e-9]), np.array([1e9])
    known = early * (params[0] / params[1]) ** 0.7 / params[0]
    np.testing.assert_allclose(model.predict(early, params, "creep"), known, rtol=1e-4, atol=1e-25)
    np.testing.assert_allclose(model.predict(late, params, "creep"), late / params[0], rtol=1e-3)


@pytest.mark.parametrize(
    ("name", "mode", "params", "apart"),
    [
        ("fractional_jeffreys", "creep", [1000.0, 50.0, 0.9, 0.1], 0.001),
        ("fractional_zener_ll", "creep", [1000.0, 300.0, 0.5, 0.4, 0.3, 1.0], 0.02),
        ("fractional_zener_sl", "creep", [1000.0, 500.0, 0.5, 1.0], 0.02),
        ("fractional_burgers", "relaxation", [1e-3, 2000.0, 2e-3, 0.6, 0.5], 0.2),
    ],
)
def test_a_converted_function_is_about_the_series_that_rheojax_fits(name, mode, params, apart):
    model, times = load(name), np.geomspace(0.1, 10.0, 9)
    instance = instance_of(model)
    theirs = instance.model_function(jnp.asarray(times), jnp.asarray(params), mode)
    ours = model.predict(times, np.array(params), mode)
    np.testing.assert_allclose(ours, theirs, rtol=apart)


@pytest.mark.parametrize("name", ["mikh", "ml_ikh"])
def test_a_model_that_steps_in_strain_does_not_depend_on_where_the_data_lie(name):
    """With RheoJAX's own steps, from point to point, these stresses swing, and blow up."""
    model, rate = load(name), {"gamma_dot": 40.0}
    params = np.array([p.default for p in model.parameters])
    times = np.geomspace(1e-4, 0.5, 40)
    fine = np.sort(np.concatenate([times, np.linspace(0.0, 0.5, 4000)[1:]]))
    stress = np.asarray(model.predict(times, params, "startup", rate))
    closely = np.asarray(model.predict(fine, params, "startup", rate))
    wanted = closely[np.searchsorted(fine, times)]
    np.testing.assert_allclose(stress, wanted, atol=0.03 * np.abs(wanted).max())


def test_the_steps_between_the_data_are_even():
    times, at = function._in_even_steps(jnp.asarray([0.5, 1.0, 1.001, 4.0]))
    np.testing.assert_array_equal(times[at], [0.5, 1.0, 1.001, 4.0])
    assert times[0] == 0.0
    assert np.diff(times).min() > 0
    assert np.diff(times).max() == pytest.approx(4.0 / 64)
