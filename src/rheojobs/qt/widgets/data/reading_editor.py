"""The dialog that corrects how a file is read: test, columns, units, separators, constants.

It shows what `corrections.look` found, and emits the user's choices.
"""

from __future__ import annotations

from collections.abc import Mapping
from itertools import zip_longest

from qtpy.QtCore import Qt, QTimer, Signal
from qtpy.QtGui import QPalette
from qtpy.QtWidgets import (
    QAbstractItemView,
    QComboBox,
    QDialog,
    QDialogButtonBox,
    QGridLayout,
    QLabel,
    QLineEdit,
    QTableWidget,
    QTableWidgetItem,
    QVBoxLayout,
    QWidget,
)

from rheojobs.inference.data.protocol import PROTOCOL_CONSTANTS
from rheojobs.inference.data.reading.options import ROLES
from rheojobs.inference.data.reading.preview import LEFT_OUT, Look, Reading, TableSeen
from rheojobs.inference.data.test_modes import TEST_MODES
from rheojobs.inference.data.units import USUAL_UNITS
from rheojobs.qt.widgets.common.building import style_table
from rheojobs.qt.widgets.common.colors import alarm, muted
from rheojobs.qt.widgets.common.copying import make_copyable
from rheojobs.qt.widgets.common.texts import with_unit
from rheojobs.qt.widgets.common.window_size import grow_to_fit

__all__ = ["ReadingEditor"]

_PATIENCE_MS = 200
_MOST_NOTES = 6
_CONSTANT_UNITS = {
    "gamma_dot": "1/s",
    "sigma_applied": "Pa",
    "gamma_0": "",
    "omega": "rad/s",
    "sigma_0": "Pa",
}


class ReadingEditor(QDialog):
    """A dialog that asks for a new reading of a file at each choice, and shows the result.

    Parameters
    ----------
    name : str
        The name of the data.
    reading : Reading
        How they are read at present.

    Attributes
    ----------
    wanted : Signal(object)
        The `Reading` to try; the receiver calls `show_look` with the result.
    chosen : Signal(object, object)
        The `Reading` that was accepted, and its `Dataset`.
    modes, steps, delimiters, decimals : QComboBox
        The test, the section of the file, the delimiter of the columns, the decimal sign.
    columns, units : dict of str to QComboBox
        Keyed by x, y and y2.
    left_out : dict of str to QLineEdit
        Keyed by `LEFT_OUT`.
    constants : dict of str to QLineEdit
        Keyed by `PROTOCOL_CONSTANTS`.
    problems : dict of str to QLabel
        The line below each field that shows a problem of that field.
    """

    wanted = Signal(object)
    chosen = Signal(object, object)

    def __init__(self, name: str, reading: Reading, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setWindowTitle(self.tr("How {name} is read").format(name=name or self.tr("this")))
        self._reading = reading
        self._look: Look | None = None
        self._filling = False
        self._names: dict[int, str] = {}
        self.problems: dict[str, QLabel] = {}
        self._timer = QTimer(self, singleShot=True, interval=_PATIENCE_MS)
        self._timer.timeout.connect(self._ask)
        self._make_fields()
        self._fields = QGridLayout()
        self._fields.setColumnStretch(1, 2)
        self._fields.setColumnStretch(3, 1)
        self._lay_out_fields()
        self.table = self._make_table()
        self.summary = self._label(self.tr("What was understood"))
        self.buttons = QDialogButtonBox(QDialogButtonBox.StandardButton.Cancel, self)
        self.use_button = self.buttons.addButton(
            self.tr("&Use these data"), QDialogButtonBox.ButtonRole.AcceptRole
        )
        self.use_button.setEnabled(False)
        self.buttons.accepted.connect(self._accept)
        self.buttons.rejected.connect(self.reject)
        layout = QVBoxLayout(self)
        layout.addLayout(self._fields)
        layout.addWidget(self.table)
        layout.addWidget(self.summary)
        layout.addWidget(self.buttons)
        self.resize(760, self.sizeHint().height())
        self._show_reading()

    # ---------------------------------------------------------------- the choices

    def reading(self) -> Reading:
        """Return the present choices."""
        columns = {role: box.currentData() for role, box in self.columns.items()}
        units = {role: box.currentText().strip() for role, box in self.units.items()}
        constants = {name: edit.text().strip() for name, edit in self.constants.items()}
        left_out = {name: edit.text().strip() for name, edit in self.left_out.items()}
        return Reading(
            self.modes.currentData(),
            self.steps.currentData(),
            self.delimiters.currentData(),
            self.decimals.currentData(),
            {role: number for role, number in columns.items() if number is not None},
            {role: unit for role, unit in units.items() if unit},
            {name: text for name, text in constants.items() if text},
            {name: text for name, text in left_out.items() if text},
        )

    def show_look(self, reading: Reading, look: Look) -> None:
        """Show the result of a reading, if it is still the chosen one."""
        if reading != self.reading():
            return
        self._reading, self._look = reading, look
        self._filling = True
        self._fill(look.table)
        self._filling = False
        for place, label in self.problems.items():
            text = look.problem if place == look.place else ""
            label.setText(text)
            label.setVisible(bool(text))
        if look.dataset is not None:
            notes = [f"• {note}" for note in look.dataset.notes[:_MOST_NOTES]]
            self.summary.setText("\n".join([look.dataset.summary(), *notes]))
        else:
            self.summary.setText(self.tr("The file cannot be read in this way."))
        self.use_button.setEnabled(look.dataset is not None)
        grow_to_fit(self)

    def _show_reading(self) -> None:
        self._filling = True
        reading = self._reading
        for box, wanted in (
            (self.modes, reading.mode),
            (self.delimiters, reading.delimiter),
            (self.decimals, reading.decimal),
        ):
            box.setCurrentIndex(max(0, box.findData(wanted)))
        self._fill_steps((), 1)
        for role in ROLES:
            self.units[role].setEditText(reading.units.get(role, ""))
            number = reading.columns.get(role)
            if number is not None:
                self.columns[role].addItem(str(number), number)
                self.columns[role].setCurrentIndex(1)
        if reading.step is not None:
            self.steps.addItem(str(reading.step), reading.step)
            self.steps.setCurrentIndex(1)
        for name, edit in self.constants.items():
            edit.setText(reading.protocol.get(name, ""))
        for name, edit in self.left_out.items():
            edit.setText(reading.left_out.get(name, ""))
        self._filling = False
        self._timer.start(0)

    def _ask_soon(self, *_: object) -> None:
        if not self._filling:
            self.use_button.setEnabled(False)
            self._timer.start(_PATIENCE_MS)

    def _ask(self) -> None:
        self.wanted.emit(self.reading())

    def _accept(self) -> None:
        if self._look is not None and self._look.dataset is not None:
            self.chosen.emit(self._reading, self._look.dataset)
        self.accept()

    # ---------------------------------------------------------------- the items to choose from

    def _fill(self, table: TableSeen | None) -> None:
        """Offer the columns and sections of the file."""
        is_table = table is not None
        can_be_cut = self._look is None or self._look.place in ("delimiter", *LEFT_OUT)
        for field in (*self.columns.values(), *self.units.values(), *self.left_out.values()):
            field.setEnabled(is_table or can_be_cut)
        for box in (self.delimiters, self.decimals):
            box.setEnabled(table.is_text if table is not None else can_be_cut)
        self.table.setVisible(is_table)
        if table is None:
            return
        self._fill_steps(table.sections, table.step)
        self._fill_table(table)
        columns = {column.number: column for column in table.columns}
        names = {number: column.name for number, column in columns.items()}
        if not table.chosen and names == self._names:
            return  # the columns found before the problem are still useful
        self._names = names
        for role, box in self.columns.items():
            found = names.get(table.chosen.get(role, 0))
            words = self.tr("as found: {name}").format(name=found) if found else self.tr("as found")
            kept = box.currentData()
            box.clear()
            box.addItem(words if kept is None else self.tr("as found"), None)
            for number, name in names.items():
                text = name if name.endswith(str(number)) else f"{number}: {name}"
                box.addItem(text, number)
            if kept is not None and box.findData(kept) < 0:
                box.addItem(str(kept), kept)
            box.setCurrentIndex(max(0, box.findData(kept)))
            column = columns.get(table.chosen.get(role, kept or 0))
            usual = USUAL_UNITS.get(column.quantity, ()) if column is not None else ()
            self._offer_units(role, usual, column.unit if column is not None else "")

    def _fill_steps(self, titles: tuple[str, ...], present: int) -> None:
        kept = self.steps.currentData()
        self.steps.clear()
        self.steps.addItem(self.tr("the first that can be used"), None)
        for number, title in enumerate(titles, 1):
            self.steps.addItem(f"{number}: {title}" if title else str(number), number)
        if kept is not None and self.steps.findData(kept) < 0:
            self.steps.addItem(str(kept), kept)
        self.steps.setCurrentIndex(max(0, self.steps.findData(kept)))
        if kept is None and len(titles) > 1:
            words = self.tr("the first that can be used: {number}").format(number=present)
            self.steps.setItemText(0, words)
        several = len(titles) > 1 or kept is not None
        self.steps.setVisible(several)
        self._step_label.setVisible(several)

    def _offer_units(self, role: str, usual: tuple[str, ...], written: str) -> None:
        box = self.units[role]
        text = box.currentText()
        box.clear()
        box.addItems(list(usual))
        box.setEditText(text)
        edit = box.lineEdit()
        assert edit is not None
        edit.setPlaceholderText(written or self.tr("no unit"))

    def _fill_table(self, table: TableSeen) -> None:
        roles = {number: role for role, number in table.chosen.items()}
        width = max(len(row) for row in table.rows) if table.rows else 0
        self.table.setColumnCount(width)
        self.table.setRowCount(len(table.rows))
        heads = []
        for column in table.columns[:width]:
            role = roles.get(column.number)
            heads.append(f"{role} = {column.name}" if role else column.name)
        self.table.setHorizontalHeaderLabels(heads)
        for number, row in enumerate(table.rows):
            for place, cell in enumerate(row):
                self.table.setItem(number, place, QTableWidgetItem(cell))
        self.table.resizeColumnsToContents()

    # ---------------------------------------------------------------- its parts

    def _make_fields(self) -> None:
        as_found = self.tr("as found")
        modes: dict[str, str | None] = {as_found: None}
        modes |= {mode.replace("_", " "): mode for mode in TEST_MODES}
        self.modes = self._box(self.tr("Test"), modes)
        self.steps = self._box(self.tr("Section of the file"), {})
        self._step_label = self._name(self.tr("Sec&tion"), self.steps)
        delimiters = {as_found: "", self.tr("tab"): "\t", self.tr("semicolon ;"): ";"}
        delimiters |= {self.tr("comma ,"): ",", self.tr("bar |"): "|", self.tr("blank"): " "}
        self.delimiters = self._box(self.tr("Delimiter of the columns"), delimiters)
        decimals = {as_found: "", self.tr("point 1.5"): ".", self.tr("comma 1,5"): ","}
        self.decimals = self._box(self.tr("Decimal sign"), decimals)
        self.columns = {
            role: self._box(self.tr("Column of {role}").format(role=role), {as_found: None})
            for role in ROLES
        }
        self.units = {}
        for role in ROLES:
            box = self._box(self.tr("Unit of {role}").format(role=role), {})
            box.setEditable(True)
            box.setInsertPolicy(QComboBox.InsertPolicy.NoInsert)
            box.editTextChanged.connect(self._ask_soon)
            box.setToolTip(self.tr("Empty: the unit in the file"))
            self.units[role] = box
        self.left_out = {name: self._edit(name) for name in LEFT_OUT}
        self.left_out["skip"].setPlaceholderText(self.tr("none"))
        self.left_out["rows"].setPlaceholderText(self.tr("all, or 3-60, or 1,4,7-"))
        self.left_out["x_range"].setPlaceholderText(self.tr("all, or 0.1,100, in SI units"))
        self.left_out["leave_out"].setPlaceholderText(self.tr("none, or 3,7,12-15"))
        self.constants = {name: self._edit(name) for name in PROTOCOL_CONSTANTS}

    def _lay_out_fields(self) -> None:
        self._row(self._name(self.tr("&Test"), self.modes), self.modes, "mode")
        self._fields.addWidget(self._step_label, 0, 2)
        self._fields.addWidget(self.steps, 0, 3)
        delimiter = self._name(self.tr("Deli&miter"), self.delimiters)
        decimal = self._name(self.tr("&Decimal sign"), self.decimals)
        self._row(delimiter, self.delimiters, "delimiter", decimal, self.decimals)
        words = {"x": self.tr("&x"), "y": self.tr("&y"), "y2": self.tr("y&2 (G″)")}
        for role in ROLES:
            column = self._name(words[role], self.columns[role])
            unit = self._name(self.tr("in"), self.units[role])
            self._row(column, self.columns[role], f"{role} unit", unit, self.units[role])
        self._problem_line("columns")
        self._problem_line("file")
        skip, rows, x_range, leave_out = (self.left_out[name] for name in LEFT_OUT)
        used = self._name(self.tr("&Rows used"), rows)
        self._row(used, rows, "rows", self._name(self.tr("Lines s&kipped"), skip), skip)
        self._problem_line("skip")
        without = self._name(self.tr("Rows left &out"), leave_out)
        self._row(
            self._name(self.tr("Ran&ge of x"), x_range), x_range, "x_range", without, leave_out
        )
        self._problem_line("leave_out")
        names = list(PROTOCOL_CONSTANTS)
        for left, right in zip_longest(names[::2], names[1::2]):
            parts: list[QWidget] = []
            for name in filter(None, (left, right)):
                edit = self.constants[name]
                parts += [self._name(with_unit(name, _CONSTANT_UNITS[name]), edit), edit]
            self._row(parts[0], parts[1], left, *parts[2:])
            if right:
                self._problem_line(right)

    def _row(
        self,
        label: QWidget,
        field: QWidget,
        place: str,
        other_label: QWidget | None = None,
        other: QWidget | None = None,
    ) -> None:
        row = self._fields.rowCount() if self._fields.count() else 0
        self._fields.addWidget(label, row, 0)
        self._fields.addWidget(field, row, 1)
        if other_label is not None and other is not None:
            self._fields.addWidget(other_label, row, 2)
            self._fields.addWidget(other, row, 3)
        self._problem_line(place)

    def _problem_line(self, place: str) -> None:
        label = self._label(self.tr("Problem with {place}").format(place=place))
        palette = label.palette()
        palette.setColor(QPalette.ColorRole.WindowText, alarm(self.palette()))
        label.setPalette(palette)
        label.hide()
        self._fields.addWidget(label, self._fields.rowCount(), 1, 1, 3)
        self.problems[place] = label

    def _box(self, name: str, items: Mapping[str, str | None]) -> QComboBox:
        box = QComboBox(self)
        box.setAccessibleName(name)
        box.setMinimumContentsLength(14)
        for text, data in items.items():
            box.addItem(text, data)
        box.currentIndexChanged.connect(self._ask_soon)
        return box

    def _edit(self, name: str) -> QLineEdit:
        edit = QLineEdit(self)
        edit.setAccessibleName(name)
        edit.setMinimumWidth(self.fontMetrics().averageCharWidth() * 12)
        edit.textChanged.connect(self._ask_soon)
        return edit

    def _name(self, text: str, field: QWidget) -> QLabel:
        label = QLabel(text, self)
        label.setBuddy(field)
        return label

    def _label(self, name: str) -> QLabel:
        label = QLabel(self)
        label.setAccessibleName(name)
        label.setTextFormat(Qt.TextFormat.PlainText)
        label.setWordWrap(True)
        return label

    def _make_table(self) -> QTableWidget:
        table = QTableWidget(0, 0, self)
        table.setAccessibleName(self.tr("The first rows of the file"))
        table.setEditTriggers(QAbstractItemView.EditTrigger.NoEditTriggers)
        style_table(table, 6)
        palette = table.palette()
        palette.setColor(QPalette.ColorRole.Text, muted(self.palette()))
        table.setPalette(palette)
        table.setMinimumSize(420, 7 * self.fontMetrics().height() + 20)
        make_copyable(table)
        return table
