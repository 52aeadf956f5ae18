"""`CurveTask`: the curve of a model at given values, by a program that the worker keeps.

A window runs one after another while the user drags a parameter.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from rheojobs.engine.task import TaskContext
from rheojobs.inference.data.arrays import evenly
from rheojobs.inference.data.dataset import Dataset
from rheojobs.inference.models.labels import affinity_of
from rheojobs.inference.models.model import Model
from rheojobs.inference.problem.problem import Problem
from rheojobs.inference.programs.jax_setup import configure_jax
from rheojobs.inference.programs.kernel_cache import KernelCache

__all__ = ["CurveTask", "thinned"]

MOST_POINTS = 500
"""More points of a curve cannot be told apart on a screen."""

_programs = KernelCache(16)


def thinned(data: Dataset) -> Dataset:
    """Return data of at most `MOST_POINTS` points, evenly chosen, with all else unchanged."""
    if len(data) <= MOST_POINTS:
        return data
    index = evenly(len(data), MOST_POINTS)
    sigma = None if data.sigma is None else data.sigma[index]
    return replace(data, x=data.x[index], y=data.y[index], sigma=sigma)


@dataclass(frozen=True)
class CurveTask:
    """The curve of a model over the x of data.

    Parameters
    ----------
    model : str or Model
        As `FitTask` takes it.
    dataset : Dataset
        Gives x, the test and its constants.
    values : mapping of str to float
        Of the model's own parameters; defaults for those that are missing.
    model_config : mapping
        The model's own settings.
    """

    model: str | Model
    dataset: Dataset
    values: Mapping[str, float]
    model_config: Mapping[str, Any] = field(default_factory=dict)

    @property
    def affinity(self) -> str:
        """That of fits of the model."""
        return affinity_of(self.model, self.model_config)

    def run(self, context: TaskContext) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """Return x, ascending, of shape (n,), and the curve's components, shape (c, n)."""
        configure_jax()
        problem = Problem.of(self.model, self.dataset, self.model_config)
        names = problem.model.names
        values = {item.name: item.default or 1.0 for item in problem.model.parameters}
        values |= {name: value for name, value in self.values.items() if name in values}
        params = np.array([values[name] for name in names])
        order = np.argsort(problem.dataset.x, kind="stable")
        curve = _program(problem)(problem.dataset.x, params)
        return problem.dataset.x[order], np.asarray(curve, dtype=np.float64)[:, order]


def _program(problem: Problem) -> Any:
    from rheojobs.inference.programs.exported_program import StoredProgram

    def build() -> StoredProgram:
        return StoredProgram(problem.components, 0, problem.identity("curve"), "curve")

    return _programs.get(problem.key, build)
