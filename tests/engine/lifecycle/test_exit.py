"""What an engine does when its program ends without shutting it down."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from rheojobs.engine import JobState, JobStore

ROOT = Path(__file__).parents[3]
PROGRAM = """
import sys
from pathlib import Path
from tests.engine import chores, helpers
from rheojobs.engine import JobEngine

engine = JobEngine(sys.argv[1], max_workers=1, store=sys.argv[2])
job = engine.run(chores.hold, sys.argv[3])
waiting = engine.submit(chores.nothing)
helpers.wait_until(job.running)
print(job.id, waiting.id, flush=True)
"""


@pytest.mark.promise("nothing-left-behind")
@pytest.mark.parametrize("executor", ["threads", "processes"])
def test_jobs_are_cancelled_and_the_store_is_left(executor: str, tmp_path: Path) -> None:
    store = tmp_path / "jobs.sqlite3"
    done = subprocess.run(
        [sys.executable, "-c", PROGRAM, executor, str(store), str(tmp_path / "gate")],
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert (done.returncode, done.stderr) == (0, "")
    with JobStore(store) as kept:
        states = {job.id: job.state for job in kept.jobs()}
        assert states == dict.fromkeys(done.stdout.split(), JobState.CANCELLED)
        assert [job.owner for job in kept.jobs()] == [None, None]
        assert kept.recover() == [], "the engine has left; nobody needs to find it gone"
