"""What tests of worker processes share: looks at workers, and applications of their own."""

from __future__ import annotations

import concurrent.futures
import os
import subprocess
import sys
import textwrap
from pathlib import Path

import psutil
import pytest
from tests.engine.helpers import TIMEOUT

from rheojobs.engine import (
    Job,
    JobEngine,
    ProcessExecutor,
)

ROOT = Path(__file__).parents[4]

ANY_TASK = 2.0 + 1.5
"""Seconds in which any task at all is stopped: promised are 2, the rest is for a busy machine."""


def pids(engine: JobEngine) -> list[int]:
    assert isinstance(engine.executor, ProcessExecutor)
    return engine.executor.worker_pids()


def is_alive(pid: int) -> bool:
    try:
        return psutil.Process(pid).status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False


def wait_for_error(job: Job) -> BaseException | None:
    try:
        return job.exception(ANY_TASK)
    except concurrent.futures.CancelledError as error:
        return error


class Application:
    """A script in a process of its own, which tells of itself line by line."""

    def __init__(self, folder: Path, source: str) -> None:
        script = folder / "application.py"
        script.write_text(textwrap.dedent(source))
        path = os.pathsep.join([str(ROOT), os.environ.get("PYTHONPATH", "")])
        self.process = subprocess.Popen(
            [sys.executable, str(script)],
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            stdin=subprocess.PIPE,
            env={**os.environ, "PYTHONPATH": path},
            cwd=folder,
            text=True,
            start_new_session=True,
        )

    def line(self) -> str:
        """Wait for the next line of its output."""
        assert self.process.stdout is not None
        line = self.process.stdout.readline()
        if not line:
            assert self.process.stderr is not None
            pytest.fail(f"the application has ended: {self.process.stderr.read()}")
        return line.strip()

    def workers(self) -> list[int]:
        """Read the process ids that it prints, on one line."""
        found = [int(word) for word in self.line().split()]
        assert found
        assert all(is_alive(pid) for pid in found)
        return found

    def end(self) -> tuple[int, str, str]:
        """Wait for its end; gives its status, and what else it wrote."""
        out, err = self.process.communicate(timeout=TIMEOUT)
        return self.process.returncode, out, err


HEAD = """
    import os, signal, sys, time
    from pathlib import Path
    from rheojobs.engine import JobEngine
    from tests.engine import chores, helpers
    from tests.engine.executors import worker_tasks as tasks

    engine = JobEngine("processes", max_workers=2)
    def working(function, *args):
        trace = f"trace-{function.__name__}"
        job = engine.run(function, trace, *args)
        helpers.wait_until(lambda: os.path.exists(trace))
        return job
    def tell_workers():  # unbuffered: a Ctrl-C within a flush would have it written twice
        os.write(1, (" ".join(map(str, engine.executor.worker_pids())) + chr(10)).encode())
"""


WORK = {
    "idle": "engine.run(chores.add, 1.0).result(30)",
    "looping": "working(tasks.loop_forever)",
    "holding the lock": "working(tasks.hold_the_lock)",
}
