"""Write and read tasks and results as JSON and arrays, for the engine's store.

Values outside JSON are written as an object with one key, such as ``{"$array": name}``; reading
makes plain values and a few of our own classes, and executes nothing.
"""

from __future__ import annotations

import io
from collections.abc import Callable, Mapping
from dataclasses import fields, is_dataclass
from datetime import datetime
from typing import Any

import numpy as np
from numpy.typing import NDArray

from rheojobs.engine.errors import NotDurableError
from rheojobs.inference.data.dataset import Dataset
from rheojobs.inference.results.inference_arrays import InferenceArrays
from rheojobs.inference.results.predictions import Noise, Predictions
from rheojobs.inference.results.segments import Segment

__all__ = ["pack", "pack_arrays", "unpack", "unpack_arrays"]

_CLASSES = {cls.__name__: cls for cls in (Dataset, Segment, InferenceArrays, Predictions, Noise)}


def pack(values: Mapping[str, Any]) -> tuple[Any, dict[str, bytes]]:
    """Write named values as JSON and bytes.

    Raises
    ------
    NotDurableError
        If one of them is code of the user's own, such as a model or a prior.
    """
    content, arrays = pack_arrays(values)
    return content, {name: _bytes_of(array) for name, array in arrays.items()}


def unpack(content: Mapping[str, Any], blobs: Mapping[str, bytes]) -> dict[str, Any]:
    """Return what `pack` wrote; other blobs, such as the source of a model, are not looked at."""
    return unpack_arrays(content, _Arrays(blobs))


class _Arrays(dict[str, NDArray[Any]]):
    """Loads an array when it is looked up."""

    def __init__(self, blobs: Mapping[str, bytes]) -> None:
        super().__init__()
        self._blobs = blobs

    def __missing__(self, name: str) -> NDArray[Any]:
        self[name] = np.load(io.BytesIO(self._blobs[name]), allow_pickle=False)
        return self[name]


def pack_arrays(values: Mapping[str, Any]) -> tuple[Any, dict[str, NDArray[Any]]]:
    """Write named values as JSON, and return their arrays by the names that stand for them."""
    arrays: dict[str, NDArray[Any]] = {}
    return {name: _packed(value, name, arrays) for name, value in values.items()}, arrays


def unpack_arrays(content: Mapping[str, Any], arrays: Mapping[str, NDArray[Any]]) -> dict[str, Any]:
    """Return what `pack_arrays` wrote."""
    return {name: _unpacked(value, arrays) for name, value in content.items()}


def _packed(value: Any, where: str, arrays: dict[str, NDArray[Any]]) -> Any:
    if isinstance(value, np.generic):
        value = value.item()
    if value is None or isinstance(value, bool | int | float | str):
        # As plain values, without their subclass.
        return value if value is None or type(value) is bool else _plain(value)
    if isinstance(value, np.ndarray):
        return {"$array": _put(value, where, arrays)}
    if isinstance(value, Mapping):
        return _packed_mapping(value, where, arrays)
    if isinstance(value, list | tuple):
        items = [_packed(item, f"{where}.{k}", arrays) for k, item in enumerate(value)]
        return {"$tuple": items} if isinstance(value, tuple) else items
    if isinstance(value, complex):
        return {"$complex": [value.real, value.imag]}
    if isinstance(value, datetime):
        return {"$datetime": value.isoformat()}
    if is_dataclass(value) and type(value).__name__ in _CLASSES:
        content = {item.name: getattr(value, item.name) for item in fields(value)}
        return {f"${type(value).__name__}": _packed(content, where, arrays)}
    raise NotDurableError(f"{where} is a {type(value).__name__}, which is code of your own")


def _plain(value: float | str) -> float | str:
    for kind in (int, float, str):
        if isinstance(value, kind):
            return kind(value)
    raise TypeError(value)


def _packed_mapping(value: Mapping[Any, Any], where: str, arrays: dict[str, NDArray[Any]]) -> Any:
    content = {}
    for key, item in value.items():
        if not isinstance(key, str) or key.startswith("$"):
            raise NotDurableError(f"{where} has the key {key!r}: keys must be plain words")
        content[str(key)] = _packed(item, f"{where}.{key}", arrays)
    return content


def _put(array: NDArray[Any], where: str, arrays: dict[str, NDArray[Any]]) -> str:
    if array.dtype.hasobject:
        raise NotDurableError(f"{where} is an array of Python objects")
    arrays[where] = array
    return where


def _bytes_of(array: NDArray[Any]) -> bytes:
    file = io.BytesIO()
    np.save(file, array, allow_pickle=False)
    return file.getvalue()


def _unpacked(value: Any, arrays: Mapping[str, NDArray[Any]]) -> Any:
    if isinstance(value, list):
        return [_unpacked(item, arrays) for item in value]
    if not isinstance(value, dict):
        return value
    tag = next(iter(value), "")
    if not tag.startswith("$"):
        return {name: _unpacked(item, arrays) for name, item in value.items()}
    content = value[tag]
    if tag[1:] in _CLASSES:
        cls: Callable[..., Any] = _CLASSES[tag[1:]]
        given = _unpacked(content, arrays)
        if "heavy_tailed" in given:  # as `Noise` was stored before it had degrees of freedom
            given["degrees_of_freedom"] = 4.0 if given.pop("heavy_tailed") else None
        return cls(**given)
    match tag:
        case "$array":
            return arrays[content]
        case "$tuple":
            return tuple(_unpacked(item, arrays) for item in content)
        case "$complex":
            return complex(*content)
        case "$datetime":
            return datetime.fromisoformat(content)
    raise ValueError(f"unknown tag {tag}")
