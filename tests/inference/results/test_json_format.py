"""Files of results that are damaged are refused in one line."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from pathlib import Path

import pytest

from rheojobs import FitResult, InputError
from rheojobs.inference.results.json_format import plain

WHEN = datetime(2026, 1, 1, tzinfo=UTC)
FIT = FitResult("maxwell", {"G0": 1.0}, 1.0, 0.0, 0.0, 0.1, WHEN, 3, True)


@pytest.mark.parametrize(
    ("name", "value", "words"),
    [
        ("timestamp", "yesterday", "damaged FitResult"),
        ("timestamp", 5, "damaged FitResult"),
        ("parameters", [1], "parameters must be a dict"),
        ("model_name", None, "model_name must be a str"),
        ("residuals", {"real": 1}, "damaged FitResult"),
        ("bounds", {"G0": 3}, "damaged FitResult"),
    ],
)
def test_wrong_values_are_one_line(tmp_path: Path, name: str, value: object, words: str):
    path = tmp_path / "fit.json"
    path.write_text(json.dumps(plain(FIT.as_dict()) | {name: value}))
    with pytest.raises(InputError, match=words) as caught:
        FitResult.load(path)
    assert "\n" not in str(caught.value)


def test_deep_nesting_is_one_line(tmp_path: Path):
    path = tmp_path / "fit.json"
    path.write_text("[" * 100_000)
    with pytest.raises(InputError, match="cannot be read as a FitResult"):
        FitResult.load(path)
