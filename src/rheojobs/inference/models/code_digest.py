"""A digest of a function's code that is the same in every process and changes with its formula."""

from __future__ import annotations

import functools
import hashlib
import inspect
import types
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import numpy as np

__all__ = ["code_digest"]


def code_digest(function: Any) -> str:
    """Return the SHA-256 of all that a model's function computes with, as far as it is known.

    That is its code, defaults, closure and the plain values and functions that it refers to in
    its own module. Functions of other modules count by their names.
    """
    digest = hashlib.sha256()
    for part in _parts(function, set(), getattr(_inner(function), "__module__", "")):
        digest.update(part.encode())
        digest.update(b"\0")
    return digest.hexdigest()


def _inner(function: Any) -> Any:
    """Return the function that decorators, such as `jax.jit`, have wrapped."""
    try:
        return inspect.unwrap(function)
    except ValueError:  # a circle of wrappers
        return function


def _parts(value: Any, seen: set[int], home: str) -> Iterator[str]:
    """Yield texts that identify a value, with each function once."""
    value = _inner(value)
    if isinstance(value, types.FunctionType | types.MethodType | functools.partial):
        if id(value) in seen:
            return
        seen.add(id(value))
    if isinstance(value, functools.partial):
        yield "partial"
        yield from _all((value.func, value.args, value.keywords), seen, home)
    elif isinstance(value, types.MethodType):
        yield from _all((value.__func__, value.__self__), seen, home)
    elif isinstance(value, types.FunctionType):
        yield from _function(value, seen, home)
    elif isinstance(value, types.CodeType):
        yield from _code(value, seen, home)
    elif isinstance(value, np.ndarray) or type(value).__module__.startswith("jax"):
        array = np.asarray(value)
        yield f"array {array.dtype} {array.shape}"
        yield array.tobytes().hex()
    elif isinstance(value, Mapping):
        yield "mapping"
        yield from _all(sorted(value.items(), key=repr), seen, home)
    elif isinstance(value, frozenset | set):
        yield f"set {sorted(map(repr, value))}"
    elif isinstance(value, Sequence) and not isinstance(value, str | bytes):
        yield f"sequence {len(value)}"
        yield from _all(value, seen, home)
    elif isinstance(value, float | int | str | bytes | complex | bool | type(None)):
        yield repr(value)
    elif isinstance(value, types.ModuleType):
        yield value.__name__
    else:
        yield from _object(value, seen, home)


def _all(values: Any, seen: set[int], home: str) -> Iterator[str]:
    for value in values:
        yield from _parts(value, seen, home)


def _function(function: types.FunctionType, seen: set[int], home: str) -> Iterator[str]:
    if function.__module__ != home:
        yield f"{function.__module__}.{function.__qualname__}"
        return
    yield from _code(function.__code__, seen, home)
    yield from _all((function.__defaults__, function.__kwdefaults__), seen, home)
    for cell in function.__closure__ or ():
        try:
            yield from _parts(cell.cell_contents, seen, home)
        except ValueError:  # not set yet
            yield "empty"
    for name in sorted(_names(function.__code__) & function.__globals__.keys()):
        yield name
        yield from _parts(function.__globals__[name], seen, home)


def _names(code: types.CodeType) -> set[str]:
    """Return the names of globals that code, and the functions within it, refer to."""
    inner = (item for item in code.co_consts if isinstance(item, types.CodeType))
    return set(code.co_names).union(*map(_names, inner))


def _code(code: types.CodeType, seen: set[int], home: str) -> Iterator[str]:
    yield code.co_code.hex()
    yield repr((code.co_names, code.co_varnames, code.co_freevars))
    yield from _all(code.co_consts, seen, home)


def _object(value: Any, seen: set[int], home: str) -> Iterator[str]:
    """Yield the type of an object, its code if it is callable, and its plain fields."""
    kind = type(value)
    yield f"{kind.__module__}.{kind.__qualname__}"
    if id(value) in seen or kind.__module__ != home:
        return
    seen.add(id(value))
    yield from _parts(kind.__dict__.get("__call__"), seen, home)
    yield from _parts(getattr(value, "__dict__", {}), seen, home)
