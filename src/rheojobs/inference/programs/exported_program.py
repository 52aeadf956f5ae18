"""Store traced programs on disk, so that a new process need not trace them again.

JAX's own cache stores what XLA compiles, but a program must be traced before it is found there,
which for a model in the complex plane takes longer than its sampling. Here the trace itself is
stored with `jax.export`, as a flatbuffer; opening one executes nothing.
"""

from __future__ import annotations

import functools
import hashlib
import importlib
import importlib.metadata
import importlib.util
import logging
import threading
from collections.abc import Callable, Hashable, Sequence
from pathlib import Path
from typing import Any

import jax
import numpy as np
from jax import export
from jax.sharding import SingleDeviceSharding

from rheojobs.inference.programs.devices import default_device, platform
from rheojobs.inference.programs.disk_cache import ProgramCache
from rheojobs.inference.programs.jax_setup import MAX_CACHE_BYTES, programs_folder

__all__ = ["StoredProgram", "kept_on_disk", "source_digest", "source_files"]

logger = logging.getLogger(__name__)

LIBRARIES = ("jax", "jaxlib", "numpyro")
SOURCES = (
    "rheojobs.inference.data.protocol",
    "rheojobs.inference.data.test_modes",
    "rheojobs.inference.programs",
    "rheojobs.inference.expressions",
    "rheojobs.inference.models",
    "rheojobs.inference.problem",
    "rheojobs.inference.fits",
    "rheojobs.inference.posterior",
    "rheojobs.inference.sampling",
    "rheojax",
)
"""The code that programs are traced from: if a file changes, all programs are traced again.
Readers, results and reports are not part of it."""


@functools.cache
def source_digest() -> str:
    """Return a digest of the code that programs are traced from and models are made by."""
    digest = hashlib.sha256()
    for name in LIBRARIES:
        digest.update(f"{name} {importlib.metadata.version(name)}\n".encode())
    for path in source_files():
        status = path.stat()
        digest.update(f"{path} {status.st_size} {status.st_mtime_ns}\n".encode())
    return digest.hexdigest()


def source_files() -> list[Path]:
    """List the files of `SOURCES`."""
    found: list[Path] = []
    for name in SOURCES:
        spec = importlib.util.find_spec(name)
        if spec is None:  # RheoJAX is not installed
            continue
        if spec.submodule_search_locations is None:
            found.append(Path(str(spec.origin)))
        for folder in spec.submodule_search_locations or []:
            found += sorted(Path(folder).rglob("*.py"))
    return found


def kept_on_disk() -> ProgramCache:
    """Return the cache of traces and of other data that spare a process from tracing."""
    return _cache(programs_folder())


@functools.cache
def _cache(root: Path) -> ProgramCache:
    """Return the cache of a folder; there is one for each, so that files are counted once."""
    return ProgramCache(root / "traced", root, MAX_CACHE_BYTES)


class StoredProgram:
    """A compiled function whose trace is stored on disk.

    It runs on JAX's default device, takes arrays of NumPy and of that device, and leaves its
    results there: what one call returns the next one takes without moving it.

    Parameters
    ----------
    function : callable
        Pure; what `jax.jit` takes.
    result : pytree
        Anything that has the structure of the result.
    identity : str
        Distinguishes the function from all others, in every process. If empty, nothing is
        stored: the function is one of the user's, which only this process has.
    name : str
        Distinguishes it from others of the same identity.
    needs : sequence of str
        Modules that the function imports. They are imported before it is traced: arrays that
        a module makes within a trace would be the trace's own.
    """

    def __init__(
        self,
        function: Callable[..., Any],
        result: Any,
        identity: str,
        name: str = "",
        needs: Sequence[str] = (),
    ) -> None:
        self._needs = tuple(needs)
        self._function = function
        self._result = jax.tree.structure(result)
        self._identity = identity
        self._name = name
        self._programs: dict[Hashable, Callable[..., Any]] = {}
        self._lock = threading.Lock()

    def __call__(self, *args: Any) -> Any:
        """Call the function, by a stored trace if there is one."""
        if not self._identity:
            return self._plain()(*args)
        leaves, structure = _flat(args)
        return jax.tree.unflatten(self._result, self._program(structure, leaves)(*leaves))

    def prepare(self, *args: Any) -> None:
        """Compile the function for such arguments, without calling it."""
        if not self._identity:
            self._plain().lower(*args).compile()  # kept by JAX for the call
            return
        leaves, structure = _flat(args)
        self._program(structure, leaves).lower(*leaves).compile()

    def _plain(self) -> Any:
        """Return the function itself, jitted for the device."""
        device = default_device()
        program = self._programs.get(device)
        if program is None:
            self._import_needs()
            program = self._programs.setdefault(device, _jitted(self._function, device))
        return program

    def _program(self, structure: Any, leaves: list[Any]) -> Any:
        """Return the function of flat arguments, jitted; there is one for each kind of them."""
        device = default_device()
        kind = (device, structure, tuple((leaf.shape, leaf.dtype) for leaf in leaves))
        program = self._programs.get(kind)
        if program is None:
            with self._lock:
                program = self._programs.get(kind)
                if program is None:
                    made = self._make(structure, leaves, device)
                    program = self._programs[kind] = _jitted(made, device)
        return program

    def _make(
        self, structure: Any, leaves: list[Any], device: jax.Device
    ) -> Callable[..., list[Any]]:
        """Return the function of flat arguments: its stored trace, if it has one."""

        def flat(*leaves: Any) -> list[Any]:
            return jax.tree.leaves(self._function(*jax.tree.unflatten(structure, leaves)))

        shapes = [jax.ShapeDtypeStruct(leaf.shape, leaf.dtype) for leaf in leaves]
        key = self._key(structure, shapes, platform(device))
        if not key:
            self._import_needs()
            return flat
        cache = kept_on_disk()
        stored = cache.get(key)
        if stored is not None:
            try:
                return export.deserialize(bytearray(stored)).call
            except Exception as error:  # any exception on a flatbuffer of another version
                logger.info("a stored program cannot be used: %s", error)
                cache.drop(key)
        self._import_needs()
        try:
            traced = export.export(jax.jit(flat), platforms=[platform(device)])(*shapes)
            cache.put(key, bytes(traced.serialize()))
        except (ValueError, NotImplementedError) as error:  # programs that JAX cannot export
            logger.info("a program cannot be stored: %s", error)
            return flat
        return traced.call

    def _import_needs(self) -> None:
        for module in self._needs:
            importlib.import_module(module)
        self._needs = ()

    def _key(self, structure: Any, shapes: list[jax.ShapeDtypeStruct], target: str) -> str:
        """Return the name on disk; empty if another process would derive another name."""
        described = f"{self._name} {self._identity}\n{structure}\n{shapes}"
        if " at 0x" in described:  # an object that is identified by its address in memory
            return ""
        text = f"{source_digest()}\n{target}\n{described}"
        return hashlib.sha256(text.encode()).hexdigest()


def _jitted(function: Callable[..., Any], device: jax.Device) -> Any:
    """Return a function jitted for a device, wherever its arguments come from.

    If this were not declared, JAX would compile again for each mixture of arrays that are bound
    to the device, as results of an exported program are, and arrays that are not.
    """
    there = SingleDeviceSharding(device)
    return jax.jit(function, in_shardings=there, out_shardings=there)


def _flat(args: tuple[Any, ...]) -> tuple[list[Any], Any]:
    """Return the arguments' arrays and their structure; those of JAX stay where they are."""
    leaves, structure = jax.tree.flatten(args)
    # NumPy's first: JAX decides in Python what is an array of its own.
    kinds = np.ndarray, jax.Array
    return [leaf if isinstance(leaf, kinds) else np.asarray(leaf) for leaf in leaves], structure
