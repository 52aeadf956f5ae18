"""`rheojobs read`: how a file is understood; and data from standard input."""

from __future__ import annotations

import io
import json
import os
import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace

import pytest

from rheojobs.inference.data import example_melt

MELT = example_melt.csv_path()


def test_columns_units_and_points(rheojobs):
    ran = rheojobs("read", MELT)
    assert (ran.status, ran.stderr) == (0, "")
    assert "oscillation, 61 points" in ran.stdout
    rows = [line.split() for line in ran.stdout.splitlines()]
    assert ["column", "name", "quantity", "unit", "used", "as", "first", "values"] in rows
    loss = next(row for row in rows if row[:2] == ["3", "Loss"])
    assert {"Pa", "y2", "49.9291,"} <= set(loss)


def test_what_is_left_out_and_corrected(rheojobs):
    options = ("--units", "x=Hz", "--rows", "3-20", "--x-range", ",0.4")
    ran = rheojobs("read", MELT, *options)
    assert ran.status == 0
    assert "18 of 61 rows used" in ran.stdout
    assert "converted from Hz to rad/s" in ran.stdout
    points = json.loads(rheojobs("read", MELT, *options, "--json").stdout)["x"]
    assert 0 < len(points) < 18
    assert max(points) <= 0.4


def test_all_of_it_as_json(rheojobs, tmp_path: Path):
    found = json.loads(rheojobs("read", MELT, "--json").stdout)
    assert found["test_mode"] == "oscillation"
    assert found["chosen"] == {"x": 1, "y": 2, "y2": 3}
    assert [column["unit"] for column in found["columns"]] == ["rad/s", "Pa", "Pa"]
    assert found["y"]["imag"][0] == 49.9291
    rheojobs("read", MELT, "--json", tmp_path / "melt.json")
    assert json.loads((tmp_path / "melt.json").read_text("utf-8")) == found


def test_sections_of_a_file_with_several(rheojobs, shared_data: Path):
    ran = rheojobs("read", shared_data / "tts_frequency_sweep.txt", "--step", 2)
    assert ran.status == 0
    marked = [line for line in ran.stdout.splitlines() if line.endswith("←")]
    assert [line.split()[:2] for line in marked] == [["section", "2"]]


def test_a_table_that_is_not_understood_is_shown_before_the_error(rheojobs, tmp_path: Path):
    path = tmp_path / "ab.csv"
    path.write_text("a,b\n1,2\n2,3\n3,5\n")
    ran = rheojobs("read", path)
    assert ran.status == 2
    assert ran.error.startswith("rheojobs: ab.csv: ")
    assert "1, 2, 3" in ran.stdout
    right = rheojobs("read", path, "--mode", "relaxation", "--x", "a", "--y", "b")
    assert right.status == 0, right.stderr


def test_data_from_standard_input(rheojobs, monkeypatch):
    def given(content: bytes) -> None:
        stream = SimpleNamespace(buffer=io.BytesIO(content), isatty=lambda: False)
        monkeypatch.setattr(sys, "stdin", stream)

    given(MELT.read_bytes())
    ran = rheojobs("read", "-")
    assert (ran.status, "61 points" in ran.stdout) == (0, True)
    given(MELT.read_bytes())
    ran = rheojobs("fit", "-", "-m", "springpot", "--json")
    assert json.loads(ran.stdout)["model_name"] == "springpot"
    given(b"")
    ran = rheojobs("fit", "-", "-m", "springpot")
    assert (ran.status, ran.error) == (2, "rheojobs: stdin.csv: the file is empty")


@pytest.mark.skipif(sys.platform == "win32", reason="needs cat")
def test_a_pipe(tmp_path: Path):
    command = [sys.executable, "-m", "rheojobs", "read", "-", "-q", "--json"]
    with MELT.open("rb") as file:
        ran = subprocess.run(command, stdin=file, capture_output=True, env=os.environ.copy())
    assert (ran.returncode, ran.stderr) == (0, b"")
    assert len(json.loads(ran.stdout)["x"]) == 61


def test_a_glass_needs_wider_bounds_than_the_model_has(rheojobs, tmp_path: Path):
    """9.6 GPa: the model's modulus ends at 1 GPa; by the formula of the Maxwell model."""
    path, out = tmp_path / "glass.csv", tmp_path / "fit.json"
    rows = "".join(
        f"{w},{9.6e9 * w * w / (1 + w * w)},{9.6e9 * w / (1 + w * w)}\n"
        for w in (10 ** (k / 10 - 2) for k in range(41))
    )
    path.write_text("Frequency (rad/s),G' (Pa),G'' (Pa)\n" + rows)
    tight = rheojobs("fit", path, "-m", "maxwell")
    assert "G0 is at its upper bound" in tight.stderr
    for bounds in ("G0=1:1e12", "G0=1,1e12"):
        ran = rheojobs("fit", path, "-m", "maxwell", "--bounds", bounds, "--json", out)
        assert ran.status == 0, ran.stderr
        assert json.loads(out.read_text())["parameters"]["G0"] == pytest.approx(9.6e9, rel=1e-6)
    refused = rheojobs("fit", MELT, "-m", "springpot", "--bounds", "alpha=0,2")
    assert refused.status == 2
    assert "reach beyond the model's" in refused.error
