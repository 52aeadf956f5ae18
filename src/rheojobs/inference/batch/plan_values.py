"""The values of a batch plan, each judged alone, so that an error can name its key.

What is right is asked of those who use it: the options of a fit, a sampling, the readers.
"""

from __future__ import annotations

import math
from dataclasses import fields
from typing import Any

import numpy as np

from rheojobs.errors import InputError
from rheojobs.inference.data.dataset import Dataset
from rheojobs.inference.data.protocol import check_protocol
from rheojobs.inference.data.test_modes import canonical_test_mode
from rheojobs.inference.fits.options import FitOptions
from rheojobs.inference.models.ties import parse_tie
from rheojobs.inference.posterior.prior_syntax import check_prior, parse_prior
from rheojobs.inference.sampling.task import SampleTask

__all__ = [
    "DATA_KEYS",
    "FIT_KEYS",
    "SAMPLE_KEYS",
    "data_value",
    "fit_value",
    "is_number",
    "sample_value",
    "shown",
]

DATA_KEYS = ("mode", "x", "y", "y2", "sigma", "step", "at")
FIT_KEYS = {
    "init": "init",
    "fix": "fixed",
    "tie": "tied",
    **{
        f.name: f.name
        for f in fields(FitOptions)
        if f.name not in ("test_mode", "protocol", "model_config", "fixed", "tied")
    },
}
"""Names of a plan, which are those of the command line -> those of `FitOptions`."""

SAMPLE_KEYS = {
    "warmup": "num_warmup",
    "draws": "num_samples",
    "chains": "num_chains",
    "seed": "seed",
    "priors": "priors",
    "likelihood": "likelihood",
    "default_priors": "default_priors",
    "until_ess": "until_ess",
}
"""Names of a plan, which are those of the command line -> those of `SampleTask`."""


def data_value(key: str, value: Any) -> Any:
    if key == "mode":
        return canonical_test_mode(value)
    if key == "at":
        return check_protocol(_numbers(value))
    if key == "step":
        if isinstance(value, bool) or not isinstance(value, int) or value < 1:
            raise InputError(f"must be a whole number from 1 up, got {value!r}")
    elif key == "sigma":
        columns = value if isinstance(value, list) else [value]
        if not 1 <= len(columns) <= 2:
            raise InputError(f"must be a column, or two for G' and G'', got {shown(value)}")
        return [_column(column) for column in columns]
    else:
        _column(value)
    return value


def _column(value: Any) -> str | int:
    if isinstance(value, bool) or not isinstance(value, str | int):
        raise InputError(f"must be the name or the number of a column, got {value!r}")
    return value


def fit_value(key: str, value: Any) -> Any:
    if key in ("init", "fix"):
        return _numbers(value)
    if key == "tie":
        return _expressions(value)
    FitOptions.of({key: value})
    return value


def sample_value(key: str, value: Any) -> Any:
    if key == "priors":
        return _priors(value)
    if key == "until_ess" and value is not None and not is_number(value):
        raise InputError(f"must be a number of independent draws, got {value!r}")
    # Judged by the task itself, on data that are never sampled.
    nothing = Dataset(np.ones(1), np.ones(1), "relaxation", sigma=np.ones(1))
    SampleTask("maxwell", nothing, checkpoint="", **{SAMPLE_KEYS[key]: value}).validate()
    return value


def _priors(given: Any) -> dict[str, Any]:
    if not isinstance(given, dict):
        raise InputError(f"must give a prior to each parameter, got {shown(given)}")
    priors = {
        name: parse_prior(name, value) if isinstance(value, str) else value
        for name, value in given.items()
    }
    for name, prior in priors.items():
        check_prior(name, prior)
    return priors


def _expressions(given: Any) -> dict[str, str]:
    if not isinstance(given, dict):
        raise InputError(f"must give expressions by name, got {shown(given)}")
    for name, text in given.items():
        parse_tie(name, text)
    return given


def _numbers(given: Any) -> dict[str, float]:
    if not isinstance(given, dict):
        raise InputError(f"must give numbers by name, got {shown(given)}")
    for name, value in given.items():
        if not is_number(value) or not math.isfinite(value):
            raise InputError(f"{name} must be a number, got {value!r}")
    return {name: float(value) for name, value in given.items()}


def is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def shown(value: Any) -> str:
    text = repr(value)
    return "nothing" if value is None else text if len(text) <= 40 else text[:39] + "…"
