"""`ParameterSliders`: a slider and a field for each parameter of a model."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence

from qtpy.QtCore import QSignalBlocker, Qt, Signal
from qtpy.QtWidgets import (
    QFrame,
    QGridLayout,
    QHBoxLayout,
    QLabel,
    QLineEdit,
    QPushButton,
    QScrollArea,
    QSlider,
    QVBoxLayout,
    QWidget,
)

from rheojobs.inference.models.parameters import Parameter
from rheojobs.qt.widgets.common.texts import bounds_text, unit_text, with_unit
from rheojobs.qt.widgets.model.parameter_rows import Row
from rheojobs.qt.widgets.model.slider_scale import STEPS, SliderScale, usual_value

__all__ = ["ParameterSliders"]


class _Control:
    """The slider and the field of one parameter."""

    def __init__(self, parameter: Parameter, owner: QWidget) -> None:
        self.parameter = parameter
        self.value, self.bounds = 1.0, parameter.bounds
        self.scale = SliderScale(0.0, 1.0, False)
        self._is_fixed = self._is_tied = False
        self.slider = QSlider(Qt.Orientation.Horizontal, owner)
        self.slider.setRange(0, STEPS)
        self.slider.setPageStep(STEPS // 20)
        self.slider.setAccessibleName(parameter.name)
        self.field = QLineEdit(owner)
        self.field.setAccessibleName(parameter.name)
        self.field.setFixedWidth(self.field.fontMetrics().horizontalAdvance("0.0000e+00000"))

    def put(self, row: Row) -> None:
        """Show a parameter as it is in the table."""
        self.bounds = row.bounds or self.parameter.bounds
        value = row.fixed_at if row.is_fixed else row.value
        self.set(usual_value(self.parameter, self.bounds) if value is None else value)
        self._is_fixed = row.is_fixed
        self._enable()

    def set_tied(self, tied: bool) -> None:
        """Set whether the value follows from others."""
        if tied != self._is_tied:
            self._is_tied = tied
            self._enable()

    def _enable(self) -> None:
        for widget in (self.slider, self.field):
            widget.setEnabled(not (self._is_fixed or self._is_tied))

    def set(self, value: float) -> None:
        """Show a value, in the middle of the slider if it has no natural ends."""
        self.value = min(max(value, self.bounds[0]), self.bounds[1])
        self.recentre()
        self.show()

    def recentre(self) -> None:
        """Let the slider reach as far to both sides of the value as it may."""
        self.scale = SliderScale.of(self.parameter, self.bounds, self.value)
        with QSignalBlocker(self.slider):
            self.slider.setValue(self.scale.step(self.value))
        hint = bounds_text(self.scale.low, self.scale.high)
        self.slider.setToolTip(with_unit(hint, self.parameter.unit))

    def show(self) -> None:
        """Write the value."""
        self.field.setText(f"{self.value:.5g}")


class ParameterSliders(QWidget):
    """Sliders for the parameters, with buttons to fit from their values and to restore them.

    A slider whose bounds span decades is logarithmic and reaches two decades to both sides of its
    value; when it is released, it reaches from the new value again.

    Attributes
    ----------
    moved : Signal()
        A value was changed by hand: see `values`.
    fit_button, reset_button : QPushButton
        The window connects them.
    note : QLabel
        What is being waited for.
    """

    moved = Signal()

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._controls: dict[str, _Control] = {}
        self.fit_button = QPushButton(self.tr("Fit from &here"), self)
        self.fit_button.setToolTip(self.tr("Fit the model, starting from these values"))
        self.reset_button = QPushButton(self.tr("Rese&t"), self)
        self.reset_button.setToolTip(self.tr("Return to the values of the table"))
        self._area = QScrollArea(self)
        self._area.setFrameShape(QFrame.Shape.NoFrame)
        self._area.setWidgetResizable(True)
        self._area.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        buttons = QHBoxLayout()
        self.note = QLabel(self)
        buttons.addWidget(self.note, 1)
        buttons.addWidget(self.reset_button)
        buttons.addWidget(self.fit_button)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.addWidget(self._area, 1)
        layout.addLayout(buttons)

    def show_rows(self, rows: Sequence[Row]) -> None:
        """Show the parameters of a table, at its values, or at usual ones where it has none."""
        known = [row for row in rows if row.parameter is not None]
        same = [control.parameter for control in self._controls.values()]
        if same != [row.parameter for row in known]:
            self._make([row.parameter for row in known if row.parameter is not None])
        for row in known:
            self._controls[row.name].put(row)

    def values(self) -> dict[str, float]:
        """Return the value of each parameter."""
        return {name: control.value for name, control in self._controls.items()}

    def slider(self, name: str) -> QSlider:
        """Return the slider of a parameter."""
        return self._controls[name].slider

    def field(self, name: str) -> QLineEdit:
        """Return the field of a parameter."""
        return self._controls[name].field

    def show_tied(self, values: Mapping[str, float]) -> None:
        """Show the values of parameters that follow from others; their sliders cannot be moved."""
        for name, control in self._controls.items():
            is_tied = name in values
            if is_tied:
                control.set(values[name])
            control.set_tied(is_tied)

    # ---------------------------------------------------------------- inside

    def _make(self, parameters: Sequence[Parameter]) -> None:
        inside = QWidget()
        grid = QGridLayout(inside)
        grid.setContentsMargins(0, 0, 6, 0)
        grid.setVerticalSpacing(2)
        self._controls = {}
        for line, parameter in enumerate(parameters):
            control = _Control(parameter, inside)
            label = QLabel(parameter.name, inside)
            label.setBuddy(control.slider)
            label.setToolTip(parameter.description)
            unit = QLabel(unit_text(parameter.unit), inside)
            for column, widget in enumerate((label, control.slider, control.field, unit)):
                grid.addWidget(widget, line, column)
            self._connect(control)
            self._controls[parameter.name] = control
        grid.setColumnStretch(1, 1)
        grid.setRowStretch(len(parameters), 1)
        self._area.setWidget(inside)

    def _connect(self, control: _Control) -> None:
        def slide(step: int) -> None:
            control.value = control.scale.value(step)
            control.show()
            if not control.slider.isSliderDown():
                control.recentre()
            self.moved.emit()

        def type_in() -> None:
            try:
                value = float(control.field.text().strip().replace(",", "."))
            except ValueError:
                value = math.nan
            if not math.isfinite(value) or f"{value:.5g}" == f"{control.value:.5g}":
                control.show()
                return
            control.set(value)
            self.moved.emit()

        control.slider.valueChanged.connect(slide)
        control.slider.sliderReleased.connect(control.recentre)
        control.field.editingFinished.connect(type_in)
