"""The list of RheoJAX's models for windows and terminals, cached on disk: making it takes 3 s.

Imports no JAX, and RheoJAX only if the list has to be made.
"""

from __future__ import annotations

import functools
import json
import logging
import re
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from rheojobs.errors import MissingExtraError
from rheojobs.inference.models.equations import equation_of
from rheojobs.inference.models.own.reference import shown_name
from rheojobs.inference.models.parameters import Parameter
from rheojobs.inference.models.settings import ModelSetting
from rheojobs.inference.programs.jax_setup import cache_folder
from rheojobs.whole_files import write_whole

if TYPE_CHECKING:
    from rheojobs.inference.models.model import Model

__all__ = ["ModelInfo", "cached_catalogue", "catalogue"]

logger = logging.getLogger(__name__)

_FORMAT = 4


@dataclass(frozen=True)
class ModelInfo:
    """A model's description, available without loading it.

    Attributes
    ----------
    name, description : str
        As `rheojobs.inference.models.model.Model`.
    test_modes : tuple of str
        The tests it can be fitted to; empty if RheoJAX offers no traceable function.
    parameters : tuple of Parameter
        Those that it has with its `config`.
    flow_quantity : str
        ``"stress"`` or ``"viscosity"``.
    refused : mapping of str to str
        The tests that the theory covers but that cannot be run, and why.
    warnings : mapping of str to str
        The tests in which predictions are not to be trusted, and what is wrong with them.
    settings : tuple of ModelSetting
        What `model_config` may set.
    config : mapping
        The settings with which it is described; empty for the defaults.
    """

    name: str
    test_modes: tuple[str, ...]
    parameters: tuple[Parameter, ...]
    description: str
    flow_quantity: str
    refused: Mapping[str, str] = field(default_factory=dict)
    warnings: Mapping[str, str] = field(default_factory=dict)
    settings: tuple[ModelSetting, ...] = ()
    config: Mapping[str, Any] = field(default_factory=dict)

    @classmethod
    def of(cls, model: Model) -> ModelInfo:
        """Return the description of a model."""
        return cls(
            name=model.name,
            test_modes=model.test_modes,
            parameters=model.parameters,
            description=model.description,
            flow_quantity=model.flow_quantity,
            refused=dict(model.refused),
            warnings=dict(model.warnings),
            config=dict(model.config),
        )

    @property
    def label(self) -> str:
        """The name with the settings that differ from the defaults."""
        given = (f"{name} = {value}" for name, value in self.config.items())
        return ", ".join((shown_name(self.name), *given))

    @property
    def options(self) -> dict[str, Any]:
        """The options of a fit or a sampling that say its `config`; none for the defaults."""
        return {"model_config": dict(self.config)} if self.config else {}

    def equation(self, test_mode: str | None = None) -> str:
        """Return the equation for a test, as `equation_of` does; empty if none fits on a line."""
        return equation_of(self.name, test_mode)


def catalogue(refresh: bool = False) -> tuple[ModelInfo, ...]:
    """Return all of RheoJAX's models, ordered by name.

    Parameters
    ----------
    refresh : bool
        Make the list again even if it is on disk.

    Raises
    ------
    MissingExtraError
        If RheoJAX is not installed.
    """
    known = None if refresh else cached_catalogue()
    if known is not None:
        return known
    models = _build()
    _write(models)
    return models


def cached_catalogue() -> tuple[ModelInfo, ...] | None:
    """Return the list if it is on disk for the installed RheoJAX and our formulas, else None."""
    path = _path()
    if path is None:
        return None
    try:
        status = path.stat()
    except OSError:
        return None
    return _stored(path, (status.st_mtime_ns, status.st_size))


@functools.lru_cache(maxsize=4)
def _stored(path: Path, stamp: tuple[int, int]) -> tuple[ModelInfo, ...] | None:
    """Read the list once for each state of the file, since each job needs it."""
    try:
        stored = json.loads(path.read_text(encoding="utf-8"))
        if stored["format"] != _FORMAT or not stored["models"]:
            return None
        return tuple(_info(entry) for entry in stored["models"])
    except (OSError, ValueError, TypeError, LookupError, AttributeError, RecursionError) as error:
        logger.info("the list of models in %s is not readable (%s): making it again", path, error)
        return None


def _path() -> Path | None:
    from rheojobs.inference.models.rheojax import registry

    if registry.version() is None:
        return None
    # Our formulas decide which tests are refused or warned of.
    made_by = re.sub("[^A-Za-z0-9.+-]", "_", registry.formulas())
    return cache_folder() / f"models-{made_by}.json"


def _build() -> tuple[ModelInfo, ...]:
    from rheojobs.inference.models.rheojax import registry

    if registry.version() is None:
        raise MissingExtraError(
            'the models come from RheoJAX, which is not installed: pip install "rheojobs[rheology]"'
        )
    return tuple(
        replace(ModelInfo.of(registry.load(name, {})), settings=registry.settings(name))
        for name in registry.names()
    )


def _write(models: tuple[ModelInfo, ...]) -> None:
    path = _path()
    if path is None:
        return
    text = json.dumps({"format": _FORMAT, "models": [asdict(info) for info in models]})
    try:
        write_whole(path, lambda temporary: temporary.write_text(text, encoding="utf-8"))
    except OSError as error:
        logger.info("the list of models cannot be stored in %s: %s", path.parent, error)


def _info(entry: Any) -> ModelInfo:
    return ModelInfo(
        name=str(entry["name"]),
        test_modes=tuple(str(mode) for mode in entry["test_modes"]),
        parameters=tuple(Parameter.of_json(fields) for fields in entry["parameters"]),
        description=str(entry["description"]),
        flow_quantity=str(entry["flow_quantity"]),
        refused={str(mode): str(reason) for mode, reason in entry["refused"].items()},
        warnings={str(mode): str(reason) for mode, reason in entry["warnings"].items()},
        settings=tuple(ModelSetting.of_json(fields) for fields in entry["settings"]),
        config=dict(entry["config"]),
    )
