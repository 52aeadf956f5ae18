"""The commands `rheojobs cache info` and `rheojobs cache clear`."""

from __future__ import annotations

from typing import Annotated

import typer

from rheojobs.cli.outputs import Outputs

__all__ = ["app"]

_STEP = 1000.0

app = typer.Typer(
    help="Show or clear the on-disk cache: compiled programs and the list of models.",
    invoke_without_command=True,
)


def _size(count: float) -> str:
    """Write a number of bytes with its unit."""
    if count < _STEP:
        return f"{count:.0f} B"
    for unit in ("kB", "MB"):
        count /= _STEP
        if count < _STEP:
            return f"{count:.1f} {unit}"
    return f"{count / _STEP:.2f} GB"


@app.callback()
def _start(context: typer.Context) -> None:
    if context.invoked_subcommand is None:
        print(context.get_help())


@app.command()
def info(
    json: Annotated[
        bool, typer.Option("--json", metavar="", help="Print JSON, with sizes in bytes.")
    ] = False,
) -> int:
    """Show the cache folder, its size, and the limit of the compiled programs."""
    from rheojobs.inference.programs.cache_report import cache_info

    kept = cache_info()
    if json:
        import json as writer
        from dataclasses import asdict

        print(writer.dumps(asdict(kept) | {"folder": str(kept.folder)}, indent=2))
        return 0
    tables = Outputs().tables
    tables.print(f"folder   {kept.folder}", soft_wrap=True, markup=False)
    tables.print(f"entries  {kept.entries}")
    tables.print(f"size     {_size(kept.bytes)} of {_size(kept.limit)}")
    return 0


@app.command()
def clear() -> int:
    """Clear the cache; its contents are made again when they are needed."""
    from rheojobs.inference.programs.cache_report import clear_cache

    Outputs().tables.print(f"freed {_size(clear_cache())}")
    return 0
