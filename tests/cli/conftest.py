"""What the commands' tests share: a worker that is kept warm, and a folder of data."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from tests.cli.batches import write_run

from rheojobs import PRELOAD, JobEngine
from rheojobs.cli import session
from rheojobs.cli.main import main


@dataclass(frozen=True)
class Ran:
    """How a command ended, and what it wrote."""

    status: int
    stdout: str
    stderr: str

    @property
    def error(self) -> str:
        """The last line of standard error; the only line if a command refuses its input."""
        return self.stderr.strip().splitlines()[-1]


class KeptEngine:
    """An engine that a command cannot shut down."""

    def __init__(self, engine: JobEngine) -> None:
        self._engine = engine
        self.submit = engine.submit
        self.executor = engine.executor
        self.store, self.recover, self.resume_job = engine.store, engine.recover, engine.resume_job

    def shutdown(self, timeout: float) -> None:
        self._engine.wait(timeout)


@pytest.fixture(scope="session")
def kept_engine() -> Iterator[KeptEngine]:
    engine = session.start_engine(PRELOAD)
    yield KeptEngine(engine)
    engine.shutdown()


@pytest.fixture
def rheojobs(
    kept_engine: KeptEngine,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> Callable[..., Ran]:
    """Run the command in this process, and its jobs in the warm worker."""
    monkeypatch.setattr(session, "start_engine", lambda preload, workers=1, devices=(): kept_engine)

    def run(*arguments: object) -> Ran:
        capsys.readouterr()
        status = main([str(argument) for argument in arguments])
        captured = capsys.readouterr()
        return Ran(status, captured.out, captured.err)

    return run


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A folder with three files of data."""
    for number in range(3):
        write_run(tmp_path / f"run{number}.csv", 1.0 + number, number)
    return tmp_path
