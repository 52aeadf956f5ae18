"""Write the runs of a workspace as a Python script against the public API. Pure but `unreadable`.

Each text of the user stands in the script as a literal or in a comment, so that no name of a file
can become code.
"""

from __future__ import annotations

import math
from collections.abc import Collection, Mapping
from typing import Any

import numpy as np

from rheojobs.errors import InputError
from rheojobs.inference.data.dataset import Dataset
from rheojobs.inference.data.reading.options import ReadOptions
from rheojobs.inference.data.reading.preview import Reading, look
from rheojobs.inference.options.option import options_of
from rheojobs.inference.workspace.content import Workspace, WorkspaceData, WorkspaceRun
from rheojobs.inference.workspace.repetition import checked_options

__all__ = ["script", "unreadable"]

_WIDTH = 96


def script(workspace: Workspace, written_out: Collection[int] = ()) -> str:
    """Return a script that reads the data and repeats all fits and samplings.

    Parameters
    ----------
    workspace : Workspace
        What was done.
    written_out : collection of int
        The indices of datasets whose values the script holds; the others are read from their
        files. Data without a file are always written out.
    """
    used = {run.data for run in workspace.runs} or set(range(len(workspace.datasets)))
    parts = [_head(workspace)]
    for index in sorted(used):
        item = workspace.datasets[index]
        name = f"data_{index + 1}"
        has_file = item.path and index not in written_out
        parts.append(_reading_lines(name, item) if has_file else _value_lines(name, item.dataset))
    parts += [_run_lines(number, run) for number, run in enumerate(workspace.runs, 1)]
    return "\n\n".join(parts) + "\n"


def unreadable(workspace: Workspace) -> frozenset[int]:
    """Return the indices of datasets whose files are gone or would now be read as other numbers.

    Reads the files, as the window does.
    """
    return frozenset(
        index
        for index, item in enumerate(workspace.datasets)
        if item.path and not _is_read_again(item)
    )


def _is_read_again(item: WorkspaceData) -> bool:
    seen, told = look(item.path, item.reading).dataset, item.dataset
    if seen is None or seen.test_mode != told.test_mode or seen.protocol != told.protocol:
        return False
    pairs = ((seen.x, told.x), (seen.y, told.y), (seen.sigma, told.sigma))
    return all(
        first is second if first is None or second is None else np.array_equal(first, second)
        for first, second in pairs
    )


# -------------------------------------------------------------------- parts


def _head(workspace: Workspace) -> str:
    fits = sum(run.kind == "fit" for run in workspace.runs)
    told = f"{_count(fits, 'fit')} and {_count(len(workspace.runs) - fits, 'sampling')}"
    lines = [f'"""Repeats {told} of a workspace of rheojobs."""', ""]
    if workspace.notes.strip():
        lines += [f"# {_comment(line)}".rstrip() for line in workspace.notes.splitlines()] + [""]
    return "\n".join([*lines, "import rheojobs"])


def _count(count: int, noun: str) -> str:
    return f"{count} {noun}{'' if count == 1 else 's'}"


def _comment(text: str) -> str:
    """Return a text without characters that could end a comment, or that UTF-8 cannot hold."""
    return "".join(c if c.isprintable() else " " for c in text)


def _reading_lines(name: str, item: WorkspaceData) -> str:
    return _call(f"{name} = rheojobs.read", [item.path], _reading_options(item.reading))


def _reading_options(reading: Reading) -> dict[str, Any]:
    given = reading.options()
    chosen = {
        key: getattr(given, key)
        for key, option in options_of(ReadOptions).items()
        if key != "protocol" and getattr(given, key) != option.default
    }
    if reading.delimiter:
        chosen["delimiter"] = reading.delimiter
    if reading.decimal:
        chosen["decimal"] = reading.decimal
    constants = reading.constants()
    return chosen | ({"protocol": constants} if constants else {})


def _value_lines(name: str, dataset: Dataset) -> str:
    """Return lines with the values themselves, each to the bit."""
    fields: dict[str, Any] = {"x": dataset.x, "y": dataset.y, "sigma": dataset.sigma}
    for key in ("test_mode", "name", "quantity", "x_unit", "y_unit", "protocol"):
        fields[key] = getattr(dataset, key)
    lines = [f"    {key!r}: {_literal(value)}," for key, value in fields.items() if _is_set(value)]
    return "\n".join([f"{name} = rheojobs.Dataset.of({{", *lines, "})"])


def _is_set(value: Any) -> bool:
    return value is not None and (not isinstance(value, str | Mapping) or bool(value))


def _run_lines(number: int, run: WorkspaceRun) -> str:
    start = "initial_params" if run.kind == "fit" else "warm_start"
    options = ({start: dict(run.start)} if run.start else {}) | checked_options(run)
    verb, name = ("fit", f"fit_{number}") if run.kind == "fit" else ("sample", f"draws_{number}")
    data = _Name(f"data_{run.data + 1}")
    call = _call(f"{name} = rheojobs.{verb}", [data, run.model], options)
    shown = f"print({name}.parameters)" if run.kind == "fit" else f"print({name}.summary)"
    return f"{call}\n{shown}"


class _Name(str):
    """A name of the script, not a text."""

    __slots__ = ()


def _call(function: str, positional: list[str], options: Mapping[str, Any]) -> str:
    arguments = [each if isinstance(each, _Name) else _literal(each) for each in positional]
    named = [f"{key}={_literal(value)}" for key, value in options.items()]
    line = f"{function}({', '.join(arguments + named)})"
    if len(line) <= _WIDTH:
        return line
    return "\n".join([f"{function}(", *(f"    {each}," for each in arguments + named), ")"])


def _literal(value: Any) -> str:
    """Return a literal of Python that has this value, and that executes nothing."""
    if isinstance(value, np.ndarray):
        value = value.tolist()
    if isinstance(value, np.generic):
        value = value.item()
    if isinstance(value, Mapping):
        return f"{{{', '.join(f'{_literal(k)}: {_literal(v)}' for k, v in value.items())}}}"
    if isinstance(value, list):
        return f"[{', '.join(map(_literal, value))}]"
    if isinstance(value, tuple):
        return f"({', '.join(map(_literal, value))}{',' if len(value) == 1 else ''})"
    if isinstance(value, float) and not math.isfinite(value):
        return f'float("{value}")'
    if isinstance(value, str):  # as ASCII if UTF-8 may be unable to hold it, as some names of files
        return repr(str(value)) if value.isprintable() else ascii(str(value))
    if value is None or isinstance(value, bool | int | float | complex):
        return repr(value)
    raise InputError(f"a {type(value).__name__} cannot be written in a script: it is code")
