"""The commands `fit` and `sample`: from a file to a saved result.

Results are written before they are shown, so that a closed terminal loses nothing.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from rheojobs.cli import report
from rheojobs.cli.outputs import Outputs
from rheojobs.cli.request import Request
from rheojobs.cli.session import Interrupted, Session
from rheojobs.cli.terminal.numbers import plural

if TYPE_CHECKING:
    from rheojobs.inference.data.dataset import Dataset
    from rheojobs.inference.models.model import Model
    from rheojobs.inference.results.bayesian_result import BayesianResult
    from rheojobs.inference.results.fit_result import FitResult

__all__ = [
    "describe_fit",
    "describe_sampling",
    "draw_posterior",
    "hand_over_draws",
    "hand_over_fit",
    "import_in_advance",
    "keep_draws",
    "keep_fit",
    "run_fit",
    "run_resume",
    "run_sample",
]


def describe_fit(fit: FitResult) -> str:
    """Describe the outcome of a fit in a few words."""
    end = "converged" if fit.success else "not converged"
    return f"{end} after {fit.n_iterations} iterations, loss {fit.chi_squared:.4g}"


def describe_sampling(result: BayesianResult) -> str:
    """Describe the outcome of a sampling in a few words."""
    count = result.num_chains * result.num_samples
    return f"{count} draws, {plural(result.diagnostics['divergences'], 'divergence')}"


def run_fit(
    request: Request, outputs: Outputs, cluster: str | None = None, device: str | None = None
) -> int:
    """Fit, save and show; return the exit status."""
    with Session(outputs.talk, cluster=cluster, device=device) as session:
        dataset = request.read()
        task = request.fit_task(dataset)
        report.show_data(outputs.talk, dataset)
        try:
            fit: FitResult = session.run(task, f"fit of {request.model}", describe_fit)
        except Interrupted as stop:
            return keep_fit(stop, outputs)
    return hand_over_fit(dataset, fit, outputs)


def hand_over_fit(dataset: Dataset, fit: FitResult, outputs: Outputs) -> int:
    """Save and show a fit; return the exit status."""
    outputs.write_json(fit)
    outputs.write_report(fit, dataset.name)
    if outputs.plot is not None:
        from rheojobs.inference.reports.figures import fit_figure

        fit_figure(dataset, fit).savefig(outputs.plot)
        outputs.wrote(outputs.plot)
    report.show_fit(outputs.tables, fit)
    report.show_concerns(outputs.alerts, report.fit_concerns(fit))
    return outputs.status_of(fit.doubt)


def run_sample(
    request: Request,
    sampling: dict[str, Any],
    outputs: Outputs,
    cluster: str | None = None,
    device: str | None = None,
    *,
    warm_start: bool,
) -> int:
    """Fit, sample from there, save and show; return the exit status."""
    with Session(outputs.talk, cluster=cluster, device=device) as session:
        dataset = request.read()
        # Checked here, so that a bad prior or count is refused before the fit.
        request.sample_task(dataset, sampling, request.initial)
        first = request.fit_task(dataset)
        report.show_data(outputs.talk, dataset)
        import_in_advance()
        fit: FitResult | None = None
        try:
            if names := list(sampling.get("priors", {})):
                check = partial(check_prior_names, first.model, request.config, names)
                session.run(check, "check of the priors")
            if warm_start:
                fit = session.run(first, f"fit of {request.model}", describe_fit)
                report.show_concerns(outputs.alerts, report.fit_concerns(fit))
            start = fit.parameters if fit is not None else request.initial
            task = request.sample_task(dataset, sampling, start)
            title = f"sampling of {request.model}"
            result: BayesianResult = session.run(task, title, describe_sampling)
        except Interrupted as stop:
            return keep_draws(stop, outputs)
    return hand_over_draws(dataset, result, fit, outputs)


def run_resume(
    folder: Path, outputs: Outputs, cluster: str | None = None, device: str | None = None
) -> int:
    """Continue a stopped sampling, save and show; return the exit status."""
    from rheojobs.inference.sampling.task import SampleTask

    task = SampleTask.of_checkpoint(folder)
    task.validate()
    with Session(outputs.talk, cluster=cluster, device=device) as session:
        report.show_data(outputs.talk, task.dataset)
        import_in_advance()
        title = f"sampling of {task.model_name}"
        try:
            result: BayesianResult = session.run(task, title, describe_sampling)
        except Interrupted as stop:
            return keep_draws(stop, outputs)
    return hand_over_draws(task.dataset, result, None, outputs)


def hand_over_draws(
    dataset: Dataset, result: BayesianResult, fit: FitResult | None, outputs: Outputs
) -> int:
    """Save and show draws; return the exit status."""
    if outputs.posterior is not None:
        result.save_netcdf(outputs.posterior)
        outputs.wrote(outputs.posterior)
    outputs.write_json(result)
    if outputs.plot is not None:
        draw_posterior(dataset, result, fit, outputs.plot)
        outputs.wrote(outputs.plot)
    report.show_posterior(outputs.tables, result)
    report.show_concerns(outputs.alerts, report.sampling_concerns(result))
    return outputs.status_of(result.doubt)


def check_prior_names(model: str | Model, config: Mapping[str, Any], names: Sequence[str]) -> None:
    """Raise an `InputError` if a prior names no parameter of the model; runs in the worker.

    The sampling checks that too, but only after the fit.
    """
    from rheojobs.inference.models.loading import load

    loaded = load(model, config)
    for name in names:
        if not name.startswith("sigma") and loaded.alternative(name) is None:
            loaded.parameter(name)


def import_in_advance() -> None:
    """Import the modules of a posterior while the worker starts, not when the result arrives."""
    import xarray  # noqa: F401


def draw_posterior(
    dataset: Dataset, result: BayesianResult, fit: FitResult | None, path: Path
) -> None:
    """Write the figure of a posterior."""
    from rheojobs.inference.reports.figures import posterior_figure

    posterior_figure(dataset, result, fit).savefig(path)


def _free_name(name: str) -> Path:
    """Return a name in the current folder that no file has yet."""
    path = Path(name)
    number = 2
    while path.exists():
        path = Path(f"{Path(name).stem}-{number}{path.suffix}")
        number += 1
    return path


def keep_fit(stop: Interrupted, outputs: Outputs) -> int:
    """Save and show what a stopped fit had found; return the exit status."""
    from rheojobs.inference.results.fit_result import FitResult

    fit = stop.partial
    if not isinstance(fit, FitResult):
        outputs.alerts.print(_nothing(stop, "fit", "iteration"))
        return stop.status
    if outputs.json is None:
        outputs.json = _free_name("fit-partial.json")
    outputs.write_json(fit)
    outputs.alerts.print(
        f"stopped after {plural(fit.n_iterations or 0, 'iteration')}; kept the best parameters "
        "so far"
    )
    return stop.status


def keep_draws(stop: Interrupted, outputs: Outputs) -> int:
    """Save and show what a stopped sampling had drawn; return the exit status."""
    from rheojobs.inference.results.bayesian_result import BayesianResult

    result = stop.partial
    if not isinstance(result, BayesianResult):
        outputs.alerts.print(_nothing(stop, "sampling", "draw"))
        return stop.status
    if outputs.posterior is None and outputs.json is None:
        outputs.posterior = _free_name("posterior-partial.nc")
    if outputs.posterior is not None:
        result.save_netcdf(outputs.posterior)
        outputs.wrote(outputs.posterior)
    outputs.write_json(result)
    outputs.alerts.print(
        f"stopped; kept {plural(result.num_samples, 'draw')} of each of "
        f"{plural(result.num_chains, 'chain')}"
    )
    if result.checkpoint:
        outputs.alerts.print(
            f"continue with: rheojobs sample --resume {result.checkpoint}", soft_wrap=True
        )
    return stop.status


def _nothing(stop: Interrupted, stage: str, unit: str) -> str:
    """Return why there is nothing to save."""
    if stop.progress is not None and stop.progress.stage == stage and stop.progress.current > 0:
        return "stopped; the worker had to be killed before it could return its partial result"
    return f"stopped before the first {unit}: there is nothing to save"
