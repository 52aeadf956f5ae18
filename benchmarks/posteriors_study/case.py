"""`Case`: a posterior that samplers are judged by."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from rheojobs import Dataset, Model

__all__ = ["Case"]


@dataclass(frozen=True)
class Case:
    """A posterior.

    Attributes
    ----------
    name : str
        For tables.
    model : str or Model
        Of the catalogue, or a function.
    dataset : callable
        ``seed -> Dataset``: new data of the same kind.
    settings : mapping
        Of the sampling: priors, noise, the model's own.
    moments : mapping of str to (float, float), optional
        Means and standard deviations that are known otherwise.
    """

    name: str
    model: str | Model
    dataset: Callable[[int], Dataset]
    settings: Mapping[str, Any] = field(default_factory=dict)
    moments: Mapping[str, tuple[float, float]] = field(default_factory=dict)
