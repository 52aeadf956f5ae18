"""The notebook runs from its first cell to its last, and each cell shows what it should."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import nbformat
import pytest
from nbclient import NotebookClient
from tests.examples.running import EXAMPLES

NAME = "notebook.ipynb"


@pytest.fixture
def notebook() -> Any:
    return nbformat.read(EXAMPLES / NAME, as_version=4)


def html_of(cell: Any) -> str:
    return "\n".join(
        output["data"].get("text/html", "")
        for output in cell.outputs
        if output.output_type in ("display_data", "execute_result")
    )


@pytest.mark.slow
def test_it_runs(notebook: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("RHEOJOBS_STATE_DIR", str(tmp_path / "state"))
    NotebookClient(notebook, timeout=120, resources={"metadata": {"path": str(tmp_path)}}).execute()
    shown = {
        cell.source.splitlines()[0]: html_of(cell)
        for cell in notebook.cells
        if cell.cell_type == "code"
    }
    assert "Fit of generalized_maxwell" in shown["result = fit(data, **MODEL)"]
    assert "Posterior of" in shown["posterior = sample(data, **MODEL, fit=result)"]
    assert "succeeded" in shown["watch(job).parameters"]
    assert "two fits" in shown['with progress("two fits") as show:']


def test_it_is_stored_without_outputs() -> None:
    cells = json.loads((EXAMPLES / NAME).read_text(encoding="utf-8"))["cells"]
    assert not any(cell.get("outputs") or cell.get("execution_count") for cell in cells)
