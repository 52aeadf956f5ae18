"""Tasks, results and checkpoints as JSON and bytes, so that reading them back executes nothing.

What can be written so is durable; of anything else `NotDurableError` says in one line why not.
Knows no numpy: a task or a result with arrays turns them into bytes itself.
"""

from __future__ import annotations

import functools
import importlib
import json
import pickle
import sys
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Protocol, Self, cast, runtime_checkable

from rheojobs.engine.errors import NotDurableError
from rheojobs.errors import InputError, one_line

__all__ = [
    "Durable",
    "Record",
    "import_path",
    "is_json",
    "known_path",
    "load",
    "pack_state",
    "record_of",
    "state_from_disk",
    "state_to_disk",
    "task_of",
    "unpack_state",
    "value_of",
    "value_record",
]

OWN = "rheojobs."
PLAIN = "json"
"""The kind of a result that is JSON itself."""

UNKEPT = "unkept"
"""The kind of a result that could not be kept; its content says why."""


@dataclass(frozen=True, slots=True)
class Record:
    """What is kept of a task or a result.

    Attributes
    ----------
    kind : str
        The import path of its class, ``"package.module:Name"``; ``"json"`` for a plain value.
    content : object
        As JSON has it.
    blobs : mapping of str to bytes
        What JSON cannot hold, by name.
    """

    kind: str
    content: Any
    blobs: Mapping[str, bytes] = field(default_factory=dict)


@runtime_checkable
class Durable(Protocol):
    """What a task or a result offers to be kept on disk."""

    def to_record(self) -> tuple[Any, Mapping[str, bytes]]:
        """Give itself as JSON and bytes; raises `NotDurableError` where it cannot."""
        ...

    @classmethod
    def from_record(cls, content: Any, blobs: Mapping[str, bytes]) -> Self:
        """Give back what `record` was called on."""
        ...


def is_json(value: object) -> bool:
    """Say whether a value comes back from JSON as what it was: no tuples, no numpy scalars."""
    if type(value) in _PLAIN:
        return True
    if type(value) is list:
        return not value or all(map(is_json, value))  # no generators: each small job passes here
    if type(value) is dict:
        return not value or (_TEXT.issuperset(map(type, value)) and is_json(list(value.values())))
    return False


_PLAIN = frozenset({type(None), bool, int, float, str})
_TEXT = frozenset({str})


def import_path(thing: Any) -> str:
    """Give the path ``"package.module:name"`` by which a class or function can be imported.

    Raises
    ------
    NotDurableError
        Where there is none: a lambda, a closure, a method, or anything of a script itself.
    """
    module, name = getattr(thing, "__module__", None), getattr(thing, "__qualname__", None)
    if not isinstance(module, str) or not isinstance(name, str):
        raise NotDurableError(f"a {type(thing).__name__} has no import path")
    if module == "__main__":
        raise NotDurableError(f"{name} is defined in the script itself: put it into a module")
    if "<" in name:
        raise NotDurableError(f"{name} in {module} has no import path: put it into a module")
    try:
        found = functools.reduce(getattr, name.split("."), sys.modules[module])
    except (KeyError, AttributeError):
        found = None
    if found is not thing:
        raise NotDurableError(f"{module}:{name} does not import what it names")
    return f"{module}:{name}"


known_path = functools.lru_cache(maxsize=256)(import_path)
"""The same for what can be hashed: a job's is asked for each time."""


def load(path: str) -> Any:
    """Import what a path names; `InputError` where it cannot be."""
    module, _, name = path.partition(":")
    try:
        return functools.reduce(getattr, name.split("."), importlib.import_module(module))
    except Exception as error:  # whatever the module raises while it is imported
        raise InputError(f"{path} cannot be imported: {one_line(error)}") from error


def _record(thing: Durable) -> Record:
    try:
        kind = known_path(type(thing))
        content, blobs = thing.to_record()
    except NotDurableError:
        raise
    except Exception as error:  # of the user's own class, or bad input, which will fail as a job
        raise NotDurableError(one_line(error)) from error
    if not is_json(content):
        raise NotDurableError(f"the record of a {type(thing).__name__} is not JSON")
    return Record(kind, content, {name: bytes(blob) for name, blob in blobs.items()})


def record_of(task: object) -> Record:
    """Give what is to be kept of a task; raises `NotDurableError`."""
    if _is_durable(type(task)):
        return _record(cast(Durable, task))
    raise NotDurableError(f"a {type(task).__name__} has no to_record() to be stored by")


def _is_durable(kind: type) -> bool:
    return hasattr(kind, "to_record") and hasattr(kind, "from_record")  # as isinstance, but quick


def task_of(record: Record) -> Any:
    """Give the task of a record; imports its class, and runs nothing else of it.

    Raises
    ------
    InputError
        In one line, why it cannot be made.
    """
    return _of(record, load(record.kind))


def value_record(value: object) -> Record:
    """Give what is to be kept of a result; raises `NotDurableError`."""
    if is_json(value):
        return Record(PLAIN, value)
    if _is_durable(type(value)):
        return _record(cast(Durable, value))
    raise NotDurableError(f"a {type(value).__name__} is neither JSON nor has it a to_record()")


def value_of(record: Record) -> Any:
    """Give the result of a record; `InputError` where it cannot be made.

    Nothing is imported for it but modules of this package: a class of anybody else's must have
    been imported already.
    """
    if record.kind == PLAIN:
        return record.content
    if record.kind == UNKEPT:
        raise InputError(f"it was not kept on disk: {record.content}")
    module = record.kind.partition(":")[0]
    if not module.startswith(OWN) and module not in sys.modules:
        raise InputError(f"the result is a {record.kind}: import {module} before it is read")
    return _of(record, load(record.kind))


def _of(record: Record, cls: Any) -> Any:
    if not isinstance(cls, type) or not hasattr(cls, "from_record"):
        raise InputError(f"{record.kind} is no class that can be read from a store")
    try:
        return cls.from_record(record.content, record.blobs)
    except Exception as error:  # whatever a damaged or foreign record leads to
        raise InputError(f"the stored {cls.__name__} cannot be read: {one_line(error)}") from error


_JSON = b"j"
_PICKLE = b"p"


def pack_state(state: Any) -> bytes:
    """Turn the state of a checkpoint into bytes: as JSON where it is, else pickled."""
    if is_json(state):
        return _JSON + json.dumps(state).encode()
    import cloudpickle  # not by everybody who only looks into a store

    pickled: bytes = cloudpickle.dumps(state)
    return _PICKLE + pickled


def unpack_state(packed: bytes) -> Any:
    """Give back the state of a checkpoint that another process of ours has sent."""
    if packed[:1] == _JSON:
        return json.loads(packed[1:])
    return pickle.loads(packed[1:])


def state_to_disk(packed: bytes) -> str | None:
    """Give the JSON of a packed state; None where it is pickled, which is kept nowhere."""
    return packed[1:].decode() if packed[:1] == _JSON else None


def state_from_disk(text: str) -> bytes:
    """Give the packed state of what `state_to_disk` gave; never one that would be unpickled."""
    return pack_state(json.loads(text))
