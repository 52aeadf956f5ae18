"""`TiesEditor`: parameters that a fit computes from others, one in each line."""

from __future__ import annotations

from collections.abc import Sequence

from qtpy.QtCore import Signal
from qtpy.QtWidgets import QPlainTextEdit, QVBoxLayout, QWidget

from rheojobs.errors import InputError
from rheojobs.inference.fits.options import FitOptions
from rheojobs.inference.models.ties import parse_ties
from rheojobs.inference.options.option import options_of

__all__ = ["TiesEditor"]

_OPTION = options_of(FitOptions)["tied"]
_LINES = 3


class TiesEditor(QWidget):
    """A field of lines such as ``G_2 = 0.5 * G_1``.

    Attributes
    ----------
    changed : Signal()
        The text was edited.
    text : QPlainTextEdit
        The lines.
    """

    changed = Signal()

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._model, self._names = "", tuple[str, ...]()
        self.text = QPlainTextEdit(self)
        self.text.setPlaceholderText("G_2 = 0.5 * G_1")
        self.text.setAccessibleName(_OPTION.label)
        self.text.setToolTip(self.tr("{help} One in each line.").format(help=_OPTION.help))
        self.text.setTabChangesFocus(True)
        self.text.setFixedHeight(_LINES * self.fontMetrics().lineSpacing() + 14)
        self.text.textChanged.connect(self.changed)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.addWidget(self.text)

    def set_parameters(self, model: str, names: Sequence[str]) -> None:
        """Check ties against the parameters of this model from now on."""
        self._model, self._names = model, tuple(names)

    def values(self) -> dict[str, str]:
        """Return the expressions by parameter, as `FitOptions` takes them.

        Raises
        ------
        InputError
            If a line is no tie, names no parameter, or ties go round in a circle.
        """
        found: dict[str, str] = {}
        for line in filter(None, map(str.strip, self.text.toPlainText().splitlines())):
            name, equals, expression = (part.strip() for part in line.partition("="))
            if not (name and equals and expression):
                raise InputError(f"{_OPTION.label}: a line is NAME = EXPRESSION, got {line!r}")
            if name in found:
                raise InputError(f"{_OPTION.label}: {name!r} is tied twice")
            found[name] = expression
        if self._names:
            parse_ties(found, self._names, self._model)
        return found

    def set_values(self, ties: dict[str, str]) -> None:
        """Show ties."""
        self.text.setPlainText("\n".join(f"{name} = {told}" for name, told in ties.items()))
