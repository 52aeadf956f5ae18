"""The model of one's own finds the parameters of which its data are made, with their units."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from tests.examples.running import run


@pytest.mark.slow
def test_it_runs(tmp_path: Path) -> None:
    printed = run("own_model.py", tmp_path)
    found = dict(re.findall(r"(\w+) = (\S+) ±", printed))
    made_of = {"G0": 1e4, "tau": 3.0, "beta": 0.6}
    assert {name: float(value) for name, value in found.items()} == pytest.approx(made_of, rel=0.05)
    assert " Pa\n" in printed
    intervals = re.findall(r"posterior: (\S+) to (\S+)", printed)
    for (low, high), true in zip(intervals, made_of.values(), strict=True):
        assert float(low) < true < float(high)
