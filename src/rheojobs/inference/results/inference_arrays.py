"""Draws as ArviZ takes them: one tree with the posterior, predictions, likelihood and data.

What a job gives is plain arrays: the tree is built by whoever looks at it, so that neither the
worker nor the process of the window spends time on what nobody may ever open.
"""

from __future__ import annotations

import warnings
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from rheojobs.inference.problem.problem import Problem
from rheojobs.inference.results.predictions import Predictions

if TYPE_CHECKING:
    from xarray import DataTree


__all__ = [
    "InferenceArrays",
    "component_names",
    "data_groups",
]


def component_names(problem: Problem) -> tuple[str, ...]:
    """Name what was observed."""
    return ("storage_modulus", "loss_modulus") if problem.is_complex else ("y",)


def data_groups(problem: Problem) -> dict[str, dict[str, Any]]:
    """Give the groups of what was observed."""
    names, data = component_names(problem), problem.dataset
    parts = (data.y.real, data.y.imag) if problem.is_complex else (data.y,)
    return {
        "observed_data": {name: np.asarray(part) for name, part in zip(names, parts, strict=True)},
        "constant_data": {"x": data.x},
    }


def _tree(groups: Mapping[str, Any], **layout: Any) -> DataTree:
    from arviz_base import from_dict

    with warnings.catch_warnings():
        # More chains than draws are meant.
        warnings.filterwarnings("ignore", message="Found chain dimension to be longer")
        return from_dict(groups, **layout)


@dataclass(frozen=True, eq=False)
class InferenceArrays:
    """What the tree of a sampling is built of.

    Attributes
    ----------
    draws, stats : mapping of str to ndarray, shape (chains, draws)
        The posterior, and what the sampler says of each draw.
    data : dict of str to dict of str to ndarray, shape (n,)
        As `data_groups` gives it.
    names : tuple of str
        What was observed.
    predictions : Predictions or None
        What the model says at the draws.
    attrs : dict of str to str
        Of the whole tree.
    """

    draws: Mapping[str, NDArray[np.float64]]
    stats: Mapping[str, NDArray[Any]]
    data: dict[str, dict[str, NDArray[Any]]]
    names: tuple[str, ...]
    predictions: Predictions | None
    attrs: dict[str, str]

    @classmethod
    def of(
        cls,
        problem: Problem,
        draws: Mapping[str, NDArray[np.float64]],
        stats: Mapping[str, NDArray[Any]],
        predictions: Predictions | None,
    ) -> InferenceArrays:
        """Gather the arrays of a sampling."""
        attrs = {"model": problem.model.name, "test_mode": problem.test_mode}
        names = component_names(problem)
        return cls(dict(draws), dict(stats), data_groups(problem), names, predictions, attrs)

    def tree(self) -> DataTree:
        """Build the tree."""
        groups = {"posterior": self.draws, "sample_stats": self.stats} | self.data
        tree = _tree(groups, dims={name: ["point"] for name in (*self.names, "x")})
        if self.predictions is not None:
            extra = {
                group: {name: values[:, :, column] for column, name in enumerate(self.names)}
                for group, values in (
                    ("log_likelihood", self.predictions.log_likelihood()),
                    ("posterior_predictive", self.predictions.predictive()),
                )
            }
            thinned = _tree(
                extra,
                dims={name: ["point"] for name in self.names},
                coords={"draw": self.predictions.draws},
            )
            for group in extra:
                tree[group] = thinned[group]
        tree.attrs |= self.attrs
        return tree
