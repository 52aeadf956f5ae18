"""The declaration of an option, and dataclasses of such declarations."""

from __future__ import annotations

import enum
import functools
from collections.abc import Mapping
from dataclasses import MISSING, dataclass, field, fields, replace
from types import MappingProxyType
from typing import Any

from rheojobs.errors import InputError, nearest
from rheojobs.inference.options.kinds import ByName, Kind, ValueKindError

__all__ = ["Group", "Option", "checked", "option", "options_of"]


class Group(enum.StrEnum):
    """The heading under which help, docs and the window show an option."""

    DATA = "Data"
    MODEL = "Model and fit"
    TOLERANCES = "Tolerances of the fit"
    SAMPLING = "Sampling"


@dataclass(frozen=True)
class Option:
    """An option of reading, fitting, sampling or comparing.

    Attributes
    ----------
    kind : Kind
        What values it takes.
    help : str
        What it does, in one or two sentences.
    group : Group
        Its heading.
    word : str
        Its name in a plan, and after ``--`` in a terminal; that in Python if empty.
    flag : str
        Its name in a terminal; made from its word if empty.
    label : str
        Its name in the window; made from its word if empty.
    name : str
        Its name in Python.
    default : object
        Its default.
    is_stored : bool
        Whether it is stored with a task.
    """

    kind: Kind
    help: str
    group: Group
    word: str = ""
    flag: str = ""
    label: str = ""
    name: str = ""
    default: Any = None
    is_stored: bool = True

    def check(self, value: Any) -> Any:
        """Return a value as it is used; raise `InputError` that names the option."""
        if value is None and isinstance(self.kind, ByName):
            value = {}
        # A default is right, although "" and () are no values of their kinds.
        if value is None is self.default or (
            isinstance(value, str | tuple) and value == self.default
        ):
            return value
        try:
            return self.kind.check(value)
        except InputError as error:
            raise error.of_option(
                self.name, "" if isinstance(error, ValueKindError) else ":"
            ) from None


def option(
    default: Any,
    kind: Kind,
    help: str,
    *,
    group: Group,
    word: str = "",
    flag: str = "",
    label: str = "",
    is_stored: bool = True,
) -> Any:
    """Declare a field of a class of options; a default that is a dict or list is copied."""
    metadata = {"option": Option(kind, help, group, word, flag, label, is_stored=is_stored)}
    if isinstance(default, dict | list):
        return field(default_factory=default.copy, metadata=metadata)
    return field(default=default, metadata=metadata)


@functools.cache
def options_of(declaring: type) -> Mapping[str, Option]:
    """Return the options that a class declares, by their names in Python."""
    found = {}
    for item in fields(declaring):
        declared: Option | None = item.metadata.get("option")
        if declared is None:
            continue
        made = item.default_factory() if item.default_factory is not MISSING else item.default
        word = declared.word or item.name
        found[item.name] = replace(
            declared,
            name=item.name,
            word=word,
            flag=declared.flag or "--" + word.replace("_", "-"),
            label=declared.label or word.replace("_", " ").capitalize(),
            default=made,
        )
    return MappingProxyType(found)


def checked(declaring: type, given: Mapping[str, Any], what: str) -> dict[str, Any]:
    """Return the given options as they are used.

    Parameters
    ----------
    declaring : type
        Declares them.
    given : mapping
        Values by their names in Python.
    what : str
        What they are options of, for error messages: ``"a fit"``.

    Raises
    ------
    InputError
        If there is no such option, or its value is not right.
    """
    known = options_of(declaring)
    for name in given:
        if name not in known:
            raise InputError(f"unknown option {name!r} of {what}; {nearest(str(name), known)}")
    return {name: known[name].check(value) for name, value in given.items()}
