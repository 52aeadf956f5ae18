"""The names of RheoJAX that we replace or use; no other file knows them.

They are private names of its window. Each is replaced where its users look it up, since the window
builds its steps anew for each project.
"""

from __future__ import annotations

import importlib
import importlib.util
import inspect
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from rheojobs.errors import MissingExtraError, RheojobsError

__all__ = [
    "HOOKS",
    "UNCHANGED_JOB_NAMES",
    "IncompatibleRheojaxError",
    "ParameterDefault",
    "Replacements",
    "bayesian_result",
    "cancellation_error",
    "check_hooks",
    "data_of",
    "draw_plot",
    "fit_result",
    "inference_data",
    "log",
    "new_token",
    "own_prior_names",
    "parameter_defaults",
    "plain_draws",
    "run_window",
    "show_image",
]

VERSIONS = "0.7.0 and 0.7.1"
"""The versions of RheoJAX whose window has these names with these parameters."""

_WORKSPACE = "rheojax.gui.workspace"
_FIT = f"{_WORKSPACE}.fit.fit_controller"
_STEP_NLSQ, _STEP_NUTS = f"{_WORKSPACE}.fit.step3_nlsq", f"{_WORKSPACE}.fit.step4_nuts"
_STEP_SHOW = f"{_WORKSPACE}.fit.step5_visualize"
_ADAPTER = "rheojax.gui.jobs.process_adapter"
_CANVAS = "rheojax.gui.widgets.arviz_canvas"

_FIT_PARAMETERS = (
    "model_name x_data y_data test_mode initial_params options progress_queue cancel_event "
    "y2_data metadata dataset_id model_config"
)
_SAMPLE_PARAMETERS = (
    "model_name x_data y_data test_mode num_warmup num_samples num_chains warm_start priors seed "
    "progress_queue cancel_event y2_data metadata fitted_model_state dataset_id target_accept "
    "model_config max_tree_depth"
)
_FIT_WORKER = "model_name data initial_params options cancel_token dataset_id model_config"
_SAMPLE_WORKER = (
    "model_name data num_warmup num_samples num_chains warm_start priors seed cancel_token "
    "fitted_model_state dataset_id target_accept max_tree_depth"
)


UNCHANGED_JOB_NAMES = {
    "WorkerPool": "rheojax.gui.jobs.worker_pool",
    "CancellationToken": "rheojax.gui.jobs.cancellation",
    "CancellationError": "rheojax.gui.jobs.cancellation",
}
"""Names of `rheojax.gui.jobs` that our workers need as they are -> their modules."""


class IncompatibleRheojaxError(RheojobsError):
    """The installed RheoJAX has another window than the one we know."""


@dataclass(frozen=True)
class Hook:
    """A name of RheoJAX that is replaced.

    Attributes
    ----------
    key : str
        Our name for it.
    module : str
        The module in which its users look it up.
    path : str
        Its name there, with dots for an attribute of a class.
    parameters : str
        The parameters that it must have, separated by spaces.
    is_required : bool
        Whether nothing works without it.
    """

    key: str
    module: str
    path: str
    parameters: str
    is_required: bool = True

    def holder(self) -> tuple[Any, str]:
        """Return the object that has the attribute, and the attribute's name."""
        holder: Any = importlib.import_module(self.module)
        *classes, name = self.path.split(".")
        for each in classes:
            holder = getattr(holder, each)
        return holder, name

    def problem(self) -> str:
        """Return why it cannot be replaced; empty if it can."""
        where = f"{self.module}.{self.path}"
        try:
            holder, name = self.holder()
            found = " ".join(inspect.signature(getattr(holder, name)).parameters)
        except (ImportError, AttributeError) as error:
            return f"{where} is missing ({error})"
        return "" if found == self.parameters else f"{where} takes ({found.replace(' ', ', ')})"


HOOKS = (
    Hook("fit", _FIT, "run_fit_isolated", _FIT_PARAMETERS),
    Hook("sample", _FIT, "run_bayesian_isolated", _SAMPLE_PARAMETERS),
    Hook("fit_worker", _ADAPTER, "make_fit_worker", _FIT_WORKER),
    Hook("sample_worker", _ADAPTER, "make_bayesian_worker", _SAMPLE_WORKER),
    Hook("reporter", _FIT, "_make_progress_reporter", "active_jobs job_id status_bar", False),
    Hook("steps", f"{_WORKSPACE}.window", "build_fit_controller", "app_state status_bar", False),
    Hook("fit_clock", _STEP_NLSQ, "NlsqStep._on_elapsed_tick", "self", False),
    Hook("sample_clock", _STEP_NUTS, "NutsStep._on_elapsed_tick", "self", False),
    Hook("verdict", _STEP_NUTS, "_diagnostics_verdict", "nuts_result", False),
    Hook("draws", _STEP_SHOW, "VisualizeStep._inference_data", "self", False),
    Hook("plot", _CANVAS, "ArvizCanvas._refresh_plot", "self", False),
    Hook("export_plot", _CANVAS, "ArvizCanvas.export_figure", "self filepath dpi", False),
)


def check_hooks(hooks: Sequence[Hook] = HOOKS) -> list[Hook]:
    """Return the hooks that can be replaced; raise if a required one cannot.

    Raises
    ------
    MissingExtraError
        If RheoJAX is not installed.
    IncompatibleRheojaxError
        In one line that names the function and the versions that fit.
    """
    if importlib.util.find_spec("rheojax") is None:
        raise MissingExtraError('RheoJAX is not installed: pip install "rheojobs[rheology,gui]"')
    usable = []
    for hook in hooks:
        problem = hook.problem()
        if not problem:
            usable.append(hook)
        elif hook.is_required:
            raise IncompatibleRheojaxError(
                f"RheoJAX {_version()} does not fit: {problem}; versions that fit: {VERSIONS}"
            )
        else:
            log().warning("rheojobs leaves one part of the window as it is: %s", problem)
    return usable


class Replacements:
    """Names of RheoJAX that are replaced, and can be restored."""

    def __init__(self) -> None:
        self._before: dict[str, tuple[Any, str, Any]] = {}

    def make(self, hooks: Sequence[Hook], new: Mapping[str, Callable[..., Any]]) -> None:
        """Replace the hooks that have a replacement, each under its key."""
        for hook in hooks:
            if hook.key in new:
                holder, name = hook.holder()
                self._before[hook.key] = (holder, name, getattr(holder, name))
                setattr(holder, name, new[hook.key])

    def before(self, key: str) -> Callable[..., Any]:
        """Return what the name meant before."""
        found: Callable[..., Any] = self._before[key][2]
        return found

    def restore(self) -> None:
        """Give all names their own meaning again."""
        for holder, name, value in self._before.values():
            setattr(holder, name, value)
        self._before = {}


@dataclass(frozen=True)
class ParameterDefault:
    """A parameter's value and bounds in a new model of RheoJAX."""

    value: float
    bounds: tuple[float, float]


def parameter_defaults(
    model_name: str, model_config: Mapping[str, Any]
) -> dict[str, ParameterDefault]:
    """Return the defaults of a model's parameters in RheoJAX."""
    parameters = _model(model_name, model_config).parameters
    return {
        name: ParameterDefault(float(item.value), (float(item.bounds[0]), float(item.bounds[1])))
        for name, item in dict(parameters).items()
    }


def own_prior_names(model_name: str, model_config: Mapping[str, Any]) -> set[str]:
    """Return the parameters whose priors the model sets itself, whatever the user chose."""
    model = _model(model_name, model_config)
    factory = getattr(model, "bayesian_prior_factory", None)
    if factory is None:
        return set()
    return {
        name
        for name, item in dict(model.parameters).items()
        if factory(name, *item.bounds) is not None
    }


def _model(model_name: str, model_config: Mapping[str, Any]) -> Any:
    from rheojax.core.registry import ModelRegistry

    from rheojobs.inference.models.rheojax.registry import register_all

    register_all()
    return ModelRegistry.create(model_name, **model_config)


def cancellation_error() -> Exception:
    """Return the exception that RheoJAX's steps take for a cancellation."""
    from rheojax.gui.jobs.cancellation import CancellationError

    return CancellationError("Operation cancelled by user")


def log() -> Any:
    """Return the logger whose records the window's log shows."""
    from rheojax.logging import get_logger

    return get_logger("rheojax.gui.rheojobs")


def data_of(data: Any) -> dict[str, Any]:
    """Return the parts of RheoData, or of a dataset of the window, as its functions take them."""
    from rheojax.gui.jobs.process_adapter import _extract_data

    names = ("x_data", "y_data", "y2_data", "test_mode", "metadata")
    return dict(zip(names, _extract_data(data), strict=True))


def new_token() -> Any:
    """Return a cancel token of RheoJAX's."""
    from rheojax.gui.jobs.cancellation import CancellationToken

    return CancellationToken()


def fit_result(content: dict[str, Any]) -> Any:
    """Return a fit as RheoJAX's `FitResult`."""
    from rheojax.gui.jobs.process_adapter import fit_result_from_dict

    return fit_result_from_dict(content)


def bayesian_result(content: dict[str, Any]) -> Any:
    """Return a sampling as RheoJAX's `BayesianResult`, with intervals of two ends."""
    from rheojax.gui.jobs.process_adapter import bayesian_result_from_dict

    ends = {name: (low, high) for name, (low, _, high) in content["credible_intervals"].items()}
    return bayesian_result_from_dict(content | {"credible_intervals": ends})


def inference_data(posterior: Mapping[str, Any], stats: Mapping[str, Any]) -> Any:
    """Return draws as RheoJAX's plots take them."""
    from rheojax.core.arviz_utils import inference_data_from_dict

    groups = {"posterior": dict(posterior), "sample_stats": dict(stats) or None}
    return inference_data_from_dict(groups)


def draw_plot(kind: str, data: Any, hdi_prob: float) -> Any:
    """Draw one of the plots of RheoJAX's `ArvizCanvas`; return the figure, or None if it has none.

    Its methods are called on an object that has what they read of a canvas.
    """
    from rheojax.core.arviz_utils import arviz_figure
    from rheojax.gui.widgets import arviz_canvas

    real: Any = arviz_canvas.ArvizCanvas

    class Canvas:
        """In the place of the widget."""

        figure: Any = None
        _inference_data, _hdi_prob, _current_plot_type = data, hdi_prob, kind
        _has_sample_stats_energy = real._has_sample_stats_energy

        def _arviz_plot(self, plot: Any, *args: Any, **settings: Any) -> None:
            self.figure = arviz_figure(plot(*args, **settings))
            real._sanitize_figure_text(self, self.figure)

        def _plot_fallback(self, message: str) -> None:
            """Show nothing."""

    canvas = Canvas()
    getattr(real, f"_plot_{kind}")(canvas)
    return canvas.figure


@dataclass(frozen=True, eq=False)
class PlainDraws:
    """Draws as a canvas reads them; ArviZ's tree of them takes 0.1 s to make.

    Attributes
    ----------
    posterior, sample_stats : Group
        Of arrays, shape (chains, draws).
    """

    posterior: Group
    sample_stats: Group


class Group(dict[str, Any]):
    """Arrays by name, in the place of a dataset of xarray."""

    @property
    def data_vars(self) -> list[str]:
        """The names."""
        return list(self)


def plain_draws(step: Any) -> PlainDraws | None:
    """Return the draws of the sampling that a step shows; None if there is none."""
    result = step._state.nuts_result or {}
    chains = result.get("num_chains") or 1
    groups = [
        Group({name: step._to_chain_draw(values, chains) for name, values in (part or {}).items()})
        for part in (result.get("posterior_samples"), result.get("sample_stats"))
    ]
    return PlainDraws(*groups) if groups[0] else None


def show_image(canvas: Any, image: Any) -> None:
    """Show an image, shape (rows, columns, 4), in place of the figure of an `ArvizCanvas`."""
    from matplotlib.figure import Figure

    dpi = canvas._figure.get_dpi()
    rows, columns = image.shape[:2]
    figure = Figure(figsize=(columns / dpi, rows / dpi), dpi=dpi)
    axes = figure.add_axes((0.0, 0.0, 1.0, 1.0))
    axes.imshow(image, aspect="auto", interpolation="nearest")
    axes.set_axis_off()
    canvas.swap_figure(figure)
    ratio = canvas.devicePixelRatioF()
    canvas._canvas.setMinimumSize(int(columns / ratio), int(rows / ratio))
    canvas._canvas.resize(int(columns / ratio), int(rows / ratio))
    canvas._canvas.show()
    canvas._canvas.draw_idle()


def run_window(arguments: Sequence[str]) -> int:
    """Open RheoJAX's window; return its exit status."""
    from rheojax.gui.main import main

    return int(main(list(arguments)))


def _version() -> str:
    import importlib.metadata

    return importlib.metadata.version("rheojax")
