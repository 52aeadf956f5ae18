"""Settings of models, such as the number of modes, declared as options with fields."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Self

from rheojobs.errors import InputError
from rheojobs.inference.options.kinds import Choice, Count, Flag, Kind, Number, Text
from rheojobs.inference.options.option import Group, Option

__all__ = ["FORMULA", "ModelSetting"]

FORMULA = "formula"
"""The setting of every model that chooses between our formulas and RheoJAX's."""


@dataclass(frozen=True)
class ModelSetting:
    """A setting of a model.

    Attributes
    ----------
    name : str
        As `model_config` takes it.
    default : bool, int, float, str or None
        Its default, whose type is that of all its values; None for a number without default.
    words : mapping of str to str
        The only words that it takes, and what each means; empty for any value of its type.
    help : str
        One line; empty if the model does not describe it.
    """

    name: str
    default: bool | int | float | str | None
    words: Mapping[str, str] = field(default_factory=dict, hash=False)
    help: str = ""

    @property
    def option(self) -> Option:
        """The declaration, as a form takes it."""
        return Option(
            self._kind(),
            self.help or f"The setting {self.name} of the model.",
            Group.MODEL,
            word=self.name,
            label=self.name,
            name=self.name,
            default=self.default,
        )

    @classmethod
    def of_json(cls, fields: Mapping[str, Any]) -> Self:
        """Restore a setting from its fields in JSON."""
        return cls(**{**fields, "words": dict(fields["words"])})

    def _kind(self) -> Kind:
        if self.words:
            return Choice(self.words)
        if isinstance(self.default, bool):
            return Flag()
        if isinstance(self.default, int):
            return Count()
        if isinstance(self.default, str):
            return Text(_word)
        return Number(-math.inf)


def _word(text: str) -> str:
    if not text.strip():
        raise InputError("must be a word")
    return text.strip()
