"""`SeriesView`: many files in a table, a parameter against a condition, and the chosen curve."""

from __future__ import annotations

from collections.abc import Sequence

from qtpy.QtCore import Qt, Signal
from qtpy.QtWidgets import (
    QComboBox,
    QHBoxLayout,
    QLabel,
    QProgressBar,
    QPushButton,
    QSizePolicy,
    QSplitter,
    QVBoxLayout,
    QWidget,
)

from rheojobs.inference.batch.trend import Measured, trend_of
from rheojobs.qt.widgets.common.message_bar import MessageBar
from rheojobs.qt.widgets.common.refresh import InSteps, Refresher
from rheojobs.qt.widgets.common.texts import unit_text
from rheojobs.qt.widgets.plots.data_plot import DataPlot
from rheojobs.qt.widgets.series.columns import ColumnKind
from rheojobs.qt.widgets.series.model import SeriesModel
from rheojobs.qt.widgets.series.rows import FitState, SeriesRow
from rheojobs.qt.widgets.series.table import SeriesTable
from rheojobs.qt.widgets.series.trend_axis import TrendAxis, axes_of
from rheojobs.qt.widgets.series.trend_plot import TrendPlot

__all__ = ["SeriesView"]


class SeriesView(QWidget):
    """The page of many files. It fits nothing: it emits what the user wants.

    Parameters
    ----------
    model : SeriesModel
        The files and their fits.
    parent : QWidget, optional
        The Qt parent.

    Attributes
    ----------
    fit_wanted : Signal(object)
        Fit these `SeriesRow`.
    refit_wanted : Signal(object, object)
        Fit these again, from more starts and from their neighbours' estimates; the second is the
        list of all `Measured`, on the axis that is shown.
    cancel_wanted, export_wanted : Signal()
        Stop all fits; write the table to a file.
    activated : Signal(object)
        A `SeriesRow` that was double-clicked, or on which Enter was pressed.
    table : SeriesTable
        The table.
    trend : TrendPlot
        The parameter.
    curve : DataPlot
        Data and fit of the current row.
    """

    fit_wanted = Signal(object)
    refit_wanted = Signal(object, object)
    cancel_wanted = Signal()
    export_wanted = Signal()
    activated = Signal(object)

    def __init__(self, model: SeriesModel, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.model = model
        self.table = SeriesTable(model)
        self._can_fit = False
        self._axes: list[TrendAxis] = []
        self._names: list[str] = []
        self._shown: tuple[object, object] = (None, None)
        self.fit_all_button = self._button(
            self.tr("Fit a&ll"),
            self.tr("Fit the present model, as it is set on the left, to all files"),
            lambda: self.fit_wanted.emit(self._fittable(self.model.rows)),
        )
        self.fit_button = self._button(
            self.tr("Fit &selected"),
            self.tr("Fit the present model, as it is set on the left, to the selected files"),
            lambda: self.fit_wanted.emit(self._fittable(self.table.selected())),
        )
        self.refit_button = self._button(
            self.tr("R&efit selected"),
            self.tr(
                "Fit the selected files again, from more starts and from what their neighbours "
                "have; the better fit is kept"
            ),
            self._refit,
        )
        self.cancel_button = self._button(
            self.tr("S&top"), self.tr("Stop all fits of this table"), self.cancel_wanted.emit
        )
        self.export_button = self._button(
            self.tr("E&xport table…"),
            self.tr("Write the table to a file: the same columns as the command batch"),
            self.export_wanted.emit,
        )
        self.status = QLabel(self)
        self.status.setTextFormat(Qt.TextFormat.PlainText)
        self.status.setAccessibleName(self.tr("Progress of the files"))
        self.status.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Preferred)
        self.progress = QProgressBar(self)
        self.progress.setTextVisible(False)
        self.progress.setFixedHeight(6)
        self.progress.setAccessibleName(self.tr("Part of the files that is done"))
        self.message = MessageBar(self)
        self.parameter = self._choice(self.tr("Parameter of the plot"))
        self.axis = self._choice(self.tr("Horizontal axis of the plot"))
        self.parameter.activated.connect(lambda _: self._draw_trend())
        self.axis.activated.connect(lambda _: self._draw_trend())
        self._refresher = Refresher(self._refresh, self)
        self._picking = Refresher(self._pick, self)
        self._build()
        model.changed.connect(self._refresher.request)
        model.refused.connect(self._show_refusal)
        self.table.selection_changed.connect(self._picking.request)
        self.table.row_activated.connect(self.activated)
        # Each plot takes some 20 ms to make: one after the other.
        self._steps = InSteps(self)
        self._steps.begin([self._make_trend, self._make_curve])
        self._refresher.request()
        self._enable()

    def set_can_fit(self, can_fit: bool) -> None:
        """Set whether there is a model."""
        self._can_fit = can_fit
        self._enable()

    def show_reading(self, done: int, total: int) -> None:
        """Show how many files are read; nothing once all are."""
        self._reading = (done, total) if done < total else (0, 0)
        self._refresher.request()

    def finish(self) -> None:
        """Make and draw now what would be drawn soon."""
        for step in (self._make_trend, self._make_curve):
            step()
        self._steps.cancel()
        self.model.flush()
        self._refresh()
        self._pick()

    # ---------------------------------------------------------------- parts

    def _build(self) -> None:
        self._reading = (0, 0)
        self.trend: TrendPlot | None = None
        self.curve: DataPlot | None = None
        buttons = QHBoxLayout()
        for button in (self.fit_all_button, self.fit_button, self.refit_button, self.cancel_button):
            buttons.addWidget(button)
        buttons.addWidget(self.status, 1)
        buttons.addWidget(self.export_button)
        choices = QHBoxLayout()
        choices.addWidget(self.parameter, 1)
        choices.addWidget(QLabel(self.tr("against"), self))
        choices.addWidget(self.axis, 1)
        left = QWidget()
        self._trend_place = QVBoxLayout(left)
        self._trend_place.setContentsMargins(0, 0, 0, 0)
        self._trend_place.addLayout(choices)
        right = QWidget()
        self._curve_place = QVBoxLayout(right)
        self._curve_place.setContentsMargins(0, 0, 0, 0)
        self._plots = QSplitter(Qt.Orientation.Horizontal)
        self._whole = QSplitter(Qt.Orientation.Vertical)
        for part in (left, right):
            part.setMinimumSize(200, 120)
            self._plots.addWidget(part)
        for part in (self.table, self._plots):
            self._whole.addWidget(part)
        for parts in (self._plots, self._whole):
            parts.setChildrenCollapsible(False)
        self._plots.setSizes([400, 400])
        self._whole.setSizes([250, 270])
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 6, 0, 0)
        layout.addLayout(buttons)
        layout.addWidget(self.progress)
        layout.addWidget(self.message)
        layout.addWidget(self._whole, 1)

    def _make_trend(self) -> None:
        if self.trend is None:
            self.trend = TrendPlot()
            self.trend.chosen.connect(self._select_places)
            self._trend_place.addWidget(self.trend, 1)
            self._draw_trend()

    def _make_curve(self) -> None:
        if self.curve is None:
            self.curve = DataPlot()
            self.curve.set_hint(self.tr("Choose a file in the table to see its curve"))
            self._curve_place.addWidget(self.curve, 1)
            self._picking.request()

    # ---------------------------------------------------------------- drawing

    def _refresh(self) -> None:
        self._list_choices()
        self._draw_trend()
        self._tell()
        self._enable()
        self._picking.request()

    def _list_choices(self) -> None:
        rows = self.model.rows
        names = [c.name for c in self.model.columns if c.kind is ColumnKind.PARAMETER]
        units = {c.name: c.unit for c in self.model.columns if c.kind is ColumnKind.PARAMETER}
        names = list(dict.fromkeys(names))
        if names != self._names:
            before = self.parameter.currentData()
            self._names = names
            self.parameter.clear()
            for name in names:
                unit = unit_text(units[name])
                self.parameter.addItem(f"{name} / {unit}" if unit else name, name)
            self.parameter.setCurrentIndex(max(0, self.parameter.findData(before)))
        axes = axes_of(rows)
        if axes != self._axes:
            before_axis = self._present_axis()
            self._axes = axes
            self.axis.clear()
            self.axis.addItems([axis.title for axis in axes])
            was_chosen = before_axis in axes and before_axis.kind != "order"
            self.axis.setCurrentIndex(axes.index(before_axis) if was_chosen else 0)

    def _present_axis(self) -> TrendAxis:
        place = self.axis.currentIndex()
        return self._axes[place] if 0 <= place < len(self._axes) else TrendAxis("order")

    def measured(self) -> list[Measured]:
        """Return all fits, with their places on the axis that is shown."""
        axis = self._present_axis()
        found = (
            row.measured(place, axis.value(row, place)) for place, row in enumerate(self.model.rows)
        )
        return [one for one in found if one is not None]

    def _draw_trend(self) -> None:
        if self.trend is None:
            return
        name, axis = self.parameter.currentData(), self._present_axis()
        trend = trend_of(self.measured(), name) if name else None
        self.trend.show_trend(trend, axis.title, is_time=axis.kind == "time")

    def _pick(self) -> None:
        """Show the selection in the plot, and the curve of the current row."""
        selected = self.table.selected()
        if self.trend is not None:
            self.trend.select([self.model.place_of(row) for row in selected])
        self._enable()
        self._draw_curve(self.table.current())

    def _draw_curve(self, row: SeriesRow | None) -> None:
        if self.curve is None:
            return
        data = row.dataset if row is not None else None
        fit = row.fit if row is not None else None
        if (data, fit) == self._shown:
            return
        self._shown = (data, fit)
        if data is None:
            self.curve.clear()
            return
        if fit is not None and row is not None and row.fitted is not None:
            data = row.fitted  # in the quantity that was fitted
        self.curve.show_data(data)
        if fit is not None and row is not None:
            self.curve.show_curve(row.label, fit.fitted)

    def _tell(self) -> None:
        states = [row.state for row in self.model.rows]
        done, total = self._reading
        busy = sum(row.is_busy for row in self.model.rows)
        words = [self.tr("read {done} of {total}").format(done=done, total=total)] if total else []
        for state, text in (
            (FitState.GOOD, self.tr("{n} fitted")),
            (FitState.DOUBTFUL, self.tr("{n} doubtful")),
            (FitState.FAILED, self.tr("{n} failed")),
            (FitState.UNREAD, self.tr("{n} not read")),
        ):
            if count := states.count(state):
                words.append(text.format(n=count))
        if busy:
            words.append(self.tr("{n} to do").format(n=busy))
        if not words and states:
            words.append(self.tr("{n} files").format(n=len(states)))
        self.status.setText(", ".join(words))
        self.progress.setVisible(bool(total or busy))
        if total:
            self.progress.setRange(0, total)
            self.progress.setValue(done)
        elif busy:
            self.progress.setRange(0, len(states))
            self.progress.setValue(len(states) - busy)

    def _show_refusal(self, text: str) -> None:
        if text:
            self.message.say("error", text)
        else:
            self.message.clear()

    # ---------------------------------------------------------------- buttons and selection

    def _refit(self) -> None:
        self.refit_wanted.emit(self._fittable(self.table.selected()), self.measured())

    @staticmethod
    def _fittable(rows: Sequence[SeriesRow]) -> list[SeriesRow]:
        return [row for row in rows if row.dataset is not None and not row.is_busy]

    def _select_places(self, places: Sequence[int]) -> None:
        self.table.select([self.model.rows[place] for place in places])

    def _enable(self) -> None:
        rows, selected = self.model.rows, self.table.selected()
        free, chosen = self._fittable(rows), self._fittable(selected)
        self.fit_all_button.setEnabled(self._can_fit and bool(free))
        self.fit_button.setEnabled(self._can_fit and bool(chosen))
        self.refit_button.setEnabled(any(row.can_be_repeated for row in chosen))
        self.cancel_button.setEnabled(any(row.is_busy for row in rows))
        self.export_button.setEnabled(bool(rows))

    def _button(self, text: str, hint: str, slot: object) -> QPushButton:
        button = QPushButton(text, self)
        button.setToolTip(hint)
        button.clicked.connect(slot)
        return button

    def _choice(self, name: str) -> QComboBox:
        box = QComboBox(self)
        box.setAccessibleName(name)
        narrow = QComboBox.SizeAdjustPolicy.AdjustToMinimumContentsLengthWithIcon
        box.setSizeAdjustPolicy(narrow)
        return box
