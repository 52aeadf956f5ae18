"""Fields for declared options; labels, defaults, limits and help come from the declarations."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from qtpy.QtCore import QSignalBlocker, Qt, Signal
from qtpy.QtWidgets import QComboBox, QGridLayout, QLabel, QLineEdit, QSpinBox, QWidget

from rheojobs.errors import InputError
from rheojobs.inference.options.kinds import Choice, Count, Flag, Number, Text
from rheojobs.inference.options.option import Option
from rheojobs.qt.widgets.common.check_boxes import CheckBox

__all__ = ["OptionForm", "has_field"]

MOST = 10_000_000
"""The largest whole number of a field whose option has no limit."""

type Field = QSpinBox | QComboBox | QLineEdit | CheckBox


def has_field(option: Option) -> bool:
    """Return whether an option is a single value, which a form can show."""
    return isinstance(option.kind, Choice | Count | Flag | Number | Text)


class OptionForm(QWidget):
    """A field for each option, with its label; bold if its value is not the default.

    Parameters
    ----------
    options : iterable of Option
        The options; `has_field` must accept each.
    columns : int
        How many fields are side by side.
    parent : QWidget, optional
        The Qt parent.

    Attributes
    ----------
    changed : Signal()
        A value was edited.
    """

    changed = Signal()

    def __init__(
        self, options: Iterable[Option], columns: int = 1, parent: QWidget | None = None
    ) -> None:
        super().__init__(parent)
        self._options = {option.name: option for option in options}
        self._fields: dict[str, Field] = {}
        self._labels: dict[str, QLabel] = {}
        grid = QGridLayout(self)
        grid.setContentsMargins(0, 0, 0, 0)
        for number, option in enumerate(self._options.values()):
            field = self._field(option)
            field.setAccessibleName(option.label)
            field.setToolTip(option.help)
            label = QLabel(option.label, self)
            label.setBuddy(field)
            row, column = divmod(number, columns)
            grid.addWidget(label, row, 2 * column)
            grid.addWidget(field, row, 2 * column + 1)
            grid.setColumnStretch(2 * column + 1, 1)
            self._fields[option.name] = field
            self._labels[option.name] = label
            _edited(field).connect(self._on_edited)

    def field(self, name: str) -> Any:
        """Return the field of an option, given its name in Python."""
        return self._fields[name]

    def values(self) -> dict[str, Any]:
        """Return the options that differ from the default, by their names in Python.

        Raises
        ------
        InputError
            If a value is invalid; the error names the option by its label.
        """
        found = {}
        for name, option in self._options.items():
            try:
                value = option.check(self._value(name))
            except InputError as error:
                raise InputError(error.spelled(lambda name: self._options[name].label)) from None
            if value != option.default:
                found[name] = value
        return found

    def differing(self) -> dict[str, str]:
        """Return the labels of the options that differ from the default, and their values."""
        return {
            option.label: "" if (value := self._value(name)) is None else str(value)
            for name, option in self._options.items()
            if self._value(name) != option.default
        }

    def set_values(self, values: Mapping[str, Any]) -> None:
        """Show values by their names in Python, and the defaults of all others."""
        for name, option in self._options.items():
            self._set(self._fields[name], values.get(name, option.default))
        self._mark()

    def reset(self) -> None:
        """Show the defaults."""
        self.set_values({})
        self.changed.emit()

    def _on_edited(self, *_: object) -> None:
        self._mark()
        self.changed.emit()

    def _mark(self) -> None:
        for name, option in self._options.items():
            label = self._labels[name]
            font = label.font()
            font.setBold(self._value(name) != option.default)
            label.setFont(font)

    @staticmethod
    def _set(field: Field, value: Any) -> None:
        with QSignalBlocker(field):
            if isinstance(field, QComboBox):
                field.setCurrentIndex(max(0, field.findData(value)))
            elif isinstance(field, CheckBox):
                field.setChecked(bool(value))
            elif isinstance(field, QSpinBox):
                field.setValue(field.minimum() if value is None else value)
            else:
                field.setText(_shown(value))

    def _field(self, option: Option) -> Field:
        kind, default = option.kind, option.default
        if isinstance(kind, Flag):
            box = CheckBox("", self)
            box.setChecked(default)
            return box
        if isinstance(kind, Choice):
            return self._choice(kind, default)
        if isinstance(kind, Count):
            return self._count(kind, default)
        line = QLineEdit(_shown(default), self)
        line.setPlaceholderText(self.tr("by default"))
        if isinstance(kind, Number):
            line.setMaximumWidth(line.fontMetrics().horizontalAdvance("0.00000000"))
        return line

    def _choice(self, kind: Choice, default: str | None) -> QComboBox:
        box = QComboBox(self)
        if default is None:
            box.addItem(self.tr("by default"), None)
        for word, meaning in kind.words.items():
            box.addItem(word, word)
            box.setItemData(box.count() - 1, meaning, Qt.ItemDataRole.ToolTipRole)
        box.setCurrentIndex(max(0, box.findData(default)))
        box.setSizeAdjustPolicy(QComboBox.SizeAdjustPolicy.AdjustToContents)
        return box

    def _count(self, kind: Count, default: int | None) -> QSpinBox:
        spin = QSpinBox(self)
        most = MOST if kind.most is None else kind.most
        # The smallest value stands for none if the option may be none.
        spin.setRange(kind.least - (default is None), most)
        if default is None:
            spin.setSpecialValueText(self.tr("by default"))
        spin.setValue(spin.minimum() if default is None else default)
        spin.setSingleStep(100 if most > 1000 and (default or 0) >= 100 else 1)
        return spin

    def _value(self, name: str) -> Any:
        option, field = self._options[name], self._fields[name]
        if isinstance(field, QComboBox):
            return field.currentData()
        if isinstance(field, CheckBox):
            return field.isChecked()
        if isinstance(field, QSpinBox):
            is_none = option.default is None and field.value() == field.minimum()
            return None if is_none else field.value()
        text = field.text().strip()
        if isinstance(option.kind, Text):
            return text or option.default
        try:
            return float(text) if text else option.default
        except ValueError:
            return text  # the option refuses it


def _shown(value: Any) -> str:
    """Return the text of a field of a number or of a word."""
    if value is None or isinstance(value, str):
        return value or ""
    return f"{value:.10g}"


def _edited(field: Field) -> Any:
    """Return the signal that a value was edited; its arguments differ."""
    if isinstance(field, QComboBox):
        return field.currentIndexChanged
    if isinstance(field, CheckBox):
        return field.toggled
    return field.valueChanged if isinstance(field, QSpinBox) else field.textChanged
