"""Read and write results as JSON, so that opening one executes nothing."""

from __future__ import annotations

import json
import math
from collections.abc import Callable, Mapping
from dataclasses import fields
from datetime import datetime
from pathlib import Path
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from rheojobs.errors import InputError, one_line, printable

__all__ = ["HasFields", "array", "limits", "plain", "read_result", "to_json"]

_KINDS: dict[str, tuple[type, ...]] = {
    "str": (str,),
    "bool": (bool,),
    "int": (int,),
    "float": (int, float, type(None)),
    "dict": (dict,),
    "list": (list,),
    "datetime": (datetime,),
}
"""The types of JSON, by the beginning of a field's annotation."""

_DAMAGE = (
    *(TypeError, ValueError, KeyError, IndexError, AttributeError),
    *(OverflowError, RecursionError),
)
"""What values of wrong types raise."""


def plain(value: Any) -> Any:
    """Turn a value into types of JSON; NaN and infinity become null."""
    if isinstance(value, Mapping):
        return {str(key): plain(item) for key, item in value.items()}
    if isinstance(value, np.ndarray):
        if np.iscomplexobj(value):
            return {"real": plain(value.real), "imag": plain(value.imag)}
        return plain(value.tolist())
    if isinstance(value, list | tuple):
        return [plain(item) for item in value]
    if isinstance(value, np.generic):
        return plain(value.item())
    if isinstance(value, complex):
        return {"real": value.real, "imag": value.imag}
    if isinstance(value, float) and not math.isfinite(value):
        return None
    if isinstance(value, datetime):
        return value.isoformat()
    return value


class HasFields(Protocol):
    """An object with fields to be written, as results have."""

    def as_dict(self) -> dict[str, Any]:
        """Return all fields by name."""


def to_json(result: HasFields) -> str:
    """Write a result's fields under their names; arrays as lists, complex ones as two."""
    return json.dumps(plain(result.as_dict()), indent=2, ensure_ascii=False)


def array(value: Any) -> NDArray[Any]:
    """Return an array as `plain` gave it; null becomes NaN."""
    if isinstance(value, Mapping):
        return array(value["real"]) + 1j * array(value["imag"])
    return np.asarray(value, dtype=np.float64)


def limits(low: float | None, high: float | None) -> tuple[float, float]:
    """Return two limits as `plain` gave them; null becomes an infinity."""
    return -math.inf if low is None else low, math.inf if high is None else high


def read_result[Result](
    path: str | Path, cls: type[Result], make: Callable[[dict[str, Any]], Result]
) -> Result:
    """Return the result that `to_json` wrote; raise `InputError` if it did not.

    Parameters
    ----------
    path : path
        The file.
    cls : type
        The class of the result.
    make : callable
        Makes it from its fields.
    """
    try:
        return make(_fields(path, cls))
    except InputError:
        raise
    except _DAMAGE as error:
        words = printable(f"{path} is a damaged {cls.__name__}: {one_line(error)}")
        raise InputError(words) from error


def _fields(path: str | Path, cls: type) -> dict[str, Any]:
    try:
        content = json.loads(Path(path).read_text(encoding="utf-8"))
    except (OSError, ValueError, RecursionError) as error:
        words = printable(f"{path} cannot be read as a {cls.__name__}: {error}")
        raise InputError(words) from None
    required = {item.name for item in fields(cls)} & {"model_name", "timestamp"}
    if not isinstance(content, dict) or not required <= content.keys():
        raise InputError(printable(f"{path} is not a {cls.__name__} that this program wrote"))
    content["timestamp"] = datetime.fromisoformat(content["timestamp"])
    known = {item.name: str(item.type) for item in fields(cls)}
    found = {key: value for key, value in content.items() if key in known}
    for name, value in found.items():
        kinds = _KINDS.get(known[name].split("[")[0].split(" ")[0])
        is_empty = value is None and "None" in known[name]
        if kinds is not None and not is_empty and not isinstance(value, kinds):
            raise TypeError(f"{name} must be a {kinds[0].__name__}, got a {type(value).__name__}")
    return found
