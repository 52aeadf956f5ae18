"""Read and write results as JSON, so that opening one executes nothing."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from dataclasses import fields
from datetime import datetime
from pathlib import Path
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from rheojobs.errors import InputError

__all__ = ["HasFields", "array", "limits", "plain", "read_fields", "to_json"]


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


def read_fields(path: str | Path, cls: type) -> dict[str, Any]:
    """Return the fields of a result that `to_json` wrote; raise `InputError` if it did not."""
    try:
        content = json.loads(Path(path).read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise InputError(f"{path} cannot be read as a {cls.__name__}: {error}") from None
    required = {item.name for item in fields(cls)} & {"model_name", "timestamp"}
    if not isinstance(content, dict) or not required <= content.keys():
        raise InputError(f"{path} is not a {cls.__name__} that this program wrote")
    content["timestamp"] = datetime.fromisoformat(content["timestamp"])
    known = {item.name for item in fields(cls)}
    return {key: value for key, value in content.items() if key in known}
