"""The versions of rheojobs and of what it runs on, read without importing them."""

from __future__ import annotations

import platform
from importlib.metadata import PackageNotFoundError, metadata, version

from qtpy import API_NAME
from qtpy.QtCore import qVersion

__all__ = ["PACKAGES", "license_name", "project_url", "versions", "versions_text"]

PACKAGES = ("rheojobs", "jax", "jaxlib", "numpyro", "rheojax", "nlsq", "numpy", "pyqtgraph")


def versions() -> dict[str, str]:
    """Return the versions by name; "not installed" for a package that is missing."""
    found = {name: _version(name) for name in PACKAGES}
    found |= {"Qt": str(qVersion()), API_NAME: _version(API_NAME)}
    return found | {"Python": platform.python_version(), "System": platform.platform()}


def versions_text() -> str:
    """Return the versions as lines, for a report of a problem."""
    return "".join(f"{name}: {number}\n" for name, number in versions().items())


def project_url(kind: str) -> str:
    """Return an address of the project: "Documentation", "Issues" or "Homepage"."""
    try:
        lines = metadata("rheojobs").get_all("Project-URL") or []
    except PackageNotFoundError:
        lines = []
    addresses = dict(line.split(", ", 1) for line in lines)
    return str(addresses.get(kind, "https://github.com/rheojobs/rheojobs"))


def license_name() -> str:
    """Return the license of rheojobs."""
    try:
        return str(metadata("rheojobs").get("License-Expression") or "MIT")
    except PackageNotFoundError:
        return "MIT"


def _version(package: str) -> str:
    try:
        return version(package)
    except PackageNotFoundError:
        return "not installed"
