"""What each pair of model and test mode is held against, for the page of all models.

Each file ``test_*.py`` of this folder has a table ``HELD``: by model and test mode, in a few words,
the truth from outside that its tests compare with. Its tests run over that table, so that nothing
is listed that is not tested.
"""

from __future__ import annotations

import importlib
import os
from collections.abc import Mapping
from pathlib import Path

__all__ = ["FULL", "held_against"]

FULL = os.environ.get("RHEOJOBS_PHYSICS") == "full"
"""Whether all points are wanted, as by ``make physics``; the gate takes a few."""

Held = Mapping[tuple[str, str], str]


def held_against() -> dict[tuple[str, str], list[str]]:
    """Return the words by model and test mode."""
    found: dict[tuple[str, str], list[str]] = {}
    for path in sorted(Path(__file__).parent.glob("test_*.py")):
        module = importlib.import_module(f"tests.physics.{path.stem}")
        for pair, words in getattr(module, "HELD", {}).items():
            found.setdefault(pair, []).append(words)
    return found
