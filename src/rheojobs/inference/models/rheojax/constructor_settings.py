"""Read the settings of RheoJAX's models from the signatures of their constructors."""

from __future__ import annotations

import inspect
import re
import typing
from typing import Any

from rheojobs.inference.models.rheojax.repair import ORIGINAL, OURS
from rheojobs.inference.models.settings import FORMULA, ModelSetting

__all__ = ["settings_of"]

_FORMULAS = ModelSetting(
    FORMULA,
    OURS,
    {OURS: "where RheoJAX's formula is wrong, ours", ORIGINAL: "RheoJAX's own formulas"},
    "Whose formulas are used where RheoJAX's own are wrong.",
)


def settings_of(kind: type, *, is_repaired: bool) -> tuple[ModelSetting, ...]:
    """Return the settings of a class of models, in the order of its constructor.

    Parameters
    ----------
    kind : type
        RheoJAX's class.
    is_repaired : bool
        Whether some of its formulas are replaced by ours, which can be chosen.
    """
    hints = _hints(kind)
    told = inspect.getdoc(kind.__init__) or ""  # type: ignore[misc]
    found = [
        _setting(item.name, item.default, hints.get(item.name), _help(told, item.name))
        for item in inspect.signature(kind).parameters.values()
        if item.name not in ("args", "kwargs")
    ]
    return (*(item for item in found if item is not None), *([_FORMULAS] if is_repaired else []))


def _hints(kind: type) -> dict[str, Any]:
    try:
        return inspect.get_annotations(kind.__init__, eval_str=True)  # type: ignore[misc]
    except Exception:  # names that exist only while types are checked: then there are no words
        return {}


def _setting(name: str, default: Any, hint: Any, told: str) -> ModelSetting | None:
    """Return a setting; None for one that is no plain value, such as an array."""
    if typing.get_origin(hint) is typing.Literal:
        return ModelSetting(name, default, dict.fromkeys(map(str, typing.get_args(hint)), ""), told)
    is_number = default is None and float in typing.get_args(hint)
    if is_number or isinstance(default, bool | int | float | str):
        return ModelSetting(name, default, help=told)
    return None


def _help(told: str, name: str) -> str:
    """Return what a docstring in the style of Google or of NumPy says of a parameter."""
    found = re.search(rf"^ *{name} *(?:\([^)]*\))?: *(\S.*)$", told, flags=re.MULTILINE)
    words = found[1] if found else ""
    numpy_style = re.search(rf"^{name} *: *.*\n +(\S.*)$", told, flags=re.MULTILINE)
    if numpy_style:
        words = numpy_style[1]
    words = words.strip().rstrip(":")
    return words if not words or words.endswith(".") else f"{words}."
