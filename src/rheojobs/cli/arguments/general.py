"""Commands, with the options that each of them has: --quiet, --verbose, --no-color, --help."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from typing import Annotated, Any

import typer
from typer.core import TyperCommand

from rheojobs.cli.arguments.json_target import with_json_targets
from rheojobs.cli.terminal.verbosity import be_quiet, log_details, without_color

__all__ = ["command", "group", "with_general_options"]

_PANEL = "General"


class _Command(TyperCommand):
    """A command whose --json may stand without a file."""

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
        if ctx.resilient_parsing and args and args[-1].startswith("-"):
            # A shell asks for this option's value; without one, the arguments would not be read.
            args = args[:-1]
        return super().parse_args(ctx, with_json_targets(args))


def _option(act: Callable[[typer.Context], None], help_text: str, *flags: str) -> Any:
    """Return an option that acts as soon as it is read, whatever else is wrong with the line."""

    def callback(context: typer.Context, wanted: bool) -> None:
        if wanted and not context.resilient_parsing:
            act(context)

    return typer.Option(
        *flags,
        metavar="",
        callback=callback,
        is_eager=True,
        help=help_text,
        rich_help_panel=_PANEL,
    )


def _print_help(context: typer.Context) -> None:
    print(context.get_help())
    raise typer.Exit


_GENERAL = {
    "no_color": _option(
        lambda _: without_color(), "Write without colours, as NO_COLOR=1 does.", "--no-color"
    ),
    "quiet": _option(lambda _: be_quiet(), "Write results and warnings only.", "--quiet", "-q"),
    "verbose": _option(
        lambda _: log_details(), "Log details to standard error.", "--verbose", "-v"
    ),
    "help_": _option(_print_help, "Show this help.", "--help", "-h"),
}


def with_general_options(function: Callable[..., Any]) -> Callable[..., Any]:
    """Return a command's function with the options that every command has."""
    signature = inspect.signature(function, eval_str=True)
    own = list(signature.parameters.values())
    general = [
        inspect.Parameter(
            name,
            inspect.Parameter.KEYWORD_ONLY,
            default=False,
            annotation=Annotated[bool, option],
        )
        for name, option in _GENERAL.items()
    ]
    parameters = [p.replace(kind=p.KEYWORD_ONLY) for p in (*own, *general)]

    def with_options(**values: Any) -> Any:
        for name in _GENERAL:
            del values[name]
        return function(**values)

    with_options.__name__, with_options.__doc__ = function.__name__, function.__doc__
    with_options.__signature__ = signature.replace(parameters=parameters)  # type: ignore[attr-defined]
    with_options.__annotations__ = {p.name: p.annotation for p in parameters}
    return with_options


def command[**P, R](
    app: typer.Typer, name: str | None = None, **settings: Any
) -> Callable[[Callable[P, R]], Callable[P, R]]:
    """Make a function a command of `app`, with the options that every command has."""

    def register(function: Callable[P, R]) -> Callable[P, R]:
        make = app.command(name, cls=_Command, add_help_option=False, **settings)
        make(with_general_options(function))
        return function

    return register


def group(help_text: str, **settings: Any) -> typer.Typer:
    """Return a group of commands, which shows its help if none of them is named."""
    app = typer.Typer(
        help=help_text,
        invoke_without_command=True,
        add_help_option=False,
        rich_markup_mode="rich",
        **settings,
    )

    def start(context: typer.Context) -> None:
        if context.invoked_subcommand is None:
            print(context.get_help())

    app.callback()(with_general_options(start))
    return app
