"""Load models by name; RheoJAX is imported only when one is loaded."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from rheojobs.errors import InputError, nearest
from rheojobs.inference.models.catalogue import cached_catalogue
from rheojobs.inference.models.model import Model

__all__ = ["check_name", "load"]


def load(model: str | Model, config: Mapping[str, Any] | None = None) -> Model:
    """Return the model of that name from RheoJAX's registry; a `Model` is returned unchanged.

    Parameters
    ----------
    model : str or Model
        Such as ``"maxwell"``.
    config : mapping, optional
        Arguments of the RheoJAX class, such as ``{"n_modes": 6}``.

    Returns
    -------
    Model
        The same object for the same name and configuration; safe to share between threads.

    Raises
    ------
    InputError
        For an unknown name, or a configuration that the model does not take.
    MissingExtraError
        If RheoJAX is not installed.
    """
    if isinstance(model, Model):
        if config and dict(config) != dict(model.config):
            raise InputError(
                f"the model {model.name} is made already: model_config cannot change it"
            )
        return model
    if not isinstance(model, str):
        raise InputError(
            f"a model is given by its name or as a Model, not as a {type(model).__name__}"
            + ("; Model.from_function makes one of a function" if callable(model) else "")
        )
    from rheojobs.inference.models.rheojax import registry

    return registry.load(model, config or {})


def check_name(name: str) -> None:
    """Raise the `InputError` of an unknown model, if the list is at hand; never imports RheoJAX."""
    if name in _found:
        return
    known = cached_catalogue()
    if known is None:
        return
    _found.update(info.name for info in known)
    if name not in _found:
        hint = nearest(str(name), (info.name for info in known))
        raise InputError(f"there is no model {name!r}; {hint}")


_found: set[str] = set()
"""Names that the list had once: to look for its file takes as long as to check small data."""
