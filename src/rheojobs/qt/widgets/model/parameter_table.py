"""`ParameterTable`: the table of a model's parameters: initial values, then estimates."""

from __future__ import annotations

from qtpy.QtWidgets import QAbstractItemView, QHeaderView, QTableView, QWidget

from rheojobs.qt.widgets.common.building import style_table
from rheojobs.qt.widgets.common.check_boxes import CheckDelegate
from rheojobs.qt.widgets.common.copying import make_copyable
from rheojobs.qt.widgets.model.parameter_model import ParameterModel
from rheojobs.qt.widgets.model.parameter_rows import ParameterColumn

__all__ = ["ParameterTable"]


class ParameterTable(QTableView):
    """Shows a `ParameterModel`, without the columns that are empty.

    Attributes
    ----------
    parameters : ParameterModel
        What it shows.
    """

    def __init__(self, model: ParameterModel, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.parameters = model
        self.setModel(model)
        self.setAccessibleName(self.tr("Parameters"))
        self.setSelectionBehavior(QAbstractItemView.SelectionBehavior.SelectRows)
        self.setSelectionMode(QAbstractItemView.SelectionMode.SingleSelection)
        self.setAlternatingRowColors(True)
        style_table(self)
        self.setWordWrap(False)
        self.setHorizontalScrollMode(QAbstractItemView.ScrollMode.ScrollPerPixel)
        header = self.horizontalHeader()
        header.setHighlightSections(False)
        header.setMinimumSectionSize(self.fontMetrics().averageCharWidth() * 5)
        header.setSectionResizeMode(QHeaderView.ResizeMode.ResizeToContents)
        # Estimates must not be cut; bounds may be, since their tool tip has them as well.
        header.setSectionResizeMode(ParameterColumn.BOUNDS, QHeaderView.ResizeMode.Stretch)
        self.setItemDelegateForColumn(ParameterColumn.FIXED, CheckDelegate(self))
        make_copyable(self)
        model.modelReset.connect(self._choose_columns)
        self._choose_columns()

    def _choose_columns(self) -> None:
        for column in (ParameterColumn.R_HAT, ParameterColumn.ESS):
            self.setColumnHidden(column, not self.parameters.has_draws())
