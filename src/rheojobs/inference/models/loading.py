"""Load models by name; RheoJAX is imported only when one of its models is loaded."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from rheojobs.errors import InputError, nearest
from rheojobs.inference.models.catalogue import ModelInfo, cached_catalogue
from rheojobs.inference.models.model import Model
from rheojobs.inference.models.own.reference import FileReference, is_formula

__all__ = ["check_name", "describe", "load", "load_own"]


def load(model: str | Model, config: Mapping[str, Any] | None = None) -> Model:
    """Return the model of that name; a `Model` is returned unchanged.

    Parameters
    ----------
    model : str or Model
        A name of RheoJAX's registry, such as ``"maxwell"``; a formula, such as
        ``"G0*exp(-t/tau)"``; or a function in a file, ``"my_models.py:burgers"``.
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
    own = load_own(model)
    if own is not None:
        if config:
            raise InputError(f"{own.name} has no settings: model_config is for models of RheoJAX")
        return own
    from rheojobs.inference.models.rheojax import registry

    return registry.load(model, config or {})


def load_own(name: str) -> Model | None:
    """Return the model of a formula or of a function in a file; None for any other name."""
    reference = FileReference.of(name)
    if reference is not None:
        from rheojobs.inference.models.own.files import file_model

        return file_model(reference)
    if not is_formula(name):
        return None
    from rheojobs.inference.models.own.formula import formula_model

    return formula_model(name.strip())


def describe(name: str, config: Mapping[str, Any]) -> ModelInfo:
    """Return the description of a model with settings of the user's, such as its parameters.

    Parameters
    ----------
    name, config
        As `load` takes them.

    Raises
    ------
    InputError
        As `load`.
    """
    return ModelInfo.of(load(name, config))


def check_name(name: str) -> str:
    """Return the name by which a task should know a model; imports neither JAX nor RheoJAX.

    A function in a file gets the digest of its source. Nothing of the file is executed.

    Raises
    ------
    InputError
        For an unknown model, if the list is at hand.
    """
    if name in _found:
        return name
    reference = FileReference.of(name)
    if reference is not None:
        from rheojobs.inference.models.own.files import pinned

        return pinned(reference).name
    if is_formula(name):
        load_own(name)
        return name.strip()
    known = cached_catalogue()
    if known is None:
        return name
    _found.update(info.name for info in known)
    if name not in _found:
        hint = nearest(str(name), (info.name for info in known))
        raise InputError(f"there is no model {name!r}; {hint}")
    return name


_found: set[str] = set()
"""Names that the list had once: to look for its file takes as long as to check small data."""
