"""What a store of an earlier version names is found."""

from __future__ import annotations

import pytest

from rheojobs.engine.moved_names import MOVED, present_path
from rheojobs.engine.serialization import load


@pytest.mark.parametrize("stored", MOVED)
def test_an_old_path_leads_to_what_it_named(stored: str) -> None:
    found = load(stored)
    assert f"{found.__module__}:{found.__qualname__}" == MOVED[stored]
    assert found.__qualname__ == stored.partition(":")[2]


def test_any_other_path_stays() -> None:
    assert present_path("package.module:name") == "package.module:name"
    assert not set(MOVED) & set(MOVED.values())
