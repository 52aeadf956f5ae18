"""Read a YAML file as plain values with their lines, so that an error can name its place.

Opening one executes nothing.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Hashable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import yaml

from rheojobs.errors import InputError, printable

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
            raise InputError(printable(f"{path.name}{where}: not YAML: {words}")) from None
        except RecursionError:
            raise InputError(printable(f"{path.name}: the plan is nested too deeply")) from None
        except InputError:
            raise
        except (yaml.YAMLError, ValueError) as error:  # invalid characters or dates
            words = printable(f"{path.name}: not YAML: {error}")
            raise InputError(words) from None
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
        self._merged = 0

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
        try:
            return self._loader.construct_object(node)
        except (AttributeError, LookupError) as error:  # a tag such as !!timestamp before no date
            raise InputError(
                f"{self._name}, line {line}: {printable(str(node.value))!r} is no {node.tag}"
            ) from error

    def _count_merged(self, node: Any, above: tuple[Any, ...]) -> int:
        """Return how many parts a mapping has when others are merged into it, if not too many."""
        if node in above:
            raise InputError(f"{self._name}: a mapping is merged into itself")
        count = 0
        if isinstance(node, yaml.SequenceNode):
            count = sum(self._count_merged(child, (*above, node)) for child in node.value)
        elif isinstance(node, yaml.MappingNode):
            for key, child in node.value:
                merges = key.tag == "tag:yaml.org,2002:merge"
                count += self._count_merged(child, (*above, node)) if merges else 1
                self._merged += 1
        if max(count, self._merged) > MAX_NODES:
            raise InputError(f"{self._name}: the plan has more than {MAX_NODES} parts")
        return count

    def _mapping(self, node: Any, place: Place, above: tuple[Any, ...]) -> dict[str, Any]:
        built: dict[str, Any] = {}
        counts = Counter(key.value for key, _ in node.value if isinstance(key.value, Hashable))
        for key, count in counts.items():
            if count > 1:
                line = node.start_mark.line + 1
                raise InputError(f"{self._name}, line {line}: {key!r} is given twice")
        self._count_merged(node, ())
        self._loader.flatten_mapping(node)  # <<: merges another mapping
        for key, child in node.value:
            if not isinstance(key, yaml.ScalarNode):
                line = key.start_mark.line + 1
                raise InputError(f"{self._name}, line {line}: a key must be a plain word")
            name = str(key.value)
            self._lines[(*place, name)] = key.start_mark.line + 1
            built[name] = self.build(child, (*place, name), above)
        return built
