"""`rheojobs jobs` with a store that another machine uses: it is read, and not written."""

from __future__ import annotations

import uuid
from pathlib import Path

import pytest
from tests.engine import chores

from rheojobs.cli.main import main
from rheojobs.engine import FunctionTask, JobState, JobStore
from rheojobs.engine.serialization import record_of
from rheojobs.engine.store import default_path


@pytest.fixture
def job_id(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    monkeypatch.setenv("RHEOJOBS_STATE_DIR", str(tmp_path / "state"))
    with JobStore() as store:
        store.join()
        store.add(job_id := str(uuid.uuid4()), "far away", record_of(FunctionTask(chores.nothing)))
        store.move(job_id, JobState.RUNNING)
        store._db.execute("UPDATE engines SET machine = 'm2', boot = 'b2', host = 'node-b'")
        lock = f"{store.owner.id}.lock"
    path = default_path()
    (path.parent / (path.name + ".files") / "locks" / lock).touch()
    return job_id


@pytest.mark.parametrize("verb", ["list", "show"])
def test_list_and_show_read_it(job_id: str, verb: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["jobs", verb, *([job_id] if verb == "show" else [])]) == 0
    out, err = capsys.readouterr()
    assert "running" in out
    assert "far away" in out
    assert "read-only: the job store" in " ".join(err.split())
    assert "in use on node-b" in " ".join(err.split())


@pytest.mark.parametrize("verb", ["cancel", "resume", "remove"])
def test_the_others_say_why_not(job_id: str, verb: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["jobs", verb, job_id]) != 0
    assert "in use on node-b" in " ".join(capsys.readouterr().err.split())
