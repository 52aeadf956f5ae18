"""Fits, samplings and their results go into the store of jobs and come back as they were."""

from __future__ import annotations

import io
import json
import math
import pickle
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from rheojobs import BayesianResult, Dataset, FitResult, FitTask, Model, SampleTask
from rheojobs.engine import NotDurableError
from rheojobs.engine.serialization import Record, record_of, task_of, value_of, value_record
from rheojobs.errors import InputError
from rheojobs.inference.results.inference_arrays import InferenceArrays
from rheojobs.inference.results.predictions import Noise, Predictions
from rheojobs.inference.results.records import pack, unpack
from rheojobs.inference.results.segments import Segment

pytestmark = pytest.mark.promise("nothing-executed")

SCALARS = (
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats()
    | st.text()
    | st.complex_numbers()
    | st.datetimes(timezones=st.just(UTC))
)
ARRAYS = arrays.arrays(
    st.sampled_from([np.float64, np.complex128, np.int64, np.bool_]),
    arrays.array_shapes(min_dims=0, max_dims=3, min_side=0, max_side=3),
)
KEYS = st.text().filter(lambda key: not key.startswith("$"))
VALUES = st.recursive(
    SCALARS | ARRAYS,
    lambda inner: st.lists(inner) | st.lists(inner).map(tuple) | st.dictionaries(KEYS, inner),
    max_leaves=12,
)


def same(a: Any, b: Any) -> bool:
    """Compare values, types and the bits of arrays."""
    if type(a) is not type(b):
        return False
    if isinstance(a, np.ndarray):
        return a.dtype == b.dtype and a.shape == b.shape and a.tobytes() == b.tobytes()
    if isinstance(a, dict):
        return list(a) == list(b) and all(same(a[key], b[key]) for key in a)
    if isinstance(a, list | tuple):
        return len(a) == len(b) and all(map(same, a, b))
    if isinstance(a, complex):
        return same(a.real, b.real) and same(a.imag, b.imag)
    return a == b or (a != a and b != b)


@pytest.mark.slow
@given(st.dictionaries(KEYS, VALUES))
def test_everything_comes_back_as_it_was(values: dict[str, Any]) -> None:
    content, blobs = pack(values)
    assert same(unpack(json.loads(json.dumps(content)), blobs), values)


@pytest.mark.parametrize(
    "value", [lambda: 1, object(), {1: 2}, {"$array": 1}, np.array([object()]), {"a": [object()]}]
)
def test_what_is_code_is_refused(value: object) -> None:
    with pytest.raises(NotDurableError):
        pack({"value": value})


def test_a_pickle_in_an_array_is_not_opened() -> None:
    class Bomb:
        def __reduce__(self) -> Any:
            return (pytest.fail, ("something was unpickled",))

    file = io.BytesIO()
    np.save(file, np.array([Bomb()]), allow_pickle=True)
    with pytest.raises(ValueError, match="allow_pickle=False"):
        unpack({"x": {"$array": "x"}}, {"x": file.getvalue()})
    with pytest.raises(InputError, match="cannot be read"):
        value_of(
            Record(
                "rheojobs.inference.results.fit_result:FitResult",
                {"x": {"$array": "x"}},
                {"x": pickle.dumps(Bomb())},
            )
        )


def _through_the_store(thing: Any, make: Any) -> Any:
    record = record_of(thing) if make is task_of else value_record(thing)
    return make(Record(record.kind, json.loads(json.dumps(record.content)), record.blobs))


def test_a_fit(melt_data: Dataset) -> None:
    task = FitTask(
        "maxwell",
        melt_data,
        {"G0": np.float64(1e5)},
        {"multi_start": 3, "protocol": {}, "weights": "relative"},
    )
    again = _through_the_store(task, task_of)
    assert isinstance(again, FitTask)
    assert (again.model, again.initial_params) == ("maxwell", {"G0": 1e5})
    assert again.options == task.options
    data = again.checked_data()
    assert data.x.tobytes() == melt_data.x.tobytes()
    assert data.y.tobytes() == melt_data.y.tobytes()
    assert (data.test_mode, data.name, data.notes) == (
        melt_data.test_mode,
        melt_data.name,
        melt_data.notes,
    )


def test_a_sampling(melt_data: Dataset, tmp_path: Path) -> None:
    segment = Segment({"done": [3]}, {"center": np.zeros(2)})
    task = SampleTask(
        "maxwell",
        melt_data,
        num_warmup=7,
        priors={"G0": {"type": "normal", "loc": 1e5, "scale": 2e4}},
        warm_start={"G0": 1e5, "eta": 1e5},
        until_ess=400.0,
        continues=segment,
    )
    again = _through_the_store(task, task_of)
    assert isinstance(again, SampleTask)
    again.validate()
    assert again.checkpoint == task.checkpoint, "so that it goes on, and does not begin again"
    for name in ("num_warmup", "priors", "warm_start", "until_ess", "seed", "likelihood"):
        assert getattr(again, name) == getattr(task, name)
    assert again.continues is not None
    assert same(again.continues.arrays, segment.arrays)
    without = _through_the_store(SampleTask("maxwell", melt_data, checkpoint=""), task_of)
    without.validate()
    assert without.checkpoint is None


def test_code_of_the_users(melt_data: Dataset) -> None:
    model = Model.from_function(lambda x, p: p[0] * x, {"G0": (0.0, 1.0)}, "oscillation", "mine")
    with pytest.raises(NotDurableError, match="model is a Model, which is code of your own"):
        record_of(FitTask(model, melt_data))
    import numpyro.distributions as dist

    with pytest.raises(NotDurableError, match=r"priors.G0 is a Normal, which is code"):
        record_of(SampleTask("maxwell", melt_data, priors={"G0": dist.Normal(0, 1)}))


def test_bad_input_is_not_durable_and_says_why() -> None:
    with pytest.raises(NotDurableError, match="test mode cannot be inferred"):
        record_of(FitTask("maxwell", ([1.0], [1.0])))


def test_a_fits_result() -> None:
    fit = FitResult(
        model_name="maxwell",
        parameters={"G0": 1.0, "eta": np.float64(2.0)},
        r_squared=math.nan,
        mpe=1.0,
        chi_squared=2.0,
        fit_time=0.1,
        timestamp=datetime.now(UTC),
        n_iterations=None,
        success=True,
        uncertainties={"G0": math.inf, "eta": 0.1},
        covariance=np.array([[math.inf, 0.0], [0.0, 1.0]]),
        fitted=np.array([1 + 2j]),
    )
    again = _through_the_store(fit, value_of)
    assert isinstance(again, FitResult)
    expected = fit.as_dict() | {"parameters": {"G0": 1.0, "eta": 2.0}}
    assert same(again.as_dict(), expected)


def test_a_samplings_result() -> None:
    draws = {"G0": np.arange(6.0).reshape(2, 3)}
    data = {"observed_data": {"y": np.ones(4)}, "constant_data": {"x": np.ones(4)}}
    noise = Noise(True, np.ones((2, 2, 1)), np.full((1, 1), 1e-3))
    seen = Predictions(np.array([0, 2]), np.ones((2, 2, 1, 4)), np.ones((1, 4)), noise, seed=3)
    trees = InferenceArrays(draws, {"diverging": draws["G0"] > 4}, data, ("y",), seen, {"a": "b"})
    result = BayesianResult(
        model_name="maxwell",
        posterior_samples={"G0": draws["G0"].ravel()},
        summary={"G0": {"mean": 2.5, "r_hat": math.nan}},
        diagnostics={"divergences": 1, "bfmi": [0.5, 0.25], "warnings": ["a warning"]},
        num_samples=3,
        num_chains=2,
        sampling_time=1.0,
        timestamp=datetime.now(UTC),
        credible_intervals={"G0": (1.0, 4.0)},
        inference_data=trees,  # type: ignore[arg-type]
        is_partial=True,
    )
    again = _through_the_store(result, value_of)
    assert isinstance(again, BayesianResult)
    assert same(again.as_dict(), result.as_dict())
    tree = again.inference_data
    assert tree is not None
    np.testing.assert_array_equal(tree["posterior"]["G0"], draws["G0"])
    assert tree["posterior_predictive"]["y"].shape == (2, 2, 4)
    assert tree.attrs["a"] == "b"


@pytest.mark.parametrize(("heavy_tailed", "degrees_of_freedom"), [(True, 4.0), (False, None)])
def test_noise_of_an_older_store(heavy_tailed: bool, degrees_of_freedom: float | None) -> None:
    content, blobs = pack({"noise": Noise(True, None, np.ones((1, 4)), 3.0)})
    fields = content["noise"]["$Noise"]
    del fields["degrees_of_freedom"]
    fields["heavy_tailed"] = heavy_tailed
    assert unpack(content, blobs)["noise"].degrees_of_freedom == degrees_of_freedom
