"""The command `rheojobs`: its options and its help."""

from __future__ import annotations

import shlex
import sys
from pathlib import Path
from typing import Annotated, Any

import typer

from rheojobs import __version__
from rheojobs.cli import cache, windows, workspace
from rheojobs.cli.arguments import completion
from rheojobs.cli.arguments.declared import takes
from rheojobs.cli.arguments.general import command, with_general_options
from rheojobs.cli.arguments.options import (
    BatchOutOption,
    BatchSources,
    ClusterOption,
    DeviceOption,
    ElsewhereOption,
    FileArgument,
    JsonOption,
    ModelOption,
    ModelsOption,
    OptionalFileArgument,
    OptionalModelOption,
    OverwriteOption,
    PlotOption,
    PosteriorOption,
    ReportOption,
    ResumeOption,
    WarmStartOption,
)
from rheojobs.cli.jobs import commands as jobs
from rheojobs.cli.jobs import exporting
from rheojobs.cli.outputs import Outputs
from rheojobs.cli.statuses import WORDS
from rheojobs.errors import InputError
from rheojobs.inference.comparison.options import CompareOptions
from rheojobs.inference.data.reading.options import ReadOptions
from rheojobs.inference.data.test_modes import canonical_test_mode
from rheojobs.inference.fits.options import FitOptions, StartOptions
from rheojobs.inference.sampling.options import SampleOptions

__all__ = ["app", "run"]

type Given = dict[str, Any]
"""Options that were given, by their names in Python."""

app = typer.Typer(
    name="rheojobs",
    help="Fit rheological models to measured data, and sample their posteriors.\n\n"
    "Example: rheojobs fit sweep.csv --model maxwell --plot fit.png\n\n"
    "Without data of your own: rheojobs demo",
    epilog=WORDS,
    add_help_option=False,
    pretty_exceptions_enable=False,
    rich_markup_mode="rich",
)


def _print_version(wanted: bool) -> None:
    if wanted:
        print(f"rheojobs {__version__}")
        raise typer.Exit


@app.callback(invoke_without_command=True)
@with_general_options
def _start(
    context: typer.Context,
    version: Annotated[
        bool,
        typer.Option(
            "--version",
            metavar="",
            callback=_print_version,
            is_eager=True,
            help="Print the version.",
        ),
    ] = False,
) -> None:
    if context.invoked_subcommand is None:
        print(context.get_help())


@command(app, "models")
def list_models(
    name: Annotated[
        str | None,
        typer.Argument(
            metavar="NAME",
            show_default=False,
            help="Show this model in detail.",
            autocompletion=completion.model_names,
        ),
    ] = None,
    mode: Annotated[
        str | None,
        typer.Option(
            metavar="MODE",
            help="Only the models that describe this test.",
            autocompletion=completion.test_modes,
        ),
    ] = None,
    json: JsonOption = None,
    overwrite: OverwriteOption = None,
) -> int:
    """List the models, the tests that each describes, and their parameters.

    Example: rheojobs models --mode relaxation
    """
    from rheojobs.cli import listing

    outputs = Outputs(json, overwrite=overwrite)
    test = None if mode is None else canonical_test_mode(mode)
    models = listing.choose(listing.load(outputs.talk), name, test)
    if outputs.write_plain(listing.as_plain(models)):
        return 0
    if name is not None:
        for model in models:
            listing.show_model(outputs.tables, model)
    else:
        listing.show_models(outputs.tables, models)
    return 0


_READING = (ReadOptions,)
_FITTING = (StartOptions, FitOptions)


@command(app)
@takes(reading=_READING)
def read(
    file: FileArgument,
    reading: Given,
    json: JsonOption = None,
    overwrite: OverwriteOption = None,
) -> int:
    """Show how a file is understood: its sections, columns, units, and the rows left out.

    Example: rheojobs read sweep.csv --units y=kPa --rows 3-60

    The other commands take the same options under Data.
    """
    from rheojobs.cli.reading import show_reading

    return show_reading(file, reading, Outputs(json, overwrite=overwrite))


@command(app)
@takes(reading=_READING, fitting=_FITTING)
def fit(
    file: FileArgument,
    model: ModelOption,
    reading: Given,
    fitting: Given,
    json: JsonOption = None,
    plot: PlotOption = None,
    report: ReportOption = None,
    overwrite: OverwriteOption = None,
    cluster: ClusterOption = None,
    device: DeviceOption = None,
) -> int:
    """Fit a model to the data of a file by least squares.

    Example: rheojobs fit sweep.csv --model maxwell --plot fit.png

    Ctrl-C stops it at any moment and keeps the best parameters so far.
    """
    from rheojobs.cli.request import Request
    from rheojobs.cli.work import run_fit

    outputs = Outputs(json, plot, report=report, overwrite=overwrite)
    return run_fit(Request(file, model, reading, fitting), outputs, cluster, device)


@command(app)
@takes(
    reading=_READING,
    fitting=_FITTING,
    sampling=(SampleOptions,),
    without={"tied", "intervals"},  # options of fits only
)
def sample(
    reading: Given,
    fitting: Given,
    sampling: Given,
    file: OptionalFileArgument = None,
    model: OptionalModelOption = None,
    warm_start: WarmStartOption = True,
    resume: ResumeOption = None,
    out: PosteriorOption = None,
    json: JsonOption = None,
    plot: PlotOption = None,
    overwrite: OverwriteOption = None,
    cluster: ClusterOption = None,
    device: DeviceOption = None,
) -> int:
    """Sample the posterior of a model's parameters with NUTS, starting from a fit.

    Example: rheojobs sample sweep.csv --model maxwell --out posterior.nc

    Ctrl-C stops it at any moment and keeps the draws so far.
    --resume continues from there.
    """
    from rheojobs.cli.request import Request
    from rheojobs.cli.work import run_resume, run_sample

    outputs = Outputs(json, plot, out, overwrite=overwrite)
    if resume is not None:
        if file is not None or model is not None:
            raise InputError("--resume takes no FILE and no --model: the folder has both")
        return run_resume(resume, outputs, cluster, device)
    if file is None or model is None:
        missing = "FILE" if file is None else "--model"
        raise InputError(f"{missing} is missing: rheojobs sample FILE --model NAME")
    request = Request(file, model, reading, fitting)
    return run_sample(request, sampling, outputs, cluster, device, warm_start=warm_start)


@command(app)
@takes(
    reading=_READING,
    fitting=(FitOptions,),
    comparing=(CompareOptions,),
    without={"model_config", "loss", "intervals"},  # models are ranked by a likelihood
)
def compare(
    file: FileArgument,
    reading: Given,
    fitting: Given,
    comparing: Given,
    models: ModelsOption = None,
    json: JsonOption = None,
    plot: PlotOption = None,
    overwrite: OverwriteOption = None,
    cluster: ClusterOption = None,
    device: DeviceOption = None,
) -> int:
    """Fit many models to the data of a file, in parallel, and rank them.

    Example: rheojobs compare sweep.csv --models maxwell,zener

    Ranks by AICc with Akaike weights, or with --bayes by PSIS-LOO.
    --fix and --tie apply to the models that have the named parameters.
    Ctrl-C keeps the finished fits.
    """
    from rheojobs.cli.compare import parse_models, run_compare
    from rheojobs.cli.request import Request

    request = Request(file, "", reading, fitting)
    outputs = Outputs(json, plot, overwrite=overwrite)
    return run_compare(request, parse_models(models), outputs, cluster, device, **comparing)


@command(app)
@takes(reading=_READING, fitting=_FITTING, without={"intervals"})
def batch(
    sources: BatchSources,
    reading: Given,
    fitting: Given,
    model: OptionalModelOption = None,
    out: BatchOutOption = None,
    json: JsonOption = None,
    overwrite: OverwriteOption = None,
    cluster: ClusterOption = None,
    device: DeviceOption = None,
    elsewhere: ElsewhereOption = False,
) -> int:
    """Fit many files, and sample if the plan says so; a second run does only what is missing.

    Example: rheojobs batch data/*.csv --model maxwell --out results

    Writes FOLDER/results.csv and results.parquet.
    Ctrl-C keeps the finished results.
    """
    from rheojobs.cli.batch import plan_of, run_batch
    from rheojobs.cli.request import Request

    outputs = Outputs(json, overwrite=overwrite)
    request = Request(Path(sources[0]), model or "", reading, fitting)
    plan, again = plan_of(sources, request, out, outputs), ["rheojobs", *sys.argv[1:]]
    return run_batch(plan, outputs, shlex.join(again), cluster, elsewhere, device)


@command(app)
def demo(
    out: Annotated[
        Path, typer.Option("--out", "-o", metavar="FOLDER", help="Folder of the results.")
    ] = Path("demo"),
    overwrite: OverwriteOption = None,
) -> int:
    """Fit and sample a well-known polymer melt, and draw the result.

    Example: rheojobs demo --out demo

    Writes FOLDER/figure.png, FOLDER/fit.json and FOLDER/posterior.nc.
    """
    from rheojobs.cli.demo import run_demo

    return run_demo(out, overwrite)


command(app, "run")(workspace.run_workspace)
command(app)(windows.gui)
app.command(
    "rheojax-gui",
    add_help_option=False,  # the window's own parser has it
    context_settings={"allow_extra_args": True, "ignore_unknown_options": True},
)(windows.rheojax_gui)
command(app, "export")(exporting.export_job)
app.add_typer(jobs.app, name="jobs")
app.add_typer(cache.app, name="cache")


def run(arguments: list[str] | None = None) -> int:
    """Run the command and return its exit status; errors are raised."""
    try:
        return int(app(args=arguments, prog_name="rheojobs", standalone_mode=False) or 0)
    except typer.Abort:
        raise KeyboardInterrupt from None
