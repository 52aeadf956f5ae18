"""What the user asks for on the command line, checked before anything is started."""

from __future__ import annotations

import os
import sys
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from rheojobs.errors import InputError

if TYPE_CHECKING:
    from rheojobs.inference.data.dataset import Dataset
    from rheojobs.inference.fits.task import FitTask
    from rheojobs.inference.sampling.task import SampleTask

__all__ = ["FIGURE_SUFFIXES", "Request", "check_output", "file_of"]

FIGURE_SUFFIXES = (".png", ".pdf", ".svg")
TABLE_SUFFIXES = frozenset({".csv", ".tsv", ".xlsx", ".xlsm", ".xlsb", ".xls", ".ods"})


def check_output(option: str, path: Path | None, suffixes: Sequence[str] = ()) -> None:
    """Raise `InputError` if a result could not be written to `path`."""
    if path is None or str(path) == "-":
        return
    folder = path.parent
    if path.is_dir():
        raise InputError(f"{option} {path} is a folder: give the name of a file in it")
    if not folder.is_dir():
        raise InputError(f"{option} {path}: there is no folder {folder}")
    if not os.access(path if path.exists() else folder, os.W_OK):
        raise InputError(f"{option} {path} cannot be written: permission denied")
    if path.suffix.lower() in TABLE_SUFFIXES:  # a slip that would replace measured data
        raise InputError(f"{option} {path}: that is the name of a table of data")
    if suffixes and path.suffix.lower() not in suffixes:
        raise InputError(f"{option} {path}: the name must end in {', '.join(suffixes)}")


@contextmanager
def file_of(path: Path) -> Iterator[Path]:
    """Return the path of the data; standard input, for ``-``, becomes a file for that time."""
    if str(path) != "-":
        yield path
        return
    if sys.stdin.isatty():
        print("reading standard input; Ctrl-D ends it", file=sys.stderr)
    with tempfile.TemporaryDirectory() as folder:
        copy = Path(folder, "stdin.csv")  # a name for messages; its bytes say what it is
        copy.write_bytes(sys.stdin.buffer.read())
        yield copy


@dataclass(frozen=True)
class Request:
    """What to fit, and from which file.

    Attributes
    ----------
    file : Path
        The data; ``-`` for standard input.
    model : str
        A name from the catalogue.
    reading, fitting : dict
        The options that were given, by their names in Python: those of `ReadOptions`, and those
        of `StartOptions` and `FitOptions`.
    """

    file: Path
    model: str
    reading: dict[str, Any] = field(default_factory=dict)
    fitting: dict[str, Any] = field(default_factory=dict)

    @property
    def initial(self) -> dict[str, float]:
        """Initial values of parameters."""
        return dict(self.fitting.get("initial_params", {}))

    @property
    def config(self) -> dict[str, Any]:
        """The model's own settings."""
        return dict(self.fitting.get("model_config", {}))

    @property
    def fit_options(self) -> dict[str, Any]:
        """The options of the fit."""
        return {key: value for key, value in self.fitting.items() if key != "initial_params"}

    def read(self) -> Dataset:
        """Read the file."""
        from rheojobs.inference.data.reading.read import read

        with file_of(self.file) as path:
            return read(path, **self.reading)

    def fit_task(self, dataset: Dataset) -> FitTask:
        """Return the task of the fit, checked as far as possible in this process."""
        from rheojobs.inference.fits.task import FitTask

        task = FitTask(self.model, dataset, self.initial, self.fit_options)
        task.validate()
        return task

    def sample_task(
        self, dataset: Dataset, sampling: dict[str, Any], warm_start: dict[str, float] | None
    ) -> SampleTask:
        """Return the task of the sampling, checked as far as possible in this process."""
        from rheojobs.inference.sampling.task import SampleTask

        task = SampleTask(self.model, dataset, warm_start=warm_start or None, **sampling)
        task.validate()
        return task
