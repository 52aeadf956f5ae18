"""The tables in the documentation: a place between two marks that a run writes anew."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

from side_by_side.table import Table

__all__ = ["describe_machine", "write"]

type Record = Mapping[str, Any]


def describe_machine(machine: Record) -> str:
    """Say in a line what the figures were measured on."""
    versions = machine["versions"]
    named = ", ".join(f"{name} {version}" for name, version in versions.items())
    return (
        f"{machine['processor']}, {machine['cores']} cores, {machine['memory_gib']} GiB; load "
        f"{machine['load']} before; revision {machine['revision']}; {named}."
    )


def _text(
    record: Record,
    headings: Mapping[str, str],
    settings: Callable[[str, Record], str],
    tables: Callable[[str, Record], Sequence[Table]],
) -> str:
    parts = []
    for part, heading in headings.items():
        section = record.get(part)
        if section is None:
            continue
        parts.append(f"### {heading}")
        parts.append(
            f"`{section['command']}` on {section['date']}: {settings(part, section['settings'])} "
            f"{describe_machine(section['machine'])}"
        )
        parts += [table.as_markdown() for table in tables(part, section["found"])]
    return "\n\n".join(parts)


def write(
    path: Path,
    script: str,
    record: Record,
    headings: Mapping[str, str],
    settings: Callable[[str, Record], str],
    tables: Callable[[str, Record], Sequence[Table]],
) -> None:
    """Write the tables of a study between its marks in a document.

    Parameters
    ----------
    path : Path
        The document.
    script : str
        The study's script, which the marks name.
    record : mapping
        By part: its command, date, machine, settings and what was found.
    headings : mapping
        By part, in the order of the document.
    settings, tables : callable
        Of a part's name and its settings, or of what it found.

    Raises
    ------
    ValueError
        Where the document has no marks.
    """
    first, last = (f"<!-- {script} writes {word} here -->" for word in ("from", "to"))
    text = path.read_text(encoding="utf-8")
    before, begin, rest = text.partition(first)
    _, end, after = rest.partition(last)
    if not begin or not end:
        raise ValueError(f"{path} has no place for tables: {first} … {last}")
    body = _text(record, headings, settings, tables)
    path.write_text(f"{before}{first}\n\n{body}\n\n{last}{after}", encoding="utf-8")
