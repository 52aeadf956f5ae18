"""A sampling in JSON, for processes that know nothing of this project, and what comes back."""

from __future__ import annotations

import tempfile
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
from side_by_side.cases import Case, Sampling
from side_by_side.child import Child, ChildError
from side_by_side.sides import Outcome, outcome_of_draws

from rheojobs import Dataset

__all__ = ["describe_job", "sample_in"]


def describe_job(
    case: Case, data: Dataset, sampling: Sampling, start: Mapping[str, float] | None
) -> dict[str, Any]:
    """Describe a sampling.

    The priors of the noise are RheoJAX's: exponential, of the data's own scale.
    """
    complex_ = np.iscomplexobj(data.y)
    rows = [data.y.real, data.y.imag] if complex_ else [np.asarray(data.y, dtype=float)]
    names = ["sigma_real", "sigma_imag"] if complex_ else ["sigma"]
    scales = [max(float(np.std(row)), 0.01 * float(np.mean(np.abs(row))), 1e-3) for row in rows]
    return {
        "do": "sample",
        "model": case.model,
        "test_mode": data.test_mode,
        "config": dict(case.config),
        "x": data.x.tolist(),
        "y": [row.tolist() for row in rows],
        "priors": {name: dict(prior) for name, prior in case.priors.items()},
        "noise": dict(zip(names, scales, strict=True)),
        "start": dict(start) if start is not None else None,
        **vars(sampling),
    }


def sample_in(
    child: Child, job: Mapping[str, Any], begins: str = ""
) -> tuple[Outcome, dict[str, Any]]:
    """Have a child process sample; return how it went, and what else it says.

    The time is that from the request to the event "done", or from an earlier event of its own,
    or from ``"started"``, its interpreter's.
    """
    with tempfile.TemporaryDirectory() as folder:
        out = Path(folder) / "draws.npz"
        began = time.perf_counter()
        try:
            child.ask({**job, "out": str(out)})
            done, _ = child.hear("done")
            _, said = child.hear("result")
        except ChildError as error:
            return Outcome(0.0, str(error)), {}
        began = child.started if begins == "started" else child.heard.get(begins, began)
        with np.load(out) as stored:
            draws = {name: stored[name] for name in stored.files}
    sampling = Sampling(job["num_warmup"], job["num_samples"], job["num_chains"], job["seed"])
    outcome = outcome_of_draws(done - began, draws, said["divergences"], sampling)
    return outcome, {"from_interpreter_start": done - child.started}
