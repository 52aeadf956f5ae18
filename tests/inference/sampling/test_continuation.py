"""Going on: after pause, cancel, kill and damage the draws are those of an undisturbed run."""

from __future__ import annotations

import os
import signal
import threading
import time
from pathlib import Path

import jax.numpy as jnp
import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from tests.inference.helpers import BOUNDS, decay_data, decay_model, run_until, same_draws

from rheojobs.engine import CancellationToken, JobEngine, JobState
from rheojobs.engine.local_context import local_context
from rheojobs.engine.store.write_buffer import WriteBuffer
from rheojobs.errors import InputError
from rheojobs.inference.models.model import Model
from rheojobs.inference.problem.problem import Problem
from rheojobs.inference.readiness.warm_up import PRELOAD, warm_up_fully
from rheojobs.inference.results.bayesian_result import BayesianResult
from rheojobs.inference.results.segments import Segment
from rheojobs.inference.sampling import chains, continuation
from rheojobs.inference.sampling.checkpoints import Checkpoints, Leftover
from rheojobs.inference.sampling.curved_whitening import Bend
from rheojobs.inference.sampling.sample import extend, resume, sample
from rheojobs.inference.sampling.starts import Starts
from rheojobs.inference.sampling.task import SampleTask
from rheojobs.inference.sampling.whitening import Geometry

pytestmark = pytest.mark.promise("same-draws")

FEW = {"num_warmup": 50, "num_samples": 50, "num_chains": 1}
COUNTS = {"num_warmup": 150, "num_samples": 250, "num_chains": 2}


@pytest.fixture(autouse=True)
def state_folder(tmp_path, monkeypatch):
    monkeypatch.setenv("RHEOJOBS_STATE_DIR", str(tmp_path / "state"))


@pytest.fixture(scope="module")
def undisturbed() -> BayesianResult:
    return sample(decay_data(), decay_model(), **COUNTS)


def task(folder: Path | str, **changes: object) -> SampleTask:
    return SampleTask(decay_model(), decay_data(), **COUNTS | {"checkpoint": folder} | changes)


def finish(work: SampleTask) -> BayesianResult:
    with local_context() as context:
        return work.run(context)


def kept(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.glob("*")) if folder.exists() else []


@settings(
    max_examples=12, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(
    stops=st.lists(st.integers(1, 780), max_size=3),
    chunk=st.sampled_from([0.0, 0.002, 0.05]),
    threads=st.sampled_from([1, 2]),
)
def test_stopped_anywhere_and_taken_up_again(
    undisturbed, tmp_path_factory, monkeypatch, stops, chunk, threads
):
    """Cancel at any count of steps, several times, with any chunk length and thread count."""
    folder = tmp_path_factory.mktemp("sampling")
    monkeypatch.setattr(chains, "CHUNK_SECONDS", chunk)
    monkeypatch.setattr(chains, "processors", lambda: threads)
    for steps in stops:
        run_until(
            task(folder),
            lambda progress, steps=steps: sum(progress.metrics.get("chains", [0])) >= steps,
        )
    assert same_draws(finish(task(folder)), undisturbed)
    assert kept(folder) == []  # nothing is left of what was kept on the way


def test_paused_it_is_kept_and_goes_on_the_same(undisturbed, tmp_path, monkeypatch):
    monkeypatch.setattr(chains, "CHUNK_SECONDS", 0.0)
    token, paused_at = CancellationToken(), []

    def pause_once(progress):
        if progress.stage == "sampling" and not paused_at:
            paused_at.append(progress.current)
            context.pause()
            threading.Timer(0.5, context.resume).start()

    work = task(tmp_path / "kept")
    with local_context(pause_once, token) as context:
        seen = []
        monkeypatch.setattr(
            continuation.Keeper,
            "save",
            lambda self, chains, save=continuation.Keeper.save: (
                seen.append(context.paused),
                save(self, chains),
            ),
        )
        result = work.run(context)
    assert True in seen  # saved because it was paused
    assert same_draws(result, undisturbed)


def test_the_partial_result_names_where_it_is_kept(undisturbed, tmp_path):
    part = run_until(task(tmp_path / "kept"), lambda p: p.stage == "sampling" and p.current > 50)
    assert part is not None
    assert part.is_partial
    assert part.checkpoint == str(tmp_path / "kept")
    assert "plan.npz" in kept(tmp_path / "kept")
    half = part.num_samples
    for name, draws in part.posterior_samples.items():
        whole = undisturbed.posterior_samples[name].reshape(2, -1)[:, :half]
        assert np.array_equal(draws.reshape(2, -1), whole)


def test_a_model_by_name_is_taken_up_by_its_folder_alone(melt_data, tmp_path, monkeypatch):
    monkeypatch.setattr(chains, "CHUNK_SECONDS", 0.0)
    given = {
        "num_warmup": 100,
        "num_samples": 100,
        "num_chains": 2,
        "priors": {"tau": {"type": "loguniform", "low": 1e-3, "high": 1e3}},
        "likelihood": "relative",
    }
    whole = sample(melt_data, "fractional_maxwell_model", **given)
    work = SampleTask(
        "fractional_maxwell_model", melt_data, **given, checkpoint=str(tmp_path / "kept")
    )
    run_until(work, lambda p: sum(p.metrics.get("chains", [0])) > 20)
    assert same_draws(resume(tmp_path / "kept"), whole)


def test_code_of_the_user_s_own_is_said_to_be_needed(tmp_path):
    run_until(task(tmp_path / "kept"), lambda p: p.stage == "sampling")
    with pytest.raises(InputError, match="code of your own"):
        resume(tmp_path / "kept")


def test_other_settings_in_the_same_folder_are_refused(tmp_path):
    run_until(task(tmp_path / "kept"), lambda p: p.stage == "sampling")
    with pytest.raises(InputError, match="holds a sampling with other settings"):
        finish(task(tmp_path / "kept", seed=7))
    more = finish(task(tmp_path / "kept", num_samples=300))  # more draws are no other sampling
    assert more.num_samples == 300


def gaussian(scale: float) -> dict[str, dict[str, object]]:
    return {"tau": {"type": "normal", "loc": 1.5, "scale": scale}}


def test_the_fingerprint_holds_priors_bounds_code_and_data_to_the_bit():
    import numpyro.distributions as dist

    function = lambda x, p: p[0] * jnp.exp(-x / p[1])  # noqa: E731
    other = lambda x, p: p[0] * jnp.exp(-x / p[1]) * 1.0000000000001  # noqa: E731

    def digests(formula=function, upper=10.0, data=None, **settings: object) -> dict[str, str]:
        bounds = {"G0": (1e3, 1e5, 2e4), "tau": (0.1, upper, 1.0)}
        model = Model.from_function(formula, bounds, "relaxation", name="own")
        work = SampleTask(model, data or decay_data(), checkpoint="", **settings)
        work.validate()
        return continuation.fingerprint(work.settings(), Problem.of(model, work.dataset, None))

    base = digests(priors=gaussian(0.5))
    assert digests(priors=gaussian(0.5), num_samples=7) == base
    moved = decay_data()
    moved.y[3] = np.nextafter(moved.y[3], np.inf)
    for part, changed in {
        "priors": digests(priors=gaussian(0.500000000001)),
        "model or test": digests(priors=gaussian(0.5), upper=10.00000000001),
        "data": digests(priors=gaussian(0.5), data=moved),
        "settings": digests(priors=gaussian(0.5), fixed={"G0": 2e4}),
    }.items():
        assert [name for name in base if base[name] != changed[name]] == [part]
    assert digests(other, priors=gaussian(0.5))["model or test"] != base["model or test"]
    scales = (0.5, 0.500000000001)
    given = [digests(priors={"tau": dist.Normal(1.5, np.float64(scale))}) for scale in scales]
    assert given[0]["priors"] != given[1]["priors"]


def test_a_changed_formula_does_not_take_up_old_draws(tmp_path):
    def work(rate: float) -> SampleTask:
        model = Model.from_function(
            lambda x, p: p[0] * jnp.exp(-rate * x / p[1]), BOUNDS, "relaxation", name="own"
        )
        return SampleTask(model, decay_data(), **COUNTS, checkpoint=str(tmp_path / "kept"))

    run_until(work(1.0), lambda p: p.stage == "sampling")
    with pytest.raises(InputError, match="holds a sampling with other model"):
        finish(work(1.0000000001))


def test_a_folder_that_is_none_is_refused(tmp_path):
    with pytest.raises(InputError, match="not the folder of a stopped sampling"):
        resume(tmp_path / "nothing")


@pytest.mark.parametrize("damage", ["truncate", "flip", "empty", "remove", "garbage"])
def test_a_damaged_checkpoint_falls_back_on_the_one_before(
    undisturbed, tmp_path, monkeypatch, damage
):
    monkeypatch.setattr(continuation, "CHECKPOINT_SECONDS", 0.0)
    monkeypatch.setattr(chains, "CHUNK_SECONDS", 0.0)
    folder = tmp_path / "kept"
    run_until(task(folder), lambda p: p.stage == "sampling" and p.current > 200)
    segments = sorted(folder.glob("[0-9]*.npz"))
    assert len(segments) > 2
    victim = segments[-1] if damage != "remove" else segments[-2]
    content = bytearray(victim.read_bytes())
    if damage == "truncate":
        victim.write_bytes(content[: len(content) // 2])
    elif damage == "flip":
        begin = len(content) // 3  # more than a header, of which some bytes say nothing
        for place in range(begin, begin + 400):
            content[place] ^= 0xFF
        victim.write_bytes(content)
    elif damage == "empty":
        victim.write_bytes(b"")
    elif damage == "garbage":
        victim.write_bytes(os.urandom(len(content)))
    else:
        victim.unlink()
    result = finish(task(folder))
    assert same_draws(result, undisturbed)
    assert any("damaged" in words for words in result.diagnostics["warnings"])


def test_two_who_kept_the_same_sampling_at_once_harm_no_draw(undisturbed, tmp_path, monkeypatch):
    """Segments of both fit by their number, but not by what they hold."""
    monkeypatch.setattr(continuation, "CHECKPOINT_SECONDS", 0.0)
    monkeypatch.setattr(chains, "CHUNK_SECONDS", 0.0)
    for name, steps in (("one", 200), ("other", 150)):
        run_until(
            task(tmp_path / name),
            lambda p, steps=steps: p.stage == "sampling" and p.current > steps,
        )
        # The other one writes more seldom, and so more into each.
        monkeypatch.setattr(continuation, "CHECKPOINT_SECONDS", 0.02)
    segments = sorted((tmp_path / "other").glob("[0-9]*.npz"))
    assert len(segments) > 1
    segments[-1].replace(tmp_path / "one" / segments[-1].name)
    result = finish(task(tmp_path / "one"))
    assert same_draws(result, undisturbed)
    assert any("damaged" in words for words in result.diagnostics["warnings"])


def test_only_what_was_written_is_removed(undisturbed, tmp_path, monkeypatch):
    """Also where the folder holds the user's own, or what was left half written by a kill."""
    monkeypatch.setattr(continuation, "CHECKPOINT_SECONDS", 0.0)
    folder = tmp_path / "kept"
    folder.mkdir()
    (folder / "thesis.tex").write_text("years of work")
    (folder / ".000007.npz.123.tmp").write_bytes(b"half")
    assert same_draws(finish(task(folder)), undisturbed)
    assert kept(folder) == ["thesis.tex"]
    (tmp_path / "new").mkdir()
    (tmp_path / "new" / ".plan.npz.123.tmp").write_bytes(b"half")
    monkeypatch.setattr(continuation, "CHECKPOINT_SECONDS", 60.0)  # it keeps nothing itself
    finish(task(tmp_path / "new"))
    assert not (tmp_path / "new").exists()


def test_a_damaged_plan_is_said_so(tmp_path):
    folder = tmp_path / "kept"
    run_until(task(folder), lambda p: p.stage == "sampling")
    (folder / "plan.npz").write_bytes(b"no archive")
    with pytest.raises(InputError, match="damaged"):
        finish(task(folder))


def test_a_folder_that_cannot_be_written_ends_nothing(undisturbed, tmp_path, monkeypatch):
    monkeypatch.setattr(continuation, "CHECKPOINT_SECONDS", 0.0)
    (tmp_path / "file").write_text("in the way")
    assert same_draws(finish(task(tmp_path / "file" / "kept")), undisturbed)


def test_segments_hold_what_was_put_in(tmp_path):
    store = Checkpoints(tmp_path / "kept")
    store.begin(Segment({"words": "plan"}, {"a": np.arange(3)}))
    arrays = {"x": np.random.default_rng(0).normal(size=(5, 2)), "key": np.array([1, 2], "uint32")}
    store.append(Segment({"done": [1, 2]}, arrays))
    store.append(Segment({"done": [3, 4]}, {}))
    again = Checkpoints(tmp_path / "kept")
    assert again.read_plan().meta["words"] == "plan"
    segments, note = again.read_segments()
    assert note == ""
    assert [segment.meta["done"] for segment in segments] == [[1, 2], [3, 4]]
    for name, array in arrays.items():
        assert np.array_equal(segments[0].arrays[name], array)
        assert segments[0].arrays[name].dtype == array.dtype


def test_extending_gives_the_draws_of_one_longer_sampling(undisturbed):
    longer = sample(decay_data(), decay_model(), **COUNTS | {"num_samples": 400})
    extended = extend(undisturbed, 150)
    assert extended.num_samples == 400
    assert same_draws(extended, longer)
    again = extend(extend(undisturbed, 100), 50)
    assert same_draws(again, longer)


def test_chains_go_on_in_bent_coordinates(polyisoprene):
    settings = {"num_warmup": 60, "num_chains": 2, "default_priors": "rheojax", "checkpoint": ""}

    def sampled(draws: int) -> BayesianResult:
        name = "fractional_maxwell_liquid"
        return sample(polyisoprene, name, num_samples=draws, **settings)

    first = sampled(40)
    assert first.continuation.segment.arrays["bend_rate"].any()
    assert same_draws(extend(first, 30), sampled(70))


def test_the_coordinates_of_chains_in_different_maxima_are_kept():
    places = [Geometry(np.full(2, float(k)), np.eye(2), Bend.none(2)) for k in range(2)]
    chains = (places[0], places[1], places[0])
    starts = Starts(chains, {"chains": [0, 1, 0], "words": "about two maxima"})
    arrays = continuation._pack_starts(starts)
    again = continuation._unpack_starts(Segment({"starts": starts.report}, arrays))
    assert again.report == starts.report
    assert again.geometries[0] is again.geometries[2]
    for one, other in zip(again.geometries, chains, strict=True):
        for part, wanted in zip((one.center, *one.bend), (other.center, *other.bend), strict=True):
            np.testing.assert_array_equal(part, wanted)


def test_an_extension_goes_on_from_its_own_checkpoint(undisturbed, tmp_path):
    def extending():
        more = SampleTask.extending(undisturbed, 9750)
        more.checkpoint = str(tmp_path / "kept")
        return more

    run_until(extending(), lambda p: p.stage == "sampling" and p.current > 2 * 6000)
    first: list[int] = []
    with local_context(lambda p: first.append(p.current) if p.stage == "sampling" else None) as ctx:
        again = extending().run(ctx)
    assert first[0] > 2 * 5500
    longer = sample(decay_data(), decay_model(), **COUNTS | {"num_samples": 10_000})
    assert same_draws(again, longer)


def test_extending_takes_no_warm_up(undisturbed):
    stages = set()
    extend(undisturbed, 50, callback=lambda progress: stages.add(progress.stage))
    assert "warmup" not in stages


def test_a_result_from_a_file_cannot_be_extended(undisturbed, tmp_path):
    undisturbed.save(tmp_path / "result.json")
    with pytest.raises(InputError, match="read from a file"):
        extend(BayesianResult.load(tmp_path / "result.json"), 10)


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
    drawn = sample(
        decay_data(),
        decay_model(),
        num_warmup=300,
        num_samples=100,
        num_chains=4,
        until_ess=400,
    )
    ess = min(min(row["ess_bulk"], row["ess_tail"]) for row in drawn.summary.values())
    assert ess >= 400
    assert max(row["r_hat"] for row in drawn.summary.values()) <= 1.01
    assert 100 < drawn.num_samples < 1000
    again = sample(
        decay_data(), decay_model(), num_warmup=300, num_samples=100, num_chains=4, until_ess=400
    )
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
