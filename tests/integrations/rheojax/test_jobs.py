"""Workers with RheoJAX's signatures and signals, run by its own `WorkerPool`."""

from __future__ import annotations

import importlib.util
import inspect
import time
from collections.abc import Iterator

import numpy as np
import pytest

if importlib.util.find_spec("rheojax") is None:
    pytest.skip("RheoJAX is not installed", allow_module_level=True)

from rheojax.core.data import RheoData

import rheojobs.integrations.rheojax.jobs as ours
from rheojobs.integrations.rheojax.running import Runner

pytestmark = pytest.mark.slow

T = np.geomspace(0.01, 10.0, 30)
Y = 1e4 * np.exp(-T / 1.5) * (1 + 0.02 * np.random.default_rng(0).standard_normal(30))
JOB_MS = 120_000


def data() -> RheoData:
    return RheoData(x=T, y=Y, initial_test_mode="relaxation")


@pytest.fixture(scope="module")
def runner() -> Iterator[Runner]:
    made = Runner(workers=1)
    yield made
    made.close()


@pytest.fixture
def pool(qapp):
    ours.WorkerPool.reset()
    made = ours.WorkerPool.instance()
    yield made
    made.shutdown(wait=True, timeout_ms=5000)
    ours.WorkerPool.reset()


class Heard:
    """What a pool has emitted of a job."""

    def __init__(self, pool):
        self.ends = {}
        self.progress = []
        for name in ("job_completed", "job_failed", "job_cancelled"):
            getattr(pool, name).connect(lambda *args, name=name: self.end(name, *args))
        pool.job_progress.connect(lambda *args: self.progress.append(args))

    def end(self, name, job_id, *args):
        self.ends[job_id] = (name, *args)

    def wait(self, qtbot, job_id):
        qtbot.waitUntil(lambda: job_id in self.ends, timeout=JOB_MS)
        return self.ends[job_id]


@pytest.mark.parametrize("name", ["FitWorker", "BayesianWorker"])
def test_signatures_and_signals_are_those_of_rheojax(name):
    theirs = importlib.import_module(
        "rheojax.gui.jobs." + {"FitWorker": "fit_worker", "BayesianWorker": "bayesian_worker"}[name]
    )
    expected = inspect.signature(getattr(theirs, name)).parameters
    found = inspect.signature(getattr(ours, name)).parameters
    assert list(found)[: len(expected)] == list(expected)
    assert all(found[key].default == item.default for key, item in expected.items())
    signals = getattr(theirs, f"{name}Signals"), getattr(ours, f"{name}Signals")
    for key in ("progress", "completed", "failed", "cancelled"):
        one, other = (str(getattr(each, key)) for each in signals)
        assert one == other


def test_a_fit_in_their_pool(pool, qtbot, runner):
    heard = Heard(pool)
    worker = ours.FitWorker("maxwell", data(), dataset_id="paint", runner=runner)
    name, result = heard.wait(qtbot, pool.submit(worker))
    assert name == "job_completed"
    assert type(result).__module__ == "rheojax.gui.foundation.state"
    assert result.dataset_id == "paint"
    assert result.success
    assert result.parameters["G0"] == pytest.approx(1e4, rel=0.1)
    assert result.num_iterations > 0
    assert result.pcov.shape == (2, 2)


def test_a_sampling_in_their_pool(pool, qtbot, runner):
    heard, stages = Heard(pool), []
    worker = ours.BayesianWorker(
        "maxwell", data(), num_warmup=300, num_samples=20_000, num_chains=2, runner=runner
    )
    worker.signals.stage_changed.connect(stages.append)
    name, result = heard.wait(qtbot, pool.submit(worker))
    assert name == "job_completed"
    assert type(result).__module__ == "rheojax.gui.foundation.state"
    assert result.posterior_samples["G0"].shape == (40_000,)
    low, high = result.credible_intervals["G0"]
    assert low < 1e4 < high
    assert stages == ["warmup", "sampling"]
    percents = [percent for _, percent, total, _ in heard.progress if total == 100]
    assert percents == sorted(percents)
    assert len(set(percents)) >= 3


def test_a_cancelled_sampling_keeps_its_draws(pool, qtbot, runner):
    heard = Heard(pool)
    worker = ours.BayesianWorker("maxwell", data(), num_samples=1_000_000, runner=runner)
    job_id = pool.submit(worker)
    qtbot.waitUntil(
        lambda: any("sampling" in message for *_, message in heard.progress), timeout=JOB_MS
    )
    began = time.monotonic()
    assert pool.cancel(job_id)
    assert heard.wait(qtbot, job_id) == ("job_cancelled",)
    assert time.monotonic() - began < 3.0
    assert worker.partial["num_samples"] >= 1
    with pytest.raises(ours.CancellationError):
        worker.check_cancellation()


def test_what_is_wrong_is_one_line(pool, qtbot, runner):
    heard = Heard(pool)
    bad = RheoData(x=T, y=Y, initial_test_mode="relaxation")
    worker = ours.FitWorker("no_such_model", bad, runner=runner)
    name, message = heard.wait(qtbot, pool.submit(worker))
    assert name == "job_failed"
    assert message.startswith("Fit failed for no_such_model: ")
    assert "\n" not in message
    assert worker.cancel_token.get_error() is not None


def test_cancelled_before_it_begins(pool, qtbot, runner):
    heard, token = Heard(pool), ours.CancellationToken()
    token.cancel()
    worker = ours.FitWorker("maxwell", data(), cancel_token=token, runner=runner)
    assert heard.wait(qtbot, pool.submit(worker)) == ("job_cancelled",)
