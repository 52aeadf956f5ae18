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

__all__ = ["Cluster", "kill", "shared_cluster"]

ROOT = Path(__file__).parents[2]
WATCHED = ROOT / "scripts" / "watched.py"
START_TIMEOUT = 60.0

QUIET = {
    "DASK_DISTRIBUTED__ADMIN__TICK__INTERVAL": "1s",
    "DASK_DISTRIBUTED__ADMIN__SYSTEM_MONITOR__INTERVAL": "5s",
    "DASK_DISTRIBUTED__WORKER__PROFILE__ENABLED": "False",
}
"""Else the processes of a cluster that does nothing take a quarter of a core, all tests long."""


class Cluster:
    """A scheduler and its workers, each worker with a nanny of its own.

    Parameters
    ----------
    workers : int
        How many.
    certificates : mapping, optional
        Files by the name of the option that takes them; without, nothing is encrypted.
    port : int
        Where the scheduler listens; any that is free where not given.
    resources : str
        What each worker declares, such as ``"GPU=1"``.
    """

    def __init__(
        self,
        workers: int,
        certificates: Mapping[str, Path] | None = None,
        *,
        port: int = 0,
        resources: str = "",
    ) -> None:
        self._resources = resources
        self._folder = tempfile.TemporaryDirectory(prefix="rheojobs-dask-")
        self._file = Path(self._folder.name) / "scheduler.json"
        files = (certificates or {}).items()
        self._secrets = [word for name, file in files for word in (f"--{name}", str(file))]
        self._processes: list[subprocess.Popen[bytes]] = []
        scheme = "tls" if certificates else "tcp"
        self._host = f"{scheme}://127.0.0.1"
        local = ("--host", self._host, "--no-dashboard", "--protocol", scheme)
        self.scheduler = self._start("dask_scheduler", *local, "--port", str(port))
        deadline = time.monotonic() + START_TIMEOUT
        while not (self._file.exists() and self._file.read_text().endswith("}")):
            assert time.monotonic() < deadline, "the scheduler does not start"
            time.sleep(0.05)
        self.address: str = json.loads(self._file.read_text())["address"]
        self.nannies = [self.add_worker() for _ in range(workers)]
        while self.log.count("Registered to:") < workers:
            assert time.monotonic() < deadline, self.log
            time.sleep(0.05)

    def add_worker(self, resources: str | None = None) -> subprocess.Popen[bytes]:
        """Start another worker, which may declare other resources than those before it."""
        declared = self._resources if resources is None else resources
        return self._start(
            "dask_worker",
            *("--host", self._host, "--no-dashboard", "--nthreads", "1"),
            *("--memory-limit", "0", "--death-timeout", "20"),
            *("--local-directory", self._folder.name),
            *(("--resources", declared) if declared else ()),
        )

    def _start(self, command: str, *arguments: str) -> subprocess.Popen[bytes]:
        log = open(Path(self._folder.name) / "log.txt", "ab")  # noqa: SIM115 - the child has it
        path = os.pathsep.join([str(ROOT), *filter(None, sys.path)])
        process = subprocess.Popen(
            [
                *(sys.executable, str(WATCHED), f"distributed.cli.{command}"),
                *("--scheduler-file", str(self._file)),
                *self._secrets,
                *arguments,
            ],
            stdin=subprocess.PIPE,
            stdout=log,
            stderr=log,
            start_new_session=True,
            env={**os.environ, **QUIET, "PYTHONPATH": path, "PYTHONDONTWRITEBYTECODE": "1"},
        )
        log.close()
        self._processes.append(process)
        return process

    @property
    def folder(self) -> Path:
        """Where the workers keep their files."""
        return Path(self._folder.name)

    @property
    def log(self) -> str:
        """What the processes have said."""
        return (Path(self._folder.name) / "log.txt").read_text()

    def close(self) -> None:
        """End all processes."""
        for process in reversed(self._processes):
            kill(process)
        self._folder.cleanup()


def kill(process: subprocess.Popen[bytes]) -> None:
    """Kill a scheduler, or a nanny together with its worker, and wait until they are gone."""
    if process.poll() is None:
        os.killpg(process.pid, signal.SIGKILL)
    process.wait()
    if process.stdin is not None:
        process.stdin.close()


@functools.cache
def shared_cluster() -> Cluster:
    """Give the cluster that the tests share; started when it is first asked for."""
    cluster = Cluster(workers=3)  # as many as the engines of the conformance suite want
    atexit.register(cluster.close)
    return cluster
