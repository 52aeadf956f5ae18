"""Install our engine beneath RheoJAX's window, and take it away again."""

from __future__ import annotations

import atexit
import functools
from pathlib import Path
from typing import Any

from rheojobs.engine import CancellationError
from rheojobs.errors import InputError
from rheojobs.integrations.rheojax import hooks
from rheojobs.integrations.rheojax.conversions import FitCall, SampleCall
from rheojobs.integrations.rheojax.jobs import BayesianWorker, FitWorker
from rheojobs.integrations.rheojax.plots import PlotDrawing
from rheojobs.integrations.rheojax.prewarming import Prewarming
from rheojobs.integrations.rheojax.running import CannotRunError, Runner
from rheojobs.integrations.rheojax.window import JobDisplay, verdict_with_rest
from rheojobs.qt.binding import BINDING, QCoreApplication, QThreadPool
from rheojobs.qt.garbage_collection import GarbageCollection

__all__ = ["OBJECTIVES", "install", "uninstall"]

_CALLS = {"nlsq": FitCall, "nuts": SampleCall}
OBJECTIVES = ("rheojax", "rheojobs")
POOL_THREADS = 8
"""Threads of the window's pool: on one core it has one, which a job would hold for its cancel."""


class _Installation:
    """Our functions in RheoJAX's places, with the engine beneath them."""

    def __init__(self, runner: Runner, lazy_plots: bool) -> None:
        self._runner = runner
        self._display = JobDisplay(lambda kind, wanted: runner.pause(_CALLS[kind], wanted))
        self._replacements = hooks.Replacements()
        self._lazy_plots = lazy_plots
        self._collection: GarbageCollection | None = None

    def begin(self, usable: list[hooks.Hook]) -> None:
        """Replace the names."""
        new: dict[str, Any] = {
            "fit": self._fit,
            "sample": self._sample,
            "fit_worker": functools.partial(self._worker, "fit_worker", FitWorker),
            "sample_worker": functools.partial(self._worker, "sample_worker", BayesianWorker),
            "reporter": self._display.reporter,
            "steps": self._build_steps,
            "fit_clock": lambda step: self._display.tick(step, "nlsq", self._before("fit_clock")),
            "sample_clock": lambda step: self._display.tick(
                step, "nuts", self._before("sample_clock")
            ),
            "verdict": lambda result: verdict_with_rest(self._before("verdict"), result),
        }
        if self._lazy_plots:
            plots = PlotDrawing(self._runner.engine, lambda canvas: self._before("plot")(canvas))

            def export(canvas: Any, *args: Any, **others: Any) -> Any:
                plots.export(canvas)
                return self._before("export_plot")(canvas, *args, **others)

            # Functions, since they become methods of the widget.
            new |= {
                "plot": lambda canvas: plots.refresh(canvas),
                "export_plot": export,
                "draws": hooks.plain_draws,
            }
        self._replacements.make(usable, new)

    def end(self) -> None:
        """Restore the names, cancel the jobs, and end the workers."""
        self._replacements.restore()
        if self._collection is not None and QCoreApplication.instance() is not None:
            self._collection.stop()
        self._runner.close()

    def _before(self, key: str) -> Any:
        return self._replacements.before(key)

    def _fit(self, model_name: str, *args: Any, **others: Any) -> dict[str, Any]:
        return self._run("fit", FitCall, self._runner.fit, (model_name, *args), others)

    def _sample(self, model_name: str, *args: Any, **others: Any) -> dict[str, Any]:
        return self._run("sample", SampleCall, self._runner.sample, (model_name, *args), others)

    def _run(
        self, key: str, kind: Any, run: Any, args: tuple[Any, ...], others: dict[str, Any]
    ) -> dict[str, Any]:
        """Run a call on the engine, or by RheoJAX's own function if we cannot run it."""
        names = next(hook.parameters.split() for hook in hooks.HOOKS if hook.key == key)
        given = dict(zip(names, args, strict=False)) | others
        queue, cancelled = given.pop("progress_queue"), given.pop("cancel_event")
        given.pop("fitted_model_state", None)
        try:
            call = kind(**given, objective=self._runner.objective)
            found: dict[str, Any] = run(call, queue.put, cancelled)
        except CannotRunError as error:
            hooks.log().warning("run by RheoJAX itself: %s", error)
            queue.put({"type": "progress", "percent": 0, "message": "by RheoJAX itself"})
            found = self._before(key)(*args, **others)
        except CancellationError:
            raise hooks.cancellation_error() from None
        return found

    def _worker(
        self, key: str, kind: Any, model_name: str, data: Any, *args: Any, **others: Any
    ) -> Any:
        """Return a worker for a pipeline: ours, or RheoJAX's own if we cannot run it."""
        try:
            self._runner.check(model_name, hooks.data_of(data)["test_mode"])
        except CannotRunError as error:
            hooks.log().warning("run by RheoJAX itself: %s", error)
            return self._before(key)(model_name, data, *args, **others)
        return kind(model_name, data, *args, **others, runner=self._runner, as_dict=True)

    def _build_steps(self, app_state: Any, status_bar: Any = None) -> Any:
        controller, bodies = self._before("steps")(app_state, status_bar)
        self._display.take_steps(bodies)
        if self._collection is None:
            self._collection = GarbageCollection(QCoreApplication.instance())
        Prewarming(app_state, bodies, self._runner.prewarm)  # the first step owns it
        return controller, bodies


_installed: _Installation | None = None


def install(
    *,
    objective: str = "rheojax",
    workers: int = 2,
    store: str | Path | None = None,
    lazy_plots: bool = True,
) -> None:
    """Run the fits, samplings and pipelines of RheoJAX's window on our engine.

    Call it before the window is made. A second call changes nothing.

    Parameters
    ----------
    objective : {"rheojax", "rheojobs"}
        Whose residuals, noise and default priors: RheoJAX's, so that results are those of its own
        fits and samplings, or ours (see docs/if-you-use-rheojax.md).
    workers : int
        How many jobs run at a time, each in a process of its own.
    store : path, optional
        Stores the jobs, so that `rheojobs jobs` shows and cancels them, and resumes them after a
        crash. Without it they are only in memory.
    lazy_plots : bool
        Draw the diagnostic plots of a sampling when they are looked at.

    Raises
    ------
    IncompatibleRheojaxError
        If the installed RheoJAX has another window; nothing is changed then.
    MissingExtraError
        If RheoJAX is not installed.
    InputError
        If this process uses PyQt6.
    """
    global _installed
    if _installed is not None:
        return
    if objective not in OBJECTIVES:
        raise InputError(f"objective must be one of {', '.join(OBJECTIVES)}, got {objective!r}")
    if BINDING != "PySide6":  # RheoJAX imports it by name
        raise InputError(f"RheoJAX's window needs PySide6, but this process uses {BINDING}")
    usable = hooks.check_hooks()
    made = _Installation(Runner(objective, workers, store), lazy_plots)
    made.begin(usable)
    pool = QThreadPool.globalInstance()
    pool.setMaxThreadCount(max(POOL_THREADS, pool.maxThreadCount()))
    application = QCoreApplication.instance()
    if application is not None:
        application.aboutToQuit.connect(uninstall)
    atexit.register(uninstall)
    _installed = made


def uninstall() -> None:
    """Restore RheoJAX's own functions, and end the workers; jobs that run are cancelled."""
    global _installed
    if _installed is not None:
        done, _installed = _installed, None
        done.end()
        atexit.unregister(uninstall)
