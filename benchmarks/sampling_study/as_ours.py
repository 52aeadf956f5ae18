"""A job's description as this project takes it; for child processes."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from rheojobs import Dataset

__all__ = ["arguments"]

SAME = ("model", "num_warmup", "num_samples", "num_chains", "priors", "seed")


def arguments(job: Mapping[str, Any]) -> dict[str, Any]:
    """Return what `rheojobs.sample` and `rheojobs.SampleTask` are called with."""
    rows = [np.array(row) for row in job["y"]]
    y = rows[0] + 1j * rows[1] if len(rows) == 2 else rows[0]
    quantity = "viscosity" if job["test_mode"] == "flow_curve" else ""
    return {
        "data": Dataset(np.array(job["x"]), y, job["test_mode"], quantity=quantity),
        "warm_start": job["start"],
        "model_config": job["config"],
        "likelihood": "constant",
        "default_priors": "rheojax",
        **{name: job[name] for name in SAME},
    }
