"""What the jobs do; importable by the cluster's workers."""

from __future__ import annotations

__all__ = ["empty", "text"]


def empty() -> None:
    """Do nothing."""


def text(size: int, number: int) -> str:
    """Give so many characters, no two jobs the same."""
    return f"{number:08d}" * (size // 8)
