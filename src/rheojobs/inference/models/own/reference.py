"""Tell the names of models apart: of the catalogue, a formula, or a function in a file.

A function in a file is named ``file.py:function``. A task names it with its path and the SHA-256 of
its source, ``/path/file.py:function@digest``, so that it never runs another source.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

from rheojobs.inference.expressions.parser import split_outside_brackets

__all__ = ["FileReference", "is_formula", "is_own", "shown_name", "split_names", "split_settings"]

_FILE = re.compile(r"(?P<path>[^\n]*\.py):(?P<function>[A-Za-z_]\w*)(?:@(?P<digest>[0-9a-f]{64}))?")
_SIGNS = frozenset("+-*/^()=;·×−√²³")


@dataclass(frozen=True)
class FileReference:
    """A function, or a `Model`, in a file.

    Attributes
    ----------
    path : Path
        The file.
    function : str
        The name in it.
    digest : str
        The SHA-256 of the source that is meant; empty if the present one is.
    """

    path: Path
    function: str
    digest: str = ""

    @classmethod
    def of(cls, name: str) -> FileReference | None:
        """Read the name of a model; None if it names no function in a file."""
        found = _FILE.fullmatch(name.strip())
        if found is None:
            return None
        return cls(Path(found["path"]).expanduser(), found["function"], found["digest"] or "")

    @property
    def label(self) -> str:
        """The name that users see: ``file.py:function``."""
        return f"{self.path.name}:{self.function}"

    @property
    def name(self) -> str:
        """The name by which a task knows it."""
        return f"{self.path}:{self.function}" + (f"@{self.digest}" if self.digest else "")


def is_formula(name: str) -> bool:
    """Whether the name of a model is a formula; a name of the catalogue has no signs in it."""
    return FileReference.of(name) is None and not _SIGNS.isdisjoint(name)


def is_own(name: str) -> bool:
    """Whether the name of a model is a formula or names a function in a file."""
    return FileReference.of(name) is not None or not _SIGNS.isdisjoint(name)


def shown_name(name: str) -> str:
    """Return the name of a model as users see it."""
    reference = FileReference.of(name)
    return name.strip() if reference is None else reference.label


def split_names(text: str) -> list[str]:
    """Split ``"maxwell,min(a,t)*b"`` into models, at commas outside brackets."""
    return [part.strip() for part in split_outside_brackets(text, ",")]


def split_settings(text: str) -> tuple[str, list[str]]:
    """Split ``"generalized_maxwell:n_modes=6"`` into the name and the settings."""
    name, *settings = (part.strip() for part in text.split(":"))
    if name.endswith(".py") and settings:
        name = f"{name}:{settings.pop(0)}"
    return (text.strip(), []) if is_formula(text.partition(":")[0]) else (name, settings)
