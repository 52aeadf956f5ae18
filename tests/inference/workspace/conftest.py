"""A workspace with a fit and a sampling, as the window records them."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from rheojobs.inference.data import example_melt
from rheojobs.inference.data.reading.preview import Reading, look
from rheojobs.inference.fits.task import FitTask, fit
from rheojobs.inference.sampling.sample import sample, sample_task
from rheojobs.inference.workspace.content import (
    Workspace,
    WorkspaceData,
    WorkspaceEdits,
    WorkspaceRun,
)
from rheojobs.inference.workspace.repetition import given_in


@pytest.fixture(scope="session")
def workspace() -> Workspace:
    """The shipped melt, read with a choice, a fit with options, and a short sampling from it."""
    path = example_melt.csv_path()
    reading = Reading(mode="oscillation", left_out={"x_range": "0.01, 10"})
    dataset = look(path, reading).dataset
    assert dataset is not None
    options: dict[str, Any] = {"bounds": {"G0": (1e3, 1e7)}, "weights": None, "multi_start": 1}
    first = fit(dataset, "maxwell", initial_params={"eta": 1e5}, **options)
    kind, start, chosen = given_in(FitTask("maxwell", dataset, {"eta": 1e5}, options))
    assert kind == "fit"
    fitted = WorkspaceRun("fit", 0, "maxwell", start, chosen, first)
    settings: dict[str, Any] = {
        "num_warmup": 60,
        "num_samples": 50,
        "num_chains": 2,
        "seed": 7,
        "warm_start": first.parameters,
        "priors": {"G0": {"type": "lognormal", "loc": 10.0, "scale": 2.0}},
    }
    _, start, chosen = given_in(sample_task(dataset, "maxwell", settings))
    draws = sample(dataset, "maxwell", **settings)
    sampled = WorkspaceRun("sampling", 0, "maxwell", start, chosen, draws)
    edits = WorkspaceEdits(
        0, "maxwell", {"eta": 2.0}, {}, {"G0": (1e3, 1e7)}, {"G0": {"type": "normal", "loc": ""}}
    )
    data = WorkspaceData(dataset, str(path), "", reading)
    notes = "First look.\n'''\nimport os; os.abort()"
    return Workspace((data, replace(data, path="")), (fitted, sampled), edits, notes)
