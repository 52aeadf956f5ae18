"""Runs the tests of this folder with many examples and ever new seeds.

    python -m tests.fuzz.campaign --minutes 10

Each round prints its seed; `--seed N --rounds 1` repeats one.
"""

from __future__ import annotations

import argparse
import os
import random
import subprocess
import sys
import time
from collections.abc import Sequence
from pathlib import Path

__all__ = ["main"]

HERE = Path(__file__).parent


def main(argv: Sequence[str] | None = None) -> int:
    """Run rounds until the time is over; return 1 if any test of any round failed."""
    parser = argparse.ArgumentParser("tests.fuzz.campaign", description=__doc__)
    parser.add_argument("--minutes", type=float, default=10.0, help="when the last round is ended")
    parser.add_argument("--examples", type=int, default=60, help="of each test in a round")
    parser.add_argument("--rounds", type=int, default=1000, help="at most so many")
    parser.add_argument("--seed", type=int, help="of the first round; a random one by default")
    chosen = parser.parse_args(argv)
    seed = random.SystemRandom().randrange(10**6) if chosen.seed is None else chosen.seed
    end = time.monotonic() + 60 * chosen.minutes
    failed: list[int] = []
    for number in range(chosen.rounds):
        left = end - time.monotonic()
        if left <= 0:
            break
        print(f"round {number + 1}, seed {seed}", flush=True)
        command = [sys.executable, "-m", "pytest", "-q", "--tb=short", str(HERE)]
        # The first failure ends a round: at the end of the time, none may be lost unreported.
        command += ["-x", f"--hypothesis-seed={seed}"]
        environment = os.environ | {"RHEOJOBS_FUZZ": str(chosen.examples)}
        try:
            status = subprocess.run(command, env=environment, timeout=left, check=False).returncode
        except subprocess.TimeoutExpired:
            print("the time is over within the round")
            break
        failed += [seed] if status else []
        seed += 1
    print(f"rounds with failures: {', '.join(map(str, failed)) or 'none'}")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
