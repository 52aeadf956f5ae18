"""A part of the study in a process of its own, which has imported nothing else, and its parent.

The child says on its standard output, one JSON line each, how far it is and what it found.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

__all__ = ["run_alone"]

HERE = Path(__file__).parents[1]


def run_alone(
    part: str, settings: Mapping[str, Any], folder: Path, say: Callable[[str], None]
) -> dict[str, Any]:
    """Run a part, and give what it found.

    Parameters
    ----------
    part : str
        Its name, one of those of `_measure`.
    settings : mapping
        How much of everything.
    folder : Path
        For what it writes and nobody keeps.
    say : callable
        Takes a line telling how far it is.
    """
    request = json.dumps({"part": part, "folder": str(folder), **settings})
    command = [sys.executable, "-m", "engine_study.child", request]
    with subprocess.Popen(command, cwd=HERE, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        for line in process.stdout:
            said = json.loads(line)
            if "found" in said:
                found: dict[str, Any] = said["found"]
                return found
            say(f"  {said['line']}")
    raise RuntimeError(f"the part {part} has ended with status {process.returncode}, see the log")


def _measure(
    part: str, settings: Mapping[str, Any], folder: Path, say: Callable[[str], None]
) -> dict[str, Any]:
    if part == "overhead":
        from engine_study.overhead import compare_overhead

        return compare_overhead(settings["jobs"], settings["repeats"], folder, say)
    if part == "queue":
        from engine_study.queue import measure_queue

        return measure_queue(settings["queue_repeats"], say)
    if part == "listing":
        from engine_study.listing import measure_listing

        return measure_listing(settings["stored"], folder, say)
    if part == "flood":
        from engine_study.flood import measure_flood

        return measure_flood(settings["seconds"], say)
    from engine_study.remaining import measure_remaining

    return measure_remaining(settings["draws"], settings["starts"], say)


def _main() -> None:
    out = os.fdopen(os.dup(1), "w", encoding="utf-8")
    os.dup2(2, 1)  # what libraries print must not get between the lines

    def tell(**said: Any) -> None:
        out.write(json.dumps(said) + "\n")
        out.flush()

    request = json.loads(sys.argv[1])
    folder = Path(request.pop("folder"))
    found = _measure(request.pop("part"), request, folder, lambda line: tell(line=line))
    tell(found=found)


if __name__ == "__main__":
    _main()
