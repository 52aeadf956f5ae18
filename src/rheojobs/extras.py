"""The extra of the installation that holds a missing package; read from the package's metadata."""

from __future__ import annotations

import re

from rheojobs.errors import MissingExtraError

__all__ = ["missing_extra"]

DISTRIBUTIONS = {"yaml": "pyyaml"}
"""Packages whose names differ from those of their distributions by more than case and dashes."""


def missing_extra(error: BaseException) -> MissingExtraError | None:
    """Return the error that names the extra, if a package of one is not installed.

    Parameters
    ----------
    error : BaseException
        Any error; one of ours is returned as it is.

    Returns
    -------
    MissingExtraError or None
        None for an error of another kind.
    """
    if isinstance(error, MissingExtraError):
        return error
    if not isinstance(error, ModuleNotFoundError) or error.name is None:
        return None
    package = error.name.partition(".")[0]
    extra = extra_of(package)
    if extra is None:
        return None
    return MissingExtraError(f'{package} is not installed: pip install "rheojobs[{extra}]"')


def extra_of(package: str) -> str | None:
    """Return the smallest extra that brings a package, or None."""
    from importlib import metadata  # late: only needed for errors

    distribution = normalised(DISTRIBUTIONS.get(package, package))
    held: dict[str, set[str]] = {}
    try:
        requirements = metadata.requires("rheojobs") or []
    except metadata.PackageNotFoundError:  # a folder of the sources on the path
        return None
    for requirement in requirements:
        name = re.match(r"[\w.-]+", requirement)
        extra = re.search(r"""extra == ["']([\w.-]+)["']""", requirement)
        if name and extra:
            held.setdefault(extra[1], set()).add(normalised(name[0]))
    holding = [extra for extra, names in held.items() if distribution in names]
    return min(holding, key=lambda extra: len(held[extra]), default=None)


def normalised(name: str) -> str:
    """Return the name of a distribution as the packaging index compares it."""
    return re.sub(r"[-_.]+", "-", name).lower()
