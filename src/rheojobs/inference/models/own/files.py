"""Models given by a function in a file, such as ``my_models.py:burgers``.

Loading one executes the file, as running a script does. A task carries the SHA-256 of the source,
and another source is refused.
"""

from __future__ import annotations

import functools
import hashlib
import importlib.abc
import importlib.util
import inspect
import sys
import threading
from dataclasses import replace
from pathlib import Path
from types import ModuleType
from typing import Any

from rheojobs.errors import InputError, nearest, one_line
from rheojobs.inference.data.protocol import PROTOCOL_CONSTANTS
from rheojobs.inference.data.test_modes import TEST_MODES
from rheojobs.inference.models.model import Model
from rheojobs.inference.models.own.assumed import parameter_like
from rheojobs.inference.models.own.formula import modes_of
from rheojobs.inference.models.own.reference import FileReference

__all__ = ["file_model", "pinned", "source_of"]

_LARGEST = 10_000_000
"""Bytes: a larger file is no source of a model."""

_lock = threading.RLock()


def pinned(reference: FileReference) -> FileReference:
    """Return the reference with the absolute path and the digest of the source.

    Raises
    ------
    InputError
        If the file cannot be read, or is not the one that the reference means.
    """
    path = reference.path.absolute()
    digest = hashlib.sha256(_read(path)).hexdigest()
    if reference.digest and digest != reference.digest:
        raise InputError(
            f"{path} has changed since the job was made (SHA-256 {reference.digest[:12]}…, now "
            f"{digest[:12]}…): restore it, or submit a new job"
        )
    return FileReference(path, reference.function, digest)


def source_of(name: object) -> dict[str, bytes]:
    """Return the source of a model in a file, to be stored beside its name; empty for others.

    It is kept for the user to read: it is never executed.
    """
    reference = FileReference.of(name) if isinstance(name, str) else None
    if reference is None:
        return {}
    source = _read(reference.path)
    is_meant = hashlib.sha256(source).hexdigest() == reference.digest
    return {"source of the model": source} if is_meant else {}


def _read(path: Path) -> bytes:
    try:
        if path.stat().st_size > _LARGEST:
            raise InputError(f"{path} is too large for the source of a model")
        return path.read_bytes()
    except OSError as error:
        reason = error.strerror or type(error).__name__
        raise InputError(f"the model's file {path} cannot be read: {reason}") from None


def file_model(reference: FileReference) -> Model:
    """Return the model that a function, or a `Model`, in a file is; executes the file once.

    Parameters
    ----------
    reference : FileReference
        The function's first argument is x; a name such as t, omega or gamma_dot tells the test.
        The others are parameters, with defaults to start from and perhaps bounds as annotations:
        ``G0: (1, 1e9) = 1e4``.

    Raises
    ------
    InputError
        If the file is another than was meant or cannot be executed, or if it has no such
        function.
    """
    meant = pinned(reference)
    with _lock:
        return _model(meant)


@functools.lru_cache(maxsize=64)
def _model(reference: FileReference) -> Model:
    path = reference.path
    found = getattr(_module(path, reference.digest), reference.function, None)
    if found is None:
        module = _module(path, reference.digest)
        names = [name for name in vars(module) if not name.startswith("_")]
        hint = nearest(reference.function, names) if names else "it is empty"
        raise InputError(f"{path} has no {reference.function!r}; {hint}")
    key = ("file", str(path), reference.digest, reference.function)
    if isinstance(found, Model):
        return replace(found, name=reference.label, key=key)
    if not inspect.isfunction(found) and not callable(found):
        kind = type(found).__name__
        raise InputError(f"{reference.label} is a {kind}: a function of x and parameters is needed")
    return _of_function(found, reference, key)


def _of_function(function: Any, reference: FileReference, key: tuple[Any, ...]) -> Model:
    where = reference.label
    try:
        given = list(inspect.signature(function).parameters.values())
    except (TypeError, ValueError):
        raise InputError(f"{where} has no signature that names its parameters") from None
    if any(item.kind in (item.VAR_POSITIONAL, item.VAR_KEYWORD) for item in given):
        raise InputError(f"{where} must name its parameters: *args and **kwargs name none")
    parameters = [
        parameter_like(
            item.name,
            None if item.default is item.empty else item.default,
            _limits(item, where),
            where,
        )
        for item in given[1:]
        if item.name not in PROTOCOL_CONSTANTS and item.name != "test_mode"
    ]
    if not parameters:
        raise InputError(f"{where} has no parameters besides x")
    constants = [item.name for item in given[1:] if item.name in PROTOCOL_CONSTANTS]
    modes = modes_of(given[0].name, constants) or TEST_MODES
    lines = (function.__doc__ or "").strip().splitlines()
    return Model(
        name=where,
        function=_OneByOne(function, tuple(item.name for item in parameters)),
        parameters=tuple(parameters),
        test_modes=modes,
        description=lines[0] if lines else "",
        key=key,
    )


def _limits(item: inspect.Parameter, where: str) -> object:
    """Return the bounds in an annotation; None if it has none."""
    if isinstance(item.annotation, tuple | list):
        return item.annotation
    if isinstance(item.annotation, str) and item.annotation.lstrip().startswith(("(", "[")):
        raise InputError(
            f"{where}: bounds as annotations are not read with 'from __future__ import "
            "annotations': leave that out"
        )
    return None


class _OneByOne:
    """Calls a function with the parameters by their names, as `Model.function` is called."""

    def __init__(self, function: Any, names: tuple[str, ...]) -> None:
        self._function = function
        self._names = names
        kind = inspect.Parameter
        given = list(inspect.signature(function).parameters.values())
        places = [kind(name, kind.POSITIONAL_ONLY) for name in ("x", "params")]
        others = [
            kind(item.name, kind.KEYWORD_ONLY, default=item.default)
            for item in given[1:]
            if item.name not in names
        ]
        self.__name__ = str(getattr(function, "__name__", type(function).__name__))
        self.__signature__ = inspect.Signature([*places, *others])

    def __call__(self, x: Any, params: Any, **others: Any) -> Any:
        values = {name: params[k] for k, name in enumerate(self._names)}
        return self._function(x, **values, **others)


class _SourceLoader(importlib.abc.ExecutionLoader):
    """Executes the very bytes whose digest is known, and no compiled file beside them."""

    def __init__(self, path: Path, source: bytes) -> None:
        self._path = path
        self._source = source

    def get_source(self, fullname: str) -> str:
        return importlib.util.decode_source(self._source)

    def get_filename(self, fullname: str) -> str:
        return str(self._path)


def _module(path: Path, digest: str) -> ModuleType:
    """Return the module of a source; each source is executed once in a process."""
    name = f"rheojobs_own_{path.stem}_{digest[:16]}"
    if name in sys.modules:
        return sys.modules[name]
    source = _read(path)
    if hashlib.sha256(source).hexdigest() != digest:
        raise InputError(f"{path} has changed just now: try again")
    spec = importlib.util.spec_from_loader(name, _SourceLoader(path, source), origin=str(path))
    assert spec is not None
    assert spec.loader is not None
    spec.has_location = True  # the file may read others beside its __file__
    module = importlib.util.module_from_spec(spec)
    sys.modules[name] = module
    try:
        spec.loader.exec_module(module)
    except BaseException as error:  # a user's file may raise anything
        del sys.modules[name]
        if not isinstance(error, Exception | SystemExit):
            raise
        raise InputError(f"{path} cannot be executed: {one_line(error)}") from error
    _send_by_value(module)
    return module


def _send_by_value(module: ModuleType) -> None:
    """Let functions of the module be pickled: no other process can import it by its name."""
    import cloudpickle

    cloudpickle.register_pickle_by_value(module)
