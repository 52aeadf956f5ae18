"""What is imported is declared, by the extra of its floor; a missing extra is named in one line."""

from __future__ import annotations

import ast
import re
import sys
import tomllib
from pathlib import Path
from typing import Any

import pytest
import yaml

import rheojobs
from rheojobs.errors import MissingExtraError
from rheojobs.extras import DISTRIBUTIONS, extra_of, missing_extra, normalised
from rheojobs.lazy import importer

ROOT = Path(__file__).parents[1]
PACKAGE = ROOT / "src" / "rheojobs"
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]

MAY_USE = {
    "engine/executors/dask": {"dask"},
    "engine": set(),
    "cli": {"inference"},  # loads late what `fit` and `sample` need
    "qt": {"inference", "gui"},
    "notebook": {"inference", "notebook"},
    "integrations/rheojax": {"inference", "rheology", "gui"},
    # What is of `rheology` or `parquet` is imported by functions that look for it first.
    "inference": {"inference", "rheology", "parquet"},
    "": set(),
}
"""The extras whose packages each folder may import; the longest name that fits holds."""


@pytest.fixture(scope="module")
def declared() -> dict[str, set[str]]:
    """Return the distributions of each extra; those of the base installation are ``""``'s."""
    lists = {"": PROJECT["dependencies"], **PROJECT["optional-dependencies"]}
    return {extra: {name_of(item) for item in items} for extra, items in lists.items()}


def name_of(requirement: str) -> str:
    found = re.match(r"[\w.-]+", requirement)
    assert found
    return normalised(found[0])


def folder_of(path: Path) -> str:
    inside = path.relative_to(PACKAGE).parent.as_posix()
    return max((f for f in MAY_USE if f"{inside}/".startswith(f"{f}/") or not f), key=len)


def imports_of(path: Path) -> set[str]:
    """Return the packages of others that a file imports anywhere."""
    found: set[str] = set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and not node.level and node.module:
            found.add(node.module)
    tops = {name.partition(".")[0] for name in found}
    return tops - sys.stdlib_module_names - {"rheojobs", "__future__"}


def test_every_import_is_declared(declared: dict[str, set[str]]) -> None:
    undeclared: list[str] = []
    for path in sorted(PACKAGE.rglob("*.py")):
        allowed = declared[""].union(*(declared[extra] for extra in MAY_USE[folder_of(path)]))
        undeclared += [
            f"{path.relative_to(ROOT)}: {package}"
            for package in sorted(imports_of(path))
            if normalised(DISTRIBUTIONS.get(package, package)) not in allowed
        ]
    assert not undeclared


def test_no_file_chooses_the_binding_of_qt() -> None:
    """A window of PyQt6 crashes where PySide6 is loaded too: `rheojobs.qt.binding` chooses."""
    bindings = {"PySide6", "shiboken6", "PyQt6"}
    assert not [path for path in PACKAGE.rglob("*.py") if bindings & imports_of(path)]


def test_every_package_of_an_extra_is_imported(declared: dict[str, set[str]]) -> None:
    imported = set().union(*(imports_of(path) for path in PACKAGE.rglob("*.py")))
    used = {normalised(DISTRIBUTIONS.get(package, package)) for package in imported}
    called_by_others = {"flatbuffers", "h5netcdf", "pyside6"}  # by jax.export, xarray and qtpy
    everything = set().union(*declared.values()) - {"rheojobs"}
    assert everything - used == called_by_others


@pytest.mark.parametrize(
    ("package", "extra"),
    [
        ("jax", "inference"),
        ("yaml", "inference"),
        ("arviz_stats", "inference"),
        ("rheojax", "rheology"),
        ("PySide6", "gui"),
        ("distributed", "dask"),
        ("pyarrow", "parquet"),
        ("ipywidgets", "notebook"),
        ("no_such_package", None),
    ],
)
def test_the_smallest_extra_that_brings_a_package(package: str, extra: str | None) -> None:
    assert extra_of(package) == extra


def test_a_missing_package_is_one_line_that_names_the_extra() -> None:
    error = missing_extra(ModuleNotFoundError("No module named 'jax.numpy'", name="jax.numpy"))
    assert isinstance(error, MissingExtraError)
    assert str(error) == 'jax is not installed: pip install "rheojobs[inference]"'
    assert missing_extra(error) is error
    assert missing_extra(ModuleNotFoundError("No module named 'mine'", name="mine")) is None
    assert missing_extra(ImportError("cannot import name 'x'", name="jax")) is None


def test_a_public_name_without_its_extra(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "needs_jax.py").write_text("import jax\n", encoding="utf-8")
    (tmp_path / "needs_mine.py").write_text("import mine_and_missing\n", encoding="utf-8")
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.setitem(sys.modules, "jax", None)
    get = importer("rheojobs", {"fit": "needs_jax", "mine": "needs_mine"})
    with pytest.raises(MissingExtraError, match=r"^jax is not .* \"rheojobs\[inference\]\"$"):
        get("fit")
    with pytest.raises(ModuleNotFoundError, match="mine_and_missing"):
        get("mine")


@pytest.fixture(scope="module")
def recipe() -> dict[str, Any]:
    """Return the recipe of conda-forge."""
    text = (ROOT / "recipe" / "recipe.yaml").read_text(encoding="utf-8")
    recipe: dict[str, Any] = yaml.safe_load(text)
    return recipe


def test_one_version(recipe: dict[str, Any]) -> None:
    assert recipe["context"]["version"] == rheojobs.__version__


def test_the_recipe_of_conda_has_the_same_bounds(recipe: dict[str, Any]) -> None:
    names_there = {"flatbuffers": "python-flatbuffers", "matplotlib": "matplotlib-base"}
    lists = [PROJECT["dependencies"], PROJECT["optional-dependencies"]["inference"]]
    expected = set()
    for requirement in [item for items in lists for item in items]:
        name = re.match(r"[\w-]+", requirement)
        assert name
        bound = requirement.partition(">=")[2]
        expected.add(f"{names_there.get(name[0], name[0])} >={bound}")
    assert set(recipe["requirements"]["run"]) - {"python >=${{ python_min }}"} == expected
