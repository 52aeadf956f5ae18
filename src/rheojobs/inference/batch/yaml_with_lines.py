"""Read a YAML file as plain values with their lines, so that an error can name its place.

Opening one executes nothing.
"""

from __future__ import annotations

import re
from collections.abc import Hashable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import yaml

from rheojobs.errors import InputError

__all__ = ["Place", "PlanText"]

MAX_NODES = 100_000
"""Nested aliases in a few lines of YAML may expand until no memory is left."""

Place = tuple[str | int, ...]


class _Loader(yaml.SafeLoader):  # type: ignore[misc]
    """Reads 1e5 as a number, which YAML 1.1 does not."""


_Loader.add_implicit_resolver(
    "tag:yaml.org,2002:float",
    re.compile(r"[-+]?(\d+\.?\d*|\.\d+)[eE][-+]?\d+$"),
    list("-+.0123456789"),
)


@dataclass(frozen=True)
class PlanText:
    """The values of a file, and their lines.

    Attributes
    ----------
    name : str
        Of the file, for messages.
    value : object
        Mappings with text keys, lists, texts, numbers, truth values and None.
    lines : dict
        Path of keys -> line, from 1.
    """

    name: str
    value: Any = None
    lines: dict[Place, int] = field(default_factory=dict)

    @classmethod
    def read(cls, path: Path) -> PlanText:
        """Read a file; raises `InputError` with the line that is not YAML."""
        try:
            text = path.read_text(encoding="utf-8-sig")
        except FileNotFoundError:
            raise InputError(f"there is no plan {path}") from None
        except (OSError, UnicodeDecodeError) as error:
            raise InputError(f"the plan {path} cannot be read: {error}") from None
        lines: dict[Place, int] = {}
        loader = None
        try:
            loader = _Loader(text)
            node = loader.get_single_node()
            value = _Builder(path.name, loader, lines).build(node, (), ()) if node else None
        except yaml.MarkedYAMLError as error:
            mark = error.problem_mark or error.context_mark
            where = f", line {mark.line + 1}" if mark is not None else ""
            words = " ".join(str(error.problem or error.context or "not YAML").split())
            raise InputError(f"{path.name}{where}: not YAML: {words}") from None
        except (yaml.YAMLError, ValueError) as error:  # invalid characters or dates
            raise InputError(f"{path.name}: not YAML: {' '.join(str(error).split())}") from None
        finally:
            if loader is not None:
                loader.dispose()
        return cls(path.name, value, lines)

    def error(self, place: Place, words: str) -> InputError:
        """Make the error of a place: ``plan.yaml, line 7, fit.weights: words``."""
        known = place
        while known and known not in self.lines:  # a key that is missing has no line
            known = known[:-1]
        line = self.lines.get(known)
        parts = [self.name] + ([f"line {line}"] if line else [])
        path = "".join(f"[{key + 1}]" if isinstance(key, int) else f".{key}" for key in place)
        parts += [path.lstrip(".")] if path else []
        return InputError(f"{', '.join(parts)}: {words}")


class _Builder:
    """Converts YAML's nodes to values, and records the line of each."""

    def __init__(self, name: str, loader: Any, lines: dict[Place, int]) -> None:
        self._name = name
        self._loader = loader
        self._lines = lines

    def build(self, node: Any, place: Place, above: tuple[Any, ...]) -> Any:
        line = node.start_mark.line + 1
        if node in above:
            raise InputError(f"{self._name}, line {line}: this refers to itself")
        if len(self._lines) > MAX_NODES:
            raise InputError(f"{self._name}, line {line}: the plan has more than {MAX_NODES} parts")
        self._lines.setdefault(place, line)
        above = (*above, node)
        if isinstance(node, yaml.MappingNode):
            return self._mapping(node, place, above)
        if isinstance(node, yaml.SequenceNode):
            return [
                self.build(child, (*place, number), above)
                for number, child in enumerate(node.value)
            ]
        return self._loader.construct_object(node)

    def _mapping(self, node: Any, place: Place, above: tuple[Any, ...]) -> dict[str, Any]:
        built: dict[str, Any] = {}
        own = [key.value for key, _ in node.value if isinstance(key.value, Hashable)]
        for key in own:
            if own.count(key) > 1:
                line = node.start_mark.line + 1
                raise InputError(f"{self._name}, line {line}: {key!r} is given twice")
        self._loader.flatten_mapping(node)  # <<: merges another mapping
        for key, child in node.value:
            if not isinstance(key, yaml.ScalarNode):
                line = key.start_mark.line + 1
                raise InputError(f"{self._name}, line {line}: a key must be a plain word")
            name = str(key.value)
            self._lines[(*place, name)] = key.start_mark.line + 1
            built[name] = self.build(child, (*place, name), above)
        return built
