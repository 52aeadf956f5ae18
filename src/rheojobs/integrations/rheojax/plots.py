"""Draw the diagnostic plots of RheoJAX's window in a worker, when they are looked at."""

from __future__ import annotations

import weakref
from collections.abc import Callable
from typing import Any

import numpy as np

from rheojobs.engine import Job, JobEngine
from rheojobs.integrations.rheojax import hooks
from rheojobs.integrations.rheojax.plot_task import PlotTask
from rheojobs.qt.binding import QEvent, QObject, Qt, Signal, is_alive

__all__ = ["PlotDrawing"]

PRIORITY = -10
"""Below fits and samplings."""


class PlotDrawing(QObject):
    """Draws plots in a worker, each when its widget is first visible.

    Eight of them take 2.5 to 66 s in the window's thread, in which it does not react. Here the
    window only shows the images.

    Parameters
    ----------
    engine : JobEngine
        Whose workers draw.
    draw_here : callable
        Draws the plot of a widget in the window's thread.
    """

    _drawn = Signal(object, object)

    def __init__(self, engine: JobEngine, draw_here: Callable[[Any], None]) -> None:
        super().__init__()
        self._engine = engine
        self._draw_here = draw_here
        self._jobs: weakref.WeakKeyDictionary[Any, Job] = weakref.WeakKeyDictionary()
        self._waiting: weakref.WeakSet[Any] = weakref.WeakSet()
        self._drawn.connect(self._show, Qt.ConnectionType.QueuedConnection)

    def refresh(self, canvas: Any) -> None:
        """Draw the plot of a widget: now if it is visible, else when it is shown."""
        if canvas._inference_data is None:
            self._draw_here(canvas)
        elif canvas.isVisible():
            self._start(canvas)
        else:
            if canvas not in self._waiting:
                self._waiting.add(canvas)
                canvas.installEventFilter(self)

    def export(self, canvas: Any) -> None:
        """Draw the plot of a widget itself in place of its image, to be saved."""
        self._waiting.discard(canvas)
        self._cancel(canvas)
        data = canvas._inference_data
        if data is not None:
            canvas._inference_data = hooks.inference_data(*_arrays(data))
            canvas._canvas.show()
            self._draw_here(canvas)

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        """Draw what is shown for the first time."""
        if event.type() == QEvent.Type.Show and watched in self._waiting:
            self._waiting.discard(watched)
            watched.removeEventFilter(self)
            self._start(watched)
        return False

    def _start(self, canvas: Any) -> None:
        self._cancel(canvas)
        # An empty figure takes as long to draw as an image, and all would be drawn at once.
        canvas._canvas.hide()
        view = canvas._scroll_area.viewport()
        dpi = float(canvas._figure.get_dpi())
        task = PlotTask(
            canvas._current_plot_type,
            *_arrays(canvas._inference_data),
            canvas._hdi_prob,
            max(view.width(), 200) / (dpi / canvas.devicePixelRatioF()),
            max(view.height(), 150) / (dpi / canvas.devicePixelRatioF()),
            dpi,
        )
        canvas._status_label.setText("Drawing…")
        canvas._status_label.show()
        job = self._engine.submit(task, priority=PRIORITY)
        self._jobs[canvas] = job
        known = weakref.ref(canvas)
        job.add_done_callback(lambda job: self._drawn.emit(known, job))

    def _cancel(self, canvas: Any) -> None:
        before = self._jobs.pop(canvas, None)
        if before is not None:
            before.cancel()

    def _show(self, known: weakref.ref[Any], job: Job) -> None:
        """Show the image of a job that has ended, unless another plot is wanted by now."""
        canvas = known()
        if canvas is None or self._jobs.get(canvas) is not job or not is_alive(canvas):
            return
        del self._jobs[canvas]
        job.forget()
        canvas._status_label.hide()
        if job.cancelled():
            return
        error = job.exception(0)
        if error is not None:
            hooks.log().warning("%s: %s", job.name, error)
            canvas._status_label.setText(str(error))
            canvas._status_label.show()
            return
        hooks.show_image(canvas, job.result(0))


def _arrays(data: Any) -> tuple[dict[str, Any], dict[str, Any]]:
    """Return the draws and the sampler's statistics as arrays, shape (chains, draws)."""
    groups = (data.posterior, getattr(data, "sample_stats", None) or {})
    posterior, stats = (
        {str(name): np.asarray(getattr(group[name], "values", group[name])) for name in group}
        for group in groups
    )
    return posterior, stats
