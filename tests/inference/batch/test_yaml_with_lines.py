"""Plans that expand without bound, or whose tags do not fit, are refused in one line."""

from __future__ import annotations

from pathlib import Path

import pytest

from rheojobs import InputError
from rheojobs.inference.batch.yaml_with_lines import PlanText

MERGES = "a: &a {x: 1}\n" + "".join(
    f"{after}: &{after}\n  <<: [{', '.join([f'*{before}'] * 9)}]\n"
    for before, after in zip("abcdefgh", "bcdefghi", strict=True)
)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        (MERGES, "more than 100000 parts"),
        ("[" * 50_000, "nested too deeply"),
        ("a: !!timestamp soon", "line 1: 'soon' is no"),
        ("a: !!bool perhaps", "line 1: 'perhaps' is no"),
        ("a: !!float ''", "line 1: '' is no"),
        ("a: &a\n  <<: *a", "merged into itself|refers to itself"),
    ],
)
def test_hostile_plans_are_one_line(tmp_path: Path, text: str, words: str):
    path = tmp_path / "plan.yaml"
    path.write_text(text)
    with pytest.raises(InputError, match=words):
        PlanText.read(path)


def test_a_merged_mapping_is_read(tmp_path: Path):
    path = tmp_path / "plan.yaml"
    path.write_text("a: &a {x: 1}\nb:\n  <<: *a\n  y: 2\n")
    assert PlanText.read(path).value == {"a": {"x": 1}, "b": {"x": 1, "y": 2}}
