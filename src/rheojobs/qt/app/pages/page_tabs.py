"""`PageTabs`: the pages of the window as tabs; `PAGES` is the one list of them."""

from __future__ import annotations

from typing import Any

from PySide6.QtCore import QTimer
from PySide6.QtWidgets import QWidget

from rheojobs.qt.app.pages.fit_page import FitPage
from rheojobs.qt.app.pages.late_tabs import LateTabs, load_in_background
from rheojobs.qt.app.pages.page import Page
from rheojobs.qt.app.pages.posterior_page import PosteriorPage
from rheojobs.qt.app.pages.priors_page import PriorsPage

__all__ = ["PAGES", "PageTabs"]

PAGES: tuple[type[Page[Any]], ...] = (FitPage, PosteriorPage, PriorsPage)
"""In the order of their tabs; those to the left are made first."""

_LOAD_MS = 300
"""After the start."""

_LOOK_MS = 30
"""How often to look whether all is loaded."""


class PageTabs(LateTabs):
    """The tabs of the window; made soon after the start, or when they are wanted.

    Attributes
    ----------
    pages : list of Page
        All of them, to be told of data, models and runs.
    """

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setDocumentMode(True)
        self.pages = [kind(self) for kind in PAGES]
        self._later = QTimer(self, singleShot=True, interval=_LOAD_MS)
        self._later.timeout.connect(self.load)

    def page[P: Page[Any]](self, kind: type[P]) -> P:
        """Return the page of this class."""
        return next(page for page in self.pages if isinstance(page, kind))

    def load_soon(self) -> None:
        """Load what the pages need, once the window is painted and can be used."""
        self._later.start()

    def load(self) -> None:
        """Load what the pages need and make them, so that the first data do not wait for it."""
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
        """Make a page whenever nothing else is to do: none at the first data, or at a click."""
        for page in self.pages:
            if page.made is None:
                page.view  # noqa: B018 - made when it is asked for
                QTimer.singleShot(0, self, self.prepare)
                return
