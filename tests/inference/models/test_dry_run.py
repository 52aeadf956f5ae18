"""What runs and what it needs: constants, evenly spaced times, and all declared pairs."""

from __future__ import annotations

from functools import partial

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from tests.inference.helpers import constants_of

from rheojobs.errors import InputError
from rheojobs.inference.models.loading import load
from rheojobs.inference.models.model import Model
from rheojobs.inference.models.rheojax import registry


def real_part(model, mode, x, params):
    """Predict what can be differentiated."""
    return jnp.real(model.predict(x, params, mode, constants_of(mode)))


@pytest.mark.parametrize(
    ("name", "mode", "given", "missing"),
    [
        ("vlb", "startup", {}, ("gamma_dot",)),
        ("vlb", "laos", {"omega": 1.0}, ("gamma_0",)),
        # RheoJAX runs these without a word: no stress at all, 1/s, 100 Pa, a strain of 1.
        ("fluidity_local", "creep", {}, ("sigma_applied",)),
        ("giesekus", "relaxation", {}, ("gamma_dot",)),
        ("mikh", "relaxation", {}, ("sigma_0",)),
        ("hvm", "relaxation", {}, ("gamma_0",)),
        ("tnt_sticky_rouse", "relaxation", {}, ("sigma_0",)),
        ("stz_conventional", "relaxation", {}, ()),
        ("maxwell", "creep", {}, ()),
        ("mikh", "laos", {"gamma_dot": 1.0}, ("gamma_0", "omega")),
    ],
)
def test_missing_constants_are_named(name, mode, given, missing):
    model = load(name)
    assert model.missing_protocol(mode, given) == missing
    if missing:
        with pytest.raises(InputError, match=f"{name} needs {missing[0]} .*give it with protocol"):
            model.probe(mode, 10, given)
    else:
        assert model.probe(mode, 10, given) is False


@pytest.mark.parametrize(
    ("protocol", "message"),
    [({"gama_dot": 1.0}, "did you mean 'gamma_dot'"), ({"gamma_dot": np.nan}, "finite number")],
)
def test_a_malformed_protocol_is_refused(protocol, message):
    with pytest.raises(InputError, match=message):
        load("vlb").probe("startup", 5, protocol)


def test_a_test_mode_that_is_not_described_lists_those_that_are():
    with pytest.raises(InputError, match=r"does not describe 'startup'; it describes relaxation, "):
        load("maxwell").check_test_mode("startup")
    with pytest.raises(InputError, match="cannot be run for creep: RheoJAX solves it outside JAX"):
        load("itt_mct_schematic").probe("creep", 10)


def test_models_that_step_refuse_uneven_times():
    model = load("dmt_local", {"formula": "rheojax"})
    model.check_x("startup", np.linspace(0.1, 10, 50))
    model.check_x("startup", np.round(np.linspace(0.1, 10, 50), 3))
    model.check_x("flow_curve", np.logspace(-2, 2, 50))
    with pytest.raises(InputError, match="evenly spaced"):
        model.check_x("startup", np.logspace(-2, 2, 50))


@pytest.mark.slow
@pytest.mark.timeout(1200)
@pytest.mark.parametrize("most", [None, 1], ids=["all tests", "one test of each model"])
def test_every_declared_pair_runs_as_a_pure_function_or_is_refused(most):
    running = refused = 0
    for name in registry.names():
        model = load(name)
        for mode in model.test_modes[:most]:
            assert model.probe(mode, 12, constants_of(mode)) is (mode == "oscillation"), (
                name,
                mode,
            )
            # A fit needs its Jacobian, which has to be traced only to be known to exist.
            jacobian = jax.eval_shape(
                jax.jacfwd(partial(real_part, model, mode), 1),
                jnp.ones(12),
                jnp.ones(len(model.parameters)),
            )
            assert jacobian.shape == (12, len(model.parameters))
            running += 1
        for mode in model.refused:
            with pytest.raises(InputError, match=f"^{name} cannot be run for {mode}: [^\n]+$"):
                model.probe(mode, 12, constants_of(mode))
            refused += 1
    # Of RheoJAX 0.7.1; more is good news.
    if most is None:
        assert running >= 237
        assert running + refused >= 263
    assert running >= 57  # two of 59 models are refused in all tests


@pytest.mark.parametrize(
    ("name", "mode"),
    [
        ("tensorial_epm", "creep"),
        ("hebraud_lequeux", "oscillation"),
        ("itt_mct_schematic", "flow_curve"),
    ],
)
def test_what_is_refused_does_fail_in_rheojax(name, mode):
    """When RheoJAX mends one of these, it may leave the list of the refused."""
    model = load(name)
    free = Model(name=name, function=model.function, parameters=model.parameters)
    with pytest.raises(InputError, match="cannot be run"):
        free.probe(mode, 12, constants_of(mode))
