"""Verbs for several jobs: ids, --all, --state."""

from __future__ import annotations

import json
import os
from pathlib import Path

import pytest

from rheojobs import JobEngine, JobState, JobStore
from rheojobs.cli.main import main

S = JobState


@pytest.fixture
def jobs(tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch):
    """Run the command on a store with jobs of nobody: two queued, two failed, one cancelled."""
    monkeypatch.setenv("RHEOJOBS_STATE_DIR", str(tmp_path))
    with JobStore(tmp_path / "jobs.sqlite3") as store:
        store.join()
        for number, state in enumerate((S.QUEUED, S.QUEUED, S.FAILED, S.FAILED, S.CANCELLED)):
            store.add(f"{number}aaa", f"job {number}", None)
            if state is S.FAILED:
                store.move(f"{number}aaa", S.RUNNING)
            if state is not S.QUEUED:
                store.move(f"{number}aaa", state)
        store.leave()

    def run(*arguments: str) -> tuple[int, str, str]:
        capsys.readouterr()
        status = main(["jobs", *arguments])
        return status, *capsys.readouterr()

    return run


def states(jobs) -> dict[str, str]:
    return {job["id"][0]: job["state"] for job in json.loads(jobs("list", "--all", "--json")[1])}


def test_several_ids(jobs):
    status, _, err = jobs("cancel", "0", "1", "0aaa")
    assert (status, err.splitlines()) == (0, ["cancelled job 0 (0aaa)", "cancelled job 1 (1aaa)"])
    assert jobs("remove", "2", "4")[0] == 0
    assert states(jobs) == {"0": "cancelled", "1": "cancelled", "3": "failed"}


def test_all_and_states(jobs):
    assert jobs("cancel", "--all")[0] == 0
    assert set(states(jobs).values()) == {"cancelled", "failed"}
    status, _, err = jobs("remove", "--state", "failed", "--yes")
    assert (status, len(err.splitlines())) == (0, 2)
    assert set(states(jobs)) == {"0", "1", "4"}
    assert jobs("remove", "--all", "--state", "cancelled", "--yes")[0] == 0
    assert states(jobs) == {}
    assert jobs("remove", "--all", "--yes")[2] == "no job to remove\n"


def test_what_cannot_be_done_for_one_is_done_for_the_others(jobs):
    status, _, err = jobs("remove", "0", "2")
    assert status == 2
    assert "rheojobs: job 0 (0aaa): " in err
    assert "is queued: cancel it first" in err
    assert "removed job 2 (2aaa)" in err
    assert "2" not in states(jobs)


def test_a_script_names_what_it_removes_or_says_yes(jobs):
    status, out, err = jobs("remove", "--all")
    assert (status, out) == (2, "")
    assert err == "rheojobs: this would remove 3 jobs: give --yes, or their ids\n"
    assert len(states(jobs)) == 5


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("cancel",), "no job is named: rheojobs jobs cancel ID, or --all, or --state STATE"),
        (("pause", "0", "--all"), "give ids, or --all or --state, not both"),
        (("remove", "--state", "faild"), "unknown state 'faild'; did you mean 'failed'?"),
        (("cancel", "0", "9"), "no job's id begins with '9'"),
        (("retry", "2", "3", "--json"), "several jobs have no common --out"),
    ],
)
def test_nonsense_changes_nothing(jobs, arguments, words):
    before = states(jobs)
    status, out, err = jobs(*arguments)
    assert (status, out) == (2, "")
    assert words in err
    assert len(err.splitlines()) == 1
    assert states(jobs) == before


def test_what_failed_is_run_again(jobs, tmp_path: Path):
    with JobEngine("threads", max_workers=1, store=tmp_path / "jobs.sqlite3") as engine:
        missing = tmp_path / "missing"
        for _ in range(2):
            engine.run(os.path.getsize, str(missing))
        engine.wait(30)
    assert jobs("remove", "2aaa", "3aaa")[0] == 0  # without a task
    status, out, err = jobs("retry", "--state", "failed")
    assert (status, out) == (1, "")
    assert err.count("rheojobs: getsize") == 2  # the first does not keep it from the second
    missing.write_text("12")
    status, out, err = jobs("retry", "--state", "failed")
    assert (status, set(out.split())) == (0, {"2"}), err
