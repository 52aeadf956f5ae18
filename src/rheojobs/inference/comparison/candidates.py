"""The candidates of a comparison, with the state of each."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from rheojobs.engine.jobs.attempt import Attempt
from rheojobs.errors import InputError
from rheojobs.inference.comparison.leave_one_out import Scored
from rheojobs.inference.comparison.ranking import ComparedModel
from rheojobs.inference.models.labels import label_of
from rheojobs.inference.models.loading import check_name
from rheojobs.inference.models.model import Model
from rheojobs.inference.models.own.reference import is_own

__all__ = ["Candidate", "ModelLike", "candidates_of"]

ModelLike = str | Model | tuple[str, Mapping[str, Any]]
"""A name, a model, or a name with its settings."""


@dataclass(eq=False)
class Candidate:
    """A model in a comparison that is running.

    Attributes
    ----------
    label : str
        Its name, with its settings if there are any.
    model : str or Model
        As a fit takes it.
    config : mapping
        Its settings.
    state : str
        ``"unsuitable"``, ``"waiting"``, ``"fitting"``, ``"fitted"``, ``"sampling"``,
        ``"sampled"``, ``"failed"`` or ``"stopped"``.
    reason : str
        Why it is unsuitable, has failed, or was not sampled.
    attempt : Attempt or None
        The job that it waits for.
    fitted : ComparedModel or None
        Its fit.
    scored : Scored or None
        Its posterior.
    names : tuple of str
        Its parameters; for a model with settings, those of its default until they are needed.
    """

    label: str
    model: str | Model
    config: Mapping[str, Any] = field(default_factory=dict)
    state: str = "waiting"
    reason: str = ""
    attempt: Attempt | None = None
    fitted: ComparedModel | None = None
    scored: Scored | None = None
    names: tuple[str, ...] = ()

    @property
    def is_settled(self) -> bool:
        """Whether no job of it runs or is waiting."""
        return self.attempt is None


def candidates_of(models: Iterable[ModelLike]) -> list[Candidate]:
    """Make candidates of a user's models; raises `InputError` if one is given twice."""
    found: dict[str, Candidate] = {}
    for given in models:
        if isinstance(given, Model):
            candidate = Candidate(label_of(given.name, given.config), given)
        else:
            name, config = (given, {}) if isinstance(given, str) else (given[0], dict(given[1]))
            name = check_name(name) if is_own(name) else name
            candidate = Candidate(label_of(name, config), name, config)
        if candidate.label in found:
            raise InputError(f"the model {candidate.label} is given twice")
        found[candidate.label] = candidate
    if not found:
        raise InputError("there are no models to compare")
    return list(found.values())
