"""Samplings that stop and go on as jobs, by every executor; draws until they are good."""

from __future__ import annotations

import os
import signal
import time

import pytest
from tests.inference.helpers import decay_data, decay_model, same_draws
from tests.inference.sampling.helpers import COUNTS, kept, task

from rheojobs.engine import JobEngine, JobState
from rheojobs.engine.store.writing.write_buffer import WriteBuffer
from rheojobs.inference.readiness.warm_up import PRELOAD, warm_up_fully
from rheojobs.inference.sampling import chains, continuation
from rheojobs.inference.sampling.checkpoints import Leftover
from rheojobs.inference.sampling.sample import extend, sample
from rheojobs.inference.sampling.task import SampleTask

pytestmark = [pytest.mark.promise("same-draws"), pytest.mark.usefixtures("state_folder")]


FEW = {"num_warmup": 50, "num_samples": 50, "num_chains": 1}


@pytest.fixture(scope="module", params=["processes", "threads"])
def engine(request):
    preload = PRELOAD if request.param == "processes" else ()
    with JobEngine(request.param, max_workers=2, preload=preload) as made:
        yield made


def wait_for(condition, timeout=60.0):
    deadline = time.monotonic() + timeout
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.005)


def sampling(job):
    return job.latest_progress is not None and job.latest_progress.stage == "sampling"


@pytest.mark.slow
def test_every_executor_gives_the_same_draws(engine, undisturbed, tmp_path):
    assert same_draws(engine.submit(task(tmp_path / "kept")).result(120), undisturbed)


def test_the_checkpoint_stays_until_the_result_is_kept(melt_data, tmp_path, monkeypatch):
    """Whoever is killed in between goes on where it was, or leaves nothing behind."""
    monkeypatch.setattr(continuation, "CHECKPOINT_SECONDS", 0.0)
    there: list[bool] = []
    folder, store = tmp_path / "kept", tmp_path / "jobs.sqlite3"
    work = SampleTask("maxwell", melt_data, **FEW, checkpoint=str(folder))
    with JobEngine("threads", store=store) as engine:
        write = WriteBuffer.write

        def look_and_write(self, fresh):
            if engine.store.counts().get(JobState.RUNNING) and job.result_or_ref is not None:
                there.append(bool(kept(folder)))
            return write(self, fresh)

        monkeypatch.setattr(WriteBuffer, "write", look_and_write)
        job = engine.submit(work)
        whole = job.result(120)
        assert engine.wait(60)
        wait_for(lambda: not engine.store.untidied())
        assert there == [True] * len(there)
        assert there
        assert not folder.exists()
        # As if it had been killed between the two.
        finished = engine.submit(work)
        monkeypatch.setattr(Leftover, "tidy", lambda self: 1 / 0)
        assert same_draws(finished.result(120), whole)
        assert engine.wait(60)
    assert "plan.npz" in kept(folder)
    monkeypatch.undo()
    with JobEngine("threads", store=store) as engine:
        assert engine.store.untidied() == [finished.id]
        assert engine.recover() == []
        assert not folder.exists()
        assert engine.store.untidied() == []


def test_paused_and_resumed_as_a_job(engine, tmp_path):
    long = {"num_samples": 20_000}
    job = engine.submit(task(tmp_path / "kept", **long))
    wait_for(lambda: sampling(job))
    assert job.pause()
    wait_for(lambda: job.state is JobState.PAUSED)
    wait_for(lambda: "plan.npz" in kept(tmp_path / "kept"))
    assert job.resume()
    whole = engine.submit(task("", **long)).result(120)
    assert same_draws(job.result(120), whole)


def test_a_look_at_the_posterior_so_far(engine, tmp_path):
    job = engine.submit(task(tmp_path / "kept", num_samples=10_000_000))
    # The stage is reported when it begins: a moment before there is a draw to look at.
    wait_for(lambda: sampling(job) and job.inspect(30) is not None)
    first = job.inspect(30)
    assert first.is_partial
    assert first.num_samples > 0
    second = job.inspect(30)
    assert second.num_samples >= first.num_samples
    assert job.state is JobState.RUNNING
    job.cancel()
    wait_for(job.done)
    assert job.partial.num_samples >= second.num_samples
    assert job.inspect(1) is job.partial


@pytest.mark.slow
def test_a_killed_worker_is_replaced_and_the_sampling_goes_on(tmp_path, monkeypatch):
    counts = {"num_samples": 60_000, "num_chains": 2}
    with JobEngine(max_workers=1, preload=PRELOAD) as engine:
        # A checkpoint at once, where an application has one every few seconds.
        whole = engine.submit(task("", **counts)).result(240)
        job = engine.submit(task(tmp_path / "kept", **counts))
        wait_for(lambda: sampling(job))
        assert job.pause()
        wait_for(lambda: any(name[0].isdigit() for name in kept(tmp_path / "kept")))
        for pid in engine.executor.worker_pids():  # the busy one and its spare
            os.kill(pid, signal.SIGKILL)
        wait_for(lambda: job.attempts == 2)
        assert job.state is not JobState.FAILED
        wait_for(job.resume)  # the wish to pause outlives the worker
        result = job.result(120)
    assert job.attempts == 2
    assert same_draws(result, whole)


def test_draws_stop_when_they_are_good():
    wanted = {"num_warmup": 300, "num_samples": 100, "num_chains": 4, "until_ess": 400}
    drawn, again = (sample(decay_data(), decay_model(), **wanted) for _ in range(2))
    ess = min(min(row["ess_bulk"], row["ess_tail"]) for row in drawn.summary.values())
    assert ess >= 400
    assert max(row["r_hat"] for row in drawn.summary.values()) <= 1.01
    assert 100 < drawn.num_samples < 1000
    assert same_draws(drawn, again)


def test_draws_that_do_not_get_good_stop_at_the_cap():
    drawn = sample(
        decay_data(),
        decay_model(),
        num_warmup=100,
        num_samples=50,
        num_chains=2,
        until_ess=1e9,
        max_samples=333,
    )
    assert drawn.num_samples == 333
    fewer = sample(
        decay_data(),
        decay_model(),
        num_warmup=300,
        num_samples=5000,
        num_chains=4,
        until_ess=50,
    )
    assert fewer.num_samples < 5000


def test_progress_tells_how_good_the_draws_are(monkeypatch):
    from rheojobs.inference.sampling import live_diagnostics

    monkeypatch.setattr(live_diagnostics, "INTERVAL", 0.0)
    monkeypatch.setattr(live_diagnostics, "MAX_SHARE", 1e9)
    monkeypatch.setattr(chains, "CHUNK_SECONDS", 0.0)  # long enough for several reports
    reports = []
    drawn = sample(decay_data(), decay_model(), **COUNTS, callback=reports.append)
    last = [report.metrics for report in reports if report.stage == "sampling"][-1]
    assert set(last) >= {"step_size", "acceptance", "tree_depth", "r_hat", "ess_bulk", "ess_tail"}
    assert len(last["step_size"]) == 2
    assert last["time_remaining"] in (0.0, None)  # None where one report was all
    assert all(0 < value <= 1 for value in last["acceptance"])
    assert set(last["r_hat"]) == {"G0", "tau", "sigma"}
    assert last["ess_bulk"]["tau"] == pytest.approx(drawn.summary["tau"]["ess_bulk"], rel=0.5)


def test_a_folder_named_from_where_one_stands_is_found_from_elsewhere(
    melt_data, tmp_path, monkeypatch
):
    monkeypatch.chdir(tmp_path)
    work = SampleTask("maxwell", melt_data, **FEW, checkpoint="kept")
    content, blobs = work.to_record()
    monkeypatch.chdir("/")
    assert SampleTask.from_record(content, blobs).folder == str(tmp_path / "kept")


def test_what_goes_on_from_a_result_compiles_nothing(melt_data, compilations):
    warm_up_fully()  # an import that comes later may make JAX forget its programs
    result = sample(melt_data, "maxwell", num_warmup=20, num_samples=20, num_chains=1, seed=3)
    compilations.clear()
    assert extend(result, 20).num_samples == 40
    assert compilations == []
