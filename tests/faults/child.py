"""The campaign's hold on an application: its process, what it answers, and all that it started."""

from __future__ import annotations

import json
import os
import queue
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import IO, Any

import psutil

from rheojobs.inference.programs.jax_setup import cache_folder

__all__ = ["CampaignError", "Child", "marked", "wait_until"]

ROOT = Path(__file__).parents[2]
MARK = "RHEOJOBS_FAULTS"
PATIENCE = 240.0
"""Seconds after which something that should have happened long since counts as a failure."""


class CampaignError(AssertionError):
    """Something is not as it should be."""


def wait_until(
    predicate: Callable[[], Any], what: str, timeout: float = PATIENCE, every: float = 0.05
) -> float:
    """Wait until something holds, looking every few seconds; gives the seconds that it took.

    Not too often: what is waited for needs the processors itself.
    """
    start = time.monotonic()
    while not predicate():
        if time.monotonic() - start > timeout:
            raise CampaignError(f"waited {timeout:g} s in vain for {what}")
        time.sleep(every)
    return time.monotonic() - start


def marked(mark: str) -> list[psutil.Process]:
    """Give all processes that an application of this campaign has started, and it itself."""
    found = []
    for process in psutil.process_iter():
        try:
            environment = process.environ()
            alive = process.status() != psutil.STATUS_ZOMBIE
        except psutil.Error:  # it has ended, or is somebody else's
            continue
        if environment.get(MARK) == mark and alive:
            found.append(process)
    return found


class Child:
    """An application, in a process of its own.

    Parameters
    ----------
    folder : Path
        Where its state lies, and its log.
    store : Path
        Its store.
    scale : float
        As `tests.faults.samplings.sampling` takes it.
    """

    def __init__(self, folder: Path, store: Path, scale: float) -> None:
        environment = os.environ | {
            MARK: str(folder),
            "RHEOJOBS_STATE_DIR": str(folder / "state"),
            # Kept from one campaign to the next: to compile takes longer than to sample.
            "RHEOJOBS_CACHE_DIR": str(cache_folder() / "faults"),
            "PYTHONPATH": os.pathsep.join([str(ROOT), *filter(None, sys.path)]),
        }
        command = [sys.executable, "-m", "tests.faults.application", str(store), str(scale)]
        with (folder / "application.log").open("a") as log:
            self.process = subprocess.Popen(
                command,
                env=environment,
                cwd=ROOT,
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=log,
                text=True,
                start_new_session=True,
            )
        self._answers: queue.SimpleQueue[dict[str, Any] | None] = queue.SimpleQueue()
        assert self.process.stdin is not None
        assert self.process.stdout is not None
        self._input: IO[str] = self.process.stdin
        self._reader = threading.Thread(target=self._read, args=(self.process.stdout,), daemon=True)
        self._reader.start()
        self.answer()

    def _read(self, stream: IO[str]) -> None:
        for line in stream:
            if line.endswith("\n"):  # else it was killed while it wrote
                self._answers.put(json.loads(line))
        self._answers.put(None)
        stream.close()

    def request(self, verb: str, **options: Any) -> None:
        """Ask something, and do not wait for the answer."""
        self._input.write(json.dumps({"verb": verb} | options) + "\n")
        self._input.flush()

    def answer(self) -> dict[str, Any]:
        """Wait for an answer."""
        try:
            answer = self._answers.get(timeout=PATIENCE)
        except queue.Empty:
            raise CampaignError(f"the application gave no answer in {PATIENCE:g} s") from None
        if answer is None:
            raise CampaignError("the application has ended of itself: see its log")
        return answer

    def ask(self, verb: str, **options: Any) -> dict[str, Any]:
        """Ask something."""
        self.request(verb, **options)
        return self.answer()

    def signal(self, number: signal.Signals) -> None:
        """Send the application, not its workers, a signal."""
        self.process.send_signal(number)

    def kill(self) -> list[dict[str, Any]]:
        """Kill it; gives what it had answered by then and nobody has heard yet."""
        self.process.kill()
        self.process.wait()
        self._reader.join()
        heard = []
        while (answer := self._answers.get()) is not None:
            heard.append(answer)
        try:
            self._input.close()
        except OSError:  # what was not read is of no use any more
            return heard
        return heard

    def leave(self) -> None:
        """Have it end well."""
        if not self.ask("leave")["has_ended"]:
            raise CampaignError("the engine could not be shut down in 30 s")
        self._input.close()
        if status := self.process.wait(PATIENCE):
            raise CampaignError(f"the application ended with status {status}")
