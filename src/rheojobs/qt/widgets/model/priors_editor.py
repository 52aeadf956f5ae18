"""`PriorsEditor`: chooses, checks and draws the prior of each parameter."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

from qtpy.QtCore import Qt, Signal
from qtpy.QtWidgets import (
    QAbstractItemView,
    QComboBox,
    QFormLayout,
    QHeaderView,
    QLabel,
    QLineEdit,
    QSplitter,
    QTableWidget,
    QTableWidgetItem,
    QVBoxLayout,
    QWidget,
)

from rheojobs.errors import InputError
from rheojobs.inference.expressions.parameter_symbols import parameter_symbol
from rheojobs.inference.models.parameters import Parameter
from rheojobs.inference.posterior.default_priors import default_prior
from rheojobs.inference.posterior.densities import share_within
from rheojobs.inference.posterior.prior_syntax import PRIOR_TYPES, check_prior, prior_arguments
from rheojobs.qt.widgets.common.building import style_table
from rheojobs.qt.widgets.common.copying import make_copyable
from rheojobs.qt.widgets.common.message_bar import MessageBar
from rheojobs.qt.widgets.common.texts import bounds_text, number, unit_text, with_unit
from rheojobs.qt.widgets.model.density_plot import DensityPlot

__all__ = ["PriorsEditor"]

_LITTLE_OUTSIDE = 0.01


class PriorsEditor(QWidget):
    """A list of the parameters, and beside it the prior of the chosen one.

    Attributes
    ----------
    changed : Signal()
        A prior was edited.
    table : QTableWidget
        The parameters and their priors as text.
    kinds : QComboBox
        The distribution.
    fields : dict of str to QLineEdit
        Its arguments, by name.
    message : MessageBar
        What is wrong with the arguments; shown below them.
    """

    changed = Signal()

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._parameters: tuple[Parameter, ...] = ()
        self._bounds: dict[str, tuple[float, float]] = {}
        self._given: dict[str, dict[str, Any]] = {}
        self.fields: dict[str, QLineEdit] = {}
        self.table = self._make_table()
        self.kinds = QComboBox(self)
        self.kinds.setAccessibleName(self.tr("Distribution"))
        self.kinds.addItem(self.tr("default"), "")
        for kind in PRIOR_TYPES:
            self.kinds.addItem(PRIOR_TYPES[kind].numpyro_name, kind)
        self.kinds.activated.connect(self._on_kind)
        self.bounds_label = QLabel(self)
        self.form = QFormLayout()
        self.form.setFieldGrowthPolicy(QFormLayout.FieldGrowthPolicy.AllNonFixedFieldsGrow)
        self.form.addRow(self.tr("Bounds"), self.bounds_label)
        self.form.addRow(self.tr("&Distribution"), self.kinds)
        self.message = MessageBar(self)
        self.picture = DensityPlot(self)
        editor = QWidget()
        column = QVBoxLayout(editor)
        column.addLayout(self.form)
        column.addWidget(self.message)
        column.addWidget(self.picture, 1)
        explanation = QLabel(
            self.tr(
                "What is known of each parameter before the data are used. A default prior is "
                "uniform between the bounds, or in the logarithm if the bounds span decades; "
                "RheoJAX's fractional orders have Beta(2, 2)."
            )
        )
        explanation.setWordWrap(True)
        explanation.setContentsMargins(8, 6, 8, 2)
        halves = QSplitter(Qt.Orientation.Horizontal)
        halves.setChildrenCollapsible(False)
        halves.addWidget(self.table)
        halves.addWidget(editor)
        halves.setSizes([380, 430])
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.addWidget(explanation)
        layout.addWidget(halves, 1)

    def set_parameters(self, parameters: Sequence[Parameter]) -> None:
        """Show a model's parameters; keep the edited priors if the model is the same."""
        if tuple(parameters) != self._parameters:
            self._given = {}
        self._parameters = tuple(parameters)
        self._bounds = {}
        self.table.setRowCount(len(self._parameters))
        for row, parameter in enumerate(self._parameters):
            shown = QTableWidgetItem(parameter_symbol(parameter.name))
            shown.setToolTip(parameter.name)
            self.table.setItem(row, 0, shown)
            self.table.setItem(row, 1, QTableWidgetItem())
        self._tell_table()
        if self._parameters:
            self.table.selectRow(0)
        self._show()

    def set_bounds(self, bounds: Mapping[str, tuple[float, float]]) -> None:
        """Use bounds that the user has made narrower than the model's."""
        self._bounds = dict(bounds)
        self._tell_table()
        self._show()

    def choose(self, name: str) -> None:
        """Select a parameter."""
        self.table.selectRow([item.name for item in self._parameters].index(name))

    def priors(self) -> dict[str, dict[str, Any]]:
        """Return the priors, as in `SampleTask`; defaults are left out.

        A parameter with narrowed bounds has the default prior on these bounds.

        Raises
        ------
        InputError
            If a prior is incomplete or invalid.
        """
        for name, prior in self._given.items():
            check_prior(name, prior)
        made = {item.name: self._default(item) for item in self._parameters}
        narrowed = {name: dict(found) for name in self._bounds if (found := made.get(name))}
        return narrowed | self.edited()

    def edited(self) -> dict[str, dict[str, Any]]:
        """Return the priors that the user has edited, also incomplete ones."""
        return {name: dict(prior) for name, prior in self._given.items()}

    def restore_edited(self, priors: Mapping[str, Mapping[str, Any]]) -> None:
        """Set the edited priors; those of parameters or kinds that do not exist are left out."""
        names = {item.name for item in self._parameters}
        self._given = {
            name: dict(prior)
            for name, prior in priors.items()
            if name in names and prior.get("type") in PRIOR_TYPES
        }
        self._tell_table()
        self._show()

    # ---------------------------------------------------------------- one parameter

    @property
    def _parameter(self) -> Parameter | None:
        rows = self.table.selectionModel().selectedRows()
        return self._parameters[rows[0].row()] if rows and self._parameters else None

    def _limits(self, parameter: Parameter) -> tuple[float, float]:
        return self._bounds.get(parameter.name, parameter.bounds)

    def _show(self) -> None:
        """Show the prior of the chosen parameter, in the fields of its kind."""
        parameter = self._parameter
        self.kinds.setEnabled(parameter is not None)
        prior = self._given.get(parameter.name, {}) if parameter is not None else {}
        kind = str(prior.get("type", ""))
        self.kinds.setCurrentIndex(self.kinds.findData(kind))
        if parameter is not None:
            unit = unit_text(parameter.unit)
            self.bounds_label.setText(f"{bounds_text(*self._limits(parameter))} {unit}".strip())
        self._make_fields(kind, prior)
        self._check()

    def _make_fields(self, kind: str, prior: Mapping[str, Any]) -> None:
        for field in self.fields.values():
            self.form.removeRow(field)
        self.fields = {}
        for name in PRIOR_TYPES[kind].arguments if kind else ():
            field = QLineEdit(self)
            field.setText(str(prior.get(name, "")))
            field.setAccessibleName(name)
            default = PRIOR_TYPES[kind].defaults.get(name)
            field.setPlaceholderText("" if default is None else number(default))
            field.textChanged.connect(self._on_typed)
            self.form.addRow(name, field)
            self.fields[name] = field

    def _on_kind(self, _: int) -> None:
        parameter, kind = self._parameter, self.kinds.currentData()
        if parameter is None:
            return
        if kind:
            self._given[parameter.name] = {"type": kind, **self._suggested(parameter, kind)}
        else:
            self._given.pop(parameter.name, None)
        self._show()
        self.changed.emit()

    def _suggested(self, parameter: Parameter, kind: str) -> dict[str, str]:
        """Return first arguments for a prior: around the model's default, within the bounds."""
        lower, upper = self._limits(parameter)
        middle = parameter.default if parameter.default is not None else 1.0
        middle = min(max(middle, lower), upper)
        size = abs(middle) or 1.0
        wanted = {
            "loc": math.log(size) if kind == "lognormal" else middle,
            "scale": 1.0 if kind == "lognormal" else 0.5 * size,
            "low": lower if math.isfinite(lower) else middle - size,
            "high": upper if math.isfinite(upper) else middle + size,
            "rate": 1.0 / size if kind == "exponential" else 2.0 / size,
            "offset": 0.0,
            "concentration": 2.0,
            "concentration1": 2.0,
            "concentration0": 2.0,
        }
        if kind == "loguniform" and lower <= 0:
            wanted["low"] = 1e-3 * size
        return {name: f"{wanted[name]:.6g}" for name in PRIOR_TYPES[kind].arguments}

    def _on_typed(self) -> None:
        parameter = self._parameter
        if parameter is None:
            return
        prior: dict[str, Any] = {"type": self.kinds.currentData()}
        for name, field in self.fields.items():
            text = field.text().strip().replace(",", ".")
            if text or name not in PRIOR_TYPES[prior["type"]].defaults:
                prior[name] = text
        self._given[parameter.name] = prior
        self._check()
        self.changed.emit()

    def _check(self) -> None:
        """Show what is wrong with the chosen prior, or draw it if nothing is."""
        self._tell_table()
        parameter = self._parameter
        if parameter is None:
            self.message.clear()
            self.picture.show_prior(None, (0.0, 1.0), "")
            return
        label = with_unit(parameter_symbol(parameter.name), parameter.unit)
        limits = self._limits(parameter)
        prior: Mapping[str, Any] | None = self._given.get(parameter.name)
        self.message.clear()
        if prior is None:
            prior = self._default(parameter)
        try:
            shown = None if prior is None else prior_arguments(parameter.name, prior)
        except InputError as error:
            self.message.say("error", str(error))
            shown = None
        else:
            if shown is not None:
                self._tell_outside(share_within(*shown, *limits))
        self.picture.show_prior(shown, limits, label)

    def _tell_outside(self, inside: float) -> None:
        if inside == 0.0:
            self.message.say("warning", self.tr("This prior lies outside the bounds."))
        elif inside < 1.0 - _LITTLE_OUTSIDE:
            words = self.tr("{percent} % of this prior lies outside the bounds.")
            self.message.say("warning", words.format(percent=number(100 * (1 - inside), 2)))

    def _default(self, parameter: Parameter) -> Mapping[str, Any] | None:
        """Return the default prior, if it is known here."""
        return default_prior(parameter, self._limits(parameter))

    # ---------------------------------------------------------------- the list

    def _make_table(self) -> QTableWidget:
        table = QTableWidget(0, 2, self)
        table.setAccessibleName(self.tr("Priors"))
        table.setHorizontalHeaderLabels([self.tr("Parameter"), self.tr("Prior")])
        table.setSelectionBehavior(QAbstractItemView.SelectionBehavior.SelectRows)
        table.setSelectionMode(QAbstractItemView.SelectionMode.SingleSelection)
        table.setEditTriggers(QAbstractItemView.EditTrigger.NoEditTriggers)
        style_table(table)
        table.setAlternatingRowColors(True)
        header = table.horizontalHeader()
        header.setHighlightSections(False)
        header.setDefaultAlignment(Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignVCenter)
        header.setSectionResizeMode(QHeaderView.ResizeMode.ResizeToContents)
        header.setStretchLastSection(True)
        table.itemSelectionChanged.connect(self._show)
        make_copyable(table)
        return table

    def _tell_table(self) -> None:
        for row, parameter in enumerate(self._parameters):
            item = self.table.item(row, 1)
            if item is not None:
                item.setText(self._words(parameter))

    def _words(self, parameter: Parameter) -> str:
        prior = self._given.get(parameter.name)
        if prior is None:
            words = self.tr("default")
            if parameter.prior_is_centred:
                return self.tr("default: the model's own, about the initial value")
            found = self._default(parameter)
            return words if found is None else f"{words}: {_written(parameter.name, found)}"
        try:
            return _written(parameter.name, prior)
        except InputError:
            return self.tr("⚠ incomplete")


def _written(name: str, prior: Mapping[str, Any]) -> str:
    kind, arguments = prior_arguments(name, prior)
    defaults = PRIOR_TYPES[kind].defaults
    shown = (value for key, value in arguments.items() if value != defaults.get(key))
    told = ", ".join(map(number, shown))
    return f"{PRIOR_TYPES[kind].numpyro_name}({told})"
