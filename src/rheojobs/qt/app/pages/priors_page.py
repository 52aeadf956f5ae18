"""The page of the priors."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from PySide6.QtCore import QT_TRANSLATE_NOOP

from rheojobs.inference.models.catalogue import ModelInfo
from rheojobs.qt.app.pages.late_tabs import LateTabs
from rheojobs.qt.app.pages.page import Page

if TYPE_CHECKING:  # plots take as long to load as all the rest
    from rheojobs.qt.widgets.model.priors_editor import PriorsEditor

__all__ = ["PriorsPage"]


class PriorsPage(Page["PriorsEditor"]):
    """The priors of the model, to be edited."""

    title = str(QT_TRANSLATE_NOOP("pages", "Priors"))
    modules = ("rheojobs.qt.widgets.model.priors_editor",)

    def __init__(self, tabs: LateTabs) -> None:
        self._model: ModelInfo | None = None
        self._bounds: Mapping[str, tuple[float, float]] = {}
        super().__init__(tabs)

    def make(self) -> PriorsEditor:
        """Return an editor with the parameters of the model, and the bounds as they are now."""
        from rheojobs.qt.widgets.model.priors_editor import PriorsEditor

        editor = PriorsEditor()
        editor.set_parameters(self._model.parameters if self._model is not None else ())
        editor.set_bounds(self._bounds)
        return editor

    def model_shown(self, model: ModelInfo | None) -> None:
        """Edit the priors of this model, on its own bounds."""
        self._model, self._bounds = model, {}
        if self.made is not None:
            self.made.set_parameters(model.parameters if model is not None else ())

    def bounds_edited(self, bounds: Mapping[str, tuple[float, float]]) -> None:
        """Take the bounds that the user made narrower."""
        self._bounds = dict(bounds)
        if self.made is not None:
            self.made.set_bounds(bounds)
