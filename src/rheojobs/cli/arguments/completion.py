"""What a shell offers for a half-typed word: models, tests, jobs, states, columns, parameters.

A shell waits for each answer, so nothing here imports JAX, and NumPy only to read a file's columns.
A question that has no answer, such as the columns of a file that is not there, has no words.
"""

from __future__ import annotations

import os
import re
import sqlite3
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import typer

from rheojobs.errors import RheojobsError
from rheojobs.inference.data.test_modes import TEST_MODES
from rheojobs.inference.options.kinds import (
    ByName,
    Choice,
    Column,
    Columns,
    Expressions,
    Numbers,
)
from rheojobs.inference.options.option import Option

if TYPE_CHECKING:
    from rheojobs.inference.models.catalogue import ModelInfo

__all__ = ["job_ids", "model_lists", "model_names", "of_option", "states", "test_modes"]

type Words = list[tuple[str, str]]
"""Words with what each means."""

type Completion = Callable[[typer.Context, str], Words]

NEWEST = 200
"""How many jobs are offered at most."""


def of_option(option: Option) -> Completion | None:
    """Return what completes a declared option; None if nothing can."""
    kind = option.kind
    if isinstance(kind, Choice):
        return _fixed(kind.words)
    if option.word == "mode":
        return test_modes
    if isinstance(kind, Column | Columns):
        return _columns
    if isinstance(kind, Numbers | Expressions) and kind.names is not None:
        names = kind.names if isinstance(kind.names, Mapping) else dict.fromkeys(kind.names, "")
        return _fixed({f"{name}=": words for name, words in names.items()})
    if isinstance(kind, ByName) and option.word != "config":
        return _parameters
    return None


def _fixed(words: Mapping[str, str]) -> Completion:
    def complete(context: typer.Context, incomplete: str) -> Words:
        return _starting(words.items(), incomplete)

    return complete


def _starting(words: Iterable[tuple[str, str]], incomplete: str) -> Words:
    return [(word, meaning) for word, meaning in words if word.startswith(incomplete)]


def test_modes(context: typer.Context, incomplete: str) -> Words:
    """Return the names of the tests."""
    return _starting(((mode, "") for mode in TEST_MODES), incomplete)


def model_names(context: typer.Context, incomplete: str) -> Words:
    """Return the names of the models."""
    return _starting(((model.name, model.description) for model in _models()), incomplete)


def model_lists(context: typer.Context, incomplete: str) -> Words:
    """Return the names of the models, after those with commas between them."""
    before, comma, last = incomplete.rpartition(",")
    found = model_names(context, last)
    return [(f"{before}{comma}{name}", words) for name, words in found]


def states(context: typer.Context, incomplete: str) -> Words:
    """Return the states of jobs."""
    from rheojobs.engine.states import JobState

    return _starting(((str(state), "") for state in JobState), incomplete)


def job_ids(context: typer.Context, incomplete: str) -> Words:
    """Return the ids of the jobs, newest first, with their names and states."""
    from rheojobs.engine.store import StoreReader, default_path

    if not default_path().is_file():
        return []
    try:
        with StoreReader() as store:
            jobs = store.jobs(limit=NEWEST)
    except (RheojobsError, OSError, sqlite3.Error):
        return []
    words = ((job.id[:8], f"{job.name}, {job.state}") for job in reversed(jobs))
    return _starting(words, incomplete)


def _models() -> tuple[ModelInfo, ...]:
    """Return the models; none before a command has made their list, which takes a worker."""
    from rheojobs.inference.models.catalogue import cached_catalogue

    return cached_catalogue() or ()


def _parameters(context: typer.Context, incomplete: str) -> Words:
    """Return the parameters of the model on the line: ``G0=``."""
    chosen = context.params.get("model")
    return [
        word
        for model in _models()
        if model.name == chosen
        for word in _starting(
            ((f"{one.name}=", _meaning(one)) for one in model.parameters), incomplete
        )
    ]


def _meaning(parameter: Any) -> str:
    return ", ".join(filter(None, (parameter.description, parameter.unit)))


def _columns(context: typer.Context, incomplete: str) -> Words:
    """Return the columns of the file on the line."""
    file = context.params.get("file")
    if file is None or not Path(file).is_file():
        return []
    from rheojobs.inference.data.reading.preview import Reading, look

    table = look(file, Reading()).table
    if table is None:
        return []
    names = ((one.name, f"{one.quantity} {one.unit}".strip()) for one in table.columns)
    return _starting(((_as_typed(name), words) for name, words in names), incomplete)


def _as_typed(name: str) -> str:
    """Return a name as bash takes it; other shells escape what they insert."""
    if not os.environ.get("_RHEOJOBS_COMPLETE", "").endswith("bash"):
        return name
    return re.sub(r"([^\w@%+=:,./′″-])", r"\\\1", name)
