"""Whether two workspaces of a window are the same. Data and results are compared by identity."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from rheojobs.inference.workspace.content import Workspace, WorkspaceEdits

__all__ = ["same_content", "same_view"]


def same_content(one: Workspace, other: Workspace) -> bool:
    """Return whether data, runs, edits and notes are the same."""
    return (
        _are(one.datasets, other.datasets, "dataset")
        and _are(one.runs, other.runs, "result")
        and [item.reading for item in one.datasets] == [item.reading for item in other.datasets]
        and _typed(one.edits) == _typed(other.edits)
        and one.notes == other.notes
    )


def same_view(one: Workspace, other: Workspace) -> bool:
    """Return whether the same data and the same model are shown."""
    return (one.edits.data, one.edits.model) == (other.edits.data, other.edits.model)


def _are(ones: tuple[Any, ...], others: tuple[Any, ...], part: str) -> bool:
    return len(ones) == len(others) and all(
        getattr(one, part) is getattr(other, part) for one, other in zip(ones, others, strict=True)
    )


def _typed(edits: WorkspaceEdits) -> WorkspaceEdits:
    """Leave out which data and model are shown."""
    return replace(edits, data=-1, model="")
