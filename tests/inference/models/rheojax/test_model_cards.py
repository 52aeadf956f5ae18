"""A process that has a model's programs on disk needs neither RheoJAX nor NumPyro."""

from __future__ import annotations

import functools
import json
import os
import subprocess
import sys
from dataclasses import fields
from pathlib import Path

import numpy as np
import pytest

from rheojobs.inference.models.loading import load
from rheojobs.inference.models.rheojax import model_cards, registry
from rheojobs.inference.models.rheojax.second_forms import ALTERNATIVES
from rheojobs.inference.programs.exported_program import kept_on_disk

PROGRAM = """
import json, sys
import numpy as np
from rheojobs import Dataset, sample
from rheojobs.inference.readiness.warm_up import warm_up
next(warm_up())
name, priors, start, seed = json.loads(sys.argv[1])
x = np.geomspace(0.01, 100.0, 30)
if name == "maxwell":
    y = 1e5 * np.exp(-x / 3.0) * (1 + 0.02 * np.sin(7 * np.arange(30)))
    data = Dataset(x, y, "relaxation")
else:
    wave = 1e5 * (1j * x) ** 0.7 / (1 + (1j * x) ** 0.7)
    data = Dataset(x, wave * (1 + 0.02 * np.sin(7 * np.arange(30))), "oscillation")
result = sample(
    data, name, num_warmup=60, num_samples=40, num_chains=2, seed=seed, warm_start=start,
    priors=priors, default_priors="rheojax", checkpoint="",
)
heavy = ("numpyro", "rheojax", "nlsq", "arviz_base", "arviz_stats", "zarr", "xarray")
print(json.dumps({
    "imported": [module for module in heavy if module in sys.modules],
    "draws": {key: value.tolist() for key, value in result.posterior_samples.items()},
}))
"""


def run(folder: Path, name: str, start: dict, priors: dict | None = None, seed: int = 1) -> dict:
    ran = subprocess.run(
        [sys.executable, "-c", PROGRAM, json.dumps([name, priors or {}, start, seed])],
        env=os.environ | {"RHEOJOBS_CACHE_DIR": str(folder)},
        capture_output=True,
        text=True,
        timeout=240,
    )
    assert ran.returncode == 0, ran.stderr
    return json.loads(ran.stdout)


CASES = {
    "maxwell": ({"G0": 1e5, "eta": 3e5}, {"G0": {"type": "lognormal", "loc": 11.5, "scale": 1.0}}),
    "fractional_maxwell_liquid": ({"Gm": 1e5, "alpha": 0.3, "tau_alpha": 1.0}, None),
}


@pytest.mark.parametrize("name", CASES)
def test_a_second_process_imports_nothing_heavy_and_draws_the_same(name, tmp_path):
    start, priors = CASES[name]
    first = run(tmp_path, name, start, priors)
    assert "rheojax" in first["imported"]
    second = run(tmp_path, name, start, priors)
    assert second["imported"] == []
    assert second["draws"] == first["draws"]
    assert run(tmp_path, name, start, priors, seed=2)["draws"] != first["draws"]


@pytest.fixture
def own_cache(tmp_path, monkeypatch):
    monkeypatch.setenv("RHEOJOBS_CACHE_DIR", str(tmp_path))


def card_of(model):
    name, frozen = model.name, model.key[3]
    function = model_cards.DeferredFunction(lambda: model)
    make = functools.partial(registry.RheojaxModel, function=function, key=model.key)
    return model_cards.read(repr((name, frozen)), ALTERNATIVES, make)


@pytest.mark.parametrize(
    ("name", "config"),
    [
        ("maxwell", {}),
        ("generalized_maxwell", {"n_modes": 3}),
        ("giesekus", {}),
        ("fractional_jeffreys", {}),
        ("sgr_generic", {}),
    ],
)
def test_a_card_tells_all_but_the_function(name, config, own_cache):
    model = load(name, config)
    model.probed.pop("oscillation", None)
    model.probe("oscillation", 5)
    again = card_of(model)
    for item in fields(model):
        if item.name != "function":
            assert getattr(again, item.name) == getattr(model, item.name), item.name
    x, params = np.geomspace(0.1, 10, 5), np.array([p.default or 1.0 for p in model.parameters])
    assert np.array_equal(
        again.predict(x, params, "oscillation"), model.predict(x, params, "oscillation")
    )


def test_a_model_with_rules_of_its_own_has_no_card(own_cache):
    model = load("spp_yield_stress")
    assert model.prior_factory is not None
    model.probed.clear()
    model.probe("flow_curve", 5)
    assert card_of(model) is None


def test_rules_that_are_switched_off_are_none():
    model = load("fractional_maxwell_liquid")
    instance = model.function.instance
    assert model.prior_factory is None
    assert instance.bayesian_prior_factory("Gm", 1.0, 2.0) is None
    bounds = {"Gm": (1.0, 2.0)}
    assert instance.bayesian_parameter_bounds(bounds, np.ones(2), np.ones(2), "relaxation") == {
        "Gm": (1.0, 2.0)
    }


@pytest.mark.parametrize("damage", [b"", b"{}", b"not json", b'{"name": 3}'])
def test_a_damaged_card_is_made_anew(damage, own_cache):
    model = load("maxwell")
    model.probed.clear()
    model.probe("relaxation", 5)
    assert card_of(model) is not None
    cache, key = kept_on_disk(), model_cards._key(repr((model.name, model.key[3])))
    cache.drop(key)
    cache.put(key, damage)
    assert card_of(model) is None
    assert cache.get(key) is None
    model.probed.clear()
    model.probe("relaxation", 5)
    assert card_of(model) is not None


def test_rheojax_may_come_in_while_a_program_is_traced(tmp_path):
    """The model is known from its card, and its program is not: a module's arrays must not leak."""
    name, start = "fractional_maxwell_liquid", CASES["fractional_maxwell_liquid"][0]
    first = run(tmp_path, name, start)
    for path in tmp_path.rglob("*"):
        if path.is_file() and b'"flow_quantity"' not in path.read_bytes():
            path.unlink()
    again = run(tmp_path, name, start)
    assert "rheojax" in again["imported"]
    assert again["draws"] == first["draws"]
