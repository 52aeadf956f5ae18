"""Build ArviZ's tree of the posterior, predictions, likelihood and data from arrays.

A job returns plain arrays; the tree is built when it is first read, so that no time is spent on
a tree that is never opened.
"""

from __future__ import annotations

import warnings
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from rheojobs.inference.results.predictions import Predictions

if TYPE_CHECKING:
    from xarray import DataTree


__all__ = ["InferenceArrays"]


def _tree(groups: Mapping[str, Any], **layout: Any) -> DataTree:
    from arviz_base import from_dict

    with warnings.catch_warnings():
        # It is intended that there may be more chains than draws.
        warnings.filterwarnings("ignore", message="Found chain dimension to be longer")
        return from_dict(groups, **layout)


@dataclass(frozen=True, eq=False)
class InferenceArrays:
    """The arrays from which the tree of a sampling is built.

    Attributes
    ----------
    draws, stats : mapping of str to ndarray, shape (chains, draws)
        The posterior, and the sampler's statistics of each draw.
    data : dict of str to dict of str to ndarray, shape (n,)
        The observations, by ArviZ's group and name.
    names : tuple of str
        Names of the observed quantities.
    predictions : Predictions or None
        The model's predictions at the draws.
    attrs : dict of str to str
        Of the whole tree.
    """

    draws: Mapping[str, NDArray[np.float64]]
    stats: Mapping[str, NDArray[Any]]
    data: dict[str, dict[str, NDArray[Any]]]
    names: tuple[str, ...]
    predictions: Predictions | None
    attrs: dict[str, str]

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
