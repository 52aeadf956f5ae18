"""Distribute fixed, tied and bounded parameters among models: each takes those that it has."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import Any

from rheojobs.engine import JobEngine
from rheojobs.errors import InputError, nearest
from rheojobs.inference.models.ties import Tie, parse_ties

__all__ = ["Shared", "ask_names", "parameter_names"]

WHOSE = "the comparison"


def parameter_names(model: str, config: Mapping[str, Any]) -> tuple[str, ...]:
    """Return the parameters of a model with these settings; loads it, so runs in a worker."""
    from rheojobs.inference.models.loading import load

    return load(model, config).names


def ask_names(
    engine: JobEngine, models: Sequence[tuple[str, Mapping[str, Any]]]
) -> list[tuple[str, ...]]:
    """Return the parameters of models with settings, which requires loading the models.

    Empty if a model does not take its settings: its fit then fails with the reason.
    """
    jobs = [
        engine.submit(partial(parameter_names, name, dict(config)), name=f"parameters of {name}")
        for name, config in models
    ]
    found = [tuple(job.result()) if job.exception() is None else () for job in jobs]
    for job in jobs:
        job.forget()
    return found


@dataclass(frozen=True)
class Shared:
    """Fixed, tied and bounded parameters of several models.

    Attributes
    ----------
    fixed : dict of str to float
        Parameters with a fixed value.
    tied : dict of str to str
        Parameters that are computed from others.
    ties : tuple of Tie
        The same, parsed.
    bounds : dict of str to (float, float)
        Narrower than a model's own.
    """

    fixed: dict[str, float] = field(default_factory=dict)
    tied: dict[str, str] = field(default_factory=dict)
    ties: tuple[Tie, ...] = ()
    bounds: dict[str, tuple[float, float]] = field(default_factory=dict)

    @classmethod
    def of(
        cls,
        fixed: Mapping[str, float],
        tied: Mapping[str, str],
        names: Mapping[str, Sequence[str]],
        bounds: Mapping[str, tuple[float, float]] | None = None,
    ) -> Shared:
        """Check fixed, tied and bounded parameters against those of all models.

        Parameters
        ----------
        fixed, tied, bounds : mapping
            As `FitOptions` has them.
        names : mapping of str to sequence of str
            The parameters of each model.

        Raises
        ------
        InputError
            If no model has a parameter, or none has all parameters of a tie.
        """
        known = list(dict.fromkeys(name for own in names.values() for name in own))
        limits = dict(bounds or {})
        for how, given in (("fix", fixed), ("tie", tied), ("bound", limits)):
            for name in given:
                if name not in known:
                    raise InputError(
                        f"no model has a parameter {name!r} to {how}; {nearest(str(name), known)}"
                    )
        ties = parse_ties(tied, known, WHOSE, list(fixed))
        made = cls(dict(fixed), dict(tied), ties, limits)
        for tie in made.ties:
            wanted = {tie.name, *tie.sources}
            if not any(wanted <= set(own) for own in names.values()):
                every = ", ".join(sorted(wanted))
                raise InputError(f"tie {tie.name} = {tie.text!r}: no model has all of {every}")
        return made

    def options(self, names: Sequence[str]) -> dict[str, Any]:
        """Return those that a model with these parameters has, as options of its fit."""
        tied = {
            tie.name: self.tied[tie.name]
            for tie in self.ties
            if {tie.name, *tie.sources} <= set(names)
        }
        fixed = {name: value for name, value in self.fixed.items() if name in names}
        bounds = {name: ends for name, ends in self.bounds.items() if name in names}
        return {"fixed": fixed, "tied": tied, "bounds": bounds}

    def words(self, names: Mapping[str, Sequence[str]]) -> list[str]:
        """Return notes in plain words on what holds for which of the models."""
        found = []
        options = {label: self.options(own) for label, own in names.items()}
        ends = {
            name: f"{name} is kept between {low:g} and {high:g}"
            for name, (low, high) in self.bounds.items()
        }
        for key, texts in (
            ("fixed", {name: f"{name} = {value:g} is fixed" for name, value in self.fixed.items()}),
            ("tied", {name: f"{name} = {text} is tied" for name, text in self.tied.items()}),
            ("bounds", ends),
        ):
            for name, text in texts.items():
                having = [label for label, own in options.items() if name in own[key]]
                others = "" if len(having) == len(names) else "; the others have no such parameter"
                found.append(f"{text} in {', '.join(having)}{others}")
        return found
