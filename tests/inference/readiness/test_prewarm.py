"""What is prepared ahead of time is all that the job needs, and leaves nothing to compile."""

from __future__ import annotations

import numpy as np
import pytest

from rheojobs import CancellationError, CancellationToken, InputError, PrewarmTask, fit, sample
from rheojobs.engine.events import Progress
from rheojobs.engine.local_context import local_context
from rheojobs.inference.data.dataset import Dataset

pytestmark = [pytest.mark.slow, pytest.mark.promise("compiled-once")]


def _run(task: PrewarmTask, token: CancellationToken | None = None) -> None:
    with local_context(token=token) as context:
        task.run(context)


@pytest.mark.parametrize("model", ["maxwell", "fractional_maxwell_liquid"])
def test_the_job_that_follows_compiles_nothing(model, compilations, melt_data):
    _run(PrewarmTask(model, "oscillation", x=melt_data.x))
    assert compilations
    compilations.clear()
    start = fit(melt_data, model).parameters
    shorter = Dataset.of((melt_data.x[:-1], melt_data.y[:-1]), test_mode="oscillation")
    counts = {"num_warmup": 30, "num_samples": 30, "num_chains": 2, "warm_start": start}
    reports: list[Progress] = []
    sample(shorter, model, callback=reports.append, **counts)
    assert any("preview" in report.metrics for report in reports)
    assert compilations == []


def test_a_length_is_enough(compilations, ps145):
    _run(PrewarmTask("maxwell", "relaxation", n=len(ps145)))
    compilations.clear()
    sample(ps145, "maxwell", num_warmup=20, num_samples=20, num_chains=2)
    fit(ps145, "maxwell")
    assert compilations == []


def test_it_goes_where_its_jobs_go():
    from rheojobs import FitTask, SampleTask

    data = (np.ones(3), np.ones(3))
    for config in (None, {"n_modes": 3}):
        task = PrewarmTask("generalized_maxwell", "relaxation", model_config=config)
        sampling = SampleTask("generalized_maxwell", data, model_config=config)
        options = None if config is None else {"model_config": config}
        fitting = FitTask("generalized_maxwell", data, None, options)
        assert task.affinity == sampling.affinity == fitting.affinity


def test_it_stops_when_asked():
    token = CancellationToken()
    token.cancel()
    with pytest.raises(CancellationError):
        _run(PrewarmTask("maxwell", "relaxation"), token)


@pytest.mark.parametrize("mode", ["relaxtion", "flow_curve"])
def test_a_mode_that_is_none_is_refused_in_one_line(mode):
    with pytest.raises(InputError):
        _run(PrewarmTask("springpot", mode))
