"""Models that take long tell how far they are, and end when they are told to."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator

import numpy as np
import pytest
from tests.engine.helpers import Recorder

from rheojobs.engine.cancellation import CancellationError, CancellationToken
from rheojobs.engine.engine import JobEngine
from rheojobs.engine.events import Progress
from rheojobs.engine.local_context import local_context
from rheojobs.engine.states import JobState
from rheojobs.errors import RheojobsError
from rheojobs.inference.data.dataset import Dataset
from rheojobs.inference.fits.objective import PORTION, SCREENED
from rheojobs.inference.fits.task import FitTask, fit
from rheojobs.inference.models.loading import load
from rheojobs.inference.models.model import Model
from rheojobs.inference.readiness.warm_up import PRELOAD

# A process is replaced within two seconds, on a machine with nothing else to do.
AT_MOST = 2.0 + 1.5
COMPILED = 300.0


@pytest.fixture
def engine() -> Iterator[JobEngine]:
    """One worker process."""
    with JobEngine("processes", max_workers=1, preload=PRELOAD) as engine:
        yield engine


def across_a_gap() -> Dataset:
    """A startup between plates, of a fluid that yields."""
    t = np.geomspace(0.01, 10.0, 20)
    return Dataset(t, 100.0 * -np.expm1(-t), "startup", protocol={"gamma_dot": 1.0})


def flow_of_a_lattice() -> Dataset:
    """A flow curve with a yield stress."""
    rate = np.geomspace(0.01, 10.0, 20)
    return Dataset(rate, 1.0 + rate**0.5, "flow_curve")


def reports_until(task: FitTask, enough: int) -> list[Progress]:
    """Give what a fit reports of its search for a start, cancelled after so many reports."""
    token, seen = CancellationToken(), []

    def watch(progress: Progress) -> None:
        if progress.stage == "start" and progress.current:
            seen.append(progress)
            if len(seen) == enough:
                token.cancel()
        elif progress.stage == "fit":
            seen.append(progress)

    with pytest.raises(CancellationError), local_context(watch, token) as context:
        task.run(context)
    return seen


def test_the_search_for_a_start_tells_how_far_it_is_and_stops_in_the_middle():
    seen = reports_until(FitTask("tnt", _startup_of("tnt"), None, {}), 1)
    assert [p.stage for p in seen] == ["start"]
    assert seen[0].current % PORTION == 0
    assert 0 < seen[0].current < seen[0].total == SCREENED


def test_where_all_values_are_given_no_start_is_looked_for():
    model, stages = load("tnt"), []
    given = {p.name: p.default for p in model.parameters}
    with local_context(lambda p: stages.append((p.stage, p.current > 0))) as context:
        FitTask("tnt", _startup_of("tnt"), given, {}).run(context)
    assert ("fit", True) in stages
    assert ("start", True) not in stages


def _startup_of(name: str) -> Dataset:
    """Give a startup that the model makes with its own values."""
    model, t = load(name), np.geomspace(0.01, 10.0, 12)
    params = np.array([p.default for p in model.parameters])
    stress = np.asarray(model.predict(t, params, "startup", {"gamma_dot": 1.0}))
    return Dataset(t, stress, "startup", protocol={"gamma_dot": 1.0})


@pytest.mark.slow
@pytest.mark.parametrize(
    ("name", "data"),
    [("fluidity_nonlocal", across_a_gap()), ("lattice_epm", flow_of_a_lattice())],
    ids=["fluidity_nonlocal", "lattice_epm"],
)
@pytest.mark.parametrize("stage", ["start", "fit"])
def test_a_slow_fit_reports_and_is_cancelled_where_it_stands(
    engine: JobEngine, name: str, data: Dataset, stage: str
):
    recorder = Recorder(engine)
    given = {p.name: p.default for p in load(name).parameters} if stage == "fit" else None
    # RheoJAX's own equations, of which one is slow enough.
    job = engine.submit(FitTask(name, data, given, {"model_config": {"formula": "rheojax"}}))
    recorder.wait(
        lambda: any(p.stage == stage and p.current > 0 for p in recorder.progress(job)),
        timeout=COMPILED,
    )
    assert job.cancel()
    states = recorder.wait_for_end(job, timeout=AT_MOST)
    assert states[-2:] == [JobState.CANCELLING, JobState.CANCELLED]
    quick = engine.submit(FitTask("maxwell", _decay(), None, {}))
    assert quick.result(COMPILED).success


def _decay() -> Dataset:
    t = np.geomspace(0.01, 10.0, 20)
    return Dataset(t, 1e3 * np.exp(-t), "relaxation")


@pytest.mark.parametrize(
    ("solves_equations", "advice"),
    [(False, "give other initial values"), (True, "times are nearer to the data's")],
)
def test_what_cannot_be_evaluated_anywhere_says_in_one_line_what_to_try(solves_equations, advice):
    nowhere = Model.from_function(
        lambda x, params: params[0] * x * np.nan, {"G": (1.0, 1e3, 10.0)}, test_modes="relaxation"
    )
    model = dataclasses.replace(nowhere, forward_mode=solves_equations)
    with pytest.raises(RheojobsError, match=f"no start gives finite.*{advice}") as caught:
        fit((np.linspace(0.1, 3.0, 10), np.ones(10)), model)
    assert "\n" not in str(caught.value)
