"""The contract of `WorkerPool`, member by member, over worker processes and over threads."""

from __future__ import annotations

import subprocess
import sys
import textwrap
import time
import uuid
from dataclasses import replace

import numpy as np
import psutil
import pytest
from qtpy.QtCore import QObject, QThread
from tests.qt.helpers import BareRunnable, PlainWorker, SelfCancelled, count_to, decay_model

import rheojobs
from rheojobs import (
    BayesianResult,
    BayesianWorker,
    CancellationToken,
    FitResult,
    FitWorker,
    InputError,
    WorkerPool,
)


def test_a_fit_is_started_tells_progress_and_completes(pool, recorder, data):
    worker = FitWorker(decay_model(), data)
    seen = {"progress": [], "completed": []}
    worker.signals.progress.connect(lambda *args: seen["progress"].append(args))
    worker.signals.completed.connect(seen["completed"].append)
    job_id = pool.submit(worker)
    assert uuid.UUID(job_id).version == 4
    name, (result,) = recorder.wait_end(job_id)
    assert name == "job_completed"
    assert isinstance(result, FitResult)
    assert result.parameters["tau"] == pytest.approx(1.5, rel=0.1)
    assert recorder.names(job_id) == ["job_started", "job_completed"]
    assert recorder.of(job_id)[0][0] == "job_started"
    assert seen["completed"] == [result]
    iteration, loss, message = seen["progress"][-1]
    assert iteration == result.n_iterations
    assert loss == pytest.approx(result.chi_squared)
    assert "iteration" in message


def test_a_sampling_tells_stages_and_each_chain(pool, recorder, data):
    worker = BayesianWorker(decay_model(), data, num_warmup=200, num_samples=300, num_chains=2)
    progress, stages, completed = [], [], []
    worker.signals.progress.connect(lambda *args: progress.append(args))
    worker.signals.stage_changed.connect(stages.append)
    worker.signals.completed.connect(completed.append)
    name, (result,) = recorder.wait_end(job_id := pool.submit(worker))
    assert name == "job_completed", recorder.of(job_id)
    assert isinstance(result, BayesianResult)
    assert result.posterior_samples["tau"].shape == (600,)
    assert completed == [result]
    assert stages[-1] == "sampling"
    assert set(stages) <= {"warmup", "sampling"}
    for chain in (0, 1):
        counts = [done for which, done, _ in progress if which == chain]
        assert counts == sorted(counts)
        assert counts[-1] == 500
    assert {total for *_, total in progress} == {500}


def test_divergences_are_told(pool, recorder):
    """A narrow funnel and a coarse step: the sampler diverges, and reports how often."""
    import rheojobs.inference.data.dataset as data_module

    t = np.linspace(0.1, 1.0, 3)
    data = data_module.Dataset(t, np.array([1.0, 1.0, 1.0]), "relaxation")

    def funnel(x, params):
        import jax.numpy as jnp

        return jnp.exp(params[0] * 8.0) * params[1] + 0.0 * x

    model = rheojobs.Model.from_function(
        funnel, {"a": (-3.0, 3.0), "b": (-50.0, 50.0)}, test_modes="relaxation"
    )
    worker = BayesianWorker(model, data, num_warmup=100, num_samples=500, num_chains=2)
    worker.task = replace(worker.task, target_accept=0.3)
    counts = []
    worker.signals.divergence_detected.connect(counts.append)
    name, args = recorder.wait_end(pool.submit(worker))
    assert name == "job_completed", args
    assert args[0].diagnostics["divergences"] > 0
    assert counts == sorted(set(counts))
    assert counts[-1] == args[0].diagnostics["divergences"]


@pytest.mark.promise("cancel-in-time")
def test_cancelling_a_running_sampling(pool, recorder, data):
    worker = BayesianWorker(decay_model(), data, num_warmup=100, num_samples=10_000_000)
    cancelled = []
    worker.signals.cancelled.connect(lambda: cancelled.append(True))
    job_id = pool.submit(worker)
    recorder.wait(
        lambda: any(
            name == "job_progress" and "sampling" in args[2] for name, args in recorder.of(job_id)
        )
    )
    asked = time.perf_counter()
    assert pool.cancel(job_id)
    assert time.perf_counter() - asked < 0.1
    assert recorder.wait_end(job_id) == ("job_cancelled", ())
    assert recorder.names(job_id) == ["job_started", "job_cancelled"]
    assert cancelled == [True]
    assert not pool.cancel(job_id)


def test_the_workers_own_token_cancels_it(pool, recorder, data):
    token = CancellationToken()
    worker = BayesianWorker(
        decay_model(), data, num_warmup=100, num_samples=10_000_000, cancel_token=token
    )
    assert worker.cancel_token is token
    job_id = pool.submit(worker)
    recorder.wait_for(job_id, "job_progress")
    token.cancel()
    assert recorder.wait_end(job_id) == ("job_cancelled", ())


def test_a_job_cancelled_while_queued_was_never_started(pool, recorder):
    blockers = [pool.run(count_to, 10_000) for _ in range(2)]
    for blocker in blockers:
        recorder.wait_for(blocker, "job_started")
    queued = pool.run(count_to, 1)
    assert pool.get_active_count() == 3
    assert pool.cancel(queued)
    assert recorder.wait_end(queued) == ("job_cancelled", ())
    assert recorder.names(queued) == ["job_cancelled"]
    assert pool.is_busy()
    assert pool.cancel_all() == 2
    recorder.wait(lambda: not pool.is_busy())
    assert pool.get_active_count() == 0
    assert pool.cancel_all() == 0


def test_bad_input_fails_with_one_line_and_leaves_the_error_in_the_token(pool, recorder, data):
    worker = FitWorker(decay_model(), data, initial_params={"taw": 1.0})
    failed = []
    worker.signals.failed.connect(failed.append)
    job_id = pool.submit(worker)
    name, (message,) = recorder.wait_end(job_id)
    assert name == "job_failed"
    assert "did you mean 'tau'" in message
    assert "\n" not in message
    assert failed == [message]
    assert recorder.names(job_id) == ["job_started", "job_failed"]
    assert isinstance(worker.cancel_token.get_error(), InputError)


def test_input_that_is_seen_to_be_bad_needs_no_worker(qtbot, data):
    pool = WorkerPool(1)
    try:
        failures = []
        pool.job_failed.connect(lambda job_id, message: failures.append(message))
        pool.submit(FitWorker("maxwell", ([1.0, 2.0], [1.0]), options={"test_mode": "creep"}))
        pool.submit(FitWorker(decay_model(), data, options={"maxiter": 3}))
        prior = {"tau": {"type": "norml"}}
        pool.submit(BayesianWorker(decay_model(), data, priors=prior))
        # Long before a worker process has finished its imports.
        qtbot.waitUntil(lambda: len(failures) == 3, timeout=1000)
        assert "x has 2 values, y has 1" in failures[0]
        assert "max_iter" in failures[1]
        assert "normal" in failures[2]
    finally:
        pool.shutdown()


def test_a_function_runs_and_tells_progress(pool, recorder):
    job_id = pool.run(count_to, 30)
    assert recorder.wait_end(job_id)[0] == "job_completed"
    progress = [args for name, args in recorder.of(job_id) if name == "job_progress"]
    assert progress[-1] == (30, 30, "at 30")
    assert [current for current, *_ in progress] == sorted(current for current, *_ in progress)


def test_a_function_that_raises_fails(pool, recorder):
    job_id = pool.run(int, "seven")
    name, (message,) = recorder.wait_end(job_id)
    assert name == "job_failed"
    assert message.startswith("ValueError: invalid literal")


def test_a_generator_is_cancelled_at_a_yield(pool, recorder):
    def forever():
        while True:
            time.sleep(0.01)
            yield 1

    job_id = pool.run(forever)
    recorder.wait_for(job_id, "job_started")
    assert pool.cancel(job_id)
    assert recorder.wait_end(job_id) == ("job_cancelled", ())


def test_a_plain_runnable_with_signals_works(pool, recorder):
    worker = PlainWorker("complete")
    job_id = pool.submit(worker)
    assert recorder.wait_end(job_id) == ("job_completed", ({"answer": 42},))
    assert recorder.of(job_id)[0][0] == "job_started"
    assert ("job_progress", (1, 2, "half")) in recorder.of(job_id)
    assert worker.thread is not QThread.currentThread()


def test_a_plain_runnable_fails_and_is_cancelled(pool, recorder):
    assert recorder.wait_end(pool.submit(PlainWorker("fail"))) == ("job_failed", ("no luck",))
    waiting = pool.submit(PlainWorker("wait"))
    recorder.wait_for(waiting, "job_started")
    assert pool.cancel(waiting)
    assert recorder.wait_end(waiting) == ("job_cancelled", ())


def test_a_runnable_is_cancelled_by_its_own_method(pool, recorder):
    """Which may do more than its token's, and may block until the work has ended."""
    worker = SelfCancelled()
    job_id = pool.submit(worker)
    recorder.wait_for(job_id, "job_started")
    began = time.monotonic()
    assert pool.cancel(job_id)
    assert time.monotonic() - began < 0.2
    assert recorder.wait_end(job_id) == ("job_cancelled", ())
    assert not worker.cancel_token.is_cancelled()


def test_a_runnable_without_anything_works(pool, recorder):
    good, bad = BareRunnable(), BareRunnable(fail=True)
    assert recorder.wait_end(pool.submit(good)) == ("job_completed", (None,))
    assert good.ran
    name, (message,) = recorder.wait_end(pool.submit(bad))
    assert name == "job_failed"
    assert message == "RuntimeError: it broke"


@pytest.mark.promise("ui-never-held")
def test_signals_come_in_the_thread_that_owns_the_pool(pool, recorder):
    recorder.wait_end(pool.run(count_to, 5))
    assert recorder.threads == {pool.thread()}


@pytest.mark.promise("one-terminal-event")
def test_many_jobs_each_end_once(pool, recorder):
    ids = [pool.run(pow, k, 2) for k in range(50)]
    for job_id in ids:
        recorder.wait_end(job_id)
    recorder.wait(lambda: not pool.is_busy())
    for k, job_id in enumerate(ids):
        assert recorder.names(job_id) == ["job_started", "job_completed"]
        assert recorder.of(job_id)[-1] == ("job_completed", (k * k,))


def test_unknown_jobs_and_workers_are_refused(pool):
    assert not pool.cancel("no such job")
    with pytest.raises(InputError, match="QRunnable"):
        pool.submit(lambda: 1)


def test_pools_live_side_by_side_and_shut_down_twice(qtbot):
    first, second = WorkerPool(1, executor="threads"), WorkerPool(1, executor="threads")
    assert first.shutdown()
    assert first.shutdown()
    with qtbot.waitSignal(second.job_completed) as seen:
        second.run(pow, 2, 5)
    assert seen.args[1] == 32
    with pytest.raises(rheojobs.EngineClosedError):
        first.run(pow, 2, 5)
    assert second.shutdown(wait=False) in (True, False)


@pytest.mark.promise("nothing-left-behind")
def test_shutdown_cancels_what_runs_and_leaves_no_process(qtbot):
    before = set(psutil.Process().children())
    pool = WorkerPool(2)
    ends = []
    pool.job_cancelled.connect(ends.append)
    running = pool.run(count_to, 100_000)
    queued = [pool.run(count_to, 100_000) for _ in range(3)]
    qtbot.waitSignal(pool.job_started, timeout=60_000).wait()
    assert pool.shutdown()
    assert set(ends) == {running, *queued}
    assert set(psutil.Process().children()) == before


def test_bad_arguments_are_refused():
    with pytest.raises(InputError, match="max_threads"):
        WorkerPool(0)
    with pytest.raises(InputError, match="unknown executor"):
        WorkerPool(1, executor="process")


def test_a_pool_deleted_by_its_parent_with_a_running_job(qtbot):
    before = set(psutil.Process().children())
    parent = QObject()
    pool = WorkerPool(1, parent)
    pool.run(count_to, 100_000)
    with qtbot.waitSignal(pool.job_started, timeout=60_000):
        pass
    parent.deleteLater()
    del parent, pool
    qtbot.waitUntil(lambda: set(psutil.Process().children()) == before, timeout=10_000)


def run_script(body: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-c", textwrap.dedent(body)], capture_output=True, text=True, timeout=120
    )


@pytest.mark.slow
def test_an_application_that_forgets_the_pool_exits_cleanly():
    done = run_script(
        """
        import sys, time
        from qtpy.QtCore import QCoreApplication, QTimer
        from rheojobs import WorkerPool

        def work(context):
            while True:
                context.check(); context.progress(1, 2, "x"); time.sleep(0.001)

        app = QCoreApplication(sys.argv)
        pool = WorkerPool(2)
        pool.job_started.connect(lambda _: QTimer.singleShot(200, app.quit))
        pool.run(work)
        sys.exit(app.exec())
        """
    )
    assert done.returncode == 0, done.stderr
    assert done.stderr == ""


@pytest.mark.slow
def test_the_contract_s_example_runs_as_it_stands(shared_data):
    done = run_script(
        f"""
        import sys, warnings
        from qtpy.QtCore import QCoreApplication, QTimer
        from rheojobs import BayesianWorker, CancellationToken, FitWorker, WorkerPool
        from rheojax.core.data import RheoData
        import numpy as np

        t, g = np.loadtxt({str(shared_data / "ps145_relaxation.csv")!r}, skiprows=1)[::12].T
        rheo_data = RheoData(x=t, y=g, x_units="s", y_units="Pa", domain="time",
                             initial_test_mode="relaxation")
        app = QCoreApplication(sys.argv)
        pool = WorkerPool()
        token = CancellationToken()
        ids, results = [], []

        worker = FitWorker(model_name="maxwell", data=rheo_data,
                           initial_params={{"G0": 1e6, "tau": 1.0}},
                           options={{"max_iter": 5000}}, cancel_token=token)
        job_id = pool.submit(worker)

        def next_step(job_id, result):
            results.append(result)
            if len(results) == 2:
                app.quit()
            else:
                pool.submit(BayesianWorker(
                    model_name="maxwell", data=rheo_data, num_warmup=1000, num_samples=2000,
                    num_chains=4, warm_start=result.parameters, priors={{}}, seed=42,
                    cancel_token=CancellationToken()))

        pool.job_completed.connect(next_step)
        pool.job_failed.connect(lambda job_id, message: (print(message), app.exit(1)))
        code = app.exec()
        print(code, type(results[1]).__name__, results[1].num_samples, round(
            results[1].summary["G0"]["mean"] / results[0].parameters["G0"], 1))
        pool.shutdown()
        """
    )
    assert done.stdout.split() == ["0", "BayesianResult", "2000", "1.0"], done.stderr
