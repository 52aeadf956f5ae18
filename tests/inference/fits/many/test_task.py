"""Many fits at a time: each is that of its dataset alone, and none harms the others."""

from __future__ import annotations

import concurrent.futures
import copy
import math
import pickle
import threading
import time

import jax.numpy as jnp
import numpy as np
import pytest
from scipy.optimize import least_squares

from rheojobs import FitManyTask, FitResults, JobEngine, JobStore, ProcessExecutor, fit, fit_many
from rheojobs.engine.cancellation import CancellationError, CancellationToken
from rheojobs.engine.local_context import local_context
from rheojobs.errors import InputError
from rheojobs.inference.data.dataset import Dataset
from rheojobs.inference.fits.many.run import FEWEST
from rheojobs.inference.models.model import Model


def relaxations(count: int, n: int = 40) -> list[Dataset]:
    found = []
    for seed in range(count):
        rng = np.random.default_rng(seed)
        modulus, time_ = 1e3 * np.exp(rng.standard_normal()), np.exp(rng.standard_normal())
        x = np.logspace(-1.5, 0.7, n) * time_
        y = modulus * np.exp(-x / time_) * np.exp(0.03 * rng.standard_normal(n))
        found.append(Dataset(x, y, "relaxation", name=f"sample {seed}"))
    return found


def flow_curves(count: int) -> list[Dataset]:
    found = []
    for seed in range(count):
        rng = np.random.default_rng(seed)
        x = np.logspace(-2, 3, 50)
        viscosity = 0.1 + 100.0 * (1 + (2.0 * x) ** 2) ** (-0.25 - 0.1 * rng.random())
        y = viscosity * x * np.exp(0.03 * rng.standard_normal(50))
        found.append(Dataset(x, y, "flow_curve", quantity="shear stress", y_unit="Pa"))
    return found


def moduli(count: int) -> list[Dataset]:
    found = []
    for seed in range(count):
        rng = np.random.default_rng(seed)
        x = np.logspace(-2, 2, 30 + seed)
        y = 1e3 * np.exp(rng.standard_normal()) * (1j * x) ** (0.2 + 0.6 * rng.random())
        noise = np.exp(0.03 * rng.standard_normal((2, len(x))))
        found.append(Dataset(x, y.real * noise[0] + 1j * y.imag * noise[1], "oscillation"))
    return found


def line(x, params):
    """Not finite where the data reach beyond 100."""
    return params[0] * x + jnp.where(jnp.max(x) > 100.0, jnp.nan, 0.0) * params[1]


def line_model() -> Model:
    return Model.from_function(line, {"a": (-10.0, 10.0, 1.0), "b": (0.0, 1.0, 0.5)})


def assert_same(many, alone) -> None:
    assert many.parameters == pytest.approx(alone.parameters, rel=1e-7)
    assert many.uncertainties == pytest.approx(alone.uncertainties, rel=1e-5, nan_ok=True)
    assert many.objective == pytest.approx(alone.objective, rel=1e-9)
    assert many.success == alone.success
    assert many.warnings == alone.warnings
    assert many.weights == alone.weights
    assert many.residual_correlation == pytest.approx(alone.residual_correlation, rel=1e-5)
    assert many.minima[0]["parameters"] == pytest.approx(alone.parameters, rel=1e-6)


@pytest.mark.parametrize(
    ("model", "datasets", "options"),
    [
        ("maxwell", relaxations(20), {}),
        ("maxwell", relaxations(20), {"initial_params": {"G0": 500.0, "eta": 500.0}}),
        ("carreau", flow_curves(18), {}),
        ("carreau", flow_curves(18), {"fixed": {"eta_inf": 0.1}}),
        ("springpot", moduli(40), {}),
        ("maxwell", relaxations(20), {"bounds": {"G0": (900.0, 1100.0)}}),
        ("maxwell", relaxations(20), {"tied": {"eta": "G0"}, "weights": "uniform"}),
        ("maxwell", relaxations(4), {"multi_start": 2}),
    ],
    ids=["start", "given", "raced", "fixed", "lengths", "bounds", "tied", "one by one"],
)
def test_each_is_the_fit_of_its_dataset(model, datasets, options):
    many = fit_many(datasets, model, **options)
    assert len(many) == len(datasets)
    for result, dataset in zip(many, datasets, strict=True):
        assert_same(result, fit(dataset, model, **options))


def test_estimates_are_scipys():
    datasets = relaxations(FEWEST)
    many = fit_many(datasets, "maxwell", weights="relative")
    for result, data in zip(many, datasets, strict=True):

        def residuals(p, data=data):
            return p[0] - data.x * np.exp(p[0] - p[1]) - np.log(data.y)

        theirs = least_squares(residuals, np.log([1e3, 1e3]), xtol=1e-15, ftol=1e-15)
        values = [result.parameters["G0"], result.parameters["eta"]]
        np.testing.assert_allclose(values, np.exp(theirs.x), rtol=1e-6)


def test_neighbours_change_no_bit():
    datasets = relaxations(FEWEST + 3)
    forwards = fit_many(datasets, "maxwell")
    backwards = fit_many(datasets[::-1] + relaxations(40)[20:], "maxwell")
    for one, other in zip(forwards, backwards[len(datasets) - 1 :: -1], strict=True):
        assert one.parameters == other.parameters


def test_kinds_of_data_may_be_mixed():
    datasets = [*relaxations(3), *moduli(FEWEST), *relaxations(2)]
    many = fit_many(datasets, "springpot")
    for result, dataset in zip(many, datasets, strict=True):
        assert result.test_mode == dataset.test_mode
        assert_same(result, fit(dataset, "springpot"))


def test_one_that_cannot_be_fitted_harms_no_other():
    x = np.linspace(1.0, 50.0, 20)
    datasets = [Dataset(x, 2.0 * x + 1e-3 * np.cos(7 * x), "relaxation") for _ in range(FEWEST)]
    datasets[5] = Dataset(10 * x, 20.0 * x, "relaxation")
    many = fit_many(datasets, line_model())
    assert [result.success for result in many] == [place != 5 for place in range(FEWEST)]
    assert "no start gives finite residuals" in many[5].message
    assert math.isnan(many[5].parameters["a"])
    assert many[6].parameters["a"] == pytest.approx(2.0, rel=1e-4)


def test_results_are_a_sequence_that_is_sent_and_stored():
    many = fit_many(relaxations(FEWEST), "maxwell")
    assert isinstance(many, FitResults)
    assert set(many.parameters) == {"G0", "eta"}
    assert many[-1] is many[FEWEST - 1]
    assert [result.parameters for result in many[2:4]] == [
        many[2].parameters,
        many[3].parameters,
    ]
    with pytest.raises(IndexError):
        many[FEWEST]
    sent = pickle.loads(pickle.dumps(many))
    stored = FitResults.from_record(*many.to_record())
    assert [result.parameters for result in stored] == [result.parameters for result in many]
    for found in (many, sent, stored):
        found = found.parameters["G0"]
        np.testing.assert_array_equal(found, [result.parameters["G0"] for result in many])
    np.testing.assert_array_equal(stored[3].residuals, many[3].residuals)
    assert [result.parameters for result in sent] == [result.parameters for result in many]


@pytest.mark.parametrize(
    ("given", "words"),
    [
        ({"datasets": []}, "there are no datasets"),
        ({"datasets": [*relaxations(2), ([1.0], [math.nan])]}, "dataset 3 of 3: y has 1 NaN"),
        ({"initial_params": [{"G0": 1.0}]}, "initial_params has 1 mappings for 2 datasets"),
        ({"initial_params": [{}, {"G1": 1.0}]}, "dataset 2 of 2: maxwell"),
        ({"datasets": [([1.0, 2.0], [2.0, 1.0])] * 2}, "dataset 1 of 2: the test mode"),
    ],
)
def test_bad_input_is_one_line_that_names_the_dataset(given, words):
    given = {"datasets": relaxations(2)} | given
    with pytest.raises(InputError, match=words) as raised:
        fit_many(given.pop("datasets"), "maxwell", **given)
    assert "\n" not in str(raised.value)


def test_progress_counts_the_fits():
    seen = []
    fit_many(relaxations(FEWEST + 4), "maxwell", callback=seen.append)
    fits = [progress for progress in seen if progress.stage == "fit"]
    assert [progress.current for progress in fits] == sorted(p.current for p in fits)
    assert (fits[-1].current, fits[-1].total) == (FEWEST + 4, FEWEST + 4)


def test_a_cancelled_task_hands_over_what_is_done():
    datasets, kept, token = relaxations(3000), [], CancellationToken()
    fit_many(datasets[:300], "maxwell")  # compiled
    task = FitManyTask("maxwell", datasets)
    asked = []

    def stop(progress):
        if progress.stage == "fit" and progress.current and not asked:
            asked.append(time.monotonic())
            threading.Thread(target=token.cancel).start()

    with (
        pytest.raises(CancellationError),
        local_context(stop, token, on_partial=kept.append) as context,
    ):
        task.run(context)
    (partial,) = kept
    done = [result for result in partial if result.success]
    assert 0 < len(done) < len(partial) == 3000
    assert {result.message for result in partial if not result.success} == {
        "cancelled before its fit"
    }


def test_a_job_has_the_same_results_and_keeps_them(tmp_path):
    datasets = relaxations(FEWEST)
    task = FitManyTask("maxwell", datasets)
    stored = FitManyTask.from_record(*copy.deepcopy(task.to_record()))
    assert stored.name == "fit maxwell to 16 datasets"
    store = JobStore(tmp_path / "jobs")
    with JobEngine(ProcessExecutor(1), store=store) as engine:
        job = engine.submit(stored)
        results = job.result(120)
    kept = JobStore(tmp_path / "jobs").result(job.id)
    assert [result.parameters for result in kept] == [result.parameters for result in results]
    for result, dataset in zip(results, datasets, strict=True):
        assert_same(result, fit(dataset, "maxwell"))


def test_a_cancelled_job_keeps_what_is_done():
    datasets = relaxations(4000)
    with JobEngine(ProcessExecutor(1)) as engine:
        engine.submit(FitManyTask("maxwell", datasets[:300])).result(120)
        job = engine.submit(FitManyTask("maxwell", datasets))
        until = time.monotonic() + 60
        while (seen := job.latest_progress) is None or seen.stage != "fit" or seen.current <= 1000:
            assert time.monotonic() < until
            time.sleep(0.01)
        job.cancel()
        with pytest.raises(concurrent.futures.CancelledError):
            job.result(30)
    assert sum(result.success for result in job.partial) > 1000
