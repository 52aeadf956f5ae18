"""Comparisons: the ranking by hand, the true model first, and nothing that stops the rest."""

from __future__ import annotations

import json
import math
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime

import numpy as np
import pytest
from tests.inference.helpers import decay, decay_data

from rheojobs import (
    PRELOAD,
    Comparison,
    Dataset,
    FitResult,
    InputError,
    JobEngine,
    Model,
    ProcessExecutor,
    compare,
)
from rheojobs.inference.comparison.figure import comparison_figure, distinct
from rheojobs.inference.comparison.ranking import common_data, common_weights, rank, same_curve
from rheojobs.inference.comparison.run import ComparisonRun


@pytest.fixture(scope="module")
def engine() -> Iterator[JobEngine]:
    """Two warm workers for all tests here."""
    executor = ProcessExecutor(max_workers=2, preload=PRELOAD, spares=0)
    with JobEngine(executor) as engine:
        yield engine


def _zener_data(n: int = 40, seed: int = 3) -> Dataset:
    """Relaxation of a Zener solid with 2 % of noise."""
    t = np.geomspace(0.01, 100.0, n)
    y = 1e4 + 4e4 * np.exp(-t / 1.3)
    y *= 1 + 0.02 * np.random.default_rng(seed).standard_normal(n)
    return Dataset(t, y, "relaxation", name="simulated")


@pytest.fixture(scope="module")
def zener(engine: JobEngine) -> Comparison:
    models = ["maxwell", "zener", "springpot", "cross", "itt_mct_schematic"]
    return compare(_zener_data(), models, engine=engine)


def test_the_true_model_comes_first(zener: Comparison):
    assert zener.best.label == "zener"
    assert zener.best.fit.success
    assert [row.label for row in zener.models[1:]] != ["zener"]
    assert zener.best.delta == 0
    assert zener.best.weight > 0.99
    assert (zener.best.free, zener.best.r_squared) == (3, zener.best.fit.r_squared)


def test_akaike_weights_are_those_of_the_book(zener: Comparison):
    smallest = min(row.fit.aicc for row in zener.models)
    strengths = [math.exp(-(row.fit.aicc - smallest) / 2) for row in zener.models]
    for row, strength in zip(zener.models, strengths, strict=True):
        assert row.delta == pytest.approx(row.fit.aicc - smallest)
        assert row.weight == pytest.approx(strength / sum(strengths))
        n, k = 40, row.free + 1
        aicc = n * math.log(row.fit.chi_squared / n) + 2 * k + 2 * k * (k + 1) / (n - k - 1)
        assert row.fit.aicc == pytest.approx(aicc)


def test_with_standard_deviations_the_noise_is_no_parameter(engine: JobEngine):
    data = _zener_data()
    data = replace(data, sigma=0.02 * data.y)
    compared = compare(data, ["zener", "maxwell"], engine=engine)
    assert compared.weights == "sigma"
    assert {row.label: row.free for row in compared.models} == {"zener": 3, "maxwell": 2}
    for row in compared.models:
        assert row.fit.aic == pytest.approx(row.fit.chi_squared + 2 * row.free)


def test_what_is_fixed_or_tied_holds_for_those_that_have_it(engine: JobEngine):
    """Of a model with settings a worker tells the parameters; what is fixed is not free."""
    data, modes = _zener_data(), "generalized_maxwell:n_modes=2"
    models = ["zener", "maxwell", ("generalized_maxwell", {"n_modes": 2})]
    given = {"fixed": {"Ge": 1e4}, "tied": {"G_2": "0.5 * G_1"}}
    found = compare(data, models, engine=engine, **given)
    rows = {row.label: row for row in found.models}
    assert {label: row.fit.fixed for label, row in rows.items()} == {
        "zener": {"Ge": 1e4},
        "maxwell": {},
        modes: {},
    }
    assert {label: row.free for label, row in rows.items()} == {"zener": 2, "maxwell": 2, modes: 4}
    two = rows[modes].fit
    assert two.tied == {"G_2": "0.5 * G_1"}
    assert two.parameters["G_2"] == pytest.approx(0.5 * two.parameters["G_1"])
    n, k = 40, 2 + 1
    aicc = n * math.log(rows["zener"].fit.chi_squared / n) + 2 * k + 2 * k * (k + 1) / (n - k - 1)
    assert rows["zener"].fit.aicc == pytest.approx(aicc)
    assert "Ge = 10000 is fixed in zener; the others have no such parameter" in found.notes
    assert f"G_2 = 0.5 * G_1 is tied in {modes}; the others have no such parameter" in found.notes
    facts = {row["model"]: row for row in json.loads(found.to_json())["models"]}
    assert facts["zener"]["fixed"] == {"Ge": 1e4}
    assert facts[modes]["tied"] == {"G_2": "0.5 * G_1"}


def test_with_bayes_the_noise_is_what_the_data_bring_and_what_is_fixed_stays(engine: JobEngine):
    data = _zener_data()
    data = replace(data, sigma=0.02 * data.y)
    sampling = {"num_warmup": 100, "num_samples": 100, "num_chains": 2}
    given = {"bayes": True, "sampling": sampling, "fixed": {"Ge": 1e4}}
    given["bounds"] = {"Gm": (3e4, 4e4)}  # which maxwell has not
    found = compare(data, ["zener", "maxwell"], engine=engine, **given)
    assert found.by_loo
    # The plateau of what is fixed is as likely under each draw: still it can be scored.
    assert all(math.isfinite(row.loo.elpd) for row in found.models)
    posteriors = {row.label: row.posterior for row in found.models}
    assert {one.diagnostics["likelihood"] for one in posteriors.values()} == {"sigma"}
    assert set(posteriors["zener"].posterior_samples) == {"Gm", "eta"}
    assert posteriors["zener"].diagnostics["fixed"] == {"Ge": 1e4}
    assert set(posteriors["maxwell"].posterior_samples) == {"G0", "eta"}
    assert posteriors["zener"].posterior_samples["Gm"].max() <= 4e4
    (note,) = [note for note in found.notes if "kept between" in note]
    assert note == (
        "Gm is kept between 30000 and 40000 in zener; the others have no such parameter"
    )


def test_a_fit_that_did_not_converge_has_no_weight(zener: Comparison):
    first, second, *rest = zener.models
    stopped = replace(first, fit=replace(first.fit, success=False))
    ranked = rank(zener.dataset, [stopped, second, *rest])
    assert [row.label for row in ranked] == [row.label for row in zener.models]
    assert math.isnan(ranked[0].weight)
    assert sum(row.weight for row in ranked[1:]) == pytest.approx(1.0)


def test_curves_are_told_apart_in_the_deviations_of_the_data():
    """A difference that matters where the data are exact is small beside the others."""
    x, y = np.arange(1.0, 5.0), np.array([1e4, 1e3, 10.0, 1.0])
    data = Dataset(x, y, "relaxation", sigma=np.array([1e3, 1e2, 1e-3, 1e-3]))
    curve = y + np.array([300.0, 30.0, 1e-3, -1e-3])
    one, other = (
        FitResult("m", {}, 1.0, 0.0, 1.0, 0.0, datetime.now(UTC), 1, True, weights="sigma")
        for _ in range(2)
    )
    one.fitted, other.fitted = curve, curve + np.array([0.0, 0.0, 0.0, 2e-3])
    one.residuals, other.residuals = y - one.fitted, y - other.fitted
    assert not same_curve(data, one, other)
    assert same_curve(data, one, one)


def test_those_that_do_not_suit_are_listed(zener: Comparison):
    reasons = {row.label: (row.kind, row.reason) for row in zener.left_out}
    assert reasons.keys() == {"cross", "itt_mct_schematic"}
    assert reasons["cross"] == (
        "unsuitable",
        "does not describe relaxation; it describes flow_curve",
    )
    assert reasons["itt_mct_schematic"][0] == "unsuitable"


def test_json_holds_all_facts(zener: Comparison, tmp_path):
    zener.save(tmp_path / "out.json")
    facts = json.loads((tmp_path / "out.json").read_text())
    assert facts["ranked_by"] == "aicc"
    assert facts["weights"] == "uniform"
    first = facts["models"][0]
    assert (first["rank"], first["model"], first["free_parameters"]) == (1, "zener", 3)
    assert first["fit"]["parameters"].keys() == zener.best.fit.parameters.keys()
    assert {row["model"] for row in facts["models"]} == {row.label for row in zener.models}
    assert {row["label"] for row in facts["left_out"]} == {"cross", "itt_mct_schematic"}


def test_models_that_the_data_cannot_tell_apart_share_no_weight(engine: JobEngine):
    """A second name for the same curve would halve the weight of the first."""
    data = decay_data()
    bounds = {"G0": (1e-3, 1e9, 1e3), "tau": (1e-6, 1e6, 1.0)}
    one, other = (
        Model.from_function(decay, bounds, test_modes="relaxation", name=name)
        for name in ("one", "other")
    )
    wrong = Model.from_function(
        lambda x, params: params[0] + 0 * x, {"G0": (1.0, 1e9)}, "relaxation", name="constant"
    )
    ranked = compare(data, [wrong, other, one], engine=engine).models
    assert [row.same_as for row in ranked] == ["", ranked[0].label, ""]
    assert math.isnan(ranked[1].weight)
    assert ranked[0].weight + ranked[2].weight == pytest.approx(1.0)
    comparison = Comparison(data, "uniform", ranked)
    assert [[row.label for row in group] for group in distinct(comparison)] == [
        [ranked[0].label, ranked[1].label],
        ["constant"],
    ]


def test_stress_and_viscosity_are_compared_as_what_was_measured(engine: JobEngine):
    rate = np.geomspace(0.01, 100.0, 30)
    noise = 1 + 0.01 * np.random.default_rng(1).standard_normal(30)
    stress = rate * (0.1 + 9.9 / (1 + (2.0 * rate) ** 0.8)) * noise
    models = ["cross", "bingham"]  # of viscosity and of stress
    data = Dataset(rate, stress, "flow_curve", quantity="shear stress", y_unit="Pa")
    by_stress = compare(data, models, engine=engine)
    by_viscosity = compare(data.as_flow_quantity("viscosity"), models, engine=engine)
    assert [row.label for row in by_stress.models] == models
    for one, other in zip(by_stress.models, by_viscosity.models, strict=True):
        assert one.fit.aicc == pytest.approx(other.fit.aicc, rel=1e-6)
    logarithms = np.log(stress)
    left = logarithms - np.log(by_stress.best.fit.fitted * rate)
    r_squared = 1 - np.sum(left**2) / np.sum((logarithms - logarithms.mean()) ** 2)
    assert by_stress.best.r_squared == pytest.approx(r_squared)

    uniform = compare(data, models, engine=engine, weights="uniform")
    assert [row.label for row in uniform.models] == ["bingham"]
    assert "cannot be compared" in uniform.left_out[0].reason


def test_a_flow_curve_of_unknown_quantity_is_one_thing_for_all():
    data = Dataset(np.array([1.0, 2.0]), np.array([3.0, 4.0]), "flow_curve")
    assert common_data(data).quantity == "shear stress"
    viscosity = Dataset(data.x, data.y, "flow_curve", quantity="viscosity")
    assert common_data(viscosity).quantity == "viscosity"


@pytest.mark.parametrize(
    ("y", "mode", "weights"),
    [
        (np.array([1.0, 50.0]), "relaxation", "uniform"),
        (np.array([1.0, 500.0]), "relaxation", "relative"),
        (np.array([1.0, 2.0]), "flow_curve", "relative"),
        (np.array([0.0, 2.0]), "flow_curve", "uniform"),
        (np.array([1 + 1j, 2 + 1j]), "oscillation", "relative"),
        (np.array([1 + 0j, 2 + 1j]), "oscillation", "uniform"),
    ],
)
def test_weights_are_chosen_by_the_data(y, mode, weights):
    assert common_weights(Dataset(np.array([1.0, 2.0]), y, mode)) == weights


def test_a_failure_stops_nothing(engine: JobEngine):
    """One fit lacks a constant of the test, another a setting that exists."""
    models = [
        ("generalized_maxwell", {"modes": 3}),
        "zener",
        ("generalized_maxwell", {"n_modes": 2}),
    ]
    found = compare(_zener_data(), models, engine=engine)
    assert {row.label for row in found.models} == {"zener", "generalized_maxwell:n_modes=2"}
    (lost,) = found.left_out
    assert lost.kind == "failed"
    assert lost.label == "generalized_maxwell:modes=3"
    assert "no setting 'modes'" in lost.reason


def test_one_that_takes_too_long_is_stopped_and_listed(engine: JobEngine):
    rate = np.geomspace(0.1, 10.0, 12)
    data = Dataset(rate, 3.0 + rate, "flow_curve", quantity="shear stress")
    found = compare(data, ["lattice_epm", "bingham"], engine=engine, timeout=4.0)
    assert [row.label for row in found.models] == ["bingham"]
    assert found.left_out[0].label == "lattice_epm"
    assert found.left_out[0].reason == "ran longer than the 4 s it was given"


def test_stopped_it_keeps_what_is_done(engine: JobEngine):
    rate = np.geomspace(0.1, 10.0, 12)
    data = Dataset(rate, 3.0 + rate, "flow_curve", quantity="shear stress")
    run = ComparisonRun(engine, data, ["bingham", "lattice_epm"], timeout=None)
    while not run.poll():
        if any(one.fitted for one in run.candidates):
            run.cancel()
    found = run.result()
    assert found.is_partial
    assert [row.label for row in found.models] == ["bingham"]
    assert [(row.label, row.reason) for row in found.left_out] == [("lattice_epm", "stopped")]


@pytest.mark.slow
def test_leave_one_out_agrees_with_leaving_each_out(engine: JobEngine):
    """The score of one value: its density under the posterior of the others, drawn anew."""
    from rheojobs import sample

    data = decay_data(12)
    model = Model.from_function(
        decay, {"G0": (1e-3, 1e9, 1e3), "tau": (1e-6, 1e6, 1.0)}, test_modes="relaxation"
    )
    flat = Model.from_function(_flat, {"G0": (1.0, 1e9, 1e3)}, "relaxation", name="flat")
    settings = {"num_warmup": 300, "num_samples": 800, "num_chains": 2}
    found = compare(data, [model, flat], engine=engine, bayes=True, sampling=settings)
    assert found.by_loo
    assert [row.label for row in found.models] == ["decay", "flat"]
    best, other = found.models
    assert best.loo is not None
    assert other.loo is not None
    assert (best.loo.difference, best.loo.difference_se) == (0.0, 0.0)
    assert other.loo.difference == pytest.approx(other.loo.elpd - best.loo.elpd)
    assert other.loo.difference_se > 0
    assert best.loo.weight + other.loo.weight == pytest.approx(1.0)
    exact = 0.0
    for left in range(12):
        kept = np.arange(12) != left
        others = Dataset(data.x[kept], data.y[kept], "relaxation")
        draws = sample(others, model, checkpoint="", **settings).posterior_samples
        curve = draws["G0"] * np.exp(-data.x[left] / draws["tau"])
        z = (data.y[left] - curve) / draws["sigma"]
        density = np.exp(-0.5 * z**2) / (np.sqrt(2 * np.pi) * draws["sigma"])
        exact += math.log(density.mean())
    assert best.loo.elpd == pytest.approx(exact, abs=0.5)


def _flat(x, params):
    return params[0] + 0.0 * x


def test_figures_are_drawn_for_each_kind_of_data(zener: Comparison, melt_data, engine, tmp_path):
    both = compare(melt_data, ["maxwell", "springpot", "zener"], engine=engine)
    for number, comparison in enumerate((zener, both)):
        path = tmp_path / f"{number}.png"
        comparison_figure(comparison).savefig(path)
        assert path.read_bytes().startswith(b"\x89PNG")
    figure = comparison_figure(both)
    texts = [text.get_text() for text in figure.legends[0].get_texts()]
    assert any("weight" in text and both.best.label in text for text in texts)


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ({"models": ["maxwel"]}, "did you mean 'maxwell'?"),
        ({"models": []}, "no models to compare"),
        ({"models": ["zener", "zener"]}, "given twice"),
        ({"models": ["zener"], "timeout": 0}, "timeout must be a positive"),
        ({"models": ["zener"], "weights": "equal"}, "weights cannot be 'equal'"),
        ({"models": ["zener"], "model_config": {"a": 1}}, "settings go with the model"),
        ({"models": ["zener"], "multistart": 3}, "did you mean 'multi_start'?"),
        ({"models": ["zener"], "weights": "sigma"}, "needs a standard deviation for each point"),
        (
            {"models": ["zener", "maxwell"], "fixed": {"G_0": 1e3}},
            "no model has a parameter 'G_0' to fix; did you mean 'G0'?",
        ),
        ({"models": ["zener"], "tied": {"eta": "Gn"}}, "no parameter 'Gn'; known: Ge, Gm, eta"),
        ({"models": ["zener", "maxwell"], "tied": {"G0": "2*Ge"}}, "no model has all of G0, Ge"),
        ({"models": ["zener"], "tied": {"Ge": "Gm"}, "bayes": True}, "tied in fits only"),
        ({"models": ["zener"], "loss": "huber"}, "without a robust loss"),
    ],
)
def test_what_is_refused(engine: JobEngine, arguments, words):
    with pytest.raises(InputError) as caught:
        compare(_zener_data(), engine=engine, **arguments)
    assert words in str(caught.value)
    assert "\n" not in str(caught.value)
