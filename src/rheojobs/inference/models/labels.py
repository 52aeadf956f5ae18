"""A model in words: its name, with its settings, and the affinity of its tasks."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from rheojobs.errors import InputError
from rheojobs.inference.models.loading import load_own
from rheojobs.inference.models.model import Model
from rheojobs.inference.models.own.reference import is_formula, shown_name

__all__ = ["affinity_of", "label_of", "name_of", "title_of"]

LONGEST_TITLE = 80


def label_of(name: str, config: Mapping[str, Any]) -> str:
    """Write a model with its settings, as `rheojobs compare --models` takes it."""
    return ":".join([shown_name(name), *(f"{key}={value}" for key, value in config.items())])


def name_of(model: str | Model) -> str:
    """Return the name of a model that a task was given."""
    return model.name if isinstance(model, Model) else shown_name(str(model))


def affinity_of(model: str | Model, config: Mapping[str, Any] | None) -> str:
    """Return the affinity of all tasks that share the compiled programs of a model."""
    name = model.name if isinstance(model, Model) else model
    return f"{name} {config or {}}"


def title_of(name: str) -> str:
    """Return the name of a result's model for a figure: a formula with Greek letters."""
    if not is_formula(name):
        return name
    try:
        model = load_own(name)
    except InputError:  # of a version that reads other formulas
        return name
    title = name if model is None else model.description
    return title if len(title) <= LONGEST_TITLE else f"{title[: LONGEST_TITLE - 1]}…"
