"""Dry-run a model: trace it to find the shape of its prediction, without running it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from rheojobs.errors import InputError, one_line
from rheojobs.inference.data.protocol import MODE_CONSTANTS, PROTOCOL_CONSTANTS
from rheojobs.inference.models.signature import Calling
from rheojobs.inference.programs.jax_setup import configure_jax

if TYPE_CHECKING:
    from rheojobs.inference.models.model import Model

__all__ = ["Trace", "probe", "trace"]


@dataclass(frozen=True)
class Trace:
    """The outcome of a dry run: the prediction's shape and type, missing constants, or an error."""

    shape: tuple[int, ...] = ()
    is_complex: bool = False
    missing: tuple[str, ...] = ()
    error: Exception | None = None


def trace(model: Model, test_mode: str, n: int, protocol: Mapping[str, float]) -> Trace:
    """Trace the model for n points without running it.

    A model may have default values for constants that are not given (RheoJAX's have, silently,
    such as a creep stress of zero). It is traced with these constants as inputs; those that it
    then reads are missing.
    """
    calling = Calling.of(model.function, model.names)
    missing = tuple(sorted(calling.required - set(protocol)))
    if missing:
        return Trace(missing=missing)
    needs = getattr(model.function, "needs", None)
    wanted = tuple(needs(test_mode)) if needs is not None else ()
    unknown = [name for name in wanted if name not in protocol]
    try:
        shape, is_complex, used = _shape(model, test_mode, n, protocol, unknown)
    except Exception as error:  # a user's function may raise anything
        text = str(error)
        named = [c for c in MODE_CONSTANTS[test_mode] if c not in protocol and c in text]
        return Trace(error=error, missing=tuple(named))
    return Trace(shape, is_complex, missing=tuple(name for name in unknown if name in used))


def _shape(
    model: Model, test_mode: str, n: int, protocol: Mapping[str, float], unknown: Sequence[str]
) -> tuple[tuple[int, ...], bool, set[str]]:
    configure_jax()
    import jax

    shaped: Any = jax.ShapeDtypeStruct

    def predict(constants: Mapping[str, Any], x: Any, params: Any) -> Any:
        return model.predict(x, params, test_mode, {**protocol, **constants})

    # A dict is flattened by its sorted keys, so these are the first inputs of the jaxpr.
    closed, out = jax.make_jaxpr(predict, return_shape=True)(
        dict.fromkeys(unknown, shaped((), float)),
        shaped((n,), float),
        shaped((len(model.parameters),), float),
    )
    inputs = closed.jaxpr.invars[: len(unknown)]
    read = {id(v) for equation in closed.jaxpr.eqns for v in equation.invars}
    read |= {id(v) for v in closed.jaxpr.outvars}
    used = {name for name, v in zip(sorted(unknown), inputs, strict=True) if id(v) in read}
    return tuple(out.shape), bool(jax.numpy.issubdtype(out.dtype, jax.numpy.complexfloating)), used


def probe(model: Model, test_mode: str, n: int, protocol: Mapping[str, float]) -> bool:
    """Implement `Model.probe`."""
    model.check_test_mode(test_mode)
    found = trace(model, test_mode, n, protocol)
    if found.missing:
        wanted = ", ".join(f"{name} ({PROTOCOL_CONSTANTS[name]})" for name in found.missing)
        words = f"{model.name} needs {wanted} for {test_mode}: give it with {{protocol}}"
        raise InputError(words, options=("protocol",))
    subject = f"{model.name} cannot be run for {test_mode}"
    if isinstance(found.error, InputError):
        raise found.error
    if found.error is not None:
        raise InputError(f"{subject}: {_reason(found.error)}") from found.error
    if found.shape != (n,):
        raise InputError(f"{subject}: it gives an array of shape {found.shape} for {n} points")
    if found.is_complex and test_mode != "oscillation":
        raise InputError(f"{subject}: its prediction is complex, which only oscillation allows")
    return found.is_complex


def _reason(error: Exception) -> str:
    kind = type(error).__name__
    if kind in (
        "ConcretizationTypeError",
        "TracerArrayConversionError",
        "TracerBoolConversionError",
    ):
        return "its function is not pure JAX: it turns traced values into plain numbers or arrays"
    return f"its function raised {one_line(error)[:200]}"
