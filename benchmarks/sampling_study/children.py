"""Processes of the other samplers, and what they say: started, asked, timed, ended.

Times are taken here, when a line comes in, so that they hold all that a user would wait for.
"""

from __future__ import annotations

import contextlib
import itertools
import json
import os
import select
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import numpy as np

__all__ = ["Child", "ChildError"]

FOLDER = Path(__file__).parents[1]
REPLY_TIMEOUT = 900.0

_numbers = itertools.count()


class ChildError(RuntimeError):
    """A child process could not do what it was asked for."""


class Child:
    """A process of one of this package's modules.

    Parameters
    ----------
    module : str
        Such as ``"numpyro_child"``.
    scratch : Path
        Where it may leave draws.
    environment : mapping, optional
        Variables that differ from this process's.

    Attributes
    ----------
    started : float
        When, by `time.perf_counter`.
    heard : dict of str to float
        When each event was last told.
    """

    def __init__(
        self, module: str, scratch: Path, environment: Mapping[str, str] | None = None
    ) -> None:
        self._scratch = scratch
        self.heard: dict[str, float] = {}
        self.started = time.perf_counter()
        self._process = subprocess.Popen(
            [sys.executable, "-m", f"sampling_study.{module}"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            cwd=FOLDER,
            env={**os.environ, **(environment or {})},
        )
        self._rest = b""

    def ask(self, request: Mapping[str, Any]) -> None:
        """Send a request."""
        assert self._process.stdin is not None
        try:
            self._process.stdin.write(json.dumps(request).encode() + b"\n")
            self._process.stdin.flush()
        except OSError as error:
            raise ChildError(f"the process has ended: {error}") from None

    def hear(self, event: str, timeout: float = REPLY_TIMEOUT) -> tuple[float, dict[str, Any]]:
        """Wait for a line of that event; gives when it came, and what it says."""
        deadline = time.monotonic() + timeout
        for line in self._lines(deadline):
            came = time.perf_counter()
            said = json.loads(line)
            self.heard[said["event"]] = came
            if said["event"] == event:
                return came, said
            if said["event"] == "failed":
                raise ChildError(said["error"])
        raise ChildError(f"no answer within {timeout:.0f} s, or the process has ended")

    def _lines(self, deadline: float) -> Iterator[bytes]:
        assert self._process.stdout is not None
        handle = self._process.stdout.fileno()
        while True:
            while b"\n" in self._rest:
                line, _, self._rest = self._rest.partition(b"\n")
                yield line
            left = deadline - time.monotonic()
            if left <= 0 or not select.select([handle], [], [], left)[0]:
                return
            chunk = os.read(handle, 1 << 20)
            if not chunk:
                return
            self._rest += chunk

    def sample(
        self, job: Mapping[str, Any], since_start: bool = False
    ) -> tuple[float, dict[str, Any], dict[str, Any]]:
        """Have it sample; gives seconds, draws by name, each (chains, draws), and what it says.

        `since_start` counts from the start of the process, imports and all.
        """
        out = self._scratch / f"draws-{next(_numbers)}.npz"
        asked = time.perf_counter()
        self.ask({"do": "sample", **job, "out": str(out)})
        done, _ = self.hear("done")
        _, said = self.hear("result")
        said |= {"done": done, "submitted": self.heard.get("submitted")}
        with np.load(out) as stored:
            draws = {name: stored[name] for name in stored.files}
        out.unlink()
        return done - (self.started if since_start else asked), draws, said

    def close(self) -> None:
        """End it; safe to call twice."""
        with contextlib.suppress(OSError):
            if self._process.stdin is not None:
                self._process.stdin.close()
        try:
            self._process.wait(3.0)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        if self._process.stdout is not None:
            self._process.stdout.close()

    def __enter__(self) -> Child:
        return self

    def __exit__(self, *exception: object) -> None:
        self.close()
