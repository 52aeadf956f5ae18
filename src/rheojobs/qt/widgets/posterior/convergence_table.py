"""`ConvergenceTable`: R-hat and ESS of each parameter, in numbers, colours and words."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

from qtpy.QtCore import QEvent, Qt
from qtpy.QtGui import QBrush
from qtpy.QtWidgets import (
    QAbstractItemView,
    QHeaderView,
    QTableWidget,
    QTableWidgetItem,
    QWidget,
)

from rheojobs.inference.expressions.parameter_symbols import parameter_symbol
from rheojobs.inference.results.thresholds import MAX_R_HAT, MIN_ESS, Verdict, verdict
from rheojobs.qt.widgets.common.building import style_table
from rheojobs.qt.widgets.common.colors import alarm, good, muted
from rheojobs.qt.widgets.common.copying import COPY_ROLE, copied_number, make_copyable
from rheojobs.qt.widgets.common.texts import estimate, number, unit_text

__all__ = ["ConvergenceTable"]

_NAME, _MEAN, _STD, _UNIT, _R_HAT, _BULK, _TAIL, _WORDS = range(8)
_SHOWN_ROWS = 6

_FACTS = {_MEAN: "mean", _STD: "std", _R_HAT: "r_hat", _BULK: "ess_bulk", _TAIL: "ess_tail"}
"""The columns of numbers, which are copied with all digits."""

type _Shown = tuple[Mapping[str, Mapping[str, float]], Mapping[str, str], float]


class ConvergenceTable(QTableWidget):
    """One row per parameter; cells are made once, and then get new texts."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(0, 8, parent)
        self._shown: _Shown | None = None
        self.setAccessibleName(self.tr("How good the draws are"))
        self.setHorizontalHeaderLabels(
            [
                self.tr("Parameter"),
                self.tr("Mean"),
                self.tr("±"),
                self.tr("Unit"),
                self.tr("R-hat"),
                self.tr("ESS, bulk"),
                self.tr("ESS, tail"),
                self.tr("In words"),
            ]
        )
        self.setSelectionBehavior(QAbstractItemView.SelectionBehavior.SelectRows)
        self.setEditTriggers(QAbstractItemView.EditTrigger.NoEditTriggers)
        style_table(self, 6)
        self.setAlternatingRowColors(True)
        self.setWordWrap(False)
        header = self.horizontalHeader()
        header.setHighlightSections(False)
        header.setSectionResizeMode(QHeaderView.ResizeMode.ResizeToContents)
        header.setSectionResizeMode(_WORDS, QHeaderView.ResizeMode.Stretch)
        make_copyable(self)
        for column in range(8):
            item = self.horizontalHeaderItem(column)
            assert item is not None
            item.setTextAlignment(_side(column))

    def show_numbers(
        self,
        numbers: Mapping[str, Mapping[str, float]],
        units: Mapping[str, str],
        wanted_ess: float = MIN_ESS,
    ) -> None:
        """Show the present numbers.

        Parameters
        ----------
        numbers : mapping
            r_hat, ess_bulk, ess_tail, mean and std, each by parameter.
        units : mapping
            Units, by parameter.
        wanted_ess : float
            The ESS from which there are enough independent draws.
        """
        self._shown = numbers, units, wanted_ess
        names = list(numbers["r_hat"])
        if self.rowCount() != len(names):
            self._make_rows(len(names))
        for row, name in enumerate(names):
            facts = {key: values[name] for key, values in numbers.items()}
            self._name(row, name)
            self._show_row(row, name, facts, units.get(name, ""), wanted_ess)

    def show_preview(
        self, summary: Mapping[str, Mapping[str, float]], units: Mapping[str, str]
    ) -> None:
        """Show an approximate posterior until there are draws.

        Parameters
        ----------
        summary : mapping
            Of each parameter: mean, std, q05 and q95.
        units : mapping
            Units, by parameter.
        """
        self._shown = None
        if self.rowCount() != len(summary):
            self._make_rows(len(summary))
        for row, (name, facts) in enumerate(summary.items()):
            words = self.tr("preview; 5 % to 95 %: {low} … {high}").format(
                low=number(facts["q05"], 3, trim=False), high=number(facts["q95"], 3, trim=False)
            )
            self._name(row, name)
            self._fill(row, self._texts(name, facts, units.get(name, ""), words), facts)
            for column in range(8):
                item = self.item(row, column)
                assert item is not None
                item.setForeground(QBrush(muted(self.palette())))

    def changeEvent(self, event: QEvent) -> None:
        """Follow the palette."""
        super().changeEvent(event)
        if event.type() == QEvent.Type.PaletteChange and self._shown is not None:
            self.show_numbers(*self._shown)

    def words(self) -> list[str]:
        """Return the verdict on each parameter."""
        return [self._text(row, _WORDS) for row in range(self.rowCount())]

    def _text(self, row: int, column: int) -> str:
        item = self.item(row, column)
        return "" if item is None else item.text()

    def _make_rows(self, count: int) -> None:
        self.setRowCount(count)
        for row in range(count):
            for column in range(8):
                item = QTableWidgetItem()
                item.setTextAlignment(_side(column))
                self.setItem(row, column, item)
        shown = min(count, _SHOWN_ROWS)
        height = self.horizontalHeader().sizeHint().height() + 2 * self.frameWidth()
        self.setFixedHeight(height + shown * self.verticalHeader().defaultSectionSize())

    def _show_row(
        self, row: int, name: str, facts: Mapping[str, float], unit: str, wanted_ess: float
    ) -> None:
        r_hat, bulk, tail = facts["r_hat"], facts["ess_bulk"], facts["ess_tail"]
        words, is_good = self._judge(facts, wanted_ess)
        self._fill(row, self._texts(name, facts, unit, words), facts)
        bad = {
            _R_HAT: r_hat > MAX_R_HAT,
            _BULK: not bulk >= wanted_ess,
            _TAIL: not tail >= wanted_ess,
            _WORDS: not is_good,
        }
        for column in range(8):
            item = self.item(row, column)
            assert item is not None
            if column in bad:
                color = alarm(self.palette()) if bad[column] else good(self.palette())
                item.setForeground(QBrush(color))
            else:
                item.setData(Qt.ItemDataRole.ForegroundRole, None)  # a preview was pale

    def _texts(self, name: str, facts: Mapping[str, float], unit: str, words: str) -> list[str]:
        """Return the texts of a row."""
        r_hat, *sizes = (facts.get(key, math.nan) for key in ("r_hat", "ess_bulk", "ess_tail"))
        return [
            parameter_symbol(name),
            estimate(facts["mean"], facts["std"]),
            number(facts["std"], 2, trim=False),
            unit_text(unit),
            "–" if math.isnan(r_hat) else f"{r_hat:.3f}",
            *("–" if math.isnan(size) else f"{size:.0f}" for size in sizes),
            words,
        ]

    def _name(self, row: int, name: str) -> None:
        """Give a row's name the name in Python as its tool tip."""
        item = self.item(row, _NAME)
        assert item is not None
        item.setToolTip(name)

    def _fill(self, row: int, texts: Sequence[str], facts: Mapping[str, float]) -> None:
        for column, text in enumerate(texts):
            item = self.item(row, column)
            assert item is not None
            item.setText(text)
            if column in _FACTS:
                item.setData(COPY_ROLE, copied_number(facts.get(_FACTS[column])))

    def _judge(self, facts: Mapping[str, float], wanted: float) -> tuple[str, bool]:
        """Return a verdict on the draws of a parameter, and whether they are good."""
        found = verdict(facts, wanted)
        share = 100 * min(facts["ess_bulk"], facts["ess_tail"]) / wanted
        words = {
            Verdict.UNKNOWN: self.tr("too few draws to tell, or stuck"),
            Verdict.APART: self.tr("the chains disagree"),
            Verdict.FEW: self.tr("{percent:.0f} % of the draws needed").format(percent=share),
            Verdict.ONE_CHAIN: self.tr("enough draws, but only one chain"),
            Verdict.GOOD: self.tr("good"),
        }
        return words[found], found in (Verdict.GOOD, Verdict.ONE_CHAIN)


def _side(column: int) -> Any:
    is_number = column in (_MEAN, _STD, _R_HAT, _BULK, _TAIL)
    side = Qt.AlignmentFlag.AlignRight if is_number else Qt.AlignmentFlag.AlignLeft
    return side | Qt.AlignmentFlag.AlignVCenter
