"""`ModelPicker`: a searchable list of models; those that suit the data come first."""

from __future__ import annotations

from collections.abc import Sequence

from qtpy.QtCore import Qt, Signal
from qtpy.QtWidgets import (
    QComboBox,
    QHBoxLayout,
    QLabel,
    QLineEdit,
    QSizePolicy,
    QToolButton,
    QVBoxLayout,
    QWidget,
)

from rheojobs.inference.models.catalogue import ModelInfo
from rheojobs.inference.models.own.reference import shown_name
from rheojobs.inference.models.settings import FORMULA
from rheojobs.qt.widgets.common.message_bar import MessageBar
from rheojobs.qt.widgets.model.model_list import (
    DESCRIPTION_ROLE,
    EQUATION_ROLE,
    SEARCH_ROLE,
    ModelCompleter,
    ModelDelegate,
)

__all__ = ["ModelPicker"]

_FIRST_CHOICE = {"flow_curve": "herschel_bulkley"}
_USUAL_CHOICE = "maxwell"
_MOST_TOLD = 2
"""Settings of a model that are written out."""


class ModelPicker(QWidget):
    """Chooses a model from the catalogue.

    Attributes
    ----------
    model_changed : Signal(object)
        The `ModelInfo` that is chosen, or None.
    settings_button : QToolButton
        The settings of the model in words; the window opens their dialog when it is clicked.
    new_button : QToolButton
        The window opens the dialog of a model of the user's when it is clicked.
    explore_button : QToolButton
        Down while the window shows sliders for the parameters.
    """

    model_changed = Signal(object)

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._models: tuple[ModelInfo, ...] = ()
        self._by_name: dict[str, ModelInfo] = {}
        self._mode: str | None = None
        self._offered = 0
        self._told = ""
        self.names = QComboBox(self)
        self.names.setEditable(True)
        self.names.setInsertPolicy(QComboBox.InsertPolicy.NoInsert)
        self.names.setMaxVisibleItems(20)
        self.names.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Fixed)
        self.names.setAccessibleName(self.tr("Model"))
        self.names.setToolTip(
            self.tr("Type a part of a name, a description or an equation to search")
        )
        self.names.setItemDelegate(ModelDelegate(self.names))
        completer = ModelCompleter(self)
        completer.setModel(self.names.model())
        self.names.setCompleter(completer)
        self.names.currentIndexChanged.connect(self._on_changed)
        self._line_edit().editingFinished.connect(self._restore_text)
        self.description = QLabel(self)
        self.description.setWordWrap(True)
        self.description.setTextFormat(Qt.TextFormat.PlainText)
        self.description.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
        self.description.setAccessibleName(self.tr("Description and equation of the model"))
        self.settings_button = QToolButton(self)
        self.settings_button.setToolTip(self.tr("Change the settings of the model"))
        self.settings_button.hide()
        self.new_button = QToolButton(self)
        self.new_button.setText(self.tr("&New…"))
        self.new_button.setToolTip(self.tr("A model by a formula, or by a function in a file"))
        self.explore_button = QToolButton(self)
        self.explore_button.setCheckable(True)
        self.explore_button.setEnabled(False)
        self.explore_button.toggled.connect(self._name_exploring)
        self._name_exploring(False)
        self.explore_button.setToolTip(
            self.tr("Drag the parameters: the curve follows, and a fit can start from there")
        )
        self.message = MessageBar(self)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        first = QHBoxLayout()
        first.addWidget(self.names, 1)
        first.addWidget(self.new_button)
        layout.addLayout(first)
        layout.addWidget(self.description)
        buttons = QHBoxLayout()
        buttons.addWidget(self.settings_button)
        buttons.addStretch(1)
        buttons.addWidget(self.explore_button)
        layout.addLayout(buttons)
        layout.addWidget(self.message)
        self.set_loading()

    @property
    def model(self) -> ModelInfo | None:
        """The chosen model."""
        row = self.names.currentIndex()
        return self._by_name.get(self.names.itemText(row)) if row < self._offered else None

    def info(self, name: str) -> ModelInfo | None:
        """Return the model of this name, also if it is not offered for the present test."""
        return self._by_name.get(name)

    @property
    def is_loading(self) -> bool:
        """Whether the list is not there yet."""
        return not self._models

    def set_loading(self) -> None:
        """Show that the list is being made."""
        self.names.setEnabled(False)
        self._line_edit().setPlaceholderText(self.tr("Making the list of models…"))

    def set_models(self, models: Sequence[ModelInfo]) -> None:
        """Set the list."""
        self._models = tuple(models)
        self._by_name = {shown_name(info.name): info for info in self._models}
        self.names.setEnabled(True)
        self._line_edit().setPlaceholderText("")
        self.message.clear()
        self._fill()

    def add(self, model: ModelInfo) -> None:
        """Add a model of the user's, in place of one of the same name, and choose it."""
        shown = shown_name(model.name)
        others = [info for info in self._models if shown_name(info.name) != shown]
        self.message.clear()
        self.set_models((*others, model))
        if self.choose(shown):
            self._told = ""  # another model may have had the name
            self._on_changed()
        else:
            modes = ", ".join(mode.replace("_", " ") for mode in model.test_modes)
            words = self.tr("{name} is for {modes} only: the data are of another test.")
            self.message.say("warning", words.format(name=shown, modes=modes))

    @property
    def test_mode(self) -> str | None:
        """The test to which the offered models can be fitted."""
        return self._mode

    def set_test_mode(self, mode: str | None) -> None:
        """List the models that can be fitted to this test, then the others, greyed out."""
        if mode != self._mode:
            self._mode = mode
            self._fill()

    def choose(self, name: str) -> bool:
        """Choose a model by its name; False if it is not offered."""
        row = self.names.findText(name, Qt.MatchFlag.MatchFixedString)
        if 0 <= row < self._offered:
            self.names.setCurrentIndex(row)
            return True
        return False

    def _name_exploring(self, is_exploring: bool) -> None:
        # In words, since dark styles hardly show that a button is down.
        words = self.tr("&Back to the table") if is_exploring else self.tr("E&xplore by sliders")
        self.explore_button.setText(words)

    def show_settings(self, model: ModelInfo | None) -> None:
        """Show the settings of the model in words, if it has more than that of its formulas."""
        settings = model.settings if model is not None else ()
        config = model.config if model is not None else {}
        told = [
            f"{item.name} = {config.get(item.name, item.default)}"
            for item in settings
            if item.name in config or item.name != FORMULA
        ]
        more = len(told) - _MOST_TOLD
        words = ", ".join(told[:_MOST_TOLD]) + (
            self.tr(" and {n} more").format(n=more) if more > 0 else ""
        )
        self.settings_button.setText(self.tr("{settings} …").format(settings=words))
        self.settings_button.setVisible(bool(told))

    def _fill(self) -> None:
        wanted = self.names.itemText(self.names.currentIndex())
        offered = [
            info
            for info in self._models
            if info.test_modes and (self._mode is None or self._mode in info.test_modes)
        ]
        others = [info for info in self._models if info not in offered]
        self._offered = len(offered)
        self.names.blockSignals(True)
        self.names.clear()
        for row, info in enumerate((*offered, *others)):
            told = info.description if row < self._offered else self._why_not(info)
            self.names.addItem(shown_name(info.name))
            self.names.setItemData(row, told, DESCRIPTION_ROLE)
            equation = info.equation(self._mode) if row < self._offered else ""
            self.names.setItemData(row, equation, EQUATION_ROLE)
            hint = f"{told}\n{equation}" if equation else told
            self.names.setItemData(row, hint, Qt.ItemDataRole.ToolTipRole)
            words = f"{info.name} {info.description} {info.equation(self._mode)}"
            self.names.setItemData(row, words, SEARCH_ROLE)
            if row >= self._offered:
                self.names.setItemData(row, 0, int(Qt.ItemDataRole.UserRole) - 1)  # its flags
        if not offered:
            self.names.setCurrentIndex(-1)
        first = _FIRST_CHOICE.get(self._mode or "", _USUAL_CHOICE)
        for name in (wanted, first, _USUAL_CHOICE):
            if name and self.choose(name):
                break
        self.names.blockSignals(False)
        self._on_changed()

    def _why_not(self, info: ModelInfo) -> str:
        """Return why a model is not offered."""
        reason = info.refused.get(self._mode or "")
        if reason:
            return reason
        if not info.test_modes:
            return self.tr("It cannot be fitted here.")
        modes = ", ".join(mode.replace("_", " ") for mode in info.test_modes)
        return self.tr("For {modes} only.").format(modes=modes)

    def _on_changed(self, *_: object) -> None:
        info = self.model
        self.description.setText("\n".join(self._lines(info)))
        name = info.name if info is not None else ""
        if name != self._told:
            self._told = name
            self.model_changed.emit(info)

    def _lines(self, info: ModelInfo | None) -> list[str]:
        """Return the description and equation of a model, and what is wrong with it in the test."""
        if info is None:
            return []
        fault = info.warnings.get(self._mode or "")
        lines = (info.description, info.equation(self._mode), fault and f"⚠ {fault}")
        return [line for line in lines if line]

    def _restore_text(self) -> None:
        """Reset a text that names no model, so that the shown model is the one that is fitted."""
        text = self._line_edit().text().strip()
        if not self.choose(text):
            self._line_edit().setText(self.names.itemText(self.names.currentIndex()))

    def _line_edit(self) -> QLineEdit:
        edit = self.names.lineEdit()
        assert edit is not None
        return edit
