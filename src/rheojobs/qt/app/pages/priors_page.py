"""The page of the priors."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

from qtpy.QtCore import QT_TRANSLATE_NOOP

from rheojobs.inference.models.catalogue import ModelInfo
from rheojobs.qt.app.pages.late_tabs import LateTabs
from rheojobs.qt.app.pages.page import Page

if TYPE_CHECKING:  # the plots take as long to load as everything else
    from rheojobs.qt.widgets.model.priors_editor import PriorsEditor

__all__ = ["PriorsPage"]


class PriorsPage(Page["PriorsEditor"]):
    """The editor of the model's priors.

    Attributes
    ----------
    on_edited : callable
        Called when the user has edited a prior.
    """

    title = str(QT_TRANSLATE_NOOP("pages", "Priors"))
    modules = ("rheojobs.qt.widgets.model.priors_editor",)

    def __init__(self, tabs: LateTabs) -> None:
        self._model: ModelInfo | None = None
        self._bounds: Mapping[str, tuple[float, float]] = {}
        self._edited: Mapping[str, Mapping[str, Any]] = {}
        self.on_edited: Callable[[], object] = lambda: None
        super().__init__(tabs)

    def make(self) -> PriorsEditor:
        """Return an editor with the parameters of the model and their present bounds."""
        from rheojobs.qt.widgets.model.priors_editor import PriorsEditor

        editor = PriorsEditor()
        editor.set_parameters(self._model.parameters if self._model is not None else ())
        editor.set_bounds(self._bounds)
        editor.restore_edited(self._edited)
        editor.changed.connect(lambda: self.on_edited())
        return editor

    def edited(self) -> dict[str, dict[str, Any]]:
        """Return the priors that the user has edited."""
        if self.made is not None:
            return self.made.edited()
        return {name: dict(prior) for name, prior in self._edited.items()}

    def restore_edited(self, priors: Mapping[str, Mapping[str, Any]]) -> None:
        """Set the edited priors of the present model."""
        self._edited = priors
        if self.made is not None:
            self.made.restore_edited(priors)

    def model_shown(self, model: ModelInfo | None) -> None:
        """Edit the priors of this model, with its own bounds."""
        if model is None or self._model is None or model.parameters != self._model.parameters:
            self._edited = {}
        self._model, self._bounds = model, {}
        if self.made is not None:
            self.made.set_parameters(model.parameters if model is not None else ())

    def bounds_edited(self, bounds: Mapping[str, tuple[float, float]]) -> None:
        """Use the bounds that the user has narrowed."""
        self._bounds = dict(bounds)
        if self.made is not None:
            self.made.set_bounds(bounds)
