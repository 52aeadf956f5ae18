"""A command on a pseudo-terminal, as a user runs it."""

from __future__ import annotations

import os
import re
import select
import subprocess
import sys
import time
from pathlib import Path

__all__ = ["Terminal"]


class Terminal:
    """A command on a pseudo-terminal, as for a user."""

    def __init__(self, folder: Path, *arguments: str) -> None:
        """Run in `folder`, which gets the checkpoints too."""
        import pty

        self._screen, other = pty.openpty()
        environment = os.environ | {"TERM": "xterm-256color", "COLUMNS": "100", "LINES": "40"}
        environment["RHEOJOBS_STATE_DIR"] = str(folder / "state")
        command = [sys.executable, "-m", "rheojobs", *arguments]
        self.process = subprocess.Popen(
            command,
            cwd=folder,
            env=environment,
            stdin=other,
            stdout=other,
            stderr=other,
            start_new_session=True,
        )
        os.close(other)
        self.text = ""

    def wait_for(self, pattern: str, timeout: float = 120.0) -> None:
        deadline = time.monotonic() + timeout
        while not re.search(pattern, self.text):
            assert time.monotonic() < deadline, self.text[-2000:]
            assert self.read() or self.process.poll() is None, self.text[-2000:]

    def wait(self, timeout: float = 30.0) -> int:
        deadline = time.monotonic() + timeout
        while self.process.poll() is None:
            assert time.monotonic() < deadline, self.text[-2000:]
            self.read()
        while self.read():
            pass
        os.close(self._screen)
        return self.process.returncode

    def type(self, text: str) -> None:
        """Type as the user does."""
        os.write(self._screen, text.encode())

    def read(self) -> bool:
        ready, _, _ = select.select([self._screen], [], [], 0.1)
        if not ready:
            return False
        try:
            piece = os.read(self._screen, 65536)
        except OSError:  # Linux says so when the other end is closed
            return False
        escapes = re.compile(r"\x1b\[[0-9;?]*[A-Za-z]")
        self.text += escapes.sub("", piece.decode(errors="replace"))
        return bool(piece)
