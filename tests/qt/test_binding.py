"""Which binding of Qt is taken, and what is said where there is none that can be used."""

from __future__ import annotations

import importlib.util
import os
import subprocess
import sys
from types import ModuleType

import pytest

from rheojobs.errors import InputError, MissingExtraError
from rheojobs.qt.binding import chosen_binding

BINDINGS = ("PySide6", "PyQt6", "PySide2", "PyQt5")


def machine(
    patch: pytest.MonkeyPatch, installed: tuple[str, ...], imported: tuple[str, ...], asked: str
) -> None:
    """Pretend that these bindings are installed and imported, and that QT_API is set."""
    find_spec = importlib.util.find_spec

    def find(name: str, package: str | None = None) -> object:
        if name in BINDINGS:
            return object() if name in installed else None
        return find_spec(name, package)

    patch.setattr(importlib.util, "find_spec", find)
    for name in BINDINGS:
        patch.delitem(sys.modules, name, raising=False)
    for name in imported:
        patch.setitem(sys.modules, name, ModuleType(name))
    patch.delenv("QT_API", raising=False)
    if asked:
        patch.setenv("QT_API", asked)


@pytest.mark.parametrize(
    ("installed", "imported", "asked", "taken"),
    [
        (("PySide6", "PyQt6"), (), "", "PySide6"),
        (("PyQt6",), (), "", "PyQt6"),
        (("PySide6", "PyQt6"), (), "pyqt6", "PyQt6"),
        (("PySide6", "PyQt6"), (), "PyQt6", "PyQt6"),
        (("PySide6", "PyQt6"), ("PyQt6",), "", "PyQt6"),
        (("PySide6", "PyQt6"), ("PyQt6",), "pyside6", "PyQt6"),
        (("PySide6", "PyQt6"), ("PySide6",), "pyqt5", "PySide6"),
    ],
)
def test_the_binding_that_is_taken(
    installed: tuple[str, ...],
    imported: tuple[str, ...],
    asked: str,
    taken: str,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    machine(monkeypatch, installed, imported, asked)
    assert chosen_binding() == taken


@pytest.mark.parametrize(
    ("installed", "imported", "asked", "kind", "line"),
    [
        ((), (), "", MissingExtraError, 'need PySide6: pip install "rheojobs[gui]"'),
        (("PyQt5",), (), "", MissingExtraError, 'need PySide6: pip install "rheojobs[gui]"'),
        (("PySide6",), (), "pyqt6", MissingExtraError, "QT_API asks for PyQt6, which is not"),
        (("PySide6",), (), "pyqt5", InputError, "PySide6 or PyQt6, but QT_API is pyqt5"),
        (("PySide6",), (), "gtk", InputError, "PySide6 or PyQt6, but QT_API is gtk"),
        (("PySide6", "PyQt5"), ("PyQt5",), "", InputError, "application has imported PyQt5"),
        (("PySide6",), ("PySide2",), "pyside6", InputError, "application has imported PySide2"),
    ],
)
def test_what_cannot_be_used_is_refused_in_one_line(
    installed: tuple[str, ...],
    imported: tuple[str, ...],
    asked: str,
    kind: type[Exception],
    line: str,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    machine(monkeypatch, installed, imported, asked)
    with pytest.raises(kind) as caught:
        chosen_binding()
    assert line in str(caught.value)
    assert "\n" not in str(caught.value)


WITHOUT = """
import sys
from importlib import import_module
missing = set(sys.argv[1].split())

class Finder:
    def find_spec(self, name, path=None, target=None):
        if name.partition(".")[0] in missing:
            raise ModuleNotFoundError(f"No module named {name!r}", name=name)

sys.meta_path.insert(0, Finder())
import importlib.util
find_spec = importlib.util.find_spec
importlib.util.find_spec = lambda name, *more: None if name in missing else find_spec(name, *more)
from rheojobs.errors import MissingExtraError
import pkgutil, rheojobs.qt

said = set()
for module in pkgutil.walk_packages(rheojobs.qt.__path__, "rheojobs.qt.", onerror=lambda _: None):
    try:
        import_module(module.name)
    except MissingExtraError as error:
        said.add(str(error))
    else:
        if "qtpy" in sys.modules:
            sys.exit(f"{module.name} was imported")
print("; ".join(sorted(said)))
"""


@pytest.mark.parametrize(
    ("missing", "line"),
    [
        ("PySide6 PyQt6", 'the Qt parts need PySide6: pip install "rheojobs[gui]"'),
        ("qtpy", 'the Qt parts need qtpy: pip install "rheojobs[gui]"'),
    ],
)
def test_every_module_names_what_is_missing(missing: str, line: str) -> None:
    environment = {name: text for name, text in os.environ.items() if name != "QT_API"}
    done = subprocess.run(
        [sys.executable, "-c", WITHOUT, missing],
        env=environment | {"PYTHONPATH": os.pathsep.join(sys.path)},
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert (done.returncode, done.stdout.strip()) == (0, line), done.stderr
