"""What a sampling leaves on disk, and who removes it when its draws are kept elsewhere."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest
from tests.inference.helpers import decay_data, decay_model

from rheojobs.engine import JobEngine, JobState
from rheojobs.errors import InputError
from rheojobs.inference.results.segments import Segment
from rheojobs.inference.sampling.checkpoints import Checkpoints, Leftover
from rheojobs.inference.sampling.sample import resume, sample

pytestmark = pytest.mark.promise("same-draws")

ROOT = Path(__file__).parents[3]

_KILLED_BEFORE_IT_TIDIES = """
import os, signal, sys
from tests.inference.helpers import decay_data, decay_model

from rheojobs.engine import JobEngine
from rheojobs.engine.jobs.settlement import Settlement
from rheojobs.inference.sampling import continuation
from rheojobs.inference.sampling.task import SampleTask

continuation.CHECKPOINT_SECONDS = 0.0
few = {"num_warmup": 50, "num_samples": 50, "num_chains": 1}
store, folder = sys.argv[1:]
Settlement._tidy = lambda *_: os.kill(os.getpid(), signal.SIGKILL)
model = decay_model()  # a function, which no store can keep
with JobEngine("threads", store=store) as engine:
    work = SampleTask(model, decay_data(), **few, checkpoint=folder)
    job = engine.submit(work, name="killed")
    assert not job.is_durable
    engine.wait()
"""


@pytest.mark.skipif(sys.platform == "win32", reason="kills as POSIX does")
def test_an_application_that_is_killed_before_it_tidies_leaves_it_to_the_next(tmp_path):
    store, folder = tmp_path / "jobs.sqlite3", tmp_path / "kept"
    folder.mkdir()
    (folder / "notes.txt").write_text("mine")
    done = subprocess.run(
        [sys.executable, "-c", _KILLED_BEFORE_IT_TIDIES, store, "kept"],
        cwd=tmp_path,  # the folder is named from there, and the next application is elsewhere
        env=os.environ
        | {
            "PYTHONPATH": os.pathsep.join([str(ROOT), *filter(None, sys.path)]),
            "RHEOJOBS_STATE_DIR": str(tmp_path / "state"),
        },
        stderr=subprocess.PIPE,
        text=True,
        timeout=200,
        check=False,
    )
    assert done.returncode == -signal.SIGKILL, done.stderr
    assert (folder / "plan.npz").exists()
    with JobEngine("threads", store=store) as engine:
        assert engine.recover() == []
        (job,) = engine.store.jobs()
        assert (job.name, job.state) == ("killed", JobState.SUCCEEDED)
        assert engine.store.result(job.id).num_samples == 50
        assert engine.store.untidied() == []
    assert [path.name for path in folder.iterdir()] == ["notes.txt"]


@pytest.fixture
def checkpoints(tmp_path) -> Checkpoints:
    kept = Checkpoints(tmp_path / "kept")
    kept.begin(Segment({"fingerprint": "1"}))
    kept.append(Segment(arrays={"draws": np.arange(3.0)}))
    return kept


def test_a_leftover_is_removed(checkpoints):
    Leftover.of(checkpoints.folder).tidy()
    assert not checkpoints.folder.exists()


def test_another_sampling_that_went_on_in_the_folder_keeps_its_files(checkpoints):
    content, blobs = Leftover.of(checkpoints.folder).to_record()
    later = time.time() + 60.0
    checkpoints.append(Segment(arrays={"draws": np.arange(2.0)}))
    newest = max(checkpoints.folder.iterdir())
    os.utime(newest, (later, later))
    Leftover.from_record(content, blobs).tidy()
    assert len(list(checkpoints.folder.iterdir())) == 3
    assert len(checkpoints.read_segments()[0]) == 2


def test_arrays_come_back_as_they_were(checkpoints):
    arrays = {
        "empty": np.empty((0, 3)),
        "one": np.array(2.5),
        "flags": np.array([True, False]),
        "key": np.array([1, 2**32 - 1], dtype=np.uint32),
        "turned": np.arange(6.0).reshape(2, 3).T,
    }
    checkpoints.append(Segment({"done": [1, 2]}, arrays))
    segments, note = checkpoints.read_segments()
    assert not note
    assert segments[1].meta["done"] == [1, 2]
    assert segments[1].arrays.keys() == arrays.keys()
    for name, array in arrays.items():
        again = segments[1].arrays[name]
        assert (again.shape, again.dtype) == (array.shape, array.dtype), name
        np.testing.assert_array_equal(again, array)


def test_a_file_with_objects_is_not_opened(checkpoints):
    path = checkpoints.folder / "000001.npz"
    np.savez(path, draws=np.array([print], dtype=object))
    segments, note = checkpoints.read_segments()
    assert len(segments) == 1
    assert "000001.npz is damaged" in note


def test_a_sampling_of_an_earlier_version_is_refused_and_stays(tmp_path):
    (tmp_path / "plan.zarr.zip").write_bytes(b"an archive")
    with pytest.raises(InputError, match=r"earlier version of rheojobs .* remove the folder"):
        Checkpoints(tmp_path).read_plan()
    with pytest.raises(InputError, match="earlier version"):
        resume(tmp_path)
    with pytest.raises(InputError, match="earlier version"):
        sample(decay_data(), decay_model(), num_warmup=5, num_samples=5, checkpoint=tmp_path)
    assert (tmp_path / "plan.zarr.zip").exists()


def test_a_compressed_plan_is_damaged(tmp_path: Path):
    checkpoints = Checkpoints(tmp_path)
    checkpoints.begin(Segment({"task": {}}, {"x": np.zeros(100_000)}))
    with np.load(tmp_path / "plan.npz") as plan:
        arrays = dict(plan)
    np.savez_compressed(tmp_path / "plan.npz", **arrays)
    with pytest.raises(InputError, match="is damaged"):
        checkpoints.read_plan()
