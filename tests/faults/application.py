"""An application of its own process, which the campaign kills: an engine on a store.

Run by `python -m tests.faults.application STORE SCALE`. It answers each line that it reads, a
request as JSON, with a line of JSON.
"""

from __future__ import annotations

import json
import logging
import os
import sys
from pathlib import Path
from typing import Any

from tests.faults.samplings import sampling

from rheojobs.engine import Job, JobEngine, ProcessExecutor
from rheojobs.engine.store.writing import maintenance
from rheojobs.errors import InputError

WORKERS = 2
RENEWAL = 0.5
"""Shorter than an application's, so that the campaign can stop one for longer than that."""


class Application:
    """An engine, and what may be asked of it: each method that does not begin with ``_``."""

    def __init__(self, path: Path, scale: float) -> None:
        preload = ("tests.faults.samplings:prepare",)
        self._engine = JobEngine(max_workers=WORKERS, preload=preload, store=path)
        self._scale = scale

    def submit(self, kind: str, key: str, folder: str) -> dict[str, Any]:
        """Submit a sampling; gives its job's id."""
        return {"id": self._engine.submit(sampling(kind, folder, self._scale), name=key).id}

    def take_up(self) -> dict[str, Any]:
        """Take up all jobs that wait for an application; gives them, and those it did not get."""
        taken, refused = [], []
        for stored in self._engine.recover():
            try:
                taken.append(self._engine.resume_job(stored.id).id)
            except InputError as error:
                refused.append(str(error))
        return {"taken": taken, "refused": refused}

    def resume(self, job_id: str) -> dict[str, Any]:
        """Take up a job, or one that was cancelled anew; gives its id, or why not."""
        try:
            return {"id": self._engine.resume_job(job_id).id}
        except InputError as error:
            return {"refused": str(error)}

    def cancel(self, job_id: str) -> dict[str, Any]:
        """Cancel a job."""
        return {"cancelled": self._engine.job(job_id).cancel()}

    def look(self) -> dict[str, Any]:
        """Give the workers and the jobs."""
        executor = self._engine.executor
        assert isinstance(executor, ProcessExecutor)
        with executor._lock:
            workers = [
                {
                    "pid": worker.process.pid,
                    "phase": str(worker.phase),
                    "job": run.run.id if (run := executor._runs.get(worker)) else None,
                }
                for worker in executor._workers
            ]
        jobs = {job.id: _told(job) for job in self._engine.jobs()}
        return {"workers": workers, "jobs": jobs, "problem": self._engine.store_problem}

    def leave(self) -> dict[str, Any]:
        """End well."""
        self._engine.wait(60.0)
        return {"has_ended": self._engine.shutdown(timeout=30.0)}


def _told(job: Job) -> dict[str, Any]:
    progress = job.latest_progress
    stage = progress.stage if progress is not None else ""
    is_drawing = progress is not None and stage == "sampling" and progress.total > 0
    return {
        "name": job.name,
        "state": str(job.state),
        "stage": stage if job.running() else str(job.state),
        "drawn": progress.current / progress.total if is_drawing else float(stage == "summary"),
        "deaths": job.deaths,
        "message": job.message,
    }


def main() -> None:
    """Answer until told to leave, or until nobody asks any more."""
    logging.basicConfig(format="%(process)d %(asctime)s %(message)s")
    maintenance.RENEWAL = RENEWAL
    application = Application(Path(sys.argv[1]), float(sys.argv[2]))
    print(json.dumps({"pid": os.getpid()}), flush=True)
    for line in sys.stdin:
        request = json.loads(line)
        answer = getattr(application, request.pop("verb"))(**request)
        print(json.dumps(answer), flush=True)


if __name__ == "__main__":
    main()
