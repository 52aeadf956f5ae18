"""Run the fits and samplings of a workspace again, and compare the numbers."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np

from rheojobs.inference.data.dataset import Dataset
from rheojobs.inference.fits.options import FitOptions
from rheojobs.inference.fits.task import FitTask
from rheojobs.inference.options.option import checked, options_of
from rheojobs.inference.results.bayesian_result import BayesianResult
from rheojobs.inference.results.fit_result import FitResult
from rheojobs.inference.sampling.options import SampleOptions
from rheojobs.inference.sampling.task import SampleTask
from rheojobs.inference.workspace.content import Workspace, WorkspaceRun

__all__ = ["Repetition", "checked_options", "compared", "given_in", "task_of"]

TOLERANCE = 1e-9
"""The relative difference up to which two fits are equal."""

MOST_ERRORS = 4.0
"""Means of two samplings agree when they differ by so many of their Monte Carlo errors at most."""


def given_in(task: FitTask | SampleTask) -> tuple[str, dict[str, float], dict[str, Any]]:
    """Return the kind, the start and the options of a task, before it is validated.

    Returns
    -------
    kind : str
        ``"fit"`` or ``"sampling"``.
    start : dict of str to float
        Initial values.
    options : dict
        The options that differ from the defaults.
    """
    if isinstance(task, FitTask):
        given = dict(task.options or {})
        return "fit", dict(task.initial_params or {}), _chosen(FitOptions, given)
    given = {name: getattr(task, name) for name in options_of(SampleOptions)}
    return "sampling", dict(task.warm_start or {}), _chosen(SampleOptions, given)


def _chosen(declaring: type, given: Mapping[str, Any]) -> dict[str, Any]:
    known = options_of(declaring)
    chosen = {}
    for name, value in given.items():
        empty = isinstance(value, Mapping) and not value
        if not empty and (name not in known or value != known[name].default):
            chosen[name] = dict(value) if isinstance(value, Mapping) else value
    return chosen


def checked_options(run: WorkspaceRun) -> dict[str, Any]:
    """Return the options of a run.

    Raises
    ------
    InputError
        If one is not declared: a file could name any other argument, such as a folder.
    """
    if run.kind == "fit":
        return checked(FitOptions, run.options, "a fit")
    return checked(SampleOptions, run.options, "a sampling")


def task_of(workspace: Workspace, run: WorkspaceRun) -> FitTask | SampleTask:
    """Return the task that repeats a run; raises `InputError` if an option is not right."""
    data: Dataset = workspace.datasets[run.data].dataset
    options = checked_options(run)
    if run.kind == "fit":
        return FitTask(run.model, data, dict(run.start), options)
    return SampleTask(run.model, data, warm_start=dict(run.start) or None, **options)


@dataclass(frozen=True)
class Repetition:
    """The numbers of a run and of its repetition.

    Attributes
    ----------
    verdict : str
        ``"equal"``: estimates to 1e-9, or draws to the bit; ``"agrees"``: the means of draws,
        within their Monte Carlo errors; else ``"differs"``.
    numbers : dict of str to (float, float)
        By parameter, before and now: estimates of a fit, means of draws.
    """

    verdict: Literal["equal", "agrees", "differs"]
    numbers: dict[str, tuple[float, float]]


def compared(before: FitResult | BayesianResult, now: FitResult | BayesianResult) -> Repetition:
    """Compare a result with that of its repetition."""
    if isinstance(before, FitResult) and isinstance(now, FitResult):
        return _compared_fits(before, now)
    assert isinstance(before, BayesianResult)
    assert isinstance(now, BayesianResult)
    return _compared_draws(before, now)


def _compared_fits(before: FitResult, now: FitResult) -> Repetition:
    numbers = _paired(before.parameters, now.parameters)
    is_equal = all(math.isclose(old, new, rel_tol=TOLERANCE) for old, new in numbers.values())
    return Repetition("equal" if is_equal else "differs", numbers)


def _compared_draws(before: BayesianResult, now: BayesianResult) -> Repetition:
    old, new = before.summary, now.summary
    numbers = _paired(_of("mean", old), _of("mean", new))
    names = before.posterior_samples.keys()
    if names == now.posterior_samples.keys() and all(
        np.array_equal(before.posterior_samples[name], now.posterior_samples[name])
        for name in names
    ):
        return Repetition("equal", numbers)
    errors = _paired(_of("mcse_mean", old), _of("mcse_mean", new))
    is_near = all(
        abs(first - second) <= MOST_ERRORS * math.hypot(*errors[name])
        for name, (first, second) in numbers.items()
    )
    return Repetition("agrees" if is_near else "differs", numbers)


def _of(what: str, summary: Mapping[str, Mapping[str, float]]) -> dict[str, float]:
    return {name: row[what] for name, row in summary.items()}


def _paired(
    before: Mapping[str, float], now: Mapping[str, float]
) -> dict[str, tuple[float, float]]:
    names = [*before, *(name for name in now if name not in before)]
    return {name: (before.get(name, math.nan), now.get(name, math.nan)) for name in names}
