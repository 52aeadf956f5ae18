"""Cache the fields of models on disk, so that a worker with stored programs needs no RheoJAX.

Importing RheoJAX takes a new process as long as a sampling. The function itself is loaded only to
be traced. Opening a card executes nothing: it is JSON.
"""

from __future__ import annotations

import hashlib
import json
import logging
import threading
from collections.abc import Callable, Mapping
from dataclasses import asdict, fields
from typing import Any

from rheojobs.inference.models.model import Model
from rheojobs.inference.models.parameters import Alternative, Parameter
from rheojobs.inference.programs.exported_program import kept_on_disk, source_digest

__all__ = ["DeferredFunction", "read", "write"]

logger = logging.getLogger(__name__)

_PLAIN = (
    "name",
    "description",
    "flow_quantity",
    "forward_mode",
    "config",
    "refused",
    "quantities",
    "warnings",
)
_NESTED = ("test_modes", "even_steps", "modes", "orders", "narrowed")
"""Fields of tuples, which JSON has as lists."""
_APART = ("parameters", "alternatives", "function", "key", "probed")
"""Fields that the card has in another form, or that the caller of `read` supplies."""


class DeferredFunction:
    """A model's function that is loaded when it is called for the first time.

    Parameters
    ----------
    fetch : callable
        Returns the real model.
    """

    def __init__(self, fetch: Callable[[], Model]) -> None:
        self._fetch = fetch
        self._lock = threading.Lock()
        self._model: Model | None = None

    def _function(self) -> Any:
        import jax

        # Modules make arrays when they are imported; within a trace these would be traced.
        with self._lock, jax.ensure_compile_time_eval():
            if self._model is None:
                self._model = self._fetch()
            return self._model.function

    def needs(self, test_mode: str) -> tuple[str, ...]:
        """Name the constants that must be given if the model reads them."""
        needed: tuple[str, ...] = self._function().needs(test_mode)
        return needed

    def __call__(self, x: Any, params: Any, test_mode: str, **protocol: Any) -> Any:
        """Predict as `Model.predict` does, for x of shape (n,) and params of shape (p,)."""
        return self._function()(x, params, test_mode, **protocol)


def read[Card: Model](
    identity: str, alternatives: Mapping[str, Alternative], make: Callable[..., Card]
) -> Card | None:
    """Return the model of a card; None if there is no usable card.

    Parameters
    ----------
    identity : str
        Distinguishes the model and its configuration from all others.
    alternatives : mapping
        By the name with which the card was written.
    make : callable
        Makes the model from the fields on the card; it supplies `function` and `key` itself.
    """
    cache, own = kept_on_disk(), _key(identity)
    stored = cache.get(own)
    if stored is None:
        return None
    try:
        card = json.loads(stored)
        values = {name: card[name] for name in _PLAIN}
        values |= {name: _with_tuples(card[name]) for name in _NESTED}
        other = alternatives[card["alternative"]] if card["alternative"] else None
        return make(
            parameters=tuple(Parameter.of_json(item) for item in card["parameters"]),
            alternatives=() if other is None else (other,),
            probed=dict(card["probed"]),
            **values,
        )
    except (ValueError, TypeError, LookupError, AttributeError, RecursionError) as error:
        logger.info("the card of %s is not readable (%s): making it again", identity, error)
        cache.drop(own)
        return None


def write(identity: str, model: Model, alternative: str, probed: Mapping[str, bool]) -> None:
    """Write the card of a model, unless it has rules that exist only as code.

    Parameters
    ----------
    identity : str
        As `read` takes it.
    model : Model
        The real model.
    alternative : str
        The name of its alternative among those passed to `read`.
    probed : mapping
        As `Model` has it.
    """
    values = {item.name: getattr(model, item.name) for item in fields(model)}
    stored = (*_PLAIN, *_NESTED)
    if any(value for name, value in values.items() if name not in (*stored, *_APART)):
        return
    card = {name: values[name] for name in stored}
    card["parameters"] = [asdict(parameter) for parameter in model.parameters]
    card["alternative"] = alternative if model.alternatives else ""
    card["probed"] = dict(probed)
    try:
        text = json.dumps(card)
    except (TypeError, ValueError) as error:  # settings that are no plain data
        logger.info("there can be no card of %s: %s", model.name, error)
        return
    cache, key = kept_on_disk(), _key(identity)
    cache.drop(key)  # a card with less in it
    cache.put(key, text.encode())


def _with_tuples(value: Any) -> Any:
    """Return what JSON has read with tuples for its lists."""
    if isinstance(value, list):
        return tuple(map(_with_tuples, value))
    if isinstance(value, dict):
        return {name: _with_tuples(item) for name, item in value.items()}
    return value


def _key(identity: str) -> str:
    """Return the file name, which depends on the version of the code that the card describes."""
    return hashlib.sha256(f"card\n{source_digest()}\n{identity}".encode()).hexdigest()
