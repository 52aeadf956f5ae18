"""Runs a module as `python -m` does, and ends with whoever holds the other end of standard input.

Tests and benchmarks that are killed outright leave no cluster behind.
"""

from __future__ import annotations

import os
import runpy
import signal
import sys
import threading


def _end_with_the_other_end() -> None:
    while os.read(0, 1):
        pass
    os.killpg(os.getpgrp(), signal.SIGKILL)


if __name__ == "__main__":
    threading.Thread(target=_end_with_the_other_end, daemon=True).start()
    del sys.argv[0]
    runpy.run_module(sys.argv[0], run_name="__main__", alter_sys=True)
