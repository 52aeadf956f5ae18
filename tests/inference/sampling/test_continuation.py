"""Going on: after pause, cancel, kill and damage the draws are those of an undisturbed run."""

from __future__ import annotations

import os
import threading

import jax.numpy as jnp
import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from tests.inference.helpers import BOUNDS, decay_data, decay_model, run_until, same_draws
from tests.inference.sampling.helpers import COUNTS, kept, task

from rheojobs.engine import CancellationToken
from rheojobs.engine.local_context import local_context
from rheojobs.errors import InputError
from rheojobs.inference.models.model import Model
from rheojobs.inference.problem.problem import Problem
from rheojobs.inference.results.bayesian_result import BayesianResult
from rheojobs.inference.results.segments import Segment
from rheojobs.inference.sampling import chains, continuation
from rheojobs.inference.sampling.checkpoints import Checkpoints
from rheojobs.inference.sampling.sample import extend, resume, sample
from rheojobs.inference.sampling.starts import Starts
from rheojobs.inference.sampling.task import SampleTask
from rheojobs.inference.sampling.warmup.curved_whitening import Bend
from rheojobs.inference.sampling.warmup.whitening import Geometry

pytestmark = [pytest.mark.promise("same-draws"), pytest.mark.usefixtures("state_folder")]


def finish(work: SampleTask) -> BayesianResult:
    with local_context() as context:
        return work.run(context)


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
    # So many draws that the first report of them comes before the last of them.
    long = task(tmp_path / "kept", num_samples=20_000)
    part = run_until(long, lambda p: p.stage == "sampling" and p.current > 50)
    assert part is not None
    assert part.is_partial
    assert part.checkpoint == str(tmp_path / "kept")
    assert "plan.npz" in kept(tmp_path / "kept")
    for name, draws in part.posterior_samples.items():
        whole = undisturbed.posterior_samples[name].reshape(2, -1)
        both = min(part.num_samples, whole.shape[1])
        assert np.array_equal(draws.reshape(2, -1)[:, :both], whole[:, :both])


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


def test_chains_of_an_earlier_version_are_refused(undisturbed, tmp_path):
    """Their random numbers were others: a key had two parts."""
    segment = undisturbed.continuation.segment
    last = max(name for name in segment.arrays if name.startswith("state_"))
    earlier = segment.arrays | {last: np.zeros((2, 2), dtype=np.uint32)}
    with pytest.raises(InputError, match="an earlier version of rheojobs"):
        continuation.unpacked(Segment(segment.meta, earlier))
    assert continuation.unpacked(segment).snapshots


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
