"""The sampling waits for the fit, starts from it, and agrees with it."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from tests.examples.running import run


@pytest.mark.slow
def test_it_runs(tmp_path: Path) -> None:
    first, *rows = run("fit_then_sample.py", tmp_path).splitlines()
    assert first.endswith("sample generalized_maxwell: blocked")
    assert len(rows) == 13
    for row in rows:
        fit, low, high = map(float, re.findall(r"(?:fit|posterior|to) ([\d.e+-]+)", row))
        assert low < fit < high
