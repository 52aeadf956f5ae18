"""Bayesian sampling with NUTS, in this process: `sample`, `resume` and `extend`."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import fields
from pathlib import Path
from typing import Any

from rheojobs.engine.events import Progress
from rheojobs.engine.local_context import local_context
from rheojobs.errors import InputError, nearest
from rheojobs.inference.models.model import Model
from rheojobs.inference.results.bayesian_result import BayesianResult
from rheojobs.inference.sampling.task import SampleTask

__all__ = ["extend", "resume", "sample", "sample_task"]


def sample(
    data: object,
    model: str | Model,
    *,
    callback: Callable[[Progress], object] | None = None,
    **settings: Any,
) -> BayesianResult:
    """Sample the posterior of a model, in this process.

    Parameters
    ----------
    data : object
        A `Dataset`, RheoJAX's `RheoData`, a pair ``(x, y)``, or a mapping with x and y.
    model : str or Model
        A name of the catalogue, or a plain JAX function with its parameters.
    callback : callable, optional
        Called with each `Progress`; an exception that it raises ends the sampling.
    **settings
        As `SampleTask` has them: num_warmup, num_samples, num_chains, warm_start, fit, priors,
        seed, test_mode, protocol, model_config, target_accept, likelihood, default_priors,
        until_ess, max_samples, checkpoint, fixed, bounds, keep_checkpoint.

    Returns
    -------
    BayesianResult

    Raises
    ------
    InputError
        In one line, what is wrong with the input.
    """
    return _run(sample_task(data, model, settings), callback)


def sample_task(data: object, model: str | Model, settings: Mapping[str, Any]) -> SampleTask:
    """Return the task of `sample`; raises `InputError` for a setting that does not exist."""
    known = [item.name for item in fields(SampleTask) if item.init and item.name[0] != "_"]
    for name in settings:
        if name not in known:
            raise InputError(f"unknown setting {name!r} of a sampling; {nearest(name, known)}")
    return SampleTask(model, data, **settings)


def resume(
    folder: str | Path, *, callback: Callable[[Progress], object] | None = None
) -> BayesianResult:
    """Resume a stopped sampling, in this process.

    The draws equal those of an undisturbed sampling, to the bit.

    Parameters
    ----------
    folder : path
        Its checkpoint: the `checkpoint` of its partial result.
    callback : callable, optional
        As for `sample`.
    """
    return _run(SampleTask.of_checkpoint(folder), callback)


def extend(
    result: BayesianResult,
    num_samples: int = 2000,
    *,
    callback: Callable[[Progress], object] | None = None,
) -> BayesianResult:
    """Draw more, continuing a result without warm-up, in this process.

    Parameters
    ----------
    result : BayesianResult
        Of a sampling in this session.
    num_samples : int
        Additional draws of each chain.
    callback : callable, optional
        As for `sample`.

    Returns
    -------
    BayesianResult
        With the old draws and the new ones, which equal those of one longer sampling, to the bit.
    """
    return _run(SampleTask.extending(result, num_samples), callback)


def _run(task: SampleTask, callback: Callable[[Progress], object] | None) -> BayesianResult:
    with local_context(callback) as context:
        return task.run(context)
