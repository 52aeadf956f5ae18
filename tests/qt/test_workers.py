"""Fit and sampling workers without a pool: run directly, and on any `QThreadPool`."""

from __future__ import annotations

import pytest
from qtpy.QtCore import QThread, QThreadPool
from tests.qt.helpers import decay_model

from rheojobs import (
    BayesianResult,
    BayesianWorker,
    BayesianWorkerSignals,
    CancellationToken,
    FitResult,
    FitWorker,
    FitWorkerSignals,
)


def test_a_fit_worker_runs_directly(qapp, data):
    worker = FitWorker(decay_model(), data)
    assert isinstance(worker.signals, FitWorkerSignals)
    assert isinstance(worker.cancel_token, CancellationToken)
    seen = {"progress": [], "completed": [], "failed": [], "cancelled": []}
    for name, found in seen.items():
        getattr(worker.signals, name).connect(lambda *args, found=found: found.append(args))
    worker.run()
    ((result,),) = seen["completed"]
    assert isinstance(result, FitResult)
    assert seen["progress"][-1][:2] == (result.n_iterations, pytest.approx(result.chi_squared))
    assert seen["failed"] == seen["cancelled"] == []


def test_a_worker_whose_token_is_cancelled_says_so_and_does_nothing(qapp, data):
    token = CancellationToken()
    token.cancel()
    worker = FitWorker(decay_model(), data, cancel_token=token)
    seen = []
    worker.signals.cancelled.connect(lambda: seen.append("cancelled"))
    worker.signals.progress.connect(lambda *args: seen.append("progress"))
    worker.run()
    assert seen == ["cancelled"]


@pytest.mark.parametrize(
    ("make", "option"),
    [
        (lambda data: FitWorker(decay_model(), data, options={"weights": "log"}), "weights"),
        (lambda data: BayesianWorker(decay_model(), data, likelihood="log"), "likelihood"),
        (lambda data: BayesianWorker(decay_model(), data, until_ess=-1.0), "until_ess"),
    ],
)
def test_a_worker_that_fails_says_why(qapp, data, make, option):
    worker = make(data)
    failed = []
    worker.signals.failed.connect(failed.append)
    worker.run()
    assert len(failed) == 1
    assert option in failed[0]
    assert worker.cancel_token.get_error() is not None


def test_workers_run_on_any_thread_pool(qtbot, data):
    threads = QThreadPool()
    worker = BayesianWorker(decay_model(), data, num_warmup=100, num_samples=100, num_chains=2)
    assert isinstance(worker.signals, BayesianWorkerSignals)
    where = []
    worker.signals.stage_changed.connect(lambda _: where.append(QThread.currentThread()))
    with qtbot.waitSignal(worker.signals.completed, timeout=60_000) as done:
        threads.start(worker)
    assert isinstance(done.args[0], BayesianResult)
    assert threads.waitForDone(10_000)
