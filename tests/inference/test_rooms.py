"""The rooms of this floor say what other rooms use of them, and other rooms use nothing else."""

from __future__ import annotations

import ast
import importlib
import re
import tomllib
from pathlib import Path

import pytest

import rheojobs.inference

FLOOR = "rheojobs.inference"
ROOT = Path(rheojobs.inference.__file__).parent
ROOMS = sorted(path.parent.name for path in ROOT.glob("*/__init__.py"))
INNER = ("data/reading", "models/rheojax")


def offered(room: str) -> dict[str, list[str]]:
    """What the docstring of a room lists: names by module."""
    text = importlib.import_module(f"{FLOOR}.{room.replace('/', '.')}").__doc__ or ""
    lines = re.findall(r"^- `([\w.]+)`: (.*)$", text, flags=re.MULTILINE)
    return {module: re.findall(r"`(\w+)`", names) for module, names in lines}


def imported(path: Path) -> set[str]:
    """The modules of this floor that a file imports from, also inside functions."""
    found = set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.ImportFrom) and (node.module or "").startswith(f"{FLOOR}."):
            for alias in node.names:
                whole = f"{node.module}.{alias.name}"
                is_module = (ROOT / Path(*whole.split(".")[2:])).with_suffix(".py").exists()
                found.add(whole if is_module else str(node.module))
    return {name.removeprefix(f"{FLOOR}.") for name in found}


def test_the_rooms_are_those_whose_layers_are_held() -> None:
    text = (ROOT.parents[2] / "pyproject.toml").read_text(encoding="utf-8")
    contracts = tomllib.loads(text)["tool"]["importlinter"]["contracts"]
    (held,) = [each for each in contracts if each.get("id") == "rooms-of-inference"]
    assert sorted(" | ".join(held["layers"]).split(" | ")) == ROOMS


@pytest.mark.parametrize("room", [*ROOMS, *INNER])
def test_a_room_offers_what_there_is(room: str) -> None:
    names = offered(room)
    assert names
    for module, objects in names.items():
        file = ROOT / room / Path(*module.split("."))
        file = file / "__init__.py" if file.is_dir() else file.with_suffix(".py")
        tree = ast.parse(file.read_text(encoding="utf-8"))
        defined = {name.id for node in tree.body for name in ast.walk(node) if is_name(name)}
        defined |= {node.name for node in tree.body if hasattr(node, "name")}
        assert set(objects) <= defined, module


def is_name(node: ast.AST) -> bool:
    return isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store)


@pytest.mark.parametrize("room", ROOMS)
def test_a_room_uses_of_others_what_they_offer(room: str) -> None:
    for path in (ROOT / room).rglob("*.py"):
        for name in imported(path):
            other, _, module = name.partition(".")
            if other != room:
                assert module in offered(other), f"{path.relative_to(ROOT)} imports {name}"
