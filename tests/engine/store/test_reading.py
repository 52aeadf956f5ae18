"""Looking into a store executes nothing, whatever somebody has written into it."""

from __future__ import annotations

import sys
import uuid
from pathlib import Path

import pytest

from rheojobs.engine import JobEngine, JobState, JobStore
from rheojobs.engine.serialization import Record
from rheojobs.errors import InputError

S = JobState


@pytest.fixture
def trace(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """What a module leaves that is imported."""
    trace = tmp_path / "trace"
    (tmp_path / "planted.py").write_text(
        f"open({str(trace)!r}, 'w')\nclass T:\n def to_record(self): ...\n"
        " @classmethod\n def from_record(cls, *_): return cls()\n tidy = print\n"
    )
    monkeypatch.syspath_prepend(tmp_path)
    yield trace
    sys.modules.pop("planted", None)


@pytest.mark.promise("nothing-executed")
@pytest.mark.parametrize("kind", ["rheojobs.engine.task:FunctionTask", "planted:T"])
def test_nothing_is_imported(tmp_path: Path, trace: Path, kind: str) -> None:
    content = {"function": "planted:T", "args": [], "kwargs": {}, "type": "WorkerDiedError"}
    with JobStore(tmp_path / "jobs.sqlite3") as store:
        store.join()
        job_id = str(uuid.uuid4())
        store.add(job_id, "job", Record(kind, content))
        store.move(job_id, S.RUNNING)
        for part in ("result", "partial", "error", "checkpoint", "untidied"):
            store.put(job_id, part, Record(kind, content))
        assert not store.was_stopped(job_id)
        assert store.move(job_id, S.FAILED)
        assert not store.may_go_on(store.find(job_id))
        assert store.error(job_id) == {}
        for read in (store.result, store.leftover, lambda job: store.result(job, "error")):
            with pytest.raises(InputError):
                read(job_id)
        store.jobs()
        store.task_words([1], "function")
        if kind.startswith("rheojobs"):
            store.task(job_id)
        else:
            with pytest.raises(InputError, match="import planted before"):
                store.task(job_id, may_import=False)
        assert not trace.exists()


@pytest.mark.promise("one-line-errors")
@pytest.mark.parametrize("executor", ["threads", "processes"])
def test_a_job_whose_function_is_gone_fails_in_one_line(tmp_path: Path, executor: str) -> None:
    content = {"function": "no_such_module:work", "args": [], "kwargs": {}}
    with JobStore(tmp_path / "jobs.sqlite3") as store:
        store.join()
        store.add(str(uuid.uuid4()), "job", Record("rheojobs.engine.task:FunctionTask", content))
        store.leave()
    with JobEngine(executor, max_workers=1, store=tmp_path / "jobs.sqlite3") as engine:
        (job,) = engine.take_queued()
        assert isinstance(job.exception(30), InputError)
        assert engine.wait(30)
        assert job.message.startswith("no_such_module:work cannot be imported: ModuleNotFoundError")
