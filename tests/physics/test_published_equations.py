"""Creep, and what else was mended, against the published equations solved by SciPy at 1e-10."""

from __future__ import annotations

import numpy as np
import pytest
from tests.physics import published
from tests.physics.held_against import FULL

from rheojobs.inference.models.loading import load

pytestmark = pytest.mark.physics

TIMES = np.geomspace(1e-3, 30.0, 15)
LOAD = 40.0

HARDENING = {
    "G": 1e3,
    "eta": 1e4,
    "C": 300.0,
    "gamma_dyn": 8.0,
    "m": 1.0,
    "sigma_y0": 10.0,
    "delta_sigma_y": 20.0,
    "tau_thix": 2.0,
    "Gamma": 0.5,
    "eta_inf": 0.3,
    "mu_p": 5.0,
}
VITRIMER = {
    "G_P": 200.0,
    "G_E": 500.0,
    "nu_0": 1e10,
    "E_a": 57e3,
    "V_act": 5e-2 / 3,
    "T": 300.0,
    "G_D": 300.0,
    "k_d_D": 1.5,
}


def predicted(name, values, mode="creep", config=None, t=TIMES, **constants):
    model = load(name, config)
    params = np.array([values[key] for key in model.names])
    return np.asarray(model.predict(t, params, mode, constants or {"sigma_applied": LOAD}))


def numbered(**groups):
    return {f"{name}_{k}": v for name, values in groups.items() for k, v in enumerate(values)}


MODULI, RATES = np.array([30.0, 60.0, 10.0]), np.array([0.05, 1.0, 20.0])
CASES = {
    "tnt": (
        "tnt",
        {"G": 50.0, "tau_b": 2.0, "eta_s": 0.0},
        None,
        published.modes([50.0], [0.5]),
    ),
    "tnt, solvent": (
        "tnt",
        {"G": 50.0, "tau_b": 2.0, "eta_s": 1e-3},
        None,
        published.modes([50.0], [0.5], 1e-3),
    ),
    "vlb_variant, solvent": (
        "vlb_variant",
        {"G0": 50.0, "k_d_0": 0.5, "eta_s": 10.0},
        None,
        published.modes([50.0], [0.5], 10.0),
    ),
    "tnt_multi_species": (
        "tnt_multi_species",
        numbered(G=MODULI[:2], tau_b=1 / RATES[:2]) | {"eta_s": 0.5},
        None,
        published.modes(MODULI[:2], RATES[:2], 0.5),
    ),
    "vlb_multi_network": (
        "vlb_multi_network",
        numbered(G=MODULI, k_d=RATES) | {"eta_s": 0.0, "G_e": 15.0},
        {"n_modes": 3, "include_permanent": True},
        published.modes(MODULI, RATES, 0.0, 15.0),
    ),
    "giesekus": (
        "giesekus",
        {"eta_p": 60.0, "lambda_1": 2.0, "alpha": 0.3, "eta_s": 0.0, "beta_cc": 1.0},
        None,
        published.giesekus(60.0, 2.0, 0.3, 0.0),
    ),
    "giesekus, solvent": (
        "giesekus",
        {"eta_p": 60.0, "lambda_1": 2.0, "alpha": 0.3, "eta_s": 0.01, "beta_cc": 1.0},
        None,
        published.giesekus(60.0, 2.0, 0.3, 0.01),
    ),
    "tnt, Bell": (
        "tnt",
        {"G": 50.0, "tau_b": 2.0, "eta_s": 0.0, "nu": 2.0},
        {"breakage": "bell"},
        published.bell_network(50.0, 2.0, 2.0, 0.0),
    ),
    "mikh": ("mikh", HARDENING, None, published.hardening(HARDENING)),
    "mikh, no solvent": (
        "mikh",
        HARDENING | {"eta_inf": 0.0},
        None,
        published.hardening(HARDENING | {"eta_inf": 0.0}),
    ),
    "hvm": ("hvm", VITRIMER, None, published.vitrimer(*VITRIMER.values())),
}
QUICK = ("vlb_variant, solvent", "giesekus", "mikh")
WORDS = "its equations, solved by SciPy at 1e-10"
HELD = {(name, "creep"): WORDS for name, *_ in CASES.values()} | {
    ("generalized_maxwell", "creep"): WORDS,
    ("mikh", "startup"): WORDS,
    ("mikh", "laos"): WORDS,
    ("tnt_loop_bridge", "startup"): WORDS,
    ("tnt_loop_bridge", "oscillation"): "bridges at the rest of the kinetics",
    ("fluidity_local", "creep"): WORDS,
    ("fluidity_local", "relaxation"): WORDS,
    ("dmt_local", "startup"): WORDS,
}
full = pytest.mark.skipif(not FULL, reason="make physics runs it")


@pytest.mark.parametrize("case", CASES if FULL else QUICK)
def test_creep_is_that_of_the_published_equations(case):
    name, values, config, reference = CASES[case]
    np.testing.assert_allclose(
        predicted(name, values, config=config), reference.creep(LOAD, TIMES), rtol=2e-6
    )


def test_creep_of_generalized_maxwell_does_not_depend_on_spacing_or_order():
    moduli, rates = np.array([3e3, 6e3, 1e3]), RATES
    values = {"G_inf": 500.0} | {f"G_{k + 1}": g for k, g in enumerate(moduli)}
    values |= {f"tau_{k + 1}": 1 / r for k, r in enumerate(rates)}
    shuffled = TIMES[[9, 2, 14, 2, 0]]
    ours = predicted("generalized_maxwell", values, t=shuffled)
    theirs = published.modes(moduli, rates, 0.0, 500.0).creep(1.0, TIMES)
    np.testing.assert_allclose(ours, theirs[[9, 2, 14, 2, 0]], rtol=1e-8)


@full
@pytest.mark.parametrize("mode", ["startup", "laos"])
def test_hardening_is_that_of_the_published_equations(mode):
    reference = published.hardening(HARDENING)
    rate = (lambda s: 2.0) if mode == "startup" else (lambda s: 2.0 * np.cos(s))
    constants = {"gamma_dot": 2.0} if mode == "startup" else {"gamma_0": 2.0, "omega": 1.0}
    ours = predicted("mikh", HARDENING, mode, **constants)
    theirs = reference.stress(rate, TIMES)
    # The onset of flow is a kink, which both cross by steps.
    np.testing.assert_allclose(ours, theirs, rtol=1e-4, atol=1e-4 * np.abs(theirs).max())


@full
def test_a_start_up_of_loops_and_bridges_begins_at_the_rest_of_its_kinetics():
    values = {"G": 90.0, "tau_b": 1.0, "tau_a": 5.0, "nu": 1.5, "f_B_eq": 0.5, "eta_s": 2.0}
    ours = predicted("tnt_loop_bridge", values, "startup", gamma_dot=3.0)
    theirs = published.loops_and_bridges(90.0, 1.0, 5.0, 1.5, 2.0, 3.0, TIMES)
    np.testing.assert_allclose(ours, theirs, rtol=1e-6)


def test_small_strains_of_loops_and_bridges_are_those_of_bridges_at_rest():
    values = {"G": 90.0, "tau_b": 1.0, "tau_a": 5.0, "nu": 1.5, "f_B_eq": 0.5, "eta_s": 2.0}
    omega = np.array([0.1, 1.0, 10.0])
    moduli = predicted("tnt_loop_bridge", values, "oscillation", t=omega)
    np.testing.assert_allclose(moduli, 15.0 * 1j * omega / (1 + 1j * omega) + 2j * omega)


@full
def test_fluidity_has_an_elastic_strain_in_creep_and_relaxes_from_the_given_stress():
    values = {"G": 1e4, "tau_y": 100.0, "K": 50.0, "n_flow": 0.5, "f_eq": 1e-5, "f_inf": 1e-3}
    values |= {"theta": 3.0, "a": 0.5, "n_rejuv": 0.8}
    v = values

    def change(f, rate):
        return (v["f_eq"] - f) / v["theta"] + v["a"] * rate ** v["n_rejuv"] * (v["f_inf"] - f)

    ours = predicted("fluidity_local", values)
    theirs = published.solved(
        lambda s, y: [y[1] * LOAD, change(y[1], y[1] * LOAD)],
        np.array([LOAD / v["G"], v["f_eq"]]),
        TIMES,
        atol=1e-16,
    )[0]
    np.testing.assert_allclose(ours, theirs, rtol=1e-6)
    t = np.array([1e-3, 0.05, 0.3])
    relaxed = predicted("fluidity_local", values, "relaxation", t=t, sigma_0=70.0)
    left = published.solved(
        lambda s, y: [-v["G"] * y[0] * y[1], change(y[1], 0.0)],
        np.array([70.0, v["f_inf"]]),
        t,
        atol=1e-16,
    )[0]
    np.testing.assert_allclose(relaxed, left, rtol=1e-7)


@full
def test_thixotropic_start_up_is_that_of_its_equations_at_any_spacing():
    p = {"eta_0": 1e5, "eta_inf": 0.1, "G0": 100.0, "m_G": 1.0, "t_eq": 20.0, "a": 1.0, "c": 0.8}
    rate = 10.0

    def field(_, y):
        lam, g = y[1], p["G0"] * y[1] ** p["m_G"]
        eta = p["eta_inf"] * (p["eta_0"] / p["eta_inf"]) ** lam
        built = (1 - lam - p["a"] * lam * rate ** p["c"]) / p["t_eq"]
        return [g * rate - y[0] * g / eta, built]

    ours = predicted("dmt_local", p, "startup", gamma_dot=rate)
    theirs = published.solved(field, np.array([0.0, 1.0]), TIMES)[0]
    np.testing.assert_allclose(ours, theirs, rtol=1e-6)
