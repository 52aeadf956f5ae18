"""Read how to call a model's function from its signature, and make a key for it."""

from __future__ import annotations

import hashlib
import inspect
import uuid
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from types import CodeType
from typing import Any

from rheojobs.errors import InputError
from rheojobs.inference.data.protocol import PROTOCOL_CONSTANTS

__all__ = ["Calling", "function_key"]


@dataclass(frozen=True)
class Calling:
    """How a function is called, as read from its signature.

    Attributes
    ----------
    separate : bool
        Whether it takes the parameters one by one, as for SciPy's `curve_fit`.
    mode : str
        How it takes the test mode: ``"third"``, ``"keyword"`` or ``""`` for not at all.
    constants : frozenset of str or None
        The constants that it takes; None for all of them.
    required : frozenset of str
        Those without a default.
    """

    separate: bool = False
    mode: str = ""
    constants: frozenset[str] | None = frozenset()
    required: frozenset[str] = frozenset()

    @classmethod
    def of(cls, function: object, names: Sequence[str]) -> Calling:
        """Read the signature; `InputError` if it is not one that `Model` describes."""
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
        # A single parameter cannot be distinguished from `params`: then pass the array.
        separate = len(names) > 1 and [p.name for p in places[1 : 1 + len(names)]] == list(names)
        rest = places[1 + len(names) :] if separate else places[2:]
        rest += [p for p in given if p.kind is p.KEYWORD_ONLY]
        mode, constants, required = "", set(), set()
        for index, p in enumerate(rest):
            bare = p.default is p.empty
            if p.name in PROTOCOL_CONSTANTS:
                constants.add(p.name)
                required |= {p.name} if bare else set()
            elif p.name == "test_mode" and p.kind is not p.POSITIONAL_ONLY:
                mode = "keyword"
            elif index == 0 and bare and p.kind is not p.KEYWORD_ONLY:
                mode = "third"
            elif bare:
                raise InputError(
                    f"the function {label} needs {p.name!r}, which is neither x, nor params, nor "
                    f"test_mode, nor a constant of the test ({', '.join(PROTOCOL_CONSTANTS)})"
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
        """Call the function as its signature requires."""
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
    """Make a key that is equal for equal functions, including copies made by pickling.

    A function that cannot be pickled equals only itself.
    """
    import cloudpickle

    try:
        pickled = cloudpickle.dumps(function)
    except Exception:  # pickling a user's closure may raise anything
        return ("function", name, uuid.uuid4().hex)
    digest = hashlib.sha256(pickled)
    # A function with an import path is pickled as that path only: add its code.
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
