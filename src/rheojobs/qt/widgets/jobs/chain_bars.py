"""`ChainBars`: a thin progress bar for each chain of a sampling."""

from __future__ import annotations

import math

from qtpy.QtCore import Qt
from qtpy.QtWidgets import QGridLayout, QLabel, QProgressBar, QWidget

__all__ = ["ChainBars"]

ROWS = 2
"""Their height is always that of two rows, so that nothing moves when a sampling begins."""

_WITH_COUNTS = 4
"""Most chains whose steps are written beside the bar; beyond, its tool tip has them."""


class ChainBars(QWidget):
    """A thin progress bar per chain, with its count of steps, in two rows."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._grid = QGridLayout(self)
        self._grid.setContentsMargins(0, 0, 0, 0)
        self._grid.setVerticalSpacing(2)
        self._bars: list[QProgressBar] = []
        self._counts: list[QLabel] = []

    def set_chains(self, count: int, total: int) -> None:
        """Show bars for the chains, of `total` steps each."""
        while (item := self._grid.takeAt(0)) is not None:
            if (widget := item.widget()) is not None:
                widget.deleteLater()
        for column in range(self._grid.columnCount()):
            self._grid.setColumnStretch(column, 0)
        self._bars, self._counts = [], []
        is_short = count > _WITH_COUNTS
        across = math.ceil(count / ROWS)
        for chain in range(count):
            row, place = divmod(chain, across)
            words = self.tr("Chain {number}").format(number=chain + 1)
            name = QLabel(str(chain + 1) if is_short else words, self)
            bar = QProgressBar(self)
            bar.setTextVisible(False)
            bar.setFixedHeight(8)
            bar.setMinimumWidth(8)
            bar.setRange(0, max(total, 1))
            bar.setAccessibleName(words)
            steps = QLabel(f"0 / {total}", self)
            steps.setAlignment(Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter)
            widest = f"{total} / {total}"
            steps.setMinimumWidth(steps.fontMetrics().horizontalAdvance(widest))
            steps.setVisible(not is_short)
            for column, widget in enumerate((name, bar, steps)):
                self._grid.addWidget(widget, row, 3 * place + column)
            self._grid.setColumnStretch(3 * place + 1, 1)
            self._bars.append(bar)
            self._counts.append(steps)

    def set_progress(self, chain: int, done: int, total: int) -> None:
        """Show that a chain has taken `done` of `total` steps."""
        if chain < len(self._bars):
            self._bars[chain].setRange(0, max(total, 1))
            self._bars[chain].setValue(done)
            self._bars[chain].setToolTip(f"{done} / {total}")
            self._counts[chain].setText(f"{done} / {total}")

    def counts(self) -> list[int]:
        """Return the steps of each chain."""
        return [bar.value() for bar in self._bars]
