"""A Dask cluster on this machine: scheduler and workers in processes of their own, as elsewhere.

Dask's own `LocalCluster` has the scheduler in the client's process, where its cost and its memory
cannot be told from the client's.
"""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import psutil

__all__ = ["LocalMachines", "local_machines"]

HERE = Path(__file__).parents[1]
WATCHED = HERE.parent / "scripts" / "watched.py"
PATIENCE = 120.0


@dataclass(frozen=True)
class LocalMachines:
    """A scheduler and its workers.

    Attributes
    ----------
    address : str
        Of the scheduler.
    scheduler : Process
        Its process.
    """

    address: str
    scheduler: psutil.Process
    _nannies: tuple[int, ...]

    def workers(self) -> list[psutil.Process]:
        """Return the workers' processes, their nannies included."""
        nannies = [psutil.Process(pid) for pid in self._nannies]
        return [*nannies, *(child for nanny in nannies for child in nanny.children(True))]


@contextlib.contextmanager
def local_machines(workers: int) -> Iterator[LocalMachines]:
    """Start a scheduler and so many workers of one thread each; they end with this process."""
    started: list[subprocess.Popen[bytes]] = []
    with tempfile.TemporaryDirectory(prefix="rheojobs-scaling-") as folder:

        def start(command: str, *arguments: str) -> int:
            process = subprocess.Popen(
                [sys.executable, str(WATCHED), f"distributed.cli.{command}", *arguments],
                stdin=subprocess.PIPE,
                cwd=HERE,
                start_new_session=True,
                env={**os.environ, "PYTHONPATH": os.pathsep.join([str(HERE), *sys.path])},
            )
            started.append(process)
            return process.pid

        try:
            host = ("--host", "tcp://127.0.0.1", "--no-dashboard")
            file = str(Path(folder) / "scheduler.json")
            common = ("--scheduler-file", file, *host)
            scheduler = psutil.Process(start("dask_scheduler", *common, "--port", "0"))
            limits = ("--nthreads", "1", "--memory-limit", "0", "--local-directory", folder)
            nannies = [start("dask_worker", *common, *limits) for _ in range(workers)]
            yield LocalMachines(_wait_for(file, workers), scheduler, tuple(nannies))
        finally:
            for process in reversed(started):
                with contextlib.suppress(ProcessLookupError):
                    os.killpg(process.pid, signal.SIGKILL)
                process.wait()


def _wait_for(file: str, workers: int) -> str:
    """Wait until all workers are there; return the scheduler's address."""
    from distributed import Client

    deadline = time.monotonic() + PATIENCE
    while not Path(file).exists():
        if time.monotonic() > deadline:
            raise RuntimeError("the scheduler does not start: see the log")
        time.sleep(0.05)
    with Client(scheduler_file=file, set_as_default=False, timeout=PATIENCE) as client:
        client.wait_for_workers(workers, timeout=PATIENCE)
        return str(client.scheduler.address)
