"""Workers, functions and a recorder for the Qt tests; importable by worker processes."""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import numpy as np
import qtpy
from qtpy.QtCore import QObject, QRunnable, QThread, Signal

if TYPE_CHECKING:  # workers import this file
    from rheojobs.qt.app.main_window import MainWindow
    from rheojobs.qt.widgets.fit.fit_view import FitView
    from rheojobs.qt.widgets.model.priors_editor import PriorsEditor
    from rheojobs.qt.widgets.plots.data_plot import DataPlot
    from rheojobs.qt.widgets.posterior.posterior_view import PosteriorView

from rheojobs import CancellationError, CancellationToken, Dataset, Model, WorkerPool

OF_THE_PLUGIN = "This plugin does not support"
"""Logged by Qt's offscreen plugin for every window and every drop-down list."""

SIGNALS = ("job_started", "job_progress", "job_completed", "job_failed", "job_cancelled")
ENDS = {"job_completed", "job_failed", "job_cancelled"}


def delete(thing: QObject) -> None:
    """Delete the C++ part of a Qt object, as Qt itself would."""
    if qtpy.PYSIDE6:
        from qtpy import shiboken

        shiboken.delete(thing)
    else:
        from qtpy import sip

        sip.delete(thing)


class Recorder:
    """Records the signals of a pool in order of arrival."""

    def __init__(self, pool: WorkerPool, qtbot: Any) -> None:
        self._pool = pool
        self._qtbot = qtbot
        self.history: list[tuple[str, tuple[Any, ...]]] = []
        self.threads: set[QThread] = set()
        self._slots = {name: self._slot(name) for name in SIGNALS}
        for name, slot in self._slots.items():
            getattr(pool, name).connect(slot)

    def _slot(self, name: str) -> Callable[..., None]:
        def record(*args: Any) -> None:
            self.history.append((name, args))
            self.threads.add(QThread.currentThread())

        return record

    def disconnect(self) -> None:
        for name, slot in self._slots.items():
            getattr(self._pool, name).disconnect(slot)

    def of(self, job_id: str) -> list[tuple[str, tuple[Any, ...]]]:
        """The signals of one job, without its id."""
        return [(name, args[1:]) for name, args in self.history if args[0] == job_id]

    def names(self, job_id: str) -> list[str]:
        """The names of the signals of one job, progress left out."""
        return [name for name, _ in self.of(job_id) if name != "job_progress"]

    def wait(self, condition: Callable[[], bool], timeout: int = 60_000) -> None:
        self._qtbot.waitUntil(condition, timeout=timeout)

    def wait_for(self, job_id: str, name: str) -> tuple[Any, ...]:
        """Wait for a signal of a job; return its arguments after the id."""
        self.wait(lambda: any(found == name for found, _ in self.of(job_id)))
        return next(args for found, args in self.of(job_id) if found == name)

    def wait_end(self, job_id: str) -> tuple[str, tuple[Any, ...]]:
        """Wait for the terminal signal of a job."""
        self.wait(lambda: any(name in ENDS for name, _ in self.of(job_id)))
        return next((name, args) for name, args in self.of(job_id) if name in ENDS)


def fit_view(window: MainWindow) -> FitView:
    """The view of data and fit."""
    from rheojobs.qt.app.pages.fit_page import FitPage

    return window.tabs.page(FitPage).view


def data_plot(window: MainWindow) -> DataPlot:
    """The plot of the data."""
    return fit_view(window).data_plot


def posterior_view(window: MainWindow) -> PosteriorView:
    """The view of a sampling."""
    from rheojobs.qt.app.pages.posterior_page import PosteriorPage

    return window.tabs.page(PosteriorPage).view


def priors_editor(window: MainWindow) -> PriorsEditor:
    """The view of the priors."""
    from rheojobs.qt.app.pages.priors_page import PriorsPage

    return window.tabs.page(PriorsPage).view


def decay(x, params):
    """Relax with one time."""
    import jax.numpy as jnp

    return params[0] * jnp.exp(-x / params[1])


def decay_model() -> Model:
    """The plain JAX function as a model."""
    bounds = {"G0": (1e-3, 1e9, 1e3), "tau": (1e-6, 1e6, 1.0)}
    return Model.from_function(decay, bounds, test_modes="relaxation")


def decay_data() -> Dataset:
    """Data of it, with noise."""
    t = np.linspace(0.05, 5.0, 40)
    noise = 300.0 * np.random.default_rng(0).standard_normal(40)
    return Dataset(t, 2e4 * np.exp(-t / 1.5) + noise, "relaxation")


def count_to(context: Any, n: int, pause: float = 0.005) -> int:
    """Count, and report each number."""
    for i in range(n):
        context.check()
        context.progress(i + 1, n, f"at {i + 1}")
        time.sleep(pause)
    return os.getpid()


def hear_nothing(seconds: float) -> None:
    """Work for that long, and ignore requests to stop."""
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        time.sleep(0.01)


class PlainSignals(QObject):
    """The signals of a worker of an existing application."""

    progress = Signal(int, int, str)
    completed = Signal(object)
    failed = Signal(str)
    cancelled = Signal()


class PlainWorker(QRunnable):
    """A worker of an existing application, with its own signals and token."""

    def __init__(self, outcome: str) -> None:
        super().__init__()
        self.signals = PlainSignals()
        self.cancel_token = CancellationToken()
        self.outcome = outcome
        self.thread: QThread | None = None

    def run(self) -> None:
        self.thread = QThread.currentThread()
        self.signals.progress.emit(1, 2, "half")
        try:
            if self.outcome == "wait":
                self.cancel_token.wait(30)
                self.cancel_token.check()
            elif self.outcome == "fail":
                raise ValueError("no luck")
        except CancellationError:
            self.signals.cancelled.emit()
        except ValueError as error:
            self.signals.failed.emit(str(error))
        else:
            self.signals.completed.emit({"answer": 42})


class SelfCancelled(QRunnable):
    """A worker that is cancelled by its own method, which waits for the end of the work."""

    def __init__(self) -> None:
        super().__init__()
        self.signals = PlainSignals()
        self.cancel_token = CancellationToken()
        self._stop, self._stopped = threading.Event(), threading.Event()

    def run(self) -> None:
        assert self._stop.wait(30)
        time.sleep(0.5)
        self._stopped.set()
        self.signals.cancelled.emit()

    def cancel(self) -> None:
        self._stop.set()
        self._stopped.wait(30)


class BareRunnable(QRunnable):
    """A worker with neither signals nor token."""

    def __init__(self, fail: bool = False) -> None:
        super().__init__()
        self.fail = fail
        self.ran = False

    def run(self) -> None:
        self.ran = True
        if self.fail:
            raise RuntimeError("it broke")
