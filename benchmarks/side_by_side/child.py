"""Processes that the studies start, both ends: requests go in and events come out as JSON lines.

Light, since children are timed from the start of their interpreter.
"""

from __future__ import annotations

import contextlib
import importlib
import json
import os
import select
import subprocess
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

__all__ = ["Child", "ChildError", "Mouth", "call_alone", "processors", "save_draws", "serve"]

FOLDER = Path(__file__).parents[1]
REPLY_TIMEOUT = 900.0


class ChildError(RuntimeError):
    """A child process could not do what it was asked for."""


class Child:
    """A process of one of the studies' modules, which `serve`s requests.

    Parameters
    ----------
    module : str
        Such as ``"sampling_study.numpyro_child"``.
    environment : mapping, optional
        Variables that differ from this process's.
    prefix : sequence of str
        A command that runs the process.

    Attributes
    ----------
    started : float
        When, by `time.perf_counter`.
    heard : dict of str to float
        When each event last came.
    """

    def __init__(
        self,
        module: str,
        environment: Mapping[str, str] | None = None,
        prefix: Sequence[str] = (),
    ) -> None:
        self.heard: dict[str, float] = {}
        self.started = time.perf_counter()
        self._process = subprocess.Popen(
            [*prefix, sys.executable, "-m", module],
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

    def hear(
        self,
        event: str = "result",
        timeout: float = REPLY_TIMEOUT,
        say: Callable[[str], object] = lambda _line: None,
    ) -> tuple[float, dict[str, Any]]:
        """Wait for an event; return when it came, and its details. `say` takes progress lines."""
        deadline = time.monotonic() + timeout
        while (line := self._line(deadline)) is not None:
            came = time.perf_counter()
            if not line.startswith(b'{"event"'):
                continue  # a command around the process may mix its standard error in
            said = json.loads(line)
            self.heard[said["event"]] = came
            if said["event"] == event:
                return came, said
            if said["event"] == "failed":
                raise ChildError(said["error"])
            if said["event"] == "line":
                say(said["line"])
        raise ChildError(f"no answer within {timeout:.0f} s, or the process has ended")

    def _line(self, deadline: float) -> bytes | None:
        assert self._process.stdout is not None
        handle = self._process.stdout.fileno()
        while b"\n" not in self._rest:
            left = deadline - time.monotonic()
            if left <= 0 or not select.select([handle], [], [], left)[0]:
                return None
            if not (chunk := os.read(handle, 1 << 20)):
                return None
            self._rest += chunk
        line, _, self._rest = self._rest.partition(b"\n")
        return line

    def __enter__(self) -> Child:
        return self

    def __exit__(self, *exception: object) -> None:
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        with contextlib.suppress(OSError):
            self._process.stdin.close()
        try:
            self._process.wait(3.0)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        self._process.stdout.close()


def call_alone(function: str, say: Callable[[str], object], **arguments: Any) -> dict[str, Any]:
    """Call a function ``"module:name"`` in a process of its own, which has imported nothing else.

    It is called with the arguments, as JSON has them, and with `say`; it returns a dict.
    """
    with Child("side_by_side.child") as child:
        child.ask({"function": function, "arguments": arguments})
        found: dict[str, Any] = child.hear(timeout=7200, say=say)[1]["found"]
        return found


class Mouth:
    """Sends events to the parent.

    What libraries print goes to standard error, so that it cannot get in between.
    """

    def __init__(self) -> None:
        self._out = os.fdopen(os.dup(1), "w", encoding="utf-8")
        os.dup2(2, 1)

    def say(self, event: str, **details: Any) -> None:
        """Send a line, at once."""
        self._out.write(json.dumps({"event": event, **details}) + "\n")
        self._out.flush()


def serve(handle: Callable[[Mapping[str, Any], Mouth], None]) -> None:
    """Handle the parent's requests until it closes the pipe."""
    mouth = Mouth()
    for line in sys.stdin:
        try:
            handle(json.loads(line), mouth)
        except Exception as error:  # whatever a library raises is reported, and the next may work
            words = " ".join(str(error).split())
            mouth.say("failed", error=f"{type(error).__name__}: {words[:300]}")


def processors() -> int:
    """Count the processors that this process may use; without the project, which is timed."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def save_draws(path: str, draws: Mapping[str, Any]) -> None:
    """Write draws for the parent, each of shape (chains, draws)."""
    import numpy as np

    arrays = {name: np.asarray(values, dtype=np.float64) for name, values in draws.items()}
    np.savez(path, **arrays)  # type: ignore[arg-type]


def _call(request: Mapping[str, Any], mouth: Mouth) -> None:
    module, _, name = request["function"].partition(":")
    function = getattr(importlib.import_module(module), name)
    found = function(**request["arguments"], say=lambda line: mouth.say("line", line=line))
    mouth.say("result", found=found)


if __name__ == "__main__":
    serve(_call)
