"""Draw one of RheoJAX's diagnostic plots to an image. Runs inside a worker.

The plots are drawn by the methods of its `ArvizCanvas`, called on an object that takes the place
of the widget.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from rheojobs.engine.task import TaskContext
from rheojobs.errors import RheojobsError

__all__ = ["PlotTask"]

OF_SOME_DRAWS = ("pair", "trace")
"""Plots that show each draw; the others need all of them."""

MOST_SHOWN = 4000


@dataclass
class PlotTask:
    """Draws a plot.

    Attributes
    ----------
    kind : str
        As RheoJAX names it, such as ``"pair"``.
    posterior, stats : mapping of str to ndarray, shape (chains, draws)
        The draws, and the energies and divergences.
    hdi_prob : float
        Of highest density intervals.
    width, height : float
        Of the place for it, in inches; the image may be higher.
    dpi : float
        Pixels per inch.
    """

    kind: str
    posterior: Mapping[str, NDArray[np.float64]]
    stats: Mapping[str, NDArray[Any]]
    hdi_prob: float
    width: float
    height: float
    dpi: float

    @property
    def name(self) -> str:
        """The label that is shown to users."""
        return f"{self.kind} plot"

    def __post_init__(self) -> None:
        if self.kind in OF_SOME_DRAWS:
            chains, draws = next(iter(self.posterior.values())).shape
            every = max(1, chains * draws // MOST_SHOWN)
            self.posterior = {name: values[:, ::every] for name, values in self.posterior.items()}
            self.stats = {name: values[:, ::every] for name, values in self.stats.items()}

    def run(self, context: TaskContext) -> NDArray[np.uint8]:
        """Return the image, shape (rows, columns, 4)."""
        import matplotlib

        matplotlib.use("agg")
        import matplotlib.pyplot as plt
        from matplotlib.backends.backend_agg import FigureCanvasAgg

        from rheojobs.integrations.rheojax.hooks import draw_plot, inference_data

        context.check()
        before = set(plt.get_fignums())
        try:
            figure = draw_plot(self.kind, inference_data(self.posterior, self.stats), self.hdi_prob)
            if figure is None:
                raise RheojobsError(f"there is nothing to show in the {self.kind} plot")
            width, height = figure.get_size_inches()
            figure.set_dpi(self.dpi)
            figure.set_size_inches(self.width, max(height * self.width / width, self.height))
            figure.tight_layout(pad=0.5)
            canvas: Any = FigureCanvasAgg(figure)
            canvas.draw()
            return np.array(canvas.buffer_rgba())
        finally:
            for number in set(plt.get_fignums()) - before:
                plt.close(number)
