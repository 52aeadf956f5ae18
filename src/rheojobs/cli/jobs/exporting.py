"""The command `export`: the result of a stored job as files, as the window exports it."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer

from rheojobs.cli.arguments.options import OverwriteOption
from rheojobs.cli.jobs import job_list
from rheojobs.cli.jobs.selection import IdArgument, label
from rheojobs.cli.outputs import Outputs
from rheojobs.errors import InputError

__all__ = ["export_job"]

OutOption = Annotated[
    Path | None,
    typer.Option(
        "--out",
        "-o",
        metavar="FOLDER",
        help="Folder of the files, by default export-ID; or one file, whose suffix says what: "
        ".html, .csv, .json, .png, .svg, .pdf or .nc.",
    ),
]


def export_job(job_id: IdArgument, out: OutOption = None, overwrite: OverwriteOption = None) -> int:
    """Write the result of a fit or a sampling: report, figure, parameters, all numbers, draws.

    Example: rheojobs export 6b6d --out results

    A job that was stopped has a partial result.
    """
    from rheojobs.inference.reports.export import check_export, export

    outputs = Outputs(overwrite=overwrite)
    name, result, dataset = _kept(job_id)
    files = _files(out or Path(f"export-{job_id[: job_list.ID_LENGTH]}"), result)
    for file in files:
        check_export(result, file)
    outputs.check_overwriting(files)
    for file in files:
        _make_folder(file.parent)
        export(result, dataset, str(file))
        outputs.wrote(file)
    outputs.talk.print(f"exported {name}", markup=False)
    return 0


def _kept(job_id: str) -> tuple[str, Any, Any]:
    """Return the name of a job, its result, and its data."""
    # Their classes are known to the store once they are imported.
    from rheojobs.inference.fits.task import FitTask
    from rheojobs.inference.results.bayesian_result import BayesianResult
    from rheojobs.inference.results.fit_result import FitResult
    from rheojobs.inference.sampling.task import SampleTask

    with job_list.open_to_read() as store:
        job = store.find(job_id)
        result = store.kept_result(job.id)
        if result is None:
            raise InputError(f"{label(job)} is {job.state} and has no result")
        task = store.task(job.id, may_import=False) if job.task_type else None
    if not isinstance(result, FitResult | BayesianResult) or not isinstance(
        task, FitTask | SampleTask
    ):
        raise InputError(f"{label(job)} is neither a fit nor a sampling: only these are exported")
    return label(job), result, task.checked_data()


def _files(out: Path, result: Any) -> list[Path]:
    """Return the files to write: the one that is named, or one of each kind in a folder."""
    if out.suffix and not out.is_dir():
        return [out]
    is_fit = type(result).__name__ == "FitResult"
    names = ["report.html", "figure.png", "parameters.csv"]
    names += ["fit.json"] if is_fit else ["posterior.json", "posterior.nc"]
    return [out / name for name in names]


def _make_folder(folder: Path) -> None:
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise InputError(f"--out {folder} cannot be made: {error.strerror}") from error
