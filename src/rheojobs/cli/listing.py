"""The list of models, and one model in detail, as tables or JSON."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

from rich import box
from rich.console import Console
from rich.padding import Padding
from rich.table import Table

from rheojobs.cli.terminal.numbers import number
from rheojobs.errors import InputError, nearest

if TYPE_CHECKING:
    from rheojobs.inference.models.catalogue import ModelInfo

__all__ = ["as_plain", "choose", "load", "show_model", "show_models"]

_HEADS = {
    "relaxation": "relax",
    "creep": "creep",
    "oscillation": "oscill",
    "flow_curve": "flow",
    "startup": "start",
    "laos": "laos",
}


def load(console: Console) -> tuple[ModelInfo, ...]:
    """Return the list of models; a worker makes it the first time, then it is on disk."""
    from rheojobs.inference.models.catalogue import cached_catalogue, catalogue

    known = cached_catalogue()
    if known is not None:
        return known
    # Imported here: if the list is on disk, the command need not load the engine.
    from rheojobs.cli.session import Session

    with Session(console, preload=()) as session:
        models: tuple[ModelInfo, ...] = session.run(catalogue, "list of models")
    return models


def choose(models: Sequence[ModelInfo], name: str | None, mode: str | None) -> list[ModelInfo]:
    """Return the models with this name, and those that describe the test."""
    if name is not None and name not in {model.name for model in models}:
        hint = nearest(name, (model.name for model in models))
        raise InputError(f"there is no model {name!r}; {hint}")
    return [
        model
        for model in models
        if (name is None or model.name == name) and (mode is None or mode in model.test_modes)
    ]


def as_plain(models: Sequence[ModelInfo]) -> list[Any]:
    """Return all details of the models as JSON has them."""
    from rheojobs.inference.results.json_format import plain

    return [plain(asdict(model)) for model in models]


def show_models(console: Console, models: Sequence[ModelInfo]) -> None:
    """Print the models with the tests that each describes."""
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False, show_edge=False, padding=(0, 1))
    table.add_column("model", no_wrap=True)
    for head in _HEADS.values():
        table.add_column(head, justify="center", no_wrap=True)
    table.add_column("parameters", no_wrap=True)
    # Cut here, since rich would narrow the other columns too.
    taken = max((len(model.name) for model in models), default=0) + sum(map(len, _HEADS.values()))
    room = max(12, console.width - taken - 3 * (len(_HEADS) + 1))
    for model in models:
        marks = ["●" if mode in model.test_modes else "" for mode in _HEADS]
        names = ", ".join(parameter.name for parameter in model.parameters)
        cut = names if len(names) <= room else names[: room - 1].rstrip(", ") + "…"
        table.add_row(model.name, *marks, cut)
    console.print(table)
    console.print(
        f"\n{len(models)} models; [bold]rheojobs models NAME[/] shows one with its parameters, "
        "their units and bounds"
    )


def show_model(console: Console, model: ModelInfo) -> None:
    """Print one model: the tests that it describes, its parameters, and why it is refused."""
    console.print(f"[bold]{model.name}[/]: {model.description}", highlight=False)
    console.print(f"describes: {', '.join(model.test_modes) or 'nothing yet'}", highlight=False)
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False, show_edge=False, padding=(0, 1))
    table.add_column("parameter", no_wrap=True)
    table.add_column("unit", no_wrap=True)
    table.add_column("default", justify="right", no_wrap=True)
    table.add_column("bounds", justify="right", no_wrap=True)
    table.add_column("")
    for parameter in model.parameters:
        low, high = parameter.bounds
        table.add_row(
            parameter.name,
            parameter.unit,
            "" if parameter.default is None else number(parameter.default),
            f"{number(low, 2)} … {number(high, 2)}",
            parameter.description,
        )
    console.print(Padding(table, (1, 0, 0, 0), expand=False))
    for mode, reason in model.refused.items():
        console.print(f"not for {mode}: {reason}", style="yellow", highlight=False)
    for mode, fault in model.warnings.items():
        console.print(f"warning, {mode}: {fault}", style="yellow", highlight=False)
