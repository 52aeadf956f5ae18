"""The commands `rheojobs cache info` and `rheojobs cache clear`."""

from __future__ import annotations

from rheojobs.cli.arguments.general import command, group
from rheojobs.cli.arguments.options import JsonOption, OverwriteOption, YesOption
from rheojobs.cli.outputs import Outputs
from rheojobs.cli.terminal.consent import agrees, can_ask
from rheojobs.errors import InputError

__all__ = ["app"]

_STEP = 1000.0

app = group(
    "Show or clear the on-disk cache: compiled programs and the list of models.\n\n"
    "Example: rheojobs cache info"
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


@command(app)
def info(json: JsonOption = None, overwrite: OverwriteOption = None) -> int:
    """Show the cache folder, its size, and the limit of the compiled programs.

    Example: rheojobs cache info
    """
    from dataclasses import asdict

    from rheojobs.inference.programs.cache_report import cache_info

    outputs = Outputs(json, overwrite=overwrite)
    kept = cache_info()
    if outputs.write_plain(asdict(kept) | {"folder": str(kept.folder)}):
        return 0
    outputs.tables.print(f"folder   {kept.folder}", soft_wrap=True, markup=False)
    outputs.tables.print(f"entries  {kept.entries}")
    outputs.tables.print(f"size     {_size(kept.bytes)} of {_size(kept.limit)}")
    return 0


@command(app)
def clear(yes: YesOption = False) -> int:
    """Clear the cache; its contents are made again when they are needed.

    Example: rheojobs cache clear --yes

    Asks on a terminal.
    """
    from rheojobs.inference.programs.cache_report import cache_info, clear_cache

    kept = cache_info()
    question = f"Clear {kept.folder} ({_size(kept.bytes)})? The next fits take longer."
    if can_ask() and not yes and not agrees(question):
        raise InputError("nothing was cleared")
    Outputs().tables.print(f"freed {_size(clear_cache())}")
    return 0
