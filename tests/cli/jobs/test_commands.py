"""`rheojobs jobs`, with a store that an engine in another process uses."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from tests.engine import application, chores

from rheojobs import BayesianResult, JobEngine, JobState, JobStore, WorkerDiedError
from rheojobs.cli.main import main
from rheojobs.inference.data import example_melt

ROOT = Path(__file__).parents[2]
TIMEOUT = 30.0
S = JobState


class Jobs:
    """The command `rheojobs jobs` on a store of the test's own."""

    def __init__(self, folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
        self.folder = folder
        self.path = folder / "jobs.sqlite3"
        self.environment = os.environ | {
            "RHEOJOBS_STATE_DIR": str(folder),
            "PYTHONPATH": os.pathsep.join([str(ROOT), *sys.path]),
        }
        self._capsys = capsys

    def __call__(self, *arguments: object) -> tuple[int, str, str]:
        """Run the command in this process; return the exit status and what it wrote."""
        self._capsys.readouterr()
        status = main(["jobs", *map(str, arguments)])
        return status, *self._capsys.readouterr()

    def start(self, *command: object) -> subprocess.Popen[str]:
        """Run Python with arguments on the same store."""
        return subprocess.Popen(
            [sys.executable, *map(str, command)],
            env=self.environment,
            cwd=self.folder,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )

    def wait_for(self, job_id: str, state: JobState) -> None:
        deadline = time.monotonic() + TIMEOUT
        with JobStore(self.path) as store:
            while (seen := store.find(job_id).state) is not state:
                assert time.monotonic() < deadline, seen
                time.sleep(0.01)

    def wait_for_step(self, job_id: str, step: int) -> None:
        """Wait until a step is on disk, and so the checkpoint before it."""
        deadline = time.monotonic() + TIMEOUT
        with JobStore(self.path) as store:
            while (seen := store.find(job_id).progress) is None or seen.current < step:
                assert time.monotonic() < deadline, seen
                time.sleep(0.01)


@pytest.fixture
def jobs(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> Jobs:
    monkeypatch.setenv("RHEOJOBS_STATE_DIR", str(tmp_path))
    return Jobs(tmp_path, capsys)


def test_the_list_is_read_without_what_takes_long_to_import(jobs: Jobs) -> None:
    script = (
        "import sys; from rheojobs.cli.main import main; status = main(['jobs', 'list', '--all']); "
        "loaded = {'typer', 'pydantic', 'cloudpickle', 'numpy'} & set(sys.modules); "
        "sys.exit(f'{status} {loaded}' if status or loaded else 0)"
    )
    process = jobs.start("-c", script)
    out, err = process.communicate(timeout=TIMEOUT)
    assert (process.returncode, out.strip(), err) == (0, "no jobs", "")


@pytest.mark.parametrize("state", [("--state=queued",), ("--state", "queued")])
def test_the_list_is_the_same_with_and_without_the_parser(
    jobs: Jobs, state: tuple[str, ...]
) -> None:
    with JobStore(jobs.path) as store:
        store.join()
        store.add("0000cafe-0000-4000-8000-000000000000", "waits", None)
        store.add("1000cafe-0000-4000-8000-000000000000", "is blocked", None, state=S.BLOCKED)
        store.leave()
    status, out, err = jobs("list", *state, "--json")
    assert (status, err) == (0, "")
    assert [job["name"] for job in json.loads(out)] == ["waits"]
    _, out, _ = jobs("list", *state)
    assert "0000cafe" in out
    assert "1000cafe" not in out
    _, out, _ = jobs("list", "--help")
    assert "--state" in out
    for slip in (("--state", "queed"), ("--state=queed",)):
        status, out, err = jobs("list", *slip)
        assert (status, out) == (2, "")
        assert "unknown state 'queed'" in err
    assert jobs("list", "--state", "--all")[0] == 2
    assert jobs("list", "--state")[0] == jobs("list", "--every")[0] == 2


@pytest.fixture
def window(jobs: Jobs) -> Iterator[dict[str, str]]:
    """Start an application with a job of each kind, in its own process; return their ids."""
    script = """
import sys
from pathlib import Path
from tests.engine import application, chores
from rheojobs import JobEngine
from rheojobs.engine.store import default_path
folder = Path(sys.argv[1])
engine = JobEngine("threads", max_workers=1, store=default_path())
done = engine.run(chores.add, 1.0)
failed = engine.run(chores.fail, "the sample has dried out")
engine.wait()
jobs = {"done": done, "failed": failed, "running": engine.run(
    application.count_on, 9, str(folder / "trace"), str(folder / "gate"), 4)}
jobs["queued"] = engine.run(chores.add, 2.0)
jobs["unkept"] = engine.submit(lambda: 1, name="a lambda")
print(" ".join(f"{name}={job.id}" for name, job in jobs.items()), flush=True)
input()
engine.shutdown()
"""
    process = jobs.start("-c", script, jobs.folder)
    assert process.stdout is not None
    ids = dict(pair.split("=") for pair in process.stdout.readline().split())
    try:
        jobs.wait_for(ids["running"], JobState.RUNNING)
        jobs.wait_for_step(ids["running"], 4)
        yield ids | {"pid": str(process.pid)}
    finally:
        process.kill()
        process.communicate()


def test_list(jobs: Jobs, window: dict[str, str]) -> None:
    status, out, _ = jobs("list")
    assert status == 0
    rows = {line.split()[0]: line for line in out.splitlines()[2:]}
    states = {"done": "succeeded", "failed": "failed", "running": "running", "queued": "queued"}
    for name, state in states.items():
        assert state in rows[window[name][:8]]
    assert "the sample has dried out" in rows[window["failed"][:8]]
    assert f"in process {window['pid']}" in rows[window["running"][:8]]
    status, out, _ = jobs("list", "--state", "queued", "--json")
    assert [job["id"] for job in json.loads(out)] == [window["queued"], window["unkept"]]
    assert "is defined in the script itself" in json.loads(out)[1]["not_durable_because"]


def test_only_the_last_that_have_ended_are_listed(jobs: Jobs) -> None:
    with JobStore(jobs.path) as store:
        store.join()
        for number in range(25):
            store.add(f"{number:032x}", f"job {number}", None)
            if number:
                store.move(f"{number:032x}", JobState.CANCELLED)
    status, out, err = jobs("list")
    assert status == 0
    assert len(out.splitlines()) == 2 + 1 + 20
    assert "and 4 that ended earlier: --all" in err
    _, out, err = jobs("list", "--all")
    assert len(out.splitlines()) == 2 + 25
    assert err == ""


def test_show(jobs: Jobs, window: dict[str, str]) -> None:
    status, out, _ = jobs("show", window["failed"][:8])
    assert status == 0
    assert "failed: CustomError: the sample has dried out" in out
    _, out, _ = jobs("show", window["done"], "--json")
    fields = json.loads(out)
    assert (fields["name"], fields["state"], fields["result"]) == ("add", "succeeded", 2.0)
    assert [state for _, state, _ in fields["history"]] == ["queued", "running", "succeeded"]
    _, out, _ = jobs("show", window["running"])
    assert f"process {window['pid']}" in out


def test_steering_what_another_process_runs(jobs: Jobs, window: dict[str, str]) -> None:
    running = window["running"]
    for verb, state in (("pause", "paused"), ("resume", "running"), ("cancel", "cancelled")):
        status, _, err = jobs(verb, running[:12])
        assert (status, err.startswith(f"asked process {window['pid']} to ")) == (0, True)
        jobs.wait_for(running, JobState(state))
    status, _, err = jobs("remove", running)
    assert status == 0
    assert f"removed count_on ({running[:8]})" in err
    assert jobs("show", running)[0] == 2


def test_the_priority_of_what_waits(jobs: Jobs, window: dict[str, str]) -> None:
    queued = window["queued"]
    status, _, err = jobs("priority", queued[:8], 3)
    assert status == 0
    assert err.startswith(f"asked process {window['pid']} to give priority 3 to add")
    deadline = time.monotonic() + TIMEOUT
    while json.loads(jobs("show", queued, "--json")[1])["priority"] != 3:
        assert time.monotonic() < deadline
    status, _, err = jobs("priority", window["done"], 3)
    assert (status, "only a waiting job has a priority to change" in err) == (2, True)
    os.kill(int(window["pid"]), signal.SIGKILL)
    while not jobs("priority", queued, -2)[2].startswith("gave priority -2 to add"):
        assert time.monotonic() < deadline
    assert json.loads(jobs("show", queued, "--json")[1])["priority"] == -2


def test_a_job_is_run_again(jobs: Jobs) -> None:
    file = jobs.folder / "file"
    with JobEngine("threads", max_workers=1, store=jobs.path) as engine:
        failed = engine.run(os.path.getsize, str(file))
        unkept = engine.submit(lambda: 1 / 0)
        done = engine.run(chores.add, 1.0)
        engine.wait(TIMEOUT)
    assert jobs("retry", failed.id)[0] == 1
    file.write_text("12")
    status, out, err = jobs("retry", failed.id[:8])
    assert (status, json.loads(out)) == (0, 2), err
    for job, line in ((unkept, "cannot be run again: "), (done, "is succeeded: only one that")):
        status, _, err = jobs("retry", job.id)
        assert (status, line in err) == (2, True)


def test_taking_up_what_a_killed_one_left(jobs: Jobs, window: dict[str, str]) -> None:
    os.kill(int(window["pid"]), signal.SIGKILL)
    (jobs.folder / "gate").touch()
    deadline = time.monotonic() + TIMEOUT
    while True:
        _, out, _ = jobs("list", "--json")
        found = {job["id"]: job for job in json.loads(out)}
        if found[window["running"]]["state"] == "interrupted":
            break
        assert time.monotonic() < deadline
    assert found[window["queued"]]["can_be_taken"]
    assert found[window["unkept"]]["state"] == "failed"
    process = jobs.start("-m", "rheojobs", "jobs", "resume", window["running"][:8])
    out, err = process.communicate(timeout=60)
    assert process.returncode == 0, err
    begin, steps = json.loads(out)
    assert steps == 9
    assert begin == 4, "from its last checkpoint"
    assert "count_on: done" in err
    jobs.wait_for(window["running"], JobState.SUCCEEDED)
    assert jobs("cancel", window["queued"])[2].startswith("cancelled add")


@pytest.mark.skipif(os.name != "posix", reason="signals")
def test_one_whose_worker_died_goes_on_by_choice(jobs: Jobs) -> None:
    arguments = (6, str(jobs.folder / "trace"), str(jobs.folder / "gate"), 3)
    with JobEngine("processes", max_workers=1, store=jobs.path) as engine:
        job = engine.run(application.count_and_die, *arguments)
        bad = engine.run(chores.fail)
        assert isinstance(job.exception(TIMEOUT), WorkerDiedError)
        engine.wait(TIMEOUT)
    _, out, _ = jobs("show", job.id)
    assert f"continue with  rheojobs jobs resume {job.id[:8]}" in out
    assert "continue with" not in jobs("show", bad.id)[1]
    status, _, err = jobs("resume", bad.id)
    assert (status, "has failed through its own error" in err) == (2, True)
    (jobs.folder / "gate").touch()
    process = jobs.start("-m", "rheojobs", "jobs", "resume", job.id[:8])
    out, err = process.communicate(timeout=60)
    assert process.returncode == 0, err
    assert json.loads(out) == 2, "from its last checkpoint"


@pytest.mark.parametrize(
    ("arguments", "line"),
    [
        (("show", "zzz"), "no job's id begins with 'zzz'"),
        (("cancel", ""), "no job's id begins with ''"),
        (("list", "--state", "runing"), "unknown state 'runing'; did you mean 'running'?"),
        (("pause", "0123"), "is cancelled: cannot pause it"),
        (("resume", "0123"), "cannot be run again: a lambda"),
        (("show",), "Missing argument 'ID'"),
        (("remove", "4567"), "is queued: cancel it first"),
    ],
)
def test_nonsense(jobs: Jobs, arguments: tuple[str, ...], line: str) -> None:
    with JobStore(jobs.path) as store:
        store.join()
        store.add("0123", "job", None, not_durable_because="a lambda")
        store.move("0123", JobState.CANCELLED)
        store.add("4567", "job", None, not_durable_because="a lambda")
        status, out, err = jobs(*arguments)
    assert status == 2
    assert line in err
    assert len(err.splitlines()) == 1
    assert out == ""


def test_a_store_that_cannot_be_read(jobs: Jobs) -> None:
    jobs.path.write_bytes(b"no database" * 1000)
    status, out, err = jobs("list")
    assert (status, out) == (1, "")
    assert "is damaged" in err
    assert len(err.splitlines()) == 1


def test_no_jobs_at_all(jobs: Jobs) -> None:
    assert jobs("list")[:2] == (0, "no jobs\n")
    assert jobs("list", "--json")[:2] == (0, "[]\n")


@pytest.mark.slow
def test_a_sampling_that_was_killed_draws_what_it_would_have_drawn(
    jobs: Jobs, tmp_path: Path
) -> None:
    arguments = ("-m", "rheojobs", "sample", example_melt.csv_path(), "--model", "maxwell")
    settings = ("--draws", 40_000, "--warmup", 200, "--chains", 2, "--seed", 5, "--no-warm-start")
    killed = jobs.start(*arguments, *settings)
    deadline = time.monotonic() + 120
    while '"stage": "sampl' not in (listed := jobs("list", "--json", "--state", "running")[1]):
        assert killed.poll() is None, killed.communicate()
        assert time.monotonic() < deadline
    (job,) = json.loads(listed)
    jobs("pause", job["id"])  # a sampling that pauses keeps what it has
    while not list(tmp_path.glob("samplings/*/0*.npz")):
        assert killed.poll() is None, killed.communicate()
        assert time.monotonic() < deadline
    killed.kill()
    killed.communicate()
    _, out, _ = jobs("list", "--json", "--state", "interrupted")
    (job,) = json.loads(out)
    again = jobs.start("-m", "rheojobs", "jobs", "resume", job["id"], "--json", "resumed.json")
    _, err = again.communicate(timeout=200)
    assert again.returncode == 0, err
    jobs.wait_for(job["id"], JobState.SUCCEEDED)
    whole = jobs.start(*arguments, *settings, "--json", "whole.json")
    _, err = whole.communicate(timeout=200)
    assert whole.returncode == 0, err
    resumed = BayesianResult.load(tmp_path / "resumed.json").posterior_samples
    for name, draws in BayesianResult.load(tmp_path / "whole.json").posterior_samples.items():
        np.testing.assert_array_equal(resumed[name], draws)
    with JobStore(jobs.path) as store:
        kept = store.result(job["id"])
    np.testing.assert_array_equal(kept.posterior_samples["G0"], resumed["G0"])
