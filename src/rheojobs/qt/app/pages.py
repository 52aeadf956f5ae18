"""The pages of the window: data and fit, posterior, priors; made soon after the start.

Loads their plots late, in the background; must not know jobs and sessions.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

from PySide6.QtCore import QTimer
from PySide6.QtWidgets import QWidget

from rheojobs.inference.models.catalogue import ModelInfo
from rheojobs.qt.app.late_tabs import LateTabs, load_in_background

if TYPE_CHECKING:  # plots take as long to load as all the rest
    from rheojobs.qt.widgets.fit.fit_view import FitView
    from rheojobs.qt.widgets.model.priors_editor import PriorsEditor
    from rheojobs.qt.widgets.posterior.posterior_view import PosteriorView

__all__ = ["Pages"]

_MODULES = tuple(
    f"rheojobs.qt.widgets.{name}"
    for name in ("fit.fit_view", "posterior.posterior_view", "model.priors_editor")
)

_LOAD_MS = 300
"""After the start."""

_LOOK_MS = 30
"""How often to look whether all is loaded."""

_MOST_NOISE = 2
"""Parameters of the noise: of real and imaginary part."""

type _Bounds = Mapping[str, tuple[float, float]]


class Pages(LateTabs):
    """The tabs of the window.

    Parameters
    ----------
    edited_bounds : callable
        Gives the bounds that the user made narrower.
    """

    def __init__(self, edited_bounds: Callable[[], _Bounds], parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setDocumentMode(True)
        self._edited_bounds = edited_bounds
        self._model: ModelInfo | None = None
        no_data = self.tr("Drop a file with measured data here, or open one (Ctrl+O)")
        self._fit = self.add(self.tr("Data and fit"), _make_fit_view, no_data)
        no_draws = self.tr("Sample a model to see its posterior (Ctrl+B)")
        self._posterior = self.add(self.tr("Posterior"), self._make_posterior_view, no_draws)
        self._priors = self.add(self.tr("Priors"), self._make_priors_editor)
        self._later = QTimer(self, singleShot=True, interval=_LOAD_MS)
        self._later.timeout.connect(self.load)

    def load_soon(self) -> None:
        """Load what the pages need, once the window is painted and can be used."""
        self._later.start()

    def load(self) -> None:
        """Load what the pages need and make them, so that the first data do not wait for it."""
        loading = load_in_background(_MODULES)
        look = QTimer(self, interval=_LOOK_MS)

        def make() -> None:
            if loading.done():
                look.deleteLater()
                if loading.exception() is None:
                    self.prepare()

        look.timeout.connect(make)
        look.start()

    def prepare(self) -> None:
        """Make a page whenever nothing else is to do: none at the first data, or at a click."""
        for page in (self._fit, self._posterior, self._priors):
            if page.made is None:
                page.get()
                QTimer.singleShot(0, self, self.prepare)
                return

    @property
    def fit_view(self) -> FitView:
        """Data and fit; made soon after the start, or with the first data."""
        return self._fit.get()

    @property
    def posterior_view(self) -> PosteriorView:
        """The page of a sampling; made soon after the first data."""
        return self._posterior.get()

    @property
    def priors_editor(self) -> PriorsEditor:
        """The page of the priors; made soon after the first data, or when it is looked at."""
        return self._priors.get()

    def begin(self, model: ModelInfo | None) -> None:
        """Begin anew with a model, or none: its priors, and no posterior."""
        self._model = model
        if self._priors.made is not None:
            self._priors.made.set_parameters(model.parameters if model is not None else ())
        if self._posterior.made is not None:
            self._posterior.made.clear()
            self._posterior.made.prepare(self._count())

    def tell_bounds(self) -> None:
        """Tell the priors that bounds were edited."""
        if self._priors.made is not None:
            self._priors.made.set_bounds(self._edited_bounds())

    def take_progress(self, iteration: int, metrics: Mapping[str, Any]) -> None:
        """Show what a running fit or sampling reports."""
        self.fit_view.take_progress(iteration, metrics)
        if self._posterior.made is not None:
            self._posterior.made.take_progress(metrics)

    def end(self) -> None:
        """Show that nothing runs any more."""
        self.fit_view.end()
        if self._posterior.made is not None:
            self._posterior.made.end()

    def _count(self) -> int:
        """Count what a sampling will draw, at most: the noise is drawn too."""
        return len(self._model.parameters) + _MOST_NOISE if self._model is not None else 0

    def _make_posterior_view(self) -> PosteriorView:
        from rheojobs.qt.widgets.posterior.posterior_view import PosteriorView

        view = PosteriorView()
        view.prepare(self._count())
        return view

    def _make_priors_editor(self) -> PriorsEditor:
        from rheojobs.qt.widgets.model.priors_editor import PriorsEditor

        editor = PriorsEditor()
        editor.set_parameters(self._model.parameters if self._model is not None else ())
        editor.set_bounds(self._edited_bounds())
        return editor


def _make_fit_view() -> FitView:
    from rheojobs.qt.widgets.fit.fit_view import FitView

    return FitView()
