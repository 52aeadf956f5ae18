"""What runs leave on a worker's disk: for how long it is kept, and whose."""

from __future__ import annotations

import os
import platform
import subprocess
import sys
import time
from pathlib import Path
from types import SimpleNamespace

from rheojobs.engine.executors.dask.folders import MAX_AGE, discard, open_folder, save_state, unsent
from rheojobs.engine.messages import Checkpointed, Kept
from rheojobs.engine.serialization import pack_state


def test_what_the_dead_have_left_is_swept_when_it_is_old(tmp_path: Path) -> None:
    dead = subprocess.Popen([sys.executable, "-c", ""])
    dead.wait()
    here, old = platform.node(), time.time() - MAX_AGE - 60
    folders = {
        "old": (f"rheojobs-run-a.1@{here}@{dead.pid}", old),
        "young": (f"rheojobs-run-b.1@{here}@{dead.pid}", time.time()),
        "of one that lives": (f"rheojobs-run-c.1@{here}@{os.getppid()}", old),
        "of another machine": (f"rheojobs-run-d.1@not-{here}@{dead.pid}", old),
    }
    for name, when in folders.values():
        (tmp_path / name).mkdir()
        os.utime(tmp_path / name, (when, when))
    worker = SimpleNamespace(local_directory=str(tmp_path / "worker-1"))
    folder = open_folder(worker, "e.1", {"one": b"1"})
    assert [path.name for path in folder.iterdir()] == ["one"]
    assert {name for name, (path, _) in folders.items() if (tmp_path / path).exists()} == {
        "young",
        "of one that lives",
        "of another machine",
    }


def test_what_is_left_is_what_the_application_has_not_got(tmp_path: Path) -> None:
    worker = SimpleNamespace(local_directory=str(tmp_path / "worker-1"))
    nanny = SimpleNamespace(local_directory=str(tmp_path), worker_address="tcp://w", pid=None)
    folder = open_folder(worker, "job.1", {"one": b"1", "two": b"2"})
    assert unsent("tcp://w", "job.2", {"one": "?"}, dask_worker=nanny) == []  # another attempt
    (folder / "three").write_bytes(b"3")
    (folder / ".half").write_bytes(b"not whole yet")
    save_state(folder, pack_state({"step": 3}))
    found = unsent("tcp://w", "job.1", {"gone": "?"}, dask_worker=nanny)
    assert [(m.name, m.content) for m in found if isinstance(m, Kept)] == [
        ("gone", None),
        ("one", b"1"),
        ("three", b"3"),
        ("two", b"2"),
    ]
    assert found[-1] == Checkpointed(pack_state({"step": 3}))
    discard("job.1", dask_worker=nanny)
    assert not folder.exists()
