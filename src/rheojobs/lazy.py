"""Lazy packages, whose names are imported at their first use."""

from __future__ import annotations

import importlib
import sys
from collections.abc import Callable, Mapping
from typing import Any

__all__ = ["importer"]


def importer(package: str, home_of: Mapping[str, str]) -> Callable[[str], Any]:
    """Return a `__getattr__` for a package.

    Parameters
    ----------
    package : str
        Its name.
    home_of : mapping of str to str
        The public names, each with the module that defines it.
    """

    def get(name: str) -> Any:
        if name not in home_of:
            raise AttributeError(f"module {package!r} has no attribute {name!r}")
        try:
            value = getattr(importlib.import_module(home_of[name]), name)
        except ModuleNotFoundError as error:
            from rheojobs.extras import missing_extra

            raise missing_extra(error) or error from None
        setattr(sys.modules[package], name, value)
        return value

    return get
