"""Check that values read from a file have the types that their classes declare."""

from __future__ import annotations

import functools
import types
import typing
from collections.abc import Mapping
from dataclasses import fields, is_dataclass
from typing import Any, Literal, Union

import numpy as np
from numpy.typing import NDArray

__all__ = ["check_types"]


def check_types(value: Any, declared: Any, where: str) -> None:
    """Raise a `TypeError` if a value, or a part of it, is not of its declared type.

    Parameters
    ----------
    value : object
        A value or a dataclass, whose fields are checked as well.
    declared : type
        Its type, as an annotation says it.
    where : str
        Names the value in the message.
    """
    if not _conforms(value, declared, where):
        raise TypeError(f"{where} is a {type(value).__name__}")


def _conforms(value: Any, declared: Any, where: str) -> bool:
    origin, arguments = typing.get_origin(declared), typing.get_args(declared)
    if declared is Any or declared is object:
        return True
    if origin in (Union, types.UnionType):
        return any(_is_like(value, each, where) for each in arguments)
    if origin is Literal:
        return value in arguments
    if origin in (np.ndarray, NDArray):  # which of them depends on the version of NumPy
        return isinstance(value, np.ndarray) and value.dtype.kind in "biufc"
    if isinstance(origin, type) and issubclass(origin, Mapping):
        return isinstance(value, Mapping) and _items_conform(value, arguments, where)
    if origin is tuple:
        return isinstance(value, tuple) and _elements_conform(value, arguments, where)
    if origin is list:
        return isinstance(value, list) and all(_conforms(v, arguments[0], where) for v in value)
    if declared is float:
        return isinstance(value, int | float) and not isinstance(value, bool)
    if declared is int:
        return isinstance(value, int) and not isinstance(value, bool)
    if declared is None or declared is types.NoneType:
        return value is None
    if isinstance(declared, type) and is_dataclass(declared) and type(value) is declared:
        for name, hint in _hints(type(value)).items():
            check_types(getattr(value, name), hint, f"{where}.{name}")
        return True
    return isinstance(value, declared)


def _is_like(value: Any, declared: Any, where: str) -> bool:
    """Return whether a value is of one type of a union; of a class, its fields are checked too."""
    if is_dataclass(declared) and type(value) is not declared:
        return False
    return _conforms(value, declared, where)


def _items_conform(value: Mapping[Any, Any], arguments: tuple[Any, ...], where: str) -> bool:
    key, item = arguments
    return all(_conforms(k, key, where) and _conforms(v, item, where) for k, v in value.items())


def _elements_conform(value: tuple[Any, ...], arguments: tuple[Any, ...], where: str) -> bool:
    if arguments[-1] is Ellipsis:
        return all(_conforms(item, arguments[0], where) for item in value)
    return len(value) == len(arguments) and all(
        _conforms(item, hint, where) for item, hint in zip(value, arguments, strict=True)
    )


@functools.cache
def _hints(declared: type[Any]) -> dict[str, Any]:
    """Return the types of the fields that a file can hold."""
    hints = typing.get_type_hints(declared)
    held = {item.name: hints[item.name] for item in fields(declared)}
    # Built when it is read, and held in memory only.
    return {k: v for k, v in held.items() if k not in ("inference_data", "continuation")}
