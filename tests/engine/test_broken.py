"""An engine that cannot go on says so, and settles every job."""

from __future__ import annotations

from pathlib import Path

import pytest
from tests.engine import chores
from tests.engine.helpers import TIMEOUT, wait_until

from rheojobs.engine import EngineClosedError, JobEngine, JobState, loops

pytestmark = pytest.mark.promise("no-loop-ends")

S = JobState


@pytest.mark.parametrize("stored", [False, True])
def test_all_jobs_are_settled(
    stored: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(loops, "PAUSE", 0.0)
    store = tmp_path / "jobs.sqlite3" if stored else None
    with JobEngine("threads", max_workers=1, store=store) as engine:
        running = engine.run(chores.hold, str(tmp_path / "gate"))
        wait_until(running.running)
        waiting = engine.submit(chores.nothing)
        blocked = engine.submit(chores.nothing, after=[waiting])

        def fail(**options: object) -> None:
            raise MemoryError("none left")

        monkeypatch.setattr(engine._dispatcher, "_choose_next", fail)
        while not engine._table.closed:
            engine._table.wake.set()
        error = waiting.exception(TIMEOUT)
        assert str(error).startswith("the engine is broken: starting jobs fails again and again")
        assert running.exception(TIMEOUT) is not None
        wait_until(lambda: blocked.state is S.CANCELLED)
        with pytest.raises(EngineClosedError):
            engine.submit(chores.nothing)
        (tmp_path / "gate").touch()
    assert not engine._dispatcher.is_alive()


def test_a_job_that_cannot_be_started_fails_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    with JobEngine("threads", max_workers=1) as engine:
        note = engine._table.note_attempt

        def fail_for_one(job: object, *arguments: object) -> None:
            if job is odd:
                raise RuntimeError("a fault of ours")
            note(job, *arguments)  # type: ignore[arg-type]

        engine.pause_queue()
        odd = engine.submit(chores.nothing)
        jobs = [engine.run(chores.add, float(number)) for number in range(5)]
        monkeypatch.setattr(engine._table, "note_attempt", fail_for_one)
        engine.resume_queue()
        assert "a fault of ours" in str(odd.exception(TIMEOUT))
        assert [job.result(TIMEOUT) for job in jobs] == [1.0, 2.0, 3.0, 4.0, 5.0]
        assert engine.wait(TIMEOUT)
