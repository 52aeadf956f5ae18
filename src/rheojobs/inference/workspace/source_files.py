"""The files that the data of a workspace were read from: whether they are still the same."""

from __future__ import annotations

import hashlib
from dataclasses import replace

from rheojobs.inference.workspace.content import Workspace

__all__ = ["changed_files", "with_digests"]


def with_digests(workspace: Workspace) -> Workspace:
    """Return the workspace with the SHA-256 of each file that can be read now."""
    items = (replace(item, sha256=_digest(item.path)) for item in workspace.datasets)
    return replace(workspace, datasets=tuple(items))


def changed_files(workspace: Workspace) -> list[str]:
    """Return the files that have changed since the workspace was saved; not those that are gone."""
    found = []
    for item in workspace.datasets:
        now = _digest(item.path) if item.sha256 else ""
        if now not in ("", item.sha256):
            found.append(item.path)
    return found


def _digest(path: str) -> str:
    """Return the SHA-256 of a file; empty if it cannot be read."""
    if not path:
        return ""
    try:
        with open(path, "rb") as file:
            return hashlib.file_digest(file, "sha256").hexdigest()
    except (OSError, ValueError):  # no such file, or no name of a file
        return ""
