"""A process that loops over RheoJAX's own `model.fit`, and the handle to it."""

from __future__ import annotations

import contextlib
import json
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

__all__ = ["loop_in_rheojax"]


@contextlib.contextmanager
def loop_in_rheojax() -> Iterator[Callable[[list[Any]], tuple[float, list[dict[str, float]]]]]:
    """Start the process; gives a function that has it fit datasets, and says how long it took."""
    process = subprocess.Popen(
        [sys.executable, str(Path(__file__))], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    )
    assert process.stdin is not None
    assert process.stdout is not None
    stdin, stdout = process.stdin, process.stdout

    def loop(datasets: list[Any]) -> tuple[float, list[dict[str, float]]]:
        rows = [[t.tolist(), G.tolist()] for t, G in datasets]
        stdin.write(json.dumps(rows).encode() + b"\n")
        stdin.flush()
        while line := stdout.readline():  # RheoJAX and nlsq may print too
            if line.startswith(b"{"):
                said = json.loads(line)
                return float(said["seconds"]), said["parameters"]
        raise RuntimeError("RheoJAX's process has ended")

    try:
        yield loop
    finally:
        stdin.close()
        process.wait(10)
        stdout.close()


def _serve() -> None:
    import logging

    import numpy as np

    logging.disable(logging.CRITICAL)
    import rheojax.models  # noqa: F401  (fills the registry)
    from rheojax.core.registry import ModelRegistry

    for line in sys.stdin:
        rows = [(np.array(t), np.array(G)) for t, G in json.loads(line)]
        found = []
        began = time.perf_counter()
        for t, G in rows:
            model = ModelRegistry.create("maxwell")
            model.fit(t, G, test_mode="relaxation")
            found.append({name: float(model.parameters.get(name).value) for name in ("G0", "eta")})
        seconds = time.perf_counter() - began
        print(json.dumps({"seconds": seconds, "parameters": found}), flush=True)


if __name__ == "__main__":
    _serve()
