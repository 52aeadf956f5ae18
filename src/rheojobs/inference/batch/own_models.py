"""Own models in a plan: their names as stored, and the folders of their results."""

from __future__ import annotations

import hashlib
import re
from pathlib import Path

from rheojobs.inference.models.loading import check_name, load
from rheojobs.inference.models.own.reference import FileReference, is_own

__all__ = ["folder_of", "stored"]

LONGEST = 60
"""Characters of a formula in the name of a folder."""


def stored(name: str, base: Path) -> tuple[str, list[str] | None]:
    """Return the name by which a task knows an own model, and its parameters.

    A file is looked for in `base`, and not executed: its parameters are None.
    """
    reference = FileReference.of(name)
    if reference is None:
        name = check_name(name)
        return name, list(load(name).names)
    return check_name(FileReference(base / reference.path, reference.function).name), None


def folder_of(model: str, label: str) -> str:
    """Return the name of the folder for the results of a model."""
    plain = re.sub(r"[^\w.=,+-]", "_", label)
    if not is_own(model):
        return plain
    # Formulas that differ in a sign alone would share a folder.
    digest = hashlib.sha256(label.encode()).hexdigest()[:8]
    return f"{plain[:LONGEST]}-{digest}"
