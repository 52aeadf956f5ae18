"""How a model's function is called: its signature, the constants of the test, and a dry run.

Knows functions and constants; must not know RheoJAX, datasets, or what is done with predictions.
"""

from __future__ import annotations

import hashlib
import inspect
import math
import uuid
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from types import CodeType
from typing import TYPE_CHECKING, Any

from rheojobs.errors import InputError, nearest, one_line
from rheojobs.inference.programs.jax_setup import configure_jax

if TYPE_CHECKING:
    from rheojobs.inference.models.model import Model

CONSTANTS: dict[str, str] = {
    "gamma_dot": "shear rate, 1/s",
    "sigma_applied": "applied stress, Pa",
    "gamma_0": "strain amplitude",
    "omega": "angular frequency, rad/s",
    "sigma_0": "initial stress, Pa",
}
# In a frequency sweep and a flow curve all that matters is in x.
MODE_CONSTANTS: dict[str, tuple[str, ...]] = {
    "relaxation": ("gamma_dot", "gamma_0", "sigma_0"),
    "creep": ("sigma_applied",),
    "oscillation": (),
    "flow_curve": (),
    "startup": ("gamma_dot",),
    "laos": ("gamma_0", "omega"),
}


def check_protocol(protocol: Mapping[str, float] | None) -> dict[str, float]:
    """Check the constants of a test.

    Parameters
    ----------
    protocol : mapping of str to float or None
        Such as ``{"gamma_dot": 10.0}``.

    Returns
    -------
    dict of str to float
        The same, as floats.

    Raises
    ------
    InputError
        For a name that is not in `CONSTANTS`, or a value that is no finite number.
    """
    checked = {}
    for name, value in (protocol or {}).items():
        if name not in CONSTANTS:
            raise InputError(f"protocol has no constant {name!r}; {nearest(str(name), CONSTANTS)}")
        checked[name] = as_number(f"protocol constant {name} ({CONSTANTS[name]})", value)
    return checked


def as_number(label: str, value: object) -> float:
    """Give a finite float, or raise an `InputError` that begins with `label`."""
    try:
        number = math.nan if isinstance(value, bool) else float(value)  # type: ignore[arg-type]
    except (TypeError, ValueError):
        number = math.nan
    if not math.isfinite(number):
        raise InputError(f"{label} must be a finite number, not {value!r}")
    return number


@dataclass(frozen=True)
class Calling:
    """How a function wants to be called, as read from its signature.

    Attributes
    ----------
    separate : bool
        It takes the parameters one by one, as SciPy's `curve_fit` does.
    mode : str
        How it takes the test mode: ``"third"``, ``"keyword"`` or ``""`` for not at all.
    constants : frozenset of str or None
        The constants that it names; None for all of them.
    required : frozenset of str
        Those without a default.
    """

    separate: bool = False
    mode: str = ""
    constants: frozenset[str] | None = frozenset()
    required: frozenset[str] = frozenset()

    @classmethod
    def of(cls, function: object, names: Sequence[str]) -> Calling:
        """Read the signature; `InputError` where it is not one that `Model` describes."""
        if not callable(function):
            kind = type(function).__name__
            raise InputError(f"a model's function must be callable as f(x, params), not a {kind}")
        try:
            given = list(inspect.signature(function).parameters.values())
        except (TypeError, ValueError):
            return cls()
        places = [p for p in given if p.kind in (p.POSITIONAL_ONLY, p.POSITIONAL_OR_KEYWORD)]
        label = getattr(function, "__name__", type(function).__name__)
        if len(places) < 2 and not any(p.kind is p.VAR_POSITIONAL for p in given):
            raise InputError(f"the function {label} must take (x, params), it takes {len(places)}")
        # One parameter alone is ambiguous with `params`; then the array is what it gets.
        separate = len(names) > 1 and [p.name for p in places[1 : 1 + len(names)]] == list(names)
        rest = places[1 + len(names) :] if separate else places[2:]
        rest += [p for p in given if p.kind is p.KEYWORD_ONLY]
        mode, constants, required = "", set(), set()
        for index, p in enumerate(rest):
            bare = p.default is p.empty
            if p.name in CONSTANTS:
                constants.add(p.name)
                required |= {p.name} if bare else set()
            elif p.name == "test_mode" and p.kind is not p.POSITIONAL_ONLY:
                mode = "keyword"
            elif index == 0 and bare and p.kind is not p.KEYWORD_ONLY:
                mode = "third"
            elif bare:
                raise InputError(
                    f"the function {label} needs {p.name!r}, which is neither x, nor params, nor "
                    f"test_mode, nor a constant of the test ({', '.join(CONSTANTS)})"
                )
        every = any(p.kind is p.VAR_KEYWORD for p in given)
        return cls(separate, mode, None if every else frozenset(constants), frozenset(required))

    def __call__(
        self,
        function: Callable[..., Any],
        x: Any,
        params: Any,
        test_mode: str,
        protocol: Mapping[str, Any],
    ) -> Any:
        """Call the function in that way."""
        named = {
            name: value
            for name, value in protocol.items()
            if self.constants is None or name in self.constants
        }
        if self.mode == "keyword":
            named["test_mode"] = test_mode
        place = (test_mode,) if self.mode == "third" else ()
        values = tuple(params[i] for i in range(len(params))) if self.separate else (params,)
        return function(x, *values, *place, **named)


def function_key(function: Callable[..., Any], name: str, parameters: object) -> tuple[Any, ...]:
    """Make a key that is equal for equal functions, also for copies that came through a pickle.

    A function that cannot be pickled equals nothing but itself.
    """
    import cloudpickle

    try:
        pickled = cloudpickle.dumps(function)
    except Exception:  # whatever a user's closure raises while it is pickled
        return ("function", name, uuid.uuid4().hex)
    digest = hashlib.sha256(pickled)
    # One with an import path is pickled as that path alone: its code must be added.
    inner = inspect.unwrap(function)
    _add_code(digest, getattr(inner, "__code__", None))
    digest.update(repr(parameters).encode())
    return ("function", name, digest.hexdigest())


def _add_code(digest: Any, code: CodeType | None) -> None:
    if code is None:
        return
    digest.update(code.co_code)
    digest.update(repr(code.co_names).encode())
    for constant in code.co_consts:
        if isinstance(constant, CodeType):
            _add_code(digest, constant)
        else:
            digest.update(repr(constant).encode())


@dataclass(frozen=True)
class Trace:
    """What a dry run found: shape and kind of the prediction, missing constants, or the error."""

    shape: tuple[int, ...] = ()
    is_complex: bool = False
    missing: tuple[str, ...] = ()
    error: Exception | None = None


def trace(model: Model, test_mode: str, n: int, protocol: Mapping[str, float]) -> Trace:
    """Trace the model for n points without running it.

    A model that has values of its own for constants that are not given (RheoJAX's do, silently:
    a creep under no stress) is traced with those as inputs; what it then reads is missing.
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
    except Exception as error:  # a user's function raises what it likes
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
    """Do what `Model.probe` says."""
    model.check_test_mode(test_mode)
    found = trace(model, test_mode, n, protocol)
    if found.missing:
        wanted = ", ".join(f"{name} ({CONSTANTS[name]})" for name in found.missing)
        give = " ".join(f"--at {name}=…" for name in found.missing)
        raise InputError(
            f"{model.name} needs {wanted} for {test_mode}: give it in protocol= or {give}"
        )
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
