"""The script of a workspace: it gives the same numbers, and no text of a user becomes code."""

from __future__ import annotations

import ast
import json
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rheojobs.errors import InputError
from rheojobs.inference.results.bayesian_result import BayesianResult
from rheojobs.inference.results.fit_result import FitResult
from rheojobs.inference.workspace.content import Workspace
from rheojobs.inference.workspace.repetition import compared, task_of
from rheojobs.inference.workspace.script import script, unreadable

SAVE = """
fit_1.save("fit.json")
import numpy
numpy.savez("draws.npz", **draws_2.posterior_samples)
"""


@pytest.mark.parametrize("written_out", [(), (0,)])
def test_the_script_gives_the_numbers_of_the_workspace(
    workspace: Workspace, tmp_path: Path, written_out: tuple[int, ...]
) -> None:
    path = tmp_path / "again.py"
    path.write_text(script(workspace, written_out) + SAVE, encoding="utf-8")
    done = subprocess.run(
        [sys.executable, path], cwd=tmp_path, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    fitted, sampled = (run.result for run in workspace.runs)
    assert isinstance(fitted, FitResult)
    assert isinstance(sampled, BayesianResult)
    again = json.loads((tmp_path / "fit.json").read_text(encoding="utf-8"))["parameters"]
    assert again == pytest.approx(fitted.parameters, rel=1e-9)
    with np.load(tmp_path / "draws.npz") as draws:
        assert set(draws) == set(sampled.posterior_samples)
        for name, values in sampled.posterior_samples.items():
            np.testing.assert_array_equal(draws[name], values)


def test_the_script_says_what_was_chosen_and_no_more(workspace: Workspace) -> None:
    text = script(workspace)
    path = workspace.datasets[0].path
    assert f"data_1 = rheojobs.read(\n    {path!r},\n    mode='oscillation'," in text or (
        f"data_1 = rheojobs.read({path!r}, mode='oscillation'" in text
    )
    assert "data_2" not in text  # nothing was done with them
    assert "initial_params={'eta': 100000.0}" in text
    assert "seed=7" in text
    for default in ("max_iter", "weights", "multi_start", "max_tree_depth", "protocol"):
        assert default not in text
    assert "# import os; os.abort()" in text


NASTY = st.one_of(
    st.text(),
    st.sampled_from(
        ["');import os;os.abort()#", '"""', "a\\", "\\'", "x\ny", "\r", "\x00", "\udcff", "\u2028"]
    ),
)


@given(NASTY, NASTY, NASTY)
@settings(max_examples=150, deadline=None)
def test_no_text_of_a_user_becomes_code(
    workspace: Workspace, name: str, path: str, notes: str
) -> None:
    item = workspace.datasets[0]
    dataset = replace(item.dataset, name=name)
    run = replace(workspace.runs[0], model=name, start={name: 1.0})
    files = (replace(item, dataset=dataset, path=path), replace(item, dataset=dataset))
    runs = (run, replace(run, data=1))
    made = script(Workspace(files, runs, notes=notes), (1,))
    tree = ast.parse(made.encode("utf-8"))
    functions = [ast.unparse(n.func) for n in ast.walk(tree) if isinstance(n, ast.Call)]
    assert set(functions) <= {"rheojobs.read", "rheojobs.fit", "rheojobs.Dataset.of", "print"}
    imports = [n for n in ast.walk(tree) if isinstance(n, ast.Import | ast.ImportFrom)]
    assert len(imports) == 1
    texts = [n.value for n in ast.walk(tree) if isinstance(n, ast.Constant)]
    assert name in texts
    assert path in texts or not path


def test_an_option_that_is_none_is_refused(workspace: Workspace) -> None:
    for run in workspace.runs:
        hostile = replace(run, options={"checkpoint": "/home/somebody/.ssh"})
        with pytest.raises(InputError, match="unknown option 'checkpoint'"):
            script(replace(workspace, runs=(hostile,)))
        with pytest.raises(InputError, match="unknown option 'checkpoint'"):
            task_of(workspace, hostile)


def test_files_that_would_be_read_as_other_numbers_are_found(
    workspace: Workspace, tmp_path: Path
) -> None:
    assert unreadable(workspace) == frozenset()
    item = workspace.datasets[0]
    text = Path(item.path).read_text(encoding="utf-8")
    other = tmp_path / "other.csv"
    other.write_text(text.replace("1", "2"), encoding="utf-8")
    changed, gone = replace(item, path=str(other)), replace(item, path=str(tmp_path / "gone.csv"))
    assert unreadable(replace(workspace, datasets=(changed, item, gone))) == {0, 2}


def test_results_are_compared(workspace: Workspace) -> None:
    fitted, sampled = (run.result for run in workspace.runs)
    assert isinstance(fitted, FitResult)
    assert isinstance(sampled, BayesianResult)
    assert compared(fitted, fitted).verdict == "equal"
    moved = replace(fitted, parameters={k: v * (1 + 1e-6) for k, v in fitted.parameters.items()})
    assert compared(fitted, moved).verdict == "differs"
    assert compared(sampled, sampled).verdict == "equal"
    shifted = {k: v * (1 + 1e-12) for k, v in sampled.posterior_samples.items()}
    assert compared(sampled, replace(sampled, posterior_samples=shifted)).verdict == "agrees"
    far = {k: row | {"mean": 2 * row["mean"]} for k, row in sampled.summary.items()}
    other = replace(sampled, posterior_samples=shifted, summary=far)
    assert compared(sampled, other).verdict == "differs"
