"""The arguments and options that only the command has: files, results, where jobs run.

The options of reading, fitting, sampling and comparing are declared in `inference`.
"""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from rheojobs.cli.arguments import completion, json_target
from rheojobs.inference.options.option import Group

__all__ = [
    "BatchOutOption",
    "BatchSources",
    "ClusterOption",
    "DeviceOption",
    "ElsewhereOption",
    "FileArgument",
    "JsonOption",
    "ModelOption",
    "ModelsOption",
    "OptionalFileArgument",
    "OptionalModelOption",
    "OverwriteOption",
    "PlotOption",
    "PosteriorOption",
    "ReportOption",
    "ResumeOption",
    "WarmStartOption",
    "YesOption",
]

RESULT_PANEL = "Results"

_FILE = typer.Argument(
    metavar="FILE",
    show_default=False,
    help="CSV, TSV, Excel, or an export of a rheometer; - for standard input.",
)
_MODEL = typer.Option(
    "--model",
    "-m",
    metavar="NAME",
    show_default=False,
    help="A name from [bold]rheojobs models[/], a formula such as 'G0*exp(-t/tau)', or a function "
    "in a file, my_models.py:burgers.",
    autocompletion=completion.model_names,
    rich_help_panel=Group.MODEL,
)
FileArgument = Annotated[Path, _FILE]
OptionalFileArgument = Annotated[Path | None, _FILE]
ModelOption = Annotated[str, _MODEL]
OptionalModelOption = Annotated[str | None, _MODEL]
ReportOption = Annotated[
    Path | None,
    typer.Option(
        "--report",
        metavar="OUT.md",
        help="Write the full report as Markdown.",
        rich_help_panel=RESULT_PANEL,
    ),
]
ResumeOption = Annotated[
    Path | None,
    typer.Option(
        "--resume",
        metavar="FOLDER",
        help="Continue a sampling that was stopped; takes no FILE and no --model.",
        rich_help_panel=Group.SAMPLING,
    ),
]
JsonOption = Annotated[
    Path | None,
    typer.Option(
        json_target.FLAG,
        metavar=json_target.METAVAR,
        help=json_target.HELP,
        rich_help_panel=RESULT_PANEL,
    ),
]
OverwriteOption = Annotated[
    bool | None,
    typer.Option(
        "--overwrite/--no-overwrite",
        metavar="",
        show_default=False,
        help="Replace existing files, or refuse to. By default you are asked; a script replaces "
        "them.",
        rich_help_panel=RESULT_PANEL,
    ),
]
PlotOption = Annotated[
    Path | None,
    typer.Option(
        "--plot",
        metavar="OUT.png",
        help="Write a figure; .pdf and .svg work too.",
        rich_help_panel=RESULT_PANEL,
    ),
]


WarmStartOption = Annotated[
    bool,
    typer.Option(
        "--warm-start/--no-warm-start",
        metavar="",
        help="Fit first, and start the chains there.",
        rich_help_panel=Group.SAMPLING,
    ),
]
PosteriorOption = Annotated[
    Path | None,
    typer.Option(
        "--out",
        "-o",
        metavar="POSTERIOR.nc",
        help="Write the draws as NetCDF, which ArviZ opens.",
        rich_help_panel=RESULT_PANEL,
    ),
]
ModelsOption = Annotated[
    str | None,
    typer.Option(
        "--models",
        metavar="A,B,…",
        help="Names from [bold]rheojobs models[/], optionally with settings: "
        "zener,generalized_maxwell:n_modes=6. By default all that describe the test mode.",
        autocompletion=completion.model_lists,
        rich_help_panel=Group.MODEL,
    ),
]
BatchSources = Annotated[
    list[str],
    typer.Argument(
        metavar="PLAN.yaml|FILE",
        show_default=False,
        help="A plan, or files; patterns such as data/*.csv too, quoted or not.",
    ),
]
BatchOutOption = Annotated[
    Path | None,
    typer.Option(
        "--out",
        "-o",
        metavar="FOLDER",
        help="Folder of the results: batch-results beside the plan by default.",
        rich_help_panel=RESULT_PANEL,
    ),
]
ElsewhereOption = Annotated[
    bool,
    typer.Option(
        "--elsewhere",
        metavar="",
        help="Restart jobs recorded as running on another cluster; use only if you are sure that "
        "they are not.",
        rich_help_panel=RESULT_PANEL,
    ),
]
ClusterOption = Annotated[
    str | None,
    typer.Option(
        "--cluster",
        metavar="ADDRESS",
        help="Run the jobs on the workers of this Dask cluster, such as tcp://head:8786.",
        rich_help_panel=RESULT_PANEL,
    ),
]
DeviceOption = Annotated[
    str | None,
    typer.Option(
        "--device",
        metavar="NAME",
        help="Compute on this device, named as JAX does: cpu, cpu:1, gpu, cuda:0. Workers of "
        "[bold]batch[/] and [bold]compare[/] take the devices of a list, cuda:0,cuda:1, in turn. "
        "By default RHEOJOBS_DEVICE, else JAX's choice.",
        rich_help_panel=RESULT_PANEL,
    ),
]
YesOption = Annotated[bool, typer.Option("--yes", metavar="", help="Do not ask.")]
