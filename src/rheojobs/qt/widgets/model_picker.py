"""A searchable list of models that suit the data. Knows `ModelInfo`; loads no model."""

from __future__ import annotations

from collections.abc import Sequence

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import (
    QComboBox,
    QCompleter,
    QLabel,
    QLineEdit,
    QSizePolicy,
    QVBoxLayout,
    QWidget,
)

from rheojobs.inference.catalogue import ModelInfo
from rheojobs.qt.widgets.message_bar import MessageBar

__all__ = ["ModelPicker"]

_FIRST_CHOICE = {"flow_curve": "herschel_bulkley"}
_USUAL_CHOICE = "maxwell"


class ModelPicker(QWidget):
    """Chooses a model of the catalogue.

    Attributes
    ----------
    model_changed : Signal(object)
        The `ModelInfo` that is chosen now, or None.
    """

    model_changed = Signal(object)

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._models: tuple[ModelInfo, ...] = ()
        self._by_name: dict[str, ModelInfo] = {}
        self._mode: str | None = None
        self._told = ""
        self.names = QComboBox(self)
        self.names.setEditable(True)
        self.names.setInsertPolicy(QComboBox.InsertPolicy.NoInsert)
        self.names.setMaxVisibleItems(20)
        self.names.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Fixed)
        self.names.setAccessibleName(self.tr("Model"))
        self.names.setToolTip(self.tr("Type a part of a name to search"))
        completer = QCompleter(self.names.model(), self)
        completer.setFilterMode(Qt.MatchFlag.MatchContains)
        completer.setCaseSensitivity(Qt.CaseSensitivity.CaseInsensitive)
        completer.setCompletionMode(QCompleter.CompletionMode.PopupCompletion)
        self.names.setCompleter(completer)
        self.names.currentIndexChanged.connect(self._on_changed)
        self._line_edit().editingFinished.connect(self._restore_text)
        self.description = QLabel(self)
        self.description.setWordWrap(True)
        self.description.setTextFormat(Qt.TextFormat.PlainText)
        self.description.setAccessibleName(self.tr("Description of the model"))
        self.message = MessageBar(self)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.addWidget(self.names)
        layout.addWidget(self.description)
        layout.addWidget(self.message)
        self.set_loading()

    @property
    def model(self) -> ModelInfo | None:
        """The model that is chosen."""
        return self._by_name.get(self.names.itemText(self.names.currentIndex()))

    def set_loading(self) -> None:
        """Say that the list is on its way."""
        self.names.setEnabled(False)
        self._line_edit().setPlaceholderText(self.tr("Making the list of models…"))

    def set_models(self, models: Sequence[ModelInfo]) -> None:
        """Take the list."""
        self._models = tuple(models)
        self._by_name = {info.name: info for info in self._models}
        self.names.setEnabled(True)
        self._line_edit().setPlaceholderText("")
        self.message.clear()
        self._fill()

    def set_test_mode(self, mode: str | None) -> None:
        """Offer only the models that can be fitted to this test; all where it is unknown."""
        if mode != self._mode:
            self._mode = mode
            self._fill()

    def choose(self, name: str) -> bool:
        """Choose a model by its name; False where it is not offered."""
        row = self.names.findText(name)
        if row >= 0:
            self.names.setCurrentIndex(row)
        return row >= 0

    def _fill(self) -> None:
        wanted = self.names.itemText(self.names.currentIndex())
        offered = [
            info
            for info in self._models
            if info.test_modes and (self._mode is None or self._mode in info.test_modes)
        ]
        self.names.blockSignals(True)
        self.names.clear()
        for row, info in enumerate(offered):
            self.names.addItem(info.name)
            self.names.setItemData(row, info.description, Qt.ItemDataRole.ToolTipRole)
        first = _FIRST_CHOICE.get(self._mode or "", _USUAL_CHOICE)
        for name in (wanted, first, _USUAL_CHOICE):
            if name and self.choose(name):
                break
        self.names.blockSignals(False)
        self._on_changed()

    def _on_changed(self, *_: object) -> None:
        info = self.model
        self.description.setText(info.description if info is not None else "")
        name = info.name if info is not None else ""
        if name != self._told:
            self._told = name
            self.model_changed.emit(info)

    def _restore_text(self) -> None:
        """Take back a text that names no model, so that what is shown is what is fitted."""
        text = self._line_edit().text().strip()
        if not self.choose(text):
            self._line_edit().setText(self.names.itemText(self.names.currentIndex()))

    def _line_edit(self) -> QLineEdit:
        edit = self.names.lineEdit()
        assert edit is not None
        return edit
