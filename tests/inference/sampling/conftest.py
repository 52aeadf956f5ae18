"""The short sampling, undisturbed, and a folder of state for each test."""

from __future__ import annotations

import pytest
from tests.inference.helpers import decay_data, decay_model
from tests.inference.sampling.helpers import COUNTS

from rheojobs.inference.results.bayesian_result import BayesianResult
from rheojobs.inference.sampling.sample import sample


@pytest.fixture
def state_folder(tmp_path, monkeypatch):
    monkeypatch.setenv("RHEOJOBS_STATE_DIR", str(tmp_path / "state"))


@pytest.fixture(scope="session")
def undisturbed() -> BayesianResult:
    return sample(decay_data(), decay_model(), **COUNTS)
