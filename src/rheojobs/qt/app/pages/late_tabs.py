"""Tabs whose pages are made when they are first shown: plots take long to load."""

from __future__ import annotations

import functools
import importlib
import logging
import threading
from collections.abc import Callable, Sequence
from concurrent.futures import Future

from qtpy import QtCore, QtGui, QtWidgets
from qtpy.QtCore import Qt
from qtpy.QtGui import QPalette
from qtpy.QtWidgets import QLabel, QTabWidget, QWidget

__all__ = ["LatePage", "LateTabs", "load_in_background", "steps_to_all_types"]

logger = logging.getLogger(__name__)

SLOW = frozenset({"QPageSize"})
"""Types that take far longer than a frame to make, and that no part of the window uses."""


class LatePage[Page: QWidget]:
    """A page that is made when it is first asked for.

    Attributes
    ----------
    title : str
        On its tab.
    """

    def __init__(
        self, tabs: LateTabs, title: str, make: Callable[[], Page], stand_in: QWidget
    ) -> None:
        self.title = title
        self._tabs = tabs
        self._make = make
        self._stand_in = stand_in
        self._page: Page | None = None

    @property
    def made(self) -> Page | None:
        """The page if it is made already, else None."""
        return self._page

    def get(self) -> Page:
        """Return the page; the first call makes it and puts it in the tabs."""
        if self._page is None:
            self._page = self._make()
            self._tabs.put(self._page, self._stand_in)
        return self._page


class LateTabs(QTabWidget):
    """Tabs with pages that are made when they are shown or asked for."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._waiting: dict[QWidget, LatePage[QWidget]] = {}
        self.currentChanged.connect(self._on_current)

    def add[Page: QWidget](
        self, title: str, make: Callable[[], Page], words: str = ""
    ) -> LatePage[Page]:
        """Add a page that is not made yet.

        Parameters
        ----------
        title : str
            On its tab.
        make : callable
            Makes the page.
        words : str
            Shown until the page is made; a page with words is made only when it is asked for.
        """
        stand_in = QLabel(words)
        stand_in.setAlignment(Qt.AlignmentFlag.AlignCenter)
        stand_in.setWordWrap(True)
        stand_in.setAutoFillBackground(True)
        stand_in.setBackgroundRole(QPalette.ColorRole.Base)
        page = LatePage(self, title, make, stand_in)
        if not words:
            self._waiting[stand_in] = page
        self.addTab(stand_in, title)
        return page

    def put(self, page: QWidget, stand_in: QWidget) -> None:
        """Replace the placeholder by the page."""
        self._waiting.pop(stand_in, None)
        number = self.indexOf(stand_in)
        is_current = self.currentIndex() == number
        said = self.blockSignals(True)  # the present tab does not change
        self.insertTab(number, page, self.tabText(number))
        if is_current:
            self.setCurrentIndex(number)
        self.removeTab(number + 1)
        self.blockSignals(said)
        stand_in.deleteLater()

    def _on_current(self, number: int) -> None:
        widget = self.widget(number)
        if widget in self._waiting:
            self._waiting[widget].get()


def steps_to_all_types() -> list[Callable[[], object]]:
    """Return steps that make all types of Qt, to be done in the thread of the window.

    PySide makes a type when it is first asked for, and crashes where two threads do so at once.
    A plotting library asks for all of them while it is imported.
    """
    return [
        functools.partial(getattr, module, name, None)
        for module in (QtCore, QtGui, QtWidgets)
        for name in dir(module)
        if name not in SLOW
    ]


def load_in_background(modules: Sequence[str]) -> Future[None]:
    """Import modules in a separate thread, so that they are loaded when they are needed.

    Before modules that use Qt come `steps_to_all_types`.

    Returns
    -------
    Future
        Done when all are imported; for a module that fails, the later import raises the error.
    """
    loading: Future[None] = Future()

    def load() -> None:
        for module in modules:
            try:
                importlib.import_module(module)
            except ImportError as error:
                logger.debug("%s cannot be loaded", module, exc_info=True)
                loading.set_exception(error)
                return
        loading.set_result(None)

    # No daemon: Python ends such a thread amid an import, and modules of Qt crash there.
    threading.Thread(target=load, name="rheojobs-loading").start()
    return loading
