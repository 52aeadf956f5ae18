"""--json may have a file or none, with every command alike."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from rheojobs import FitResult
from rheojobs.cli.arguments.json_target import with_json_targets
from rheojobs.inference.data import example_melt


@pytest.mark.parametrize(
    ("words", "expected"),
    [
        (["x.csv", "--json"], ["x.csv", "--json=-"]),
        (["--json", "-m", "zener"], ["--json=-", "-m", "zener"]),
        (["--json", "fit.json"], ["--json", "fit.json"]),
        (["--json", "-"], ["--json", "-"]),
        (["--json", "out/fit"], ["--json", "out/fit"]),
        (["--json", "/dev/stdout"], ["--json", "/dev/stdout"]),
        (["--json=fit"], ["--json=fit"]),
        (["--json", "6b6d"], ["--json=-", "6b6d"]),
        (["--json", "maxwell"], ["--json=-", "maxwell"]),
        (["--json", "sweep.csv"], ["--json=-", "sweep.csv"]),
        (["--json", "Sweep.XLSX"], ["--json=-", "Sweep.XLSX"]),
        (["--", "--json"], ["--", "--json"]),
    ],
)
def test_the_next_word_is_the_file_if_it_looks_like_one(words, expected):
    assert with_json_targets(words) == expected


def test_lists_go_to_standard_output_or_to_a_file(rheojobs, tmp_path: Path):
    out = tmp_path / "models.json"
    printed = rheojobs("models", "--json", "maxwell")
    assert (printed.status, [one["name"] for one in json.loads(printed.stdout)]) == (0, ["maxwell"])
    written = rheojobs("models", "maxwell", "--json", out)
    assert (written.status, written.stdout) == (0, "")
    assert json.loads(out.read_text("utf-8")) == json.loads(printed.stdout)
    for arguments in (("jobs", "list"), ("cache", "info")):
        assert json.loads(rheojobs(*arguments, "--json").stdout) is not None
        assert rheojobs(*arguments, "--json", tmp_path / "list.json").stdout == ""
        json.loads((tmp_path / "list.json").read_text("utf-8"))


def test_a_fit_goes_to_standard_output_too(rheojobs, tmp_path: Path):
    melt = example_melt.csv_path()
    ran = rheojobs("fit", "--json", melt, "-m", "springpot")
    assert ran.status == 0, ran.stderr
    assert json.loads(ran.stdout)["model_name"] == "springpot"
    out = tmp_path / "fit.json"
    rheojobs("fit", melt, "-m", "springpot", "--json", out)
    assert FitResult.load(out).model_name == "springpot"
