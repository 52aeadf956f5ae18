"""Equal terms of a model are in the order of their times, in fits and in posteriors."""

from __future__ import annotations

import itertools

import numpy as np
import pytest

from rheojobs.errors import InputError
from rheojobs.inference.data.dataset import Dataset
from rheojobs.inference.fits.task import fit
from rheojobs.inference.models.mode_order import (
    find_modes,
    mode_columns,
    mode_order,
    ordered_rows,
)
from rheojobs.inference.models.model import Model
from rheojobs.inference.sampling.sample import sample

pytestmark = pytest.mark.promise("right-or-refused")

MODES = (("tau_1", "G_1"), ("tau_2", "G_2"), ("tau_3", "G_3"))
NAMES = ["G_1", "G_2", "G_3", "tau_1", "tau_2", "tau_3"]
TRUTH = {"G_1": 3e4, "G_2": 1e4, "G_3": 2e3, "tau_1": 0.01, "tau_2": 0.5, "tau_3": 20.0}


def spectrum(x, p):
    import jax.numpy as jnp

    return jnp.sum(p[:3] * jnp.exp(-x[:, None] / p[3:]), axis=1)


def model(**bounds: tuple[float, float]) -> Model:
    limits = {name: (1.0, 1e7) if name[0] == "G" else (1e-4, 1e4) for name in NAMES}
    return Model.from_function(
        spectrum, limits | bounds, "relaxation", name="three_modes", modes=MODES
    )


def data() -> Dataset:
    t = np.geomspace(1e-3, 100.0, 60)
    rng = np.random.default_rng(1)
    exact = sum(TRUTH[f"G_{k}"] * np.exp(-t / TRUTH[f"tau_{k}"]) for k in (1, 2, 3))
    return Dataset(t, exact * np.exp(0.02 * rng.standard_normal(t.size)), "relaxation")


def test_terms_are_found_by_their_numbers():
    assert find_modes(["G_inf", *NAMES], "tau") == MODES
    assert find_modes(["eta_s", "G_1", "tau_1"], "tau") == ()
    assert find_modes(["G_1", "G_2", "tau_1"], "tau") == ()
    assert find_modes(NAMES, "lambda") == ()


def test_rows_are_ordered_term_by_term():
    columns = mode_columns(MODES, NAMES)
    assert columns is not None
    rows = np.array([[1.0, 2.0, 3.0, 9.0, 7.0, 8.0], [1.0, 2.0, 3.0, 1.0, 2.0, 3.0]])
    assert ordered_rows(rows, columns).tolist() == [[2, 3, 1, 7, 8, 9], [1, 2, 3, 1, 2, 3]]
    assert rows[0][mode_order(rows[0], columns)].tolist() == [2, 3, 1, 7, 8, 9]
    assert mode_columns(MODES, NAMES[:-1]) is None


def test_a_term_of_no_parameter_is_refused():
    with pytest.raises(InputError, match="no parameter 'tau_9'"):
        Model.from_function(
            spectrum, dict.fromkeys(NAMES, (1.0, 2.0)), modes=(("tau_1",), ("tau_9",))
        )


def test_a_fit_ends_in_order_from_every_start():
    fits = []
    for order in itertools.permutations((1, 2, 3)):
        start = {
            f"{kind}_{k}": TRUTH[f"{kind}_{j}"]
            for kind in ("G", "tau")
            for k, j in zip((1, 2, 3), order, strict=True)
        }
        fits.append(fit(data(), model(), initial_params=start))
    for found in fits:
        times = [found.parameters[f"tau_{k}"] for k in (1, 2, 3)]
        assert times == sorted(times)
        for name, value in TRUTH.items():
            assert abs(found.parameters[name] - value) < 5 * found.uncertainties[name]
            assert found.parameters[name] == pytest.approx(fits[0].parameters[name], rel=1e-3)
            error = fits[0].uncertainties[name]
            assert found.uncertainties[name] == pytest.approx(error, rel=1e-2)


def test_what_tells_terms_apart_is_left_as_it_is():
    """Here the first term is bound to be the slowest."""
    found = fit(data(), model(tau_1=(5.0, 1e4)))
    assert found.parameters["tau_1"] == pytest.approx(20.0, rel=0.2)
    settled = fit(data(), model(), fixed={"tau_1": 20.0})
    assert settled.parameters["tau_1"] == 20.0


@pytest.mark.slow
def test_draws_are_in_order_though_chains_begin_in_any():
    start = {"G_1": 2e3, "G_2": 1e4, "G_3": 3e4, "tau_1": 20.0, "tau_2": 0.5, "tau_3": 0.01}
    drawn = sample(
        data(), model(), warm_start=start, num_warmup=300, num_samples=300, checkpoint=""
    )
    samples = drawn.posterior_samples
    assert (samples["tau_1"] < samples["tau_2"]).all()
    assert (samples["tau_2"] < samples["tau_3"]).all()
    for name, value in TRUTH.items():
        row = drawn.summary[name]
        assert abs(row["mean"] - value) < 5 * row["std"]
    assert drawn.diagnostics["modes"] == 1  # permuted ones are the same
    assert max(row["r_hat"] for row in drawn.summary.values()) < 1.02
