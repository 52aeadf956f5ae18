"""Packages whose names are imported when they are first used."""

from __future__ import annotations

import importlib
import sys
from collections.abc import Callable, Mapping
from typing import Any

__all__ = ["importer"]


def importer(package: str, home_of: Mapping[str, str]) -> Callable[[str], Any]:
    """Give the `__getattr__` of a package.

    Parameters
    ----------
    package : str
        Its name.
    home_of : mapping of str to str
        The names that it offers, each with the module that defines it.
    """

    def get(name: str) -> Any:
        if name not in home_of:
            raise AttributeError(f"module {package!r} has no attribute {name!r}")
        value = getattr(importlib.import_module(home_of[name]), name)
        setattr(sys.modules[package], name, value)
        return value

    return get
