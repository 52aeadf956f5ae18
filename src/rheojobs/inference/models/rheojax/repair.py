"""The words in which the repair of a RheoJAX prediction is declared.

A pair is one of RheoJAX's classes and a test mode. `repair_table.REPAIRS` has an entry for each
pair whose numbers are wrong; it collects the tables named `REPAIRS` of the files that hold the
formulas. An entry is made by

- ``replaced(fault, formula)``: our formula runs instead of RheoJAX's;
- ``refused(fault, instead)``: the pair is not run; the user reads both texts;
- ``warned(fault)``: RheoJAX's formula runs; the fault stands among the warnings of each fit and
  sampling, in the command's output and in `docs/models.md`.

`fault` says in one line what is wrong with RheoJAX's numbers, without a full stop. With
``model_config={"formula": "rheojax"}`` none of this applies: RheoJAX's own formula runs, and the
fault is the warning.

A file may have two tables more: `BOUNDS`, bounds of parameters that are narrower in some tests, and
`ORDERS`, parameters of which one must not exceed the other.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from rheojobs.errors import InputError, nearest
from rheojobs.inference.models.settings import FORMULA

__all__ = [
    "ORIGINAL",
    "OURS",
    "Formula",
    "Narrowed",
    "Orders",
    "Repair",
    "Table",
    "is_original",
    "refused",
    "replaced",
    "warned",
]

OURS, ORIGINAL = "rheojobs", "rheojax"

Formula = Callable[[Any, Any, Any, Mapping[str, Any]], Any]
"""``(instance, x, params, constants) -> prediction``, in pure JAX.

`instance` is RheoJAX's model, `x` the data's own x, shape (n,), in any order and with repeats,
`params` has shape (p,) in the model's order, and `constants` are those of the test: a missing one
raises the error that asks for it. The prediction has shape (n,); it is complex for oscillation.
"""


@dataclass(frozen=True)
class Repair:
    """What is done about one pair.

    Attributes
    ----------
    fault : str
        What is wrong with RheoJAX's prediction.
    formula : callable or None
        What runs instead.
    instead : str
        If the pair is refused, what to do instead.
    warning : str
        What is still wrong with what runs.
    """

    fault: str
    formula: Formula | None = None
    instead: str = ""
    warning: str = ""

    @property
    def refusal(self) -> str:
        """Why the pair is refused and what to do instead; empty if it runs."""
        return f"{self.fault}; {self.instead}" if self.instead else ""


Table = Mapping[tuple[str, str], Repair]
"""Repairs by RheoJAX's class and the test mode."""

Narrowed = Mapping[tuple[str, str], Mapping[str, tuple[float, float]]]
"""Bounds of parameters by RheoJAX's class and the test mode, narrower than RheoJAX's."""


Orders = Mapping[str, tuple[tuple[str, str], ...]]
"""Pairs of parameters by RheoJAX's class, of which the first must not exceed the second."""


def replaced(fault: str, formula: Formula, warning: str = "") -> Repair:
    """Declare that our formula runs instead of RheoJAX's."""
    return Repair(fault, formula, warning=warning)


def refused(fault: str, instead: str) -> Repair:
    """Declare that the pair is not run."""
    return Repair(fault, instead=instead)


def warned(fault: str) -> Repair:
    """Declare that the pair runs as RheoJAX has it, under a warning."""
    return Repair(fault, warning=fault)


def is_original(config: Mapping[str, Any]) -> bool:
    """Whether a model's settings ask for RheoJAX's own formulas; `InputError` for nonsense."""
    wanted = config.get(FORMULA, OURS)
    if wanted not in (OURS, ORIGINAL):
        raise InputError(
            f"{FORMULA} is {OURS!r} or {ORIGINAL!r}, not {wanted!r}; "
            f"{nearest(str(wanted), (OURS, ORIGINAL))}"
        )
    return bool(wanted == ORIGINAL)
