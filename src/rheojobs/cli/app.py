"""The command `rheojobs`: its options and its help."""

from __future__ import annotations

import importlib.util
import logging
import os
import shlex
import sys
from pathlib import Path
from typing import Annotated, Any

import typer

from rheojobs import __version__
from rheojobs.cli import cache
from rheojobs.cli.declared import takes
from rheojobs.cli.encoding import print_json
from rheojobs.cli.jobs import commands as jobs
from rheojobs.cli.options import (
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
    PlotOption,
    PosteriorOption,
    ReportOption,
    ResumeOption,
    WarmStartOption,
)
from rheojobs.cli.outputs import Outputs
from rheojobs.errors import InputError, MissingExtraError
from rheojobs.inference.comparison.options import CompareOptions
from rheojobs.inference.data.reading.options import ReadOptions
from rheojobs.inference.fits.options import FitOptions, StartOptions
from rheojobs.inference.sampling.options import SampleOptions

__all__ = ["app", "run"]

type Given = dict[str, Any]
"""Options that were given, by their names in Python."""

app = typer.Typer(
    name="rheojobs",
    help="Fit rheological models to measured data, and sample their posteriors.",
    epilog="Exit status: 0 done, 1 the job failed, 2 bad usage or input, 130 stopped by Ctrl-C.",
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode="rich",
    context_settings={"help_option_names": ["-h", "--help"]},
)
app.add_typer(cache.app, name="cache")
app.add_typer(jobs.app, name="jobs")


def _print_version(wanted: bool) -> None:
    if wanted:
        print(f"rheojobs {__version__}")
        raise typer.Exit


@app.callback(invoke_without_command=True)
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
    verbose: Annotated[
        bool,
        typer.Option("--verbose", "-v", metavar="", help="Log details to standard error."),
    ] = False,
) -> None:
    if verbose:
        logging.basicConfig(format="%(relativeCreated)6d ms %(name)s: %(message)s")
        logging.getLogger("rheojobs").setLevel(logging.DEBUG)
    if context.invoked_subcommand is None:
        print(context.get_help())


@app.command("models")
def list_models(
    name: Annotated[
        str | None,
        typer.Argument(metavar="[NAME]", show_default=False, help="Show this model in detail."),
    ] = None,
    mode: Annotated[
        str | None,
        typer.Option(metavar="MODE", help="Only the models that describe this test."),
    ] = None,
    json: Annotated[
        bool, typer.Option("--json", metavar="", help="Print all details as JSON.")
    ] = False,
) -> int:
    """List the models, the tests that each describes, and their parameters.

    Example: rheojobs models --mode relaxation
    """
    from rheojobs.cli import listing

    outputs = Outputs()
    models = listing.choose(listing.load(outputs.talk), name, mode)
    if json:
        print_json(listing.to_json(models))
    elif name is not None:
        for model in models:
            listing.show_model(outputs.tables, model)
    else:
        listing.show_models(outputs.tables, models)
    return 0


_READING = (ReadOptions,)
_FITTING = (StartOptions, FitOptions)


@app.command()
@takes(reading=_READING, fitting=_FITTING)
def fit(
    file: FileArgument,
    model: ModelOption,
    reading: Given,
    fitting: Given,
    json: JsonOption = None,
    plot: PlotOption = None,
    report: ReportOption = None,
    cluster: ClusterOption = None,
    device: DeviceOption = None,
) -> int:
    """Fit a model to the data of a file by least squares.

    Ctrl-C stops it at any moment and keeps the best parameters so far.

    Example: rheojobs fit sweep.csv --model maxwell --plot fit.png
    """
    from rheojobs.cli.request import Request
    from rheojobs.cli.work import run_fit

    outputs = Outputs(json, plot, report=report)
    return run_fit(Request(file, model, reading, fitting), outputs, cluster, device)


@app.command()
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
    cluster: ClusterOption = None,
    device: DeviceOption = None,
) -> int:
    """Sample the posterior of a model's parameters with NUTS, starting from a fit.

    Ctrl-C stops it at any moment and keeps the draws so far.
    --resume continues from there.

    Example: rheojobs sample sweep.csv --model maxwell --out posterior.nc
    """
    from rheojobs.cli.request import Request
    from rheojobs.cli.work import run_resume, run_sample

    outputs = Outputs(json, plot, out)
    if resume is not None:
        if file is not None or model is not None:
            raise InputError("--resume takes no FILE and no --model: the folder has both")
        return run_resume(resume, outputs, cluster, device)
    if file is None or model is None:
        missing = "FILE" if file is None else "--model"
        raise InputError(f"{missing} is missing: rheojobs sample FILE --model NAME")
    request = Request(file, model, reading, fitting)
    return run_sample(request, sampling, outputs, cluster, device, warm_start=warm_start)


@app.command()
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
    cluster: ClusterOption = None,
    device: DeviceOption = None,
) -> int:
    """Fit many models to the data of a file, in parallel, and rank them.

    Ranks by AICc with Akaike weights, or with --bayes by PSIS-LOO.
    --fix and --tie apply to the models that have the named parameters.
    Ctrl-C keeps the finished fits.

    Example: rheojobs compare sweep.csv --models maxwell,zener
    """
    from rheojobs.cli.compare import parse_models, run_compare
    from rheojobs.cli.request import Request

    request = Request(file, "", reading, fitting)
    outputs = Outputs(json, plot)
    return run_compare(request, parse_models(models), outputs, cluster, device, **comparing)


@app.command()
@takes(reading=_READING, fitting=_FITTING, without={"intervals"})
def batch(
    sources: BatchSources,
    reading: Given,
    fitting: Given,
    model: OptionalModelOption = None,
    out: BatchOutOption = None,
    cluster: ClusterOption = None,
    device: DeviceOption = None,
    elsewhere: ElsewhereOption = False,
) -> int:
    """Fit many files, and sample if the plan says so; a second run does only what is missing.

    Writes FOLDER/results.csv and results.parquet.
    Ctrl-C keeps the finished results.

    Example: rheojobs batch '*.csv' --model maxwell --out results
    """
    from rheojobs.cli.batch import plan_of, run_batch
    from rheojobs.cli.request import Request

    outputs = Outputs()
    request = Request(Path(sources[0]), model or "", reading, fitting)
    plan, again = plan_of(sources, request, out, outputs), ["rheojobs", *sys.argv[1:]]
    return run_batch(plan, outputs, shlex.join(again), cluster, elsewhere, device)


@app.command()
def demo(
    out: Annotated[
        Path, typer.Option("--out", metavar="FOLDER", help="Folder of the results.")
    ] = Path("demo"),
) -> int:
    """Fit and sample a well-known polymer melt, and draw the result.

    Writes FOLDER/figure.png, FOLDER/fit.json and FOLDER/posterior.nc.

    Example: rheojobs demo --out demo
    """
    from rheojobs.cli.demo import run_demo

    return run_demo(out)


@app.command()
def gui(
    files: Annotated[
        list[Path] | None,
        typer.Argument(metavar="[FILE]...", show_default=False, help="Data to open."),
    ] = None,
) -> int:
    """Open the window.

    Example: rheojobs gui sweep.csv
    """
    window = _of_a_window("rheojobs.qt.app.main_window")
    return int(window.run([str(file) for file in files or ()]))


@app.command(
    add_help_option=False,  # the window's own parser has it
    context_settings={"allow_extra_args": True, "ignore_unknown_options": True},
)
def rheojax_gui(context: typer.Context) -> int:
    """Open RheoJAX's own window on this engine.

    Example: rheojobs rheojax-gui --import sweep.csv --protocol oscillation
    """
    needs_display = {"-h", "--help"}.isdisjoint(context.args)
    window = _of_a_window("rheojobs.integrations.rheojax.__main__", needs_display)
    return int(window.main(context.args, "rheojobs rheojax-gui"))


def _of_a_window(module: str, needs_display: bool = True) -> Any:
    """Import a module that opens a window, or say in one line why that is not possible."""
    if not any(importlib.util.find_spec(name) for name in ("PySide6", "PyQt6")):
        raise MissingExtraError(
            'the window needs PySide6, which is not installed: pip install "rheojobs[gui]"'
        )
    if importlib.util.find_spec("jax") is None:
        raise MissingExtraError(
            'the window needs JAX, which is not installed: pip install "rheojobs[inference]"'
        )
    has_display = {"DISPLAY", "WAYLAND_DISPLAY", "QT_QPA_PLATFORM"} & os.environ.keys()
    if sys.platform == "linux" and needs_display and not has_display:
        # Qt would end the process by a signal, in five lines.
        raise InputError("the window needs a display: neither DISPLAY nor WAYLAND_DISPLAY is set")
    try:
        return importlib.import_module(module)
    except (MissingExtraError, ModuleNotFoundError):
        raise  # `main` names the extra
    except ImportError as error:  # usually a system library that Qt needs is missing
        raise MissingExtraError(f"the window cannot be opened: {error}") from error


def run(arguments: list[str] | None = None) -> int:
    """Run the command and return its exit status; errors are raised."""
    try:
        return int(app(args=arguments, prog_name="rheojobs", standalone_mode=False) or 0)
    except typer.Abort:
        raise KeyboardInterrupt from None
