"""A real Dask cluster for the tests: a scheduler and workers, started from the command line."""

from __future__ import annotations

import atexit
import functools
import json
import os
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Mapping
from pathlib import Path

__all__ = ["Cluster", "shared_cluster"]

ROOT = Path(__file__).parents[2]
START_TIMEOUT = 60.0
IDLE_SECONDS = 600
"""A scheduler that nobody asks for so long leaves, should the tests be killed."""


class Cluster:
    """A scheduler and its workers, each worker with a nanny of its own.

    Parameters
    ----------
    workers : int
        How many.
    certificates : mapping, optional
        Files by the name of the option that takes them; without, nothing is encrypted.
    """

    def __init__(self, workers: int, certificates: Mapping[str, Path] | None = None) -> None:
        self._folder = tempfile.TemporaryDirectory(prefix="rheojobs-dask-")
        self._file = Path(self._folder.name) / "scheduler.json"
        files = (certificates or {}).items()
        self._secrets = [word for name, file in files for word in (f"--{name}", str(file))]
        self._processes: list[subprocess.Popen[bytes]] = []
        scheme = "tls" if certificates else "tcp"
        self._host = f"{scheme}://127.0.0.1"
        local = ("--host", self._host, "--no-dashboard", "--protocol", scheme)
        self.scheduler = self._start(
            "dask_scheduler", *local, "--port", "0", "--idle-timeout", str(IDLE_SECONDS)
        )
        deadline = time.monotonic() + START_TIMEOUT
        while not (self._file.exists() and self._file.stat().st_size):
            assert time.monotonic() < deadline, "the scheduler does not start"
            time.sleep(0.05)
        self.address: str = json.loads(self._file.read_text())["address"]
        for _ in range(workers):
            self.add_worker()
        while self.log.count("Registered to:") < workers:
            assert time.monotonic() < deadline, self.log
            time.sleep(0.05)

    def add_worker(self) -> subprocess.Popen[bytes]:
        """Start another worker."""
        return self._start(
            "dask_worker",
            *("--host", self._host, "--no-dashboard", "--nthreads", "1"),
            *("--memory-limit", "0", "--death-timeout", "20"),
            *("--local-directory", self._folder.name),
        )

    def _start(self, command: str, *arguments: str) -> subprocess.Popen[bytes]:
        log = open(Path(self._folder.name) / "log.txt", "ab")  # noqa: SIM115 - the child has it
        path = os.pathsep.join([str(ROOT), *filter(None, sys.path)])
        process = subprocess.Popen(
            [
                *(sys.executable, "-m", f"distributed.cli.{command}"),
                *("--scheduler-file", str(self._file)),
                *self._secrets,
                *arguments,
            ],
            stdout=log,
            stderr=log,
            start_new_session=True,
            env={**os.environ, "PYTHONPATH": path, "PYTHONDONTWRITEBYTECODE": "1"},
        )
        log.close()
        self._processes.append(process)
        return process

    @property
    def log(self) -> str:
        """What the processes have said."""
        return (Path(self._folder.name) / "log.txt").read_text()

    def close(self) -> None:
        """End all processes."""
        for process in reversed(self._processes):
            if process.poll() is None:
                os.killpg(process.pid, signal.SIGKILL)
            process.wait()
        self._folder.cleanup()


@functools.cache
def shared_cluster() -> Cluster:
    """Give the cluster that the tests share; started when it is first asked for."""
    cluster = Cluster(workers=3)  # as many as the engines of the conformance suite want
    atexit.register(cluster.close)
    return cluster
