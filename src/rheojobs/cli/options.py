"""The options of the commands that take data: their names, metavars and help.

Declarations alone; what they mean is `rheojobs.cli.request`'s.
"""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

__all__ = [
    "AtOption",
    "BatchOutOption",
    "BatchSources",
    "BayesOption",
    "ChainsOption",
    "ClusterOption",
    "ConfigOption",
    "DefaultPriorsOption",
    "DrawsOption",
    "ElsewhereOption",
    "FileArgument",
    "FixOption",
    "InitOption",
    "IntervalsOption",
    "JsonOption",
    "LikelihoodOption",
    "LossOption",
    "ModeOption",
    "ModelOption",
    "ModelsOption",
    "MultiStartOption",
    "OptionalFileArgument",
    "OptionalModelOption",
    "PlotOption",
    "PosteriorOption",
    "PriorOption",
    "ReportOption",
    "ResumeOption",
    "SeedOption",
    "SigmaOption",
    "StepOption",
    "TieOption",
    "TimeoutOption",
    "UntilEssOption",
    "WarmStartOption",
    "WarmupOption",
    "WeightsOption",
    "XOption",
    "Y2Option",
    "YOption",
]

DATA_PANEL = "Data"
MODEL_PANEL = "Model and fit"
SAMPLING_PANEL = "Sampling"
RESULT_PANEL = "Results"

_FILE = typer.Argument(
    metavar="FILE", show_default=False, help="CSV, TSV, Excel, or what a rheometer exports."
)
_MODEL = typer.Option(
    "--model",
    "-m",
    metavar="NAME",
    show_default=False,
    help="A name of [bold]rheojobs models[/].",
    rich_help_panel=MODEL_PANEL,
)
FileArgument = Annotated[Path, _FILE]
OptionalFileArgument = Annotated[Path | None, _FILE]
ModelOption = Annotated[str, _MODEL]
OptionalModelOption = Annotated[str | None, _MODEL]
ModeOption = Annotated[
    str | None,
    typer.Option(
        metavar="MODE",
        help="relaxation, creep, oscillation, flow_curve, startup or laos; where not given, "
        "it is told from the columns.",
        rich_help_panel=DATA_PANEL,
    ),
]
XOption = Annotated[
    str | None,
    typer.Option(
        "--x",
        metavar="COL",
        help="Column of x, by name or number from 1.",
        rich_help_panel=DATA_PANEL,
    ),
]
YOption = Annotated[
    str | None,
    typer.Option("--y", metavar="COL", help="Column of y, or of G′.", rich_help_panel=DATA_PANEL),
]
Y2Option = Annotated[
    str | None,
    typer.Option("--y2", metavar="COL", help="Column of G″.", rich_help_panel=DATA_PANEL),
]
SigmaOption = Annotated[
    list[str] | None,
    typer.Option(
        "--sigma",
        metavar="COL",
        help="Column of the standard deviations of y; twice for G′ and G″.",
        rich_help_panel=DATA_PANEL,
    ),
]
StepOption = Annotated[
    int | None,
    typer.Option(
        min=1,
        metavar="N",
        help="Which section of a file with several, from 1.",
        rich_help_panel=DATA_PANEL,
    ),
]
AtOption = Annotated[
    list[str] | None,
    typer.Option(
        "--at",
        metavar="NAME=VALUE",
        help="A constant of the test: gamma_dot (1/s), sigma_applied (Pa), gamma_0, omega (rad/s).",
        rich_help_panel=DATA_PANEL,
    ),
]
InitOption = Annotated[
    list[str] | None,
    typer.Option(
        "--init",
        metavar="NAME=VALUE",
        help="Where a parameter starts; estimated from the data where not given.",
        rich_help_panel=MODEL_PANEL,
    ),
]
ConfigOption = Annotated[
    list[str] | None,
    typer.Option(
        "--config",
        metavar="NAME=VALUE",
        help="A setting of the model itself, such as n_modes=6.",
        rich_help_panel=MODEL_PANEL,
    ),
]
MultiStartOption = Annotated[
    int,
    typer.Option(
        metavar="N", help="Refine so many starts and keep the best.", rich_help_panel=MODEL_PANEL
    ),
]
WeightsOption = Annotated[
    str | None,
    typer.Option(
        metavar="WORD",
        help="uniform, relative (a factor counts alike up and down), or sigma. Chosen by the data "
        "where not given.",
        rich_help_panel=MODEL_PANEL,
    ),
]
FixOption = Annotated[
    list[str] | None,
    typer.Option(
        "--fix",
        metavar="NAME=VALUE",
        help="A parameter that keeps its value.",
        rich_help_panel=MODEL_PANEL,
    ),
]
TieOption = Annotated[
    list[str] | None,
    typer.Option(
        "--tie",
        metavar="NAME=EXPR",
        help="A parameter that is computed from others, such as 'G_2=0.5*G_1'.",
        rich_help_panel=MODEL_PANEL,
    ),
]
LossOption = Annotated[
    str,
    typer.Option(
        metavar="WORD",
        help="linear, or for data with outliers soft_l1, huber or cauchy.",
        rich_help_panel=MODEL_PANEL,
    ),
]
IntervalsOption = Annotated[
    str | None,
    typer.Option(
        metavar="WORD",
        help="profile: confidence intervals of 95 % by profile likelihood.",
        rich_help_panel=MODEL_PANEL,
    ),
]
ReportOption = Annotated[
    Path | None,
    typer.Option(
        "--report",
        metavar="OUT.md",
        help="Write the full report as Markdown.",
        rich_help_panel=RESULT_PANEL,
    ),
]
LikelihoodOption = Annotated[
    str | None,
    typer.Option(
        metavar="WORD",
        help="How the data scatter: constant, relative (for data over decades), student_t or "
        "relative_student_t (with outliers), or sigma (known, by --sigma). With --sigma that, "
        "else constant, where not given.",
        rich_help_panel=SAMPLING_PANEL,
    ),
]
DefaultPriorsOption = Annotated[
    str,
    typer.Option(
        metavar="WORD",
        help="Priors that are not given: logarithmic, uniform in the logarithm where bounds span "
        "decades; or rheojax, uniform over the bounds.",
        rich_help_panel=SAMPLING_PANEL,
    ),
]
UntilEssOption = Annotated[
    float | None,
    typer.Option(
        metavar="N",
        help="Stop when each parameter has so many independent draws and R-hat is at most 1.01; "
        "at the latest after ten times --draws.",
        rich_help_panel=SAMPLING_PANEL,
    ),
]
ResumeOption = Annotated[
    Path | None,
    typer.Option(
        "--resume",
        metavar="FOLDER",
        help="Go on with a sampling that was stopped; takes no FILE and no --model.",
        rich_help_panel=SAMPLING_PANEL,
    ),
]
JsonOption = Annotated[
    Path | None,
    typer.Option(
        "--json",
        metavar="OUT",
        help="Write all fields of the result; - for standard output.",
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


WarmupOption = Annotated[
    int,
    typer.Option(
        metavar="N", help="Steps of warm-up of each chain.", rich_help_panel=SAMPLING_PANEL
    ),
]
DrawsOption = Annotated[
    int, typer.Option(metavar="N", help="Draws of each chain.", rich_help_panel=SAMPLING_PANEL)
]
ChainsOption = Annotated[
    int, typer.Option(metavar="N", help="Chains.", rich_help_panel=SAMPLING_PANEL)
]
SeedOption = Annotated[
    int,
    typer.Option(
        metavar="N", help="The same seed, the same draws.", rich_help_panel=SAMPLING_PANEL
    ),
]
PriorOption = Annotated[
    list[str] | None,
    typer.Option(
        "--prior",
        metavar="NAME=DIST(A,B)",
        help="normal(loc,scale), uniform(low,high), lognormal, loguniform, halfnormal, "
        "truncatednormal, exponential, gamma or beta.",
        rich_help_panel=SAMPLING_PANEL,
    ),
]
WarmStartOption = Annotated[
    bool,
    typer.Option(
        "--warm-start/--no-warm-start",
        metavar="",
        help="Fit first, and start the chains there.",
        rich_help_panel=SAMPLING_PANEL,
    ),
]
PosteriorOption = Annotated[
    Path | None,
    typer.Option(
        "--out",
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
        help="Names of [bold]rheojobs models[/], with settings where wanted: "
        "zener,generalized_maxwell:n_modes=6. All that describe the data's mode where not given.",
        rich_help_panel=MODEL_PANEL,
    ),
]
BayesOption = Annotated[
    bool,
    typer.Option(
        "--bayes",
        metavar="",
        help="Sample the best five, each from its fit, and rank them by leave-one-out.",
        rich_help_panel=SAMPLING_PANEL,
    ),
]
TimeoutOption = Annotated[
    float,
    typer.Option(
        metavar="SECONDS",
        help="Stop a fit that takes longer, and list it; a sampling may take five times as long.",
        rich_help_panel=MODEL_PANEL,
    ),
]
BatchSources = Annotated[
    list[str],
    typer.Argument(
        metavar="PLAN.yaml | GLOB", show_default=False, help="A plan, or files in quotes: '*.csv'."
    ),
]
BatchOutOption = Annotated[
    Path | None,
    typer.Option(
        "--out",
        metavar="FOLDER",
        help="Where the results go and are looked for: batch-results beside the plan where not "
        "given.",
        rich_help_panel=RESULT_PANEL,
    ),
]
ElsewhereOption = Annotated[
    bool,
    typer.Option(
        "--elsewhere",
        metavar="",
        help="Go on with what may still run on another cluster: you know that it does not.",
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
