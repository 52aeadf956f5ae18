"""`KeptFits`: a table that compares the fits of the same data and can remove them."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from qtpy.QtCore import Qt, Signal
from qtpy.QtGui import QKeySequence, QShortcut
from qtpy.QtWidgets import (
    QAbstractItemView,
    QHBoxLayout,
    QHeaderView,
    QLabel,
    QPushButton,
    QStyle,
    QTableWidget,
    QTableWidgetItem,
    QVBoxLayout,
    QWidget,
)

from rheojobs.inference.data.dataset import Dataset
from rheojobs.inference.expressions.parameter_symbols import parameter_symbol
from rheojobs.inference.results.curves import Curve
from rheojobs.inference.results.fit_result import FitResult
from rheojobs.qt.widgets.common.building import style_table
from rheojobs.qt.widgets.common.confirm import LONG_WORK, confirm
from rheojobs.qt.widgets.common.copying import COPY_ROLE, copied_number, make_copyable
from rheojobs.qt.widgets.common.texts import duration, number, sentence

__all__ = ["KeptFit", "KeptFits"]

MOST_KEPT = 8
"""Largest number of fits of one dataset; the oldest is dropped."""


@dataclass(frozen=True, eq=False)
class KeptFit:
    """A fit and its data.

    Attributes
    ----------
    result : FitResult
        The result.
    dataset : Dataset
        In the quantity that was fitted.
    model : str
        The model with its settings; its name alone if empty.
    """

    result: FitResult
    dataset: Dataset
    model: str = ""

    @property
    def what(self) -> tuple[object, ...]:
        """What distinguishes it from other fits of the data."""
        result = self.result
        model = self.model or result.model_name
        return model, tuple(result.fixed.items()), tuple(result.bounds.items())

    @property
    def name(self) -> str:
        """The model, its fixed parameters, and its AICc."""
        fixed = ", ".join(map(parameter_symbol, self.result.fixed))
        name = self.model or self.result.model_name
        model = f"{name} ({fixed} fixed)" if fixed else name
        return f"{model}, AICc {number(self.result.aicc)}"

    def curve(self, shown: Dataset) -> Curve | None:
        """Return its curve in the quantity that is shown; None if it has none."""
        fitted, data = self.result.fitted, self.dataset
        if fitted is None:
            return None
        with np.errstate(divide="ignore", invalid="ignore"):
            if "viscosity" in shown.quantity and "stress" in data.quantity:
                fitted = fitted / data.x
            elif "stress" in shown.quantity and "viscosity" in data.quantity:
                fitted = fitted * data.x
        return Curve.of(self.name, data.x, fitted)


class KeptFits(QWidget):
    """A table of the fits of the present dataset, best first; it keeps those of other datasets.

    Attributes
    ----------
    changed : Signal()
        A fit was removed.
    """

    changed = Signal()

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._fits: dict[Dataset | None, list[KeptFit]] = {}
        self._owner: Dataset | None = None
        self.table = QTableWidget(0, 4, self)
        self.table.setAccessibleName(self.tr("Fits of these data"))
        self.table.setHorizontalHeaderLabels(
            [self.tr("Model"), self.tr("AICc"), self.tr("Δ"), self.tr("R²")]
        )
        self.table.setSelectionBehavior(QAbstractItemView.SelectionBehavior.SelectRows)
        self.table.setEditTriggers(QAbstractItemView.EditTrigger.NoEditTriggers)
        style_table(self.table, 6)
        self.table.setAlternatingRowColors(True)
        header = self.table.horizontalHeader()
        header.setHighlightSections(False)
        header.setDefaultAlignment(Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignVCenter)
        header.setMinimumSectionSize(self.fontMetrics().averageCharWidth() * 9)
        header.setSectionResizeMode(QHeaderView.ResizeMode.ResizeToContents)
        header.setSectionResizeMode(0, QHeaderView.ResizeMode.Stretch)
        self.note = QLabel(self)
        self.note.setWordWrap(True)
        self.note.setAccessibleName(self.tr("Note on the comparison"))
        self.remove_button = QPushButton(self.tr("Remo&ve"), self)
        self.remove_button.setToolTip(self.tr("Remove the selected fits from the plot (Del)"))
        self.remove_button.clicked.connect(self.remove_selected)
        delete = QShortcut(QKeySequence(QKeySequence.StandardKey.Delete), self.table)
        delete.setWhatsThis(self.tr("Remove the selected fits"))
        delete.setContext(Qt.ShortcutContext.WidgetShortcut)
        delete.activated.connect(self.remove_selected)
        self.table.itemSelectionChanged.connect(self._enable)
        make_copyable(self.table)
        row = QHBoxLayout()
        row.addWidget(self.note, 1)
        row.addWidget(self.remove_button)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.addWidget(self.table)
        layout.addLayout(row)
        self._fill()

    @property
    def owner(self) -> Dataset | None:
        """The present dataset."""
        return self._owner

    def go_to(self, owner: Dataset | None) -> None:
        """Show the fits of this dataset."""
        self._owner = owner
        self._fill()

    def forget(self, owner: Dataset) -> None:
        """Forget the fits of this dataset."""
        if self._fits.pop(owner, None) is not None and owner is self._owner:
            self._fill()

    def add(self, fit: KeptFit) -> None:
        """Add a fit of the present dataset; it replaces an earlier one of the same kind."""
        self.add_of(self._owner, fit)

    def add_of(self, owner: Dataset | None, fit: KeptFit) -> None:
        """Add a fit of any dataset."""
        fits = [other for other in self._fits.get(owner, ()) if other.what != fit.what]
        self._fits[owner] = [*fits, fit][-MOST_KEPT:]
        if owner is self._owner:
            self._fill()

    def relabel(self, before: Dataset, after: Dataset) -> None:
        """Keep the fits of a dataset for another one with the same values."""
        if before in self._fits:
            self._fits[after] = self._fits.pop(before)
        if before is self._owner:
            self._owner = after

    def restore(self, owner: Dataset, fits: Sequence[KeptFit]) -> None:
        """Set the fits of a dataset, oldest first; of the same kind, the last one counts."""
        kept = {fit.what: fit for fit in fits}
        self._fits[owner] = list(kept.values())[-MOST_KEPT:]
        if owner is self._owner:
            self._fill()

    def fits(self) -> list[KeptFit]:
        """Return the fits of the present dataset, oldest first."""
        return list(self._fits.get(self._owner, ()))

    def curves(self, shown: Dataset, but: FitResult | None) -> list[Curve]:
        """Return the curves of all fits except one."""
        found = [fit.curve(shown) for fit in self.fits() if fit.result is not but]
        return [curve for curve in found if curve is not None]

    def remove_selected(self) -> None:
        """Remove the selected fits; ask first if one took long."""
        rows = {index.row() for index in self.table.selectionModel().selectedRows()}
        gone = [fit for row, fit in enumerate(self._ordered()) if row in rows]
        longest = max((fit.result.fit_time for fit in gone), default=0.0)
        if longest < LONG_WORK:
            self._remove(gone)
            return
        words = self.tr("Remove the selected fits?\nThe longest took {time}.")
        question = words.format(time=duration(longest))
        remove, keep = self.tr("&Remove"), self.tr("&Keep")
        confirm(self, question, remove, keep, lambda: self._remove(gone))

    def _remove(self, gone: Sequence[KeptFit]) -> None:
        ids = {id(fit) for fit in gone}
        if ids:
            self._fits[self._owner] = [fit for fit in self.fits() if id(fit) not in ids]
            self._fill()
            self.changed.emit()

    def _ordered(self) -> list[KeptFit]:
        return sorted(self.fits(), key=lambda fit: _known(fit.result.aicc))

    def _fill(self) -> None:
        fits = self._ordered()
        self.table.setRowCount(len(fits))
        best = _known(fits[0].result.aicc) if fits else math.nan
        for row, fit in enumerate(fits):
            result = fit.result
            behind = _known(result.aicc) - best
            texts = (
                fit.name.rpartition(", ")[0],
                number(result.aicc),
                number(behind, 3) if math.isfinite(behind) else "–",
                number(result.r_squared, 5),
            )
            full = (None, result.aicc, behind, result.r_squared)
            for column, (text, value) in enumerate(zip(texts, full, strict=True)):
                item = QTableWidgetItem(text)
                if value is not None:
                    item.setData(COPY_ROLE, copied_number(value))
                if column == 0:
                    self._mark(item, result)
                else:
                    right = Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter
                    item.setTextAlignment(right)
                self.table.setItem(row, column, item)
        self.note.setText(self._note(fits))
        self._enable()

    def _mark(self, item: QTableWidgetItem, result: FitResult) -> None:
        """Mark a fit with something against it, and say what in the tool tip."""
        if concerns := result.concerns:
            sign = QStyle.StandardPixmap.SP_MessageBoxWarning
            item.setIcon(self.style().standardIcon(sign))
            item.setToolTip("\n".join(sentence(text, result.parameters) for text in concerns))

    def _note(self, fits: Sequence[KeptFit]) -> str:
        if len({(fit.result.weights, fit.result.loss) for fit in fits}) > 1:
            return self.tr("These fits weight the data differently: their AICc cannot be compared.")
        if len(fits) > 1:
            return self.tr("The smallest AICc is the best balance of fit and number of parameters.")
        return self.tr("Fit another model to compare.") if fits else self.tr("No fit yet.")

    def _enable(self) -> None:
        self.remove_button.setEnabled(self.table.selectionModel().hasSelection())


def _known(aicc: float) -> float:
    return math.inf if math.isnan(aicc) else aicc
