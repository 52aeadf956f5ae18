"""`FitRequest`: the fit that the window is set to, for many files."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from rheojobs.inference.models.catalogue import ModelInfo
from rheojobs.inference.models.labels import label_of

__all__ = ["FitRequest"]

REPEATED_STARTS = 8
"""Starts of a repeated fit, unless more were asked for."""


@dataclass(frozen=True)
class FitRequest:
    """A model with the settings of its fit.

    Attributes
    ----------
    model : str
        Its name.
    start : mapping of str to float
        Initial values; those that are missing are estimated from the data.
    options : mapping
        As in `FitOptions`.
    is_repeat : bool
        Whether it repeats a fit: the better of both is kept.
    """

    model: str
    start: Mapping[str, float] = field(default_factory=dict)
    options: Mapping[str, Any] = field(default_factory=dict)
    is_repeat: bool = False

    @classmethod
    def of(
        cls, model: ModelInfo, start: Mapping[str, float], options: Mapping[str, Any]
    ) -> FitRequest:
        """Return the fit of a model of the list, with its settings if it has any."""
        return cls(model.name, start, model.options | dict(options))

    @property
    def label(self) -> str:
        """The model with its settings, as the table of a batch writes it."""
        return label_of(self.model, self.options.get("model_config") or {})

    def repeated(self, start: Mapping[str, float]) -> FitRequest:
        """Return the same from more starts, the first of them made of the neighbours' estimates."""
        starts = max(int(self.options.get("multi_start", 1)), REPEATED_STARTS)
        options = {**self.options, "multi_start": starts}
        return replace(self, start={**self.start, **start}, options=options, is_repeat=True)
