"""`rheojobs run`: repeats the fits and samplings of a workspace, and says what differs."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from tests.cli.batches import write_run

from rheojobs.inference.data.reading.read import read
from rheojobs.inference.fits.task import fit
from rheojobs.inference.results.bayesian_result import BayesianResult
from rheojobs.inference.sampling.sample import sample
from rheojobs.inference.workspace.content import Workspace, WorkspaceData, WorkspaceRun
from rheojobs.inference.workspace.file_format import read_workspace, write_workspace
from rheojobs.inference.workspace.source_files import changed_files, with_digests


@pytest.fixture(scope="module")
def workspace(tmp_path_factory: pytest.TempPathFactory) -> Workspace:
    file = tmp_path_factory.mktemp("workspace") / "run.csv"
    write_run(file, 1.0, 1)
    data = read(file)
    fitted = fit(data, "maxwell", bounds={"eta": (1.0, 1e7)})
    options: dict[str, Any] = {"num_warmup": 80, "num_samples": 60, "num_chains": 2}
    start = dict(fitted.parameters)
    draws = sample(data, "maxwell", warm_start=start, **options)
    runs = (
        WorkspaceRun("fit", 0, "maxwell", {}, {"bounds": {"eta": (1.0, 1e7)}}, fitted),
        WorkspaceRun("sampling", 0, "maxwell", start, options, draws),
    )
    return Workspace((WorkspaceData(data, str(file)),), runs, notes="kept")


def saved(workspace: Workspace, folder: Path) -> Path:
    path = folder / "lab.rheojobs"
    write_workspace(workspace, path)
    return path


def test_the_same_numbers_are_equal(rheojobs, workspace: Workspace, tmp_path: Path):
    new = tmp_path / "new.rheojobs"
    ran = rheojobs("run", saved(workspace, tmp_path), "-o", new)
    lines = ran.stdout.splitlines()
    assert ran.status == (3 if any(run.result.doubt for run in workspace.runs) else 0)
    assert lines[0].startswith("1: fit of maxwell, run: equal: G0 ")
    assert lines[1].startswith("2: sampling of maxwell, run: equal: G0 ")
    back = read_workspace(new)
    assert back.notes == "kept"
    assert [run.title for run in back.runs] == ["fit of maxwell", "sampling of maxwell"]
    assert "has changed" not in ran.stderr
    assert isinstance(back.runs[1].result, BayesianResult)
    assert back.runs[1].result.timestamp > workspace.runs[1].result.timestamp


def test_other_numbers_are_shown_and_give_status_3(rheojobs, workspace: Workspace, tmp_path: Path):
    first = workspace.runs[0]
    other = {name: 2 * value for name, value in first.result.parameters.items()}  # type: ignore[union-attr]
    moved = replace(first, result=replace(first.result, parameters=other))
    file = saved(replace(workspace, runs=(moved,)), tmp_path)
    ran = rheojobs("run", file, "--json", tmp_path / "out.json")
    assert ran.status == 3
    assert "it differs from the workspace" in ran.stderr
    assert ran.stdout.startswith("1: fit of maxwell, run: differs: G0 ")
    assert " → " in ran.stdout
    (row,) = json.loads((tmp_path / "out.json").read_text(encoding="utf-8"))
    assert row["verdict"] == "differs"
    assert row["numbers"]["G0"]["before"] == other["G0"]
    assert row["numbers"]["G0"]["now"] == pytest.approx(other["G0"] / 2, rel=1e-9)


def test_a_run_that_fails_gives_status_1_and_the_next_one_follows(
    rheojobs, workspace: Workspace, tmp_path: Path
):
    first = workspace.runs[0]
    bad = replace(first, start={"no_such": 1.0})
    ran = rheojobs("run", saved(replace(workspace, runs=(bad, first)), tmp_path))
    assert ran.status == 1
    lines = ran.stdout.splitlines()
    assert "failed: " in lines[0]
    assert "no_such" in lines[0]
    assert ": equal: " in lines[1]


def test_what_cannot_be_repeated_is_refused(rheojobs, workspace: Workspace, tmp_path: Path):
    ran = rheojobs("run", tmp_path / "none.rheojobs")
    assert (ran.status, "cannot be read" in ran.error) == (2, True)
    ran = rheojobs("run", saved(replace(workspace, runs=()), tmp_path))
    assert (ran.status, "nothing to repeat" in ran.error) == (2, True)
    hostile = replace(workspace.runs[1], options={"checkpoint": str(tmp_path / "x")})
    ran = rheojobs("run", saved(replace(workspace, runs=(hostile,)), tmp_path))
    assert (ran.status, "unknown option 'checkpoint'" in ran.error) == (2, True)
    assert not (tmp_path / "x").exists()


def test_a_file_that_has_changed_is_named_and_not_read(
    rheojobs, workspace: Workspace, tmp_path: Path
):
    (item,) = workspace.datasets
    file = tmp_path / "measured.csv"
    file.write_bytes(Path(item.path).read_bytes())
    stamped = with_digests(replace(workspace, datasets=(replace(item, path=str(file)),)))
    file.write_text("time (s),relaxation modulus (Pa)\n1,1\n", encoding="utf-8")
    ran = rheojobs("run", saved(replace(stamped, runs=workspace.runs[:1]), tmp_path))
    assert f"note: {file} has changed" in ran.stderr
    assert ": equal: " in ran.stdout
    file.unlink()
    assert changed_files(stamped) == []
