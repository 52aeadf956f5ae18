"""The options that `inference` declares, as options of commands.

A command names the classes of options that it takes; names, help, defaults and checks come from
the declarations.
"""

from __future__ import annotations

import inspect
import math
import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import cache
from typing import Annotated, Any

import typer

from rheojobs.cli.arguments import completion
from rheojobs.errors import InputError
from rheojobs.inference.comparison.options import CompareOptions
from rheojobs.inference.data.reading.options import ReadOptions
from rheojobs.inference.fits.options import FitOptions, StartOptions
from rheojobs.inference.options.kinds import (
    ByName,
    Columns,
    Count,
    Expressions,
    Flag,
    Number,
    Numbers,
    Ranges,
    Settings,
    shown,
)
from rheojobs.inference.options.option import Group, Option, options_of
from rheojobs.inference.sampling.options import SampleOptions

__all__ = ["flag_of", "settings", "takes"]

_TYPES: dict[type, type] = {Count: int, Number: float, Flag: bool}
_WORDS = {"true": True, "yes": True, "false": False, "no": False, "none": None}


def takes(
    *, without: Iterable[str] = (), **groups: tuple[type, ...]
) -> Callable[[Callable[..., int]], Callable[..., int]]:
    """Make the declared options of classes options of a command.

    For each group, the command gets a dict of the options that were given: checked, by their
    names in Python. An option that two classes declare is one option, and passed to both.

    Parameters
    ----------
    without : iterable of str
        Names in Python of options that the command does not take.
    **groups : tuple of type
        For each parameter of the command that takes options, the classes that declare them.
    """
    declared = {group: _options(classes, frozenset(without)) for group, classes in groups.items()}
    by_word = {o.word: o for options in declared.values() for o in options.values()}

    def decorate(function: Callable[..., int]) -> Callable[..., int]:
        signature = inspect.signature(function, eval_str=True)
        own = [p for p in signature.parameters.values() if p.name not in groups]
        required = [p for p in own if p.default is p.empty]
        others = [p for p in own if p.default is not p.empty]
        # Help shows the headings in the order of their first options.
        data = [_parameter(o) for o in by_word.values() if o.group == Group.DATA]
        made = [_parameter(o) for o in by_word.values() if o.group != Group.DATA]
        ordered = (*data, *required, *made, *others)
        parameters = [p.replace(kind=p.KEYWORD_ONLY) for p in ordered]

        def command(**values: Any) -> int:
            given = {
                word: _parsed(option, values.pop(option.name)) for word, option in by_word.items()
            }
            for group, options in declared.items():
                values[group] = {
                    name: option.check(given[option.word])
                    for name, option in options.items()
                    if given[option.word] is not None
                }
            return function(**values)

        command.__name__, command.__doc__ = function.__name__, function.__doc__
        command.__signature__ = signature.replace(parameters=parameters)  # type: ignore[attr-defined]
        command.__annotations__ = {p.name: p.annotation for p in parameters} | {"return": int}
        return command

    return decorate


def _options(classes: Iterable[type], without: frozenset[str]) -> dict[str, Option]:
    return {
        name: option
        for declaring in classes
        for name, option in options_of(declaring).items()
        if name not in without
    }


def _parameter(option: Option) -> inspect.Parameter:
    kind = option.kind
    many = isinstance(kind, ByName | Columns)
    annotation = list[str] if many else _TYPES.get(type(kind), str)
    help_text = option.help
    if option.default not in (None, "", (), {}):
        help_text += f" [dim]\\[default: {option.default}][/]"
    info = typer.Option(
        option.flag,
        metavar=kind.metavar,
        help=help_text,
        show_default=False,
        autocompletion=completion.of_option(option),
        rich_help_panel=option.group,
    )
    return inspect.Parameter(
        option.name,
        inspect.Parameter.KEYWORD_ONLY,
        default=None,
        annotation=Annotated[annotation | None, info],
    )


def _parsed(option: Option, value: Any) -> Any:
    """Convert the typed text to a value of the option's kind; None if it was not given."""
    kind = option.kind
    if value is None or value == []:
        return None
    if isinstance(kind, Settings):
        return settings(value, option.flag)
    if isinstance(kind, Numbers):
        return _numbers(value, option.flag)
    if isinstance(kind, Ranges):
        texts = _pairs(option.flag, value, "G0=1e3,1e6")
        return {name: _ends(option.flag, name, text) for name, text in texts.items()}
    if isinstance(kind, Expressions):
        return _pairs(option.flag, value, kind.metavar)
    return value


def _pairs(flag: str, texts: Sequence[str], example: str) -> dict[str, str]:
    """Read an option that is given once for each name, such as ``--init G0=1e5``."""
    found: dict[str, str] = {}
    for text in texts:
        name, equals, value = (part.strip() for part in text.partition("="))
        if not (name and equals and value):
            raise InputError(f"{flag} takes NAME=VALUE, such as {example}; got {text!r}")
        if name in found:
            raise InputError(f"{flag} gives {name!r} twice: {found[name]} and {value}")
        found[name] = value
    return found


def _numbers(texts: Sequence[str], flag: str) -> dict[str, float]:
    example = "G0=1e5"
    found = {}
    for name, text in _pairs(flag, texts, example).items():
        try:
            found[name] = float(text)
        except ValueError:
            words = f"{flag} {name}: {text!r} is not a number, such as {example}"
            raise InputError(words) from None
        if not math.isfinite(found[name]):
            raise InputError(f"{flag} {name}: must be finite, got {text}")
    return found


def _ends(flag: str, name: str, text: str) -> list[float]:
    try:
        return [float(part) for part in re.split("[,:]", text)]
    except ValueError:
        raise InputError(f"{flag} {name}: must be two numbers, got {shown(text)}") from None


def settings(texts: Sequence[str], flag: str) -> dict[str, Any]:
    """Read settings of a model: integers, numbers, true and false, else text."""
    found: dict[str, Any] = {}
    for name, text in _pairs(flag, texts, "n_modes=6").items():
        if text.casefold() in _WORDS:
            found[name] = _WORDS[text.casefold()]
            continue
        found[name] = text
        for kind in (int, float):
            try:
                found[name] = kind(text)
            except ValueError:
                continue
            break
    return found


@cache
def _flags() -> Mapping[str, str]:
    classes = (ReadOptions, StartOptions, FitOptions, SampleOptions, CompareOptions)
    return {
        name: option.flag for declaring in classes for name, option in options_of(declaring).items()
    }


def flag_of(name: str) -> str:
    """Return an option's name in a terminal, given its name in Python."""
    return _flags().get(name, "--" + name.replace("_", "-"))
