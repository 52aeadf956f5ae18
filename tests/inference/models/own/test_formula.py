"""Models by formula: their tests, parameters, bounds and units, and fits that agree with others."""

from __future__ import annotations

import math
import pickle

import numpy as np
import pytest
import scipy.optimize

from rheojobs import Dataset, InputError, fit, sample
from rheojobs.inference.data.reading.read import read
from rheojobs.inference.fits.task import FitTask
from rheojobs.inference.models.labels import title_of
from rheojobs.inference.models.loading import check_name, load, load_own
from rheojobs.inference.models.own.formula import formula_model
from rheojobs.inference.models.own.reference import (
    FileReference,
    is_formula,
    is_own,
    split_names,
    split_settings,
)
from rheojobs.inference.problem.problem import Problem

MAXWELL = "G0*exp(-t/tau)"


@pytest.mark.parametrize(
    ("text", "modes", "names"),
    [
        (MAXWELL, ("relaxation", "creep", "startup", "laos"), ("G0", "tau")),
        ("J = 1/G0 + t/η", ("creep",), ("G0", "eta")),
        ("J(t) = 1/G0 + t/η", ("creep",), ("G0", "eta")),
        ("G = G0*(1 + t/tau)^-m", ("relaxation",), ("G0", "tau", "m")),
        ("eta*gamma_dot*(1 - exp(-t/tau))", ("startup", "relaxation"), ("eta", "tau")),
        ("G*gamma_0*sin(omega*t)", ("laos",), ("G",)),
        ("sigma_y + K*γ̇^n", ("flow_curve",), ("sigma_y", "K", "n")),
        ("sigma_0 + K*γ̇", ("flow_curve",), ("sigma_0", "K")),  # no constant of this test
        ("G*i*omega*tau/(1 + i*omega*tau)", ("oscillation",), ("G", "tau")),
        ("G'=G*(ω*τ)^2; G''=G*ω*τ", ("oscillation",), ("G", "tau")),
        ("a*x^b", ("relaxation", "creep", "flow_curve", "startup", "laos"), ("a", "b")),
    ],
)
def test_the_variable_and_the_quantity_tell_the_test(text, modes, names):
    model = formula_model(text)
    assert model.test_modes == modes
    assert model.names == names
    assert model.name == text


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("G0*exp(-s/tau)", "has no variable: t (a time)"),
        ("exp(-t)", "has no parameters"),
        ("G0*omega*tau", "is real, but a formula of omega gives G*"),
        ("G0*i*t", "is complex, which only a formula of omega can be"),
        ("J = G0*omega", "J is no function of omega"),
        ("T = a*t", "column 1: 'T' cannot be left of ="),
        ("a == t", "cannot be left of ="),
        ("G' = a*omega", "give the two moduli as"),
        ("G' = a*omega; G' = a*omega", "give the two moduli as"),
        ("a*t; b*t; c*t", "at most one ;"),
        ("G'=G*ω; G''=G*ω*τ τ", "column 19: write a sign"),
        ("G0 exp(-t)", "column 4"),
        ("__import__('os').system('touch x')*t", "cannot be a name"),
    ],
)
@pytest.mark.promise("one-line-errors")
def test_nonsense_is_refused_in_one_line(text, words):
    with pytest.raises(InputError) as caught:
        formula_model(text)
    assert words in str(caught.value)
    assert "\n" not in str(caught.value)


def test_units_and_bounds_depend_on_the_test():
    model = formula_model("G0*exp(-t/tau)")
    assert [item.unit for item in model.for_test("relaxation").parameters] == ["Pa", "s"]
    assert [item.unit for item in model.for_test("creep").parameters] == ["1/Pa", "s"]
    herschel = formula_model("sigma_y + K*gamma_dot^n").for_test("flow_curve")
    assert {item.name: (item.unit, item.bounds) for item in herschel.parameters} == {
        "sigma_y": ("Pa", (1e-3, 1e12)),
        "K": ("Pa·s^n", (1e-6, 1e12)),
        "n": ("dimensionless", (0.01, 2.0)),
    }
    unknown = formula_model("G0*exp(-t)").for_test("relaxation")
    assert [(item.unit, item.bounds) for item in unknown.parameters] == [("", (1e-12, 1e12))]


@pytest.mark.promise("compiled-once")
def test_the_key_of_programs_is_of_the_formula_and_holds_in_every_process():
    data = Dataset(np.geomspace(0.1, 10, 9), np.geomspace(10, 1, 9), "relaxation")

    def identity(text: str) -> str:
        return Problem.of(text, data, None).identity()

    assert identity(MAXWELL) == identity("G0 * exp(-t/τ)")
    assert identity(MAXWELL)
    assert identity(MAXWELL) != identity("G0*exp(-t/tau) + Ge")
    assert identity(MAXWELL) != identity("G0*exp(-t/tau)^1")
    assert Problem.of(MAXWELL, data, None).key == Problem.of(MAXWELL, data, None).key


def test_names_of_the_catalogue_are_no_formulas():
    assert not is_formula("maxwell")
    assert not is_own("generalized_maxwell")
    assert load_own("maxwell") is None
    assert is_formula(MAXWELL)
    assert not is_formula("my-models/a.py:f")
    assert FileReference.of("my-models/a.py:f").function == "f"
    assert check_name(f" {MAXWELL} ") == MAXWELL
    assert load(MAXWELL) is load(MAXWELL)
    with pytest.raises(InputError, match="no settings"):
        load(MAXWELL, {"n_modes": 2})


def test_lists_of_models_are_split_outside_brackets():
    text = "maxwell, min(a,t)*b,m.py:f,generalized_maxwell:n_modes=6"
    names = split_names(text)
    assert names == ["maxwell", "min(a,t)*b", "m.py:f", "generalized_maxwell:n_modes=6"]
    assert [split_settings(name) for name in names] == [
        ("maxwell", []),
        ("min(a,t)*b", []),
        ("m.py:f", []),
        ("generalized_maxwell", ["n_modes=6"]),
    ]


def test_a_model_is_pickled():
    model = pickle.loads(pickle.dumps(formula_model(MAXWELL)))
    t = np.linspace(0.1, 2, 4)
    expected = 3 * np.exp(-t / 0.5)
    np.testing.assert_allclose(model.predict(t, np.array([3.0, 0.5]), "relaxation"), expected)


def decaying(seed: int = 0) -> tuple[np.ndarray, np.ndarray]:
    t = np.geomspace(0.05, 6.0, 40)
    y = 2e4 * np.exp(-t / 1.5) * (1 + 0.02 * np.random.default_rng(seed).standard_normal(40))
    return t, y


def test_the_maxwell_formula_is_the_maxwell_model():
    own = fit(decaying(), MAXWELL)
    theirs = fit(decaying(), "maxwell", test_mode="relaxation")
    assert own.test_mode == "relaxation"
    assert own.units == {"G0": "Pa", "tau": "s"}
    assert own.parameters["G0"] == pytest.approx(theirs.parameters["G0"], rel=1e-6)
    tau = theirs.parameters["eta"] / theirs.parameters["G0"]
    assert own.parameters["tau"] == pytest.approx(tau, rel=1e-6)
    assert own.aicc == pytest.approx(theirs.aicc, abs=1e-6)
    settings = {"num_warmup": 300, "num_samples": 1000, "num_chains": 2, "seed": 1}
    mine = sample(decaying(), MAXWELL, fit=own, **settings)
    other = sample(decaying(), "maxwell", test_mode="relaxation", fit=theirs, **settings)
    times = other.posterior_samples["eta"] / other.posterior_samples["G0"]
    for draws, expected in (
        (mine.posterior_samples["G0"], other.posterior_samples["G0"]),
        (mine.posterior_samples["tau"], times),
    ):
        error = np.std(expected) / math.sqrt(200)  # as of 200 independent draws at least
        assert np.mean(draws) == pytest.approx(np.mean(expected), abs=5 * error)
        assert np.std(draws) == pytest.approx(np.std(expected), rel=0.25)


def test_g_prime_and_g_double_prime_are_the_complex_formula():
    omega = np.geomspace(0.01, 100, 30)
    data = Dataset(omega, 1e3 * 2j * omega / (1 + 2j * omega), "oscillation")
    one = fit(data, "G* = G0*i*ω*τ/(1 + i*ω*τ)").parameters
    two = fit(data, "G'' = G0*ω*τ/(1 + (ω*τ)²); G' = G0*(ω*τ)²/(1 + (ω*τ)²)").parameters
    assert one == pytest.approx({"G0": 1e3, "tau": 2.0}, rel=1e-9)
    assert two == pytest.approx(one, rel=1e-9)


def test_a_flow_curve_is_a_stress_or_a_viscosity():
    rate = np.geomspace(0.01, 100, 25)
    data = Dataset(rate, 5 + 3 * rate**0.4, "flow_curve", quantity="shear stress")
    expected = {"K": 3.0, "n": 0.4, "s": 5.0}
    assert fit(data, "K*gamma_dot^n + s").parameters == pytest.approx(expected, rel=1e-6)
    viscosity = fit(data, "η = K*gamma_dot^(n-1) + s/gamma_dot")
    assert viscosity.parameters == pytest.approx(expected, rel=1e-6)
    assert viscosity.units == {"K": "Pa·s^n", "n": "dimensionless", "s": "Pa"}


def test_constants_of_the_test_are_no_parameters():
    t = np.linspace(0.1, 20, 40)
    y = 50 * 10 * (1 - np.exp(-t / 5))
    text = "eta*gamma_dot*(1 - exp(-t/tau))"
    result = fit((t, y), text, test_mode="startup", protocol={"gamma_dot": 10.0})
    assert result.parameters == pytest.approx({"eta": 50.0, "tau": 5.0}, rel=1e-6)
    with pytest.raises(InputError, match="needs gamma_dot"):
        fit((t, y), text, test_mode="startup")


def test_data_of_another_test_are_refused():
    t, y = decaying()
    with pytest.raises(InputError, match="does not describe 'creep'; it describes relaxation"):
        fit((t, y), f"G = {MAXWELL}", test_mode="creep")


def test_bounds_of_the_users_may_reach_beyond_the_assumed():
    rate = np.geomspace(0.1, 10, 20)
    data = Dataset(rate, 3 * rate**-0.3, "flow_curve", quantity="shear stress")
    at_bound = fit(data, "K*gamma_dot^n")
    assert at_bound.bound_reached("n") == "lower"
    assert any("the bounds of n, 0.01 to 2, are assumed" in words for words in at_bound.warnings)
    wider = fit(data, "K*gamma_dot^n", bounds={"n": (-2, 2)})
    assert wider.parameters == pytest.approx({"K": 3.0, "n": -0.3}, rel=1e-6)
    assert not any("assumed" in words for words in wider.warnings)


def test_a_stretched_exponential_agrees_with_scipy(shared_data):
    data = read(shared_data / "ps145_relaxation.csv").thin(20)
    text = "Ge + G0*exp(-(t/tau)^beta)"
    result = fit(data, text, weights="relative")

    def curve(t, Ge, G0, tau, beta):
        return np.log(Ge + G0 * np.exp(-((t / tau) ** beta)))

    start = [result.parameters[name] * 1.05 for name in ("Ge", "G0", "tau", "beta")]
    best, _ = scipy.optimize.curve_fit(
        curve,
        data.x,
        np.log(data.y),
        start,
        method="trf",
        x_scale=np.abs(start),
        xtol=1e-14,
        ftol=1e-14,
    )
    residuals = curve(data.x, *best) - np.log(data.y)
    assert result.chi_squared <= np.sum(residuals**2) * (1 + 1e-9)
    own = [result.parameters[name] for name in ("Ge", "G0", "tau", "beta")]
    np.testing.assert_allclose(own, best, rtol=1e-4)


def test_a_formula_is_stored_and_read_again():
    task = FitTask(MAXWELL, decaying())
    content, blobs = task.to_record()
    again = FitTask.from_record(content, blobs)
    assert again.model == MAXWELL
    assert again.checked_data().test_mode == "relaxation"


def test_equal_terms_are_found_whatever_the_form():
    def modes(text: str, mode: str) -> tuple[tuple[str, ...], ...]:
        return formula_model(text).for_test(mode).modes

    expected = (("tau_1", "G_1"), ("tau_2", "G_2"))
    assert modes("Ge + G_1*exp(-t/tau_1) + G_2*exp(-t/tau_2)", "relaxation") == expected
    assert modes("G1*exp(-t*k1) + G2*exp(-t*k2)", "relaxation") == (("k1", "G1"), ("k2", "G2"))
    text = "G_1*i*ω/(i*ω + 1/τ_1) + i*ω*τ_2*G_2/(1 + i*ω*τ_2)"
    assert modes(text, "oscillation") == expected
    assert modes("G_1*exp(-t/tau_1) + G_2*exp(-(t/tau_2)^0.5)", "relaxation") == ()
    assert modes("G_1*exp(-t/tau_1)", "relaxation") == ()
    sizes = formula_model("(b1 + b2)*t").for_test("relaxation")
    assert sizes.modes == ()


def test_equal_terms_are_ordered_by_their_times():
    t = np.geomspace(0.01, 100, 60)
    y = 1e4 * np.exp(-t / 0.3) + 1e3 * np.exp(-t / 10.0)
    start = {"tau_1": 10.0, "tau_2": 0.3}
    result = fit((t, y + 1.0), "1 + G_1*exp(-t/tau_1) + G_2*exp(-t/tau_2)", initial_params=start)
    expected = {"G_1": 1e4, "tau_1": 0.3, "G_2": 1e3, "tau_2": 10.0}
    assert result.parameters == pytest.approx(expected, rel=1e-5)


def test_a_figure_has_greek_letters():
    assert title_of("G0*exp(-t/tau)") == "G₀·exp(−t/τ)"
    assert title_of("J=1/G0+t/eta_0") == "J = 1/G₀ + t/η₀"
    assert title_of("maxwell") == "maxwell"
    assert title_of("written by another version: a+b") == "written by another version: a+b"
    assert len(title_of("t" + "+G0" * 100)) == 80
