"""`PageTabs`: the pages of the window as tabs; `PAGES` is the one list of them."""

from __future__ import annotations

from typing import Any

from qtpy.QtCore import QTimer
from qtpy.QtWidgets import QWidget

from rheojobs.inference.data.dataset import Dataset
from rheojobs.qt.app.pages.fit_page import FitPage
from rheojobs.qt.app.pages.late_tabs import LateTabs, load_in_background, steps_to_all_types
from rheojobs.qt.app.pages.page import Page
from rheojobs.qt.app.pages.posterior_page import PosteriorPage
from rheojobs.qt.app.pages.priors_page import PriorsPage
from rheojobs.qt.app.pages.series_page import SeriesPage
from rheojobs.qt.app.workspace.notes_page import NotesPage
from rheojobs.qt.single_shot import single_shot
from rheojobs.qt.widgets.common.refresh import InSteps

__all__ = ["PAGES", "PageTabs"]

PAGES: tuple[type[Page[Any]], ...] = (
    FitPage,
    PosteriorPage,
    PriorsPage,
    SeriesPage,
    NotesPage,
)
"""In the order of their tabs; those to the left are made first."""

_LOAD_MS = 300
"""Delay after the start."""

_LOOK_MS = 30
"""Interval of the checks whether all modules are loaded."""


class PageTabs(LateTabs):
    """The tabs of the window; made soon after the start, or when they are needed.

    Attributes
    ----------
    pages : list of Page
        All pages; the window calls their methods for data, models and runs.
    """

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setDocumentMode(True)
        self.pages = [kind(self) for kind in PAGES]
        self._later = QTimer(self, singleShot=True, interval=_LOAD_MS)
        self._later.timeout.connect(self.load)
        self._steps = InSteps(self)

    def page[P: Page[Any]](self, kind: type[P]) -> P:
        """Return the page of this class."""
        return next(page for page in self.pages if isinstance(page, kind))

    def dataset_relabelled(self, before: Dataset, after: Dataset) -> None:
        """Tell all pages that a dataset has other conditions."""
        for page in self.pages:
            page.dataset_relabelled(before, after)

    def load_soon(self) -> None:
        """Load the modules of the pages, once the window is painted and can be used."""
        self._later.start()

    def load(self) -> None:
        """Load the modules and make the pages, so that the first data need not wait for them."""
        self._steps.begin([*steps_to_all_types(), self._load_modules])

    def _load_modules(self) -> None:
        loading = load_in_background([name for page in self.pages for name in page.modules])
        look = QTimer(self, interval=_LOOK_MS)

        def make() -> None:
            if loading.done():
                look.deleteLater()
                if loading.exception() is None:
                    self.prepare()

        look.timeout.connect(make)
        look.start()

    def prepare(self) -> None:
        """Make one page whenever the window is idle, so that data and clicks do not wait."""
        for page in self.pages:
            if page.made is None:
                page.view  # noqa: B018 - the access makes it
                single_shot(0, self, self.prepare)
                return
