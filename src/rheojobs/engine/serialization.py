"""Tasks, results and checkpoints as JSON and bytes, so that reading them back executes nothing.

Anything else is not durable: `NotDurableError` says why. A task or a result with arrays converts
them to bytes itself.
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
from rheojobs.engine.moved_names import present_path
from rheojobs.errors import InputError, one_line, printable, shortened

__all__ = [
    "Durable",
    "Record",
    "from_json",
    "import_path",
    "is_json",
    "known_path",
    "leftover_of",
    "load",
    "pack_state",
    "record_of",
    "state_from_disk",
    "state_to_disk",
    "task_of",
    "to_json",
    "unpack_state",
    "utf8",
    "value_of",
    "value_record",
    "why_not_json",
]

OWN = "rheojobs."
PLAIN = "json"
"""The kind of a result that is JSON."""

UNKEPT = "unkept"
"""The kind of a result that could not be stored; its content is the reason."""


@dataclass(frozen=True, slots=True)
class Record:
    """A task or a result as it is stored.

    Attributes
    ----------
    kind : str
        The import path of its class, ``"package.module:Name"``; ``"json"`` for a plain value.
    content : object
        The content, as JSON.
    blobs : mapping of str to bytes
        Arrays and similar data, by name.
    """

    kind: str
    content: Any
    blobs: Mapping[str, bytes] = field(default_factory=dict)


@runtime_checkable
class Durable(Protocol):
    """The methods of a task or a result that can be stored.

    The class of a result also sets ``is_result = True``, and that of a `Leftover` sets
    ``is_leftover = True``: an object is read from a store only if its class declares this.
    """

    def to_record(self) -> tuple[Any, Mapping[str, bytes]]:
        """Return the object as JSON and bytes; raise `NotDurableError` if it cannot be stored."""
        ...

    @classmethod
    def from_record(cls, content: Any, blobs: Mapping[str, bytes]) -> Self:
        """Return the object that `to_record` has described."""
        ...


MAX_DEPTH = 200
"""The deepest nesting of lists and dicts, as JSON is read and written by recursion."""

MAX_INT = 10**4000
"""The bound of integers: Python reads and writes up to 4,300 digits."""

_MIN_INT = -MAX_INT

_PLAIN = frozenset({type(None), bool, float, str})
_TEXT = frozenset({str})

MOST_VALUES = 20_000_000
"""The most values of a JSON text: lists that contain one list many times are small in memory."""


def is_json(value: object) -> bool:
    """Return whether a value is unchanged by JSON: it has no tuples and no NumPy scalars."""
    # Called for the arguments and the result of each small job, mostly a few scalars.
    return _is_shallow_json(value) or not why_not_json(value)


def _is_shallow_json(value: Any, depth: int = 3) -> bool:
    """Return True if a value is JSON of at most this depth; False if that is not known."""
    kind = type(value)
    if kind is list:
        if _PLAIN.issuperset(map(type, value)):
            return True
        members = value
    elif kind is dict:
        if not _TEXT.issuperset(map(type, value)):
            return False
        members = value.values()
    else:
        return kind in _PLAIN or (kind is int and _MIN_INT < value < MAX_INT)
    # A long list that is not plain is checked level by level.
    return (
        depth > 0
        and len(members) < 10
        and all([_is_shallow_json(part, depth - 1) for part in members])
    )


def why_not_json(value: object) -> str:
    """Return why a value would be changed by JSON; empty if it would not."""
    # A container that occurs several times in a level is checked once, but counted each time.
    level: dict[int, tuple[Any, int]] = {0: ([value], 1)}
    written = 0
    for _ in range(MAX_DEPTH + 1):
        inner: dict[int, tuple[Any, int]] = {}
        for item, times in level.values():
            if type(item) is dict and not _TEXT.issuperset(map(type, item)):
                return "it has a dict with a key that is not a string"
            written += times * len(item)
            for part in item.values() if type(item) is dict else item:
                kind = type(part)
                if kind is list or kind is dict:
                    _, before = inner.get(id(part), (part, 0))
                    inner[id(part)] = (part, before + times)
                elif kind is int:
                    if not _MIN_INT < part < MAX_INT:
                        return "it has an integer of more than 4,000 digits"
                elif kind not in _PLAIN:
                    return f"it has a {kind.__name__}, which JSON cannot hold"
        if written > MOST_VALUES:
            return f"it has over {MOST_VALUES:,} values: one list many times, or it contains itself"
        if not inner:
            return ""
        level = inner
    return f"it is nested more than {MAX_DEPTH} deep, or contains itself"


def utf8(text: str) -> str:
    """Return a text that UTF-8 can encode: undecodable bytes of a file name are escaped."""
    return text if text.isascii() else text.encode("utf-8", "backslashreplace").decode()


def to_json(value: object) -> str:
    """Return a value as JSON; raise `NotDurableError` if that is not possible."""
    try:
        return json.dumps(value)
    # Too deep, too large, of an unknown type, or changed by another thread meanwhile.
    except (RecursionError, ValueError, TypeError, RuntimeError) as error:
        raise NotDurableError(f"it cannot be written as JSON: {one_line(error)}") from error


def from_json(text: str | bytes) -> Any:
    """Return the value of a JSON text; raise `ValueError` if it is not valid JSON."""
    try:
        return json.loads(text)
    except RecursionError:
        raise ValueError("it is nested too deep") from None


def import_path(thing: Any) -> str:
    """Return the path ``"package.module:name"`` by which a class or function can be imported.

    Raises
    ------
    NotDurableError
        If there is none: a lambda, a closure, a method, or anything defined in a script.
    """
    module, name = getattr(thing, "__module__", None), getattr(thing, "__qualname__", None)
    if not isinstance(module, str) or not isinstance(name, str):
        raise NotDurableError(f"a {type(thing).__name__} has no import path")
    if module == "__main__":
        raise NotDurableError(f"{name} is defined in the script itself: move it to a module")
    if "<" in name:
        raise NotDurableError(
            f"{name} in {module} has no import path: move it to a module's top level"
        )
    try:
        found = functools.reduce(getattr, name.split("."), sys.modules[module])
    except (KeyError, AttributeError):
        found = None
    if found is not thing:
        raise NotDurableError(f"importing {module}:{name} returns another object")
    return f"{module}:{name}"


known_path = functools.lru_cache(maxsize=256)(import_path)
"""The same for hashable objects, cached, since it is called for each job."""


def load(path: str) -> Any:
    """Import the object that a path names; raise `InputError` if that is not possible."""
    module, _, name = present_path(path).partition(":")
    try:
        return functools.reduce(getattr, name.split("."), importlib.import_module(module))
    except Exception as error:  # any exception of the import
        raise InputError(f"{_shown(path)} cannot be imported: {one_line(error)}") from error


def _record(thing: Durable) -> Record:
    try:
        kind = known_path(type(thing))
        content, blobs = thing.to_record()
        blobs = {name: bytes(blob) for name, blob in blobs.items()}
    except NotDurableError:
        raise
    except Exception as error:  # of the user's class, or bad input, with which the job will fail
        raise NotDurableError(one_line(error)) from error
    if fault := why_not_json(content):
        raise NotDurableError(f"the record of a {type(thing).__name__} is not JSON: {fault}")
    if not all(type(name) is str and name for name in blobs):
        raise NotDurableError(f"the record of a {type(thing).__name__} has bytes without a name")
    return Record(kind, content, blobs)


def record_of(task: object) -> Record:
    """Return the record of a task; raise `NotDurableError` if it has none."""
    if _is_durable(type(task)):
        return _record(cast(Durable, task))
    raise NotDurableError(f"a {type(task).__name__} has no to_record() to be stored by")


def _is_durable(kind: type) -> bool:
    return hasattr(kind, "to_record") and hasattr(kind, "from_record")  # as isinstance, but quick


def task_of(record: Record, *, may_import: bool = True) -> Any:
    """Return the task of a record; import its class, and execute nothing else.

    Parameters
    ----------
    may_import : bool
        Whether a class that is not part of rheojobs may be imported. False for a task that is
        only inspected.

    Raises
    ------
    InputError
        If it cannot be made.
    """
    if not may_import:
        _check_module(record.kind, "task")
    return _of(record, load(record.kind))


def value_record(value: object) -> Record:
    """Return the record of a result; raise `NotDurableError` if it has none."""
    if is_json(value):
        return Record(PLAIN, value)
    kind = type(value)
    if _is_durable(kind):
        if not _declares(kind, _RESULT):
            raise NotDurableError(
                f"{kind.__name__} does not set is_result = True: it cannot be read back"
            )
        return _record(cast(Durable, value))
    if kind in (list, dict, int):
        raise NotDurableError(f"the {kind.__name__} is not JSON: {why_not_json(value)}")
    raise NotDurableError(f"a {kind.__name__} is not JSON and has no to_record()")


_RESULT = "is_result"
_LEFTOVER = "is_leftover"


def value_of(record: Record) -> Any:
    """Return the result of a record; raise `InputError` if it cannot be made.

    Only a class that sets ``is_result = True`` is used, and only modules of rheojobs are imported:
    any other module must have been imported before.
    """
    if record.kind == PLAIN:
        return record.content
    if record.kind == UNKEPT:
        raise InputError(f"it was not kept on disk: {_shown(str(record.content))}")
    return _of(record, _declared(record.kind, _RESULT, "result"))


def leftover_of(record: Record) -> Any:
    """Return the leftover of a record by the same rules; its class sets ``is_leftover = True``."""
    return _of(record, _declared(record.kind, _LEFTOVER, "leftover"))


def _declared(path: str, declaration: str, what: str) -> type:
    """Return the class of a path, if it has the attribute `declaration`."""
    path = present_path(path)
    _check_module(path, what)
    module, _, name = path.partition(":")
    try:
        found: Any = importlib.import_module(module)
        for part in name.split("."):
            found = vars(found)[part]  # not getattr: a module may import on demand
    except Exception as error:  # a record that is damaged, or from another version
        raise InputError(
            f"there is no {_shown(path)} to read the {what} by: {one_line(error)}"
        ) from error
    is_its_own = isinstance(found, type) and found.__module__ == module
    if not is_its_own or not _declares(found, declaration):
        raise InputError(
            f"{_shown(path)} is not the class of a {what}: it does not set {declaration} = True"
        )
    return cast(type, found)


def _declares(kind: type, declaration: str) -> bool:
    return getattr(kind, declaration, False) is True


def _shown(path: str) -> str:
    """Return a path of a store as a message may contain it."""
    return shortened(printable(path), 200)


def _check_module(path: str, what: str) -> None:
    module = path.partition(":")[0]
    if not module.startswith(OWN) and module not in sys.modules:
        raise InputError(
            f"the {what} is a {_shown(path)}: import {_shown(module)} before it is read"
        )


def _of(record: Record, cls: Any) -> Any:
    if not isinstance(cls, type) or not hasattr(cls, "from_record"):
        raise InputError(f"{_shown(record.kind)} is no class that can be read from a store")
    try:
        return cls.from_record(record.content, record.blobs)
    except Exception as error:  # any error of a damaged or foreign record
        raise InputError(f"the stored {cls.__name__} cannot be read: {one_line(error)}") from error


_JSON = b"j"
_PICKLE = b"p"


def pack_state(state: Any) -> bytes:
    """Return the state of a checkpoint as bytes: JSON if it is JSON, else pickled."""
    if is_json(state):
        return _JSON + json.dumps(state).encode()
    import cloudpickle  # late: not needed to read a store

    pickled: bytes = cloudpickle.dumps(state)
    return _PICKLE + pickled


def unpack_state(packed: bytes) -> Any:
    """Return the state of a checkpoint from another process of this application."""
    if packed[:1] == _JSON:
        return json.loads(packed[1:])
    return pickle.loads(packed[1:])


def state_to_disk(packed: bytes) -> str | None:
    """Return the JSON of a packed state; None if it is pickled, which is never stored."""
    return packed[1:].decode() if packed[:1] == _JSON else None


def state_from_disk(text: str) -> bytes:
    """Return the packed state of a text of `state_to_disk`; it is never unpickled.

    Raises
    ------
    ValueError
        If the text is not JSON.
    """
    if not isinstance(text, str):
        raise ValueError(f"a checkpoint is text, got a {type(text).__name__}")
    from_json(text)
    return _JSON + text.encode()
