"""Pairs that RheoJAX predicts wrongly are replaced, refused or warned of; its own are at hand."""

from __future__ import annotations

import dataclasses
import io

import numpy as np
import pytest
from rich.console import Console

from rheojobs.cli.listing import show_model
from rheojobs.errors import InputError
from rheojobs.inference.data.dataset import Dataset
from rheojobs.inference.fits.task import fit
from rheojobs.inference.models.catalogue import ModelInfo
from rheojobs.inference.models.loading import load
from rheojobs.inference.models.model import Model
from rheojobs.inference.models.rheojax import repair_table
from rheojobs.inference.models.rheojax.repair import refused, warned
from rheojobs.inference.problem.problem import Problem

ORIGINAL = {"formula": "rheojax"}
X = np.geomspace(0.1, 10.0, 12)


def test_a_refused_pair_says_why_and_what_to_do():
    with pytest.raises(InputError) as caught:
        load("fractional_maxwell_liquid").check_test_mode("flow_curve")
    assert "cannot be run for flow_curve: a springpot in series has no steady" in str(caught.value)
    assert "; fit relaxation, creep or oscillation" in str(caught.value)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("name", "mode", "params"),
    [
        ("fractional_maxwell_liquid", "relaxation", [1e3, 0.5, 1.0]),
        ("fractional_maxwell_liquid", "flow_curve", [1e3, 0.5, 1.0]),
        ("fractional_jeffreys", "flow_curve", [1e3, 100.0, 0.5, 1.0]),
        ("sgr_generic", "oscillation", [1.5, 1e3, 1e-2]),
    ],
)
def test_the_setting_gives_rheojax_s_own_numbers_and_its_fault_as_a_warning(name, mode, params):
    own = load(name, ORIGINAL)
    theirs = np.asarray(own.function.instance.model_function(X, np.array(params), mode))
    if theirs.ndim == 2:
        theirs = theirs[:, 0] + 1j * theirs[:, 1]
    np.testing.assert_allclose(own.predict(X, np.array(params), mode), theirs, rtol=1e-12)
    assert own.concerns(mode)[0].startswith(f"{name} in {mode}: RheoJAX's own formula: ")
    assert own.key != load(name).key
    assert not load(name).concerns(mode)


def test_a_fit_by_a_wrong_formula_is_warned_of():
    data = Dataset(X, 50.0 * np.ones_like(X), "flow_curve")
    found = fit(
        data, "fractional_jeffreys", model_config=ORIGINAL, fixed={"eta2": 1.0, "tau1": 1.0}
    )
    assert "RheoJAX gives the viscosity eta1" in found.warnings[0]


@pytest.mark.parametrize("name", ["maxwell", "fractional_zener_ss", "generalized_maxwell"])
def test_a_formula_that_is_not_known_is_refused_in_one_line(name):
    with pytest.raises(InputError, match=r"formula is 'rheojobs' or 'rheojax', not 'rheojx'; did"):
        load(name, {"formula": "rheojx"})
    assert load(name, {"formula": "rheojobs"}).test_modes == load(name).test_modes


def test_bounds_are_narrower_in_some_tests_only():
    model = load("sgr_generic")
    assert model.parameter("x").bounds == (0.5, 3.0)
    assert model.for_test("flow_curve") is model
    assert model.for_test("creep").parameter("x").bounds == (1.0, 3.0)
    assert load("sgr_generic", ORIGINAL).for_test("creep").parameter("x").bounds == (0.5, 3.0)


def test_a_flow_curve_is_fitted_without_the_spring_of_a_solid():
    data = Dataset(X, 7.0 * X, "flow_curve")
    problem = Problem.of("generalized_maxwell", data, {"n_modes": 1})
    spring = problem.model.parameter("G_inf")
    assert (spring.bounds, spring.default) == ((0.0, 0.0), 0.0)
    stress = problem.model.predict(X, np.array([5.0, 1.0, 1.0]), "flow_curve")
    assert np.isposinf(stress).all()


@pytest.mark.parametrize(
    ("name", "good", "bad", "modes"),
    [
        (
            "fractional_maxwell_model",
            [1.0, 0.5, 0.5, 1.0],
            [1.0, 0.3, 0.8, 1.0],
            ("relaxation", "creep", "oscillation"),
        ),
        (
            "fractional_zener_ll",
            [1.0, 1e-3, 0.5, 0.5, 0.1, 1.0],
            [1.0, 1e-3, 0.3, 0.8, 0.1, 1.0],
            ("relaxation", "creep", "oscillation"),
        ),
        (
            "fractional_jeffreys",
            [1.0, 0.9, 0.5, 1.0],
            [1.0, 3.0, 0.5, 1.0],
            ("relaxation", "creep", "oscillation"),
        ),
    ],
)
def test_parameters_that_make_moduli_negative_give_no_number(name, good, bad, modes):
    model = load(name)
    for mode in modes:
        value = np.asarray(model.predict(X, np.array(good), mode))
        assert (value.real >= 0).all()
        assert (value.imag >= 0).all()
        assert np.isnan(model.predict(X, np.array(bad), mode)).all()
    wave = np.asarray(load(name, ORIGINAL).predict(X, np.array(bad), "oscillation"))
    assert (wave.imag < 0).any() or name == "fractional_jeffreys"


def test_defaults_keep_the_orders():
    for name, (smaller, larger) in {
        "fractional_maxwell_model": ("beta", "alpha"),
        "fractional_zener_ll": ("beta", "alpha"),
        "fractional_jeffreys": ("eta2", "eta1"),
    }.items():
        model = load(name)
        assert model.parameter(smaller).default <= model.parameter(larger).default


def test_two_files_cannot_repair_one_pair():
    table = {("Maxwell", "creep"): warned("for a test")}
    with pytest.raises(ValueError, match=r"two files repair the same: .*Maxwell.*creep"):
        repair_table._merged([table, {("Maxwell", "creep"): refused("for a test", "nothing")}])


def test_every_repair_is_of_a_pair_that_rheojax_declares():
    from rheojobs.inference.models.rheojax import registry

    declared = set()
    for name in registry.names():
        model = load(name, ORIGINAL)
        kind = type(model.function.instance).__name__
        declared |= {(kind, mode) for mode in (*model.test_modes, *model.refused)}
    assert set(repair_table.REPAIRS) <= declared
    assert set(repair_table.BOUNDS) <= declared


def test_a_warning_of_the_model_stands_in_its_description():
    info = ModelInfo("a", ("creep",), (), "A model.", "stress", warnings={"creep": "is off by 9 %"})
    text = io.StringIO()
    show_model(Console(file=text, width=100), info)
    assert "warning, creep: is off by 9 %" in text.getvalue()
    model = dataclasses.replace(
        Model.from_function(lambda x, params: params[0] * x, {"G": (0, 1)}, "creep", name="a"),
        warnings={"creep": "is off by 9 %"},
    )
    assert model.concerns("creep") == ["a in creep: is off by 9 %"]
    assert model.concerns("relaxation") == []
