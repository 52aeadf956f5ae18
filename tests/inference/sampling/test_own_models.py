"""Own models in samplings that are stopped: another process continues them by their folder."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from tests.inference.helpers import decay_data, in_new_process, run_until, same_draws

from rheojobs.errors import InputError
from rheojobs.inference.results.bayesian_result import BayesianResult
from rheojobs.inference.sampling import chains
from rheojobs.inference.sampling.sample import resume, sample
from rheojobs.inference.sampling.task import SampleTask

pytestmark = pytest.mark.usefixtures("state_folder")

COUNTS = {"num_warmup": 100, "num_samples": 100, "num_chains": 2}
SOURCE = """
import jax.numpy as jnp


def decay(t, G0=1e4, tau=1.0):
    return G0 * jnp.exp(-t / tau)
"""


@pytest.fixture(params=["formula", "file"])
def model(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    if request.param == "formula":
        return "G0*exp(-t/tau)"
    (tmp_path / "lab.py").write_text(SOURCE)
    return f"{tmp_path / 'lab.py'}:decay"


@pytest.mark.promise("same-draws")
def test_another_process_continues_it(model, tmp_path, monkeypatch):
    monkeypatch.setattr(chains, "CHUNK_SECONDS", 0.0)
    whole = sample(decay_data(), model, **COUNTS)
    folder, out = tmp_path / "kept", tmp_path / "draws.npy"
    work = SampleTask(model, decay_data(), **COUNTS, checkpoint=str(folder))
    run_until(work, lambda p: sum(p.metrics.get("chains", [0])) > 20)
    in_new_process(
        "import numpy as np\n"
        "from rheojobs.inference.sampling.sample import resume\n"
        f"result = resume({str(folder)!r})\n"
        f"np.save({str(out)!r}, result.posterior_samples['tau'])\n"
    )
    np.testing.assert_array_equal(np.load(out), whole.posterior_samples["tau"])


def test_a_file_that_has_changed_meanwhile_is_refused(tmp_path, monkeypatch):
    monkeypatch.setattr(chains, "CHUNK_SECONDS", 0.0)
    path, folder = tmp_path / "lab.py", tmp_path / "kept"
    path.write_text(SOURCE)
    given = {**COUNTS, "checkpoint": str(folder)}
    whole = sample(decay_data(), f"{path}:decay", **COUNTS)
    work = SampleTask(f"{path}:decay", decay_data(), **given)
    run_until(work, lambda p: sum(p.metrics.get("chains", [0])) > 20)
    path.write_text(SOURCE.replace("-t / tau", "-2 * t / tau"))
    with pytest.raises(InputError, match="has changed since the job was made"):
        resume(folder)
    path.write_text(SOURCE)
    result = resume(folder)
    assert isinstance(result, BayesianResult)
    assert same_draws(result, whole)
