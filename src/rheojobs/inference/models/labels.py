"""Write a model with its settings on one line."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

__all__ = ["label_of"]


def label_of(name: str, config: Mapping[str, Any]) -> str:
    """Write a model with its settings, as `rheojobs compare --models` takes it."""
    return ":".join([name, *(f"{key}={value}" for key, value in config.items())])
