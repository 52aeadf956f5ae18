"""The tables in the documentation: a place between two marks that a run writes anew."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from sampling_study.tables import Table, bare_table, cancel_table, job_table, start_table

__all__ = ["BEGIN", "END", "tables", "write"]

BEGIN = "<!-- benchmarks/sampling.py writes from here -->"
END = "<!-- benchmarks/sampling.py writes to here -->"

HEADINGS = {
    "jobs": "Whole jobs",
    "bare": "The job against its kernel",
    "starts": "Warm and cold starts",
    "cancel": "Cancelling",
}


def tables(part: str, found: Mapping[str, Any]) -> list[Table]:
    """Give the tables of one part of the study."""
    if part == "jobs":
        return [job_table(found[model]) for model in found]
    if part == "bare":
        return [bare_table(found)]
    if part == "starts":
        return [start_table(found)]
    return [cancel_table(found)]


def _machine(machine: Mapping[str, Any]) -> str:
    versions = machine["versions"]
    named = ", ".join(f"{name} {version}" for name, version in versions.items())
    return (
        f"{machine['processor']}, {machine['cores']} cores, {machine['memory_gib']} GiB; load "
        f"{machine['load']} before; revision {machine['revision']}; {named}."
    )


def _text(record: Mapping[str, Any]) -> str:
    parts = []
    for part, heading in HEADINGS.items():
        section = record.get(part)
        if section is None:
            continue
        settings = section["settings"]
        sampling = (
            f"{settings['num_chains']} chains, {settings['num_warmup']} + "
            f"{settings['num_samples']} steps, repeats: {settings['repeats']}"
        )
        if part == "cancel":
            sampling = "one job at a time"
        quick = " These are quick settings, for a check." if settings["quick"] else ""
        parts.append(f"### {heading}")
        parts.append(
            f"`{section['command']}` on {section['date']}: {sampling}.{quick} "
            f"{_machine(section['machine'])}"
        )
        parts += [table.as_markdown() for table in tables(part, section["found"])]
    return "\n\n".join(parts)


def write(path: Path, record: Mapping[str, Any]) -> None:
    """Write the tables between the marks of a document.

    Raises
    ------
    ValueError
        Where the document has no marks.
    """
    text = path.read_text(encoding="utf-8")
    before, begin, rest = text.partition(BEGIN)
    _, end, after = rest.partition(END)
    if not begin or not end:
        raise ValueError(f"{path} has no place for tables: {BEGIN} … {END}")
    path.write_text(f"{before}{BEGIN}\n\n{_text(record)}\n\n{END}{after}", encoding="utf-8")
