"""`OwnModelDialog`: a model by a formula, checked while it is typed, or by a function in a file."""

from __future__ import annotations

import re
from pathlib import Path

from qtpy.QtCore import Signal
from qtpy.QtGui import QFontDatabase
from qtpy.QtWidgets import (
    QAbstractItemView,
    QDialog,
    QDialogButtonBox,
    QFileDialog,
    QFormLayout,
    QHBoxLayout,
    QHeaderView,
    QLabel,
    QLineEdit,
    QPushButton,
    QTableWidget,
    QTableWidgetItem,
    QTabWidget,
    QVBoxLayout,
    QWidget,
)

from rheojobs.errors import InputError
from rheojobs.inference.models.catalogue import ModelInfo
from rheojobs.inference.models.own.formula import formula_model
from rheojobs.inference.models.own.reference import FileReference, is_formula
from rheojobs.qt.widgets.common.building import style_table
from rheojobs.qt.widgets.common.message_bar import MessageBar
from rheojobs.qt.widgets.common.texts import bounds_text, unit_text

__all__ = ["OwnModelDialog"]

_EXAMPLES = {
    "oscillation": "G0*i*omega*tau/(1 + i*omega*tau)",
    "flow_curve": "sigma_y + K*gamma_dot^n",
    "creep": "J = 1/G0 + t/eta",
    "startup": "eta*gamma_dot*(1 - exp(-t/tau))",
}
_USUAL_EXAMPLE = "G0*exp(-(t/tau)^beta)"


class OwnModelDialog(QDialog):
    """Asks for a model of the user's. It executes nothing.

    Parameters
    ----------
    test_mode : str or None
        The test of the present data: a formula must describe it.
    parent : QWidget, optional
        The Qt parent.

    Attributes
    ----------
    formula_given : Signal(object)
        The `ModelInfo` of a formula.
    file_given : Signal(str)
        The name of a function in a file, ``/path/file.py:function``.
    formula, path, function : QLineEdit
        What is typed.
    parameters : QTableWidget
        The parameters of the formula, with their units and bounds.
    message : MessageBar
        What is wrong, and in which column.
    ok_button : QPushButton
        Accepts what is typed.
    """

    formula_given = Signal(object)
    file_given = Signal(str)

    def __init__(self, test_mode: str | None, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setWindowTitle(self.tr("New model"))
        self._mode = test_mode
        self._found: ModelInfo | None = None
        self.formula = QLineEdit(self)
        self.formula.setFont(QFontDatabase.systemFont(QFontDatabase.SystemFont.FixedFont))
        self.formula.setPlaceholderText(_EXAMPLES.get(test_mode or "", _USUAL_EXAMPLE))
        self.formula.setAccessibleName(self.tr("Formula"))
        self.pretty = QLabel(self)
        self.pretty.setAccessibleName(self.tr("The formula as it is understood"))
        self.parameters = self._table()
        self.path, self.function = QLineEdit(self), QLineEdit(self)
        self.path.setAccessibleName(self.tr("File"))
        self.function.setAccessibleName(self.tr("Function"))
        self.message = MessageBar(self)
        self.pages = QTabWidget(self)
        self.pages.addTab(self._formula_page(), self.tr("F&ormula"))
        self.pages.addTab(self._file_page(), self.tr("Function in a &file"))
        kinds = QDialogButtonBox.StandardButton
        buttons = QDialogButtonBox(kinds.Ok | kinds.Cancel, self)
        self.ok_button: QPushButton = buttons.button(kinds.Ok)
        buttons.accepted.connect(self.accept)
        buttons.rejected.connect(self.reject)
        layout = QVBoxLayout(self)
        layout.addWidget(self.pages, 1)
        layout.addWidget(self.message)
        layout.addWidget(buttons)
        for field in (self.formula, self.path, self.function):
            field.textChanged.connect(self._check)
        self.pages.currentChanged.connect(self._check)
        self.resize(560, 400)
        self._check()

    def accept(self) -> None:
        """Emit the model, and close."""
        self._check()
        if not self.ok_button.isEnabled():
            return
        super().accept()
        if self._found is not None:
            self.formula_given.emit(self._found)
        else:
            self.file_given.emit(self._file_name())

    # ---------------------------------------------------------------- what is typed

    def _check(self, *_: object) -> None:
        """Show what is wrong with what is typed, or what was understood."""
        self._found = None
        self.message.clear()
        is_formula_page = self.pages.currentIndex() == 0
        text = self.formula.text().strip() if is_formula_page else self.path.text().strip()
        good = False
        if text:
            try:
                if is_formula_page:
                    self._found = self._formula_info(text)
                else:
                    self._check_file()
                good = True
            except InputError as error:
                self.message.say("error", str(error))
        if is_formula_page:
            self._show_found()
        self.ok_button.setEnabled(good)

    def _formula_info(self, text: str) -> ModelInfo:
        if not is_formula(text):
            raise InputError(f"{text!r} is no formula: such as {self.formula.placeholderText()}")
        model = formula_model(text)
        if self._mode is not None:
            model.check_test_mode(self._mode)
            model = model.for_test(self._mode)
        return ModelInfo.of(model)

    def _check_file(self) -> None:
        reference = FileReference.of(self._file_name())
        path = Path(self.path.text().strip()).expanduser()
        if path.suffix != ".py":
            raise InputError(f"{path.name} is no Python file: its name must end in .py")
        if not path.is_file():
            raise InputError(f"there is no file {path}")
        if reference is None:
            raise InputError("the name of a function in the file is needed")

    def _file_name(self) -> str:
        path = Path(self.path.text().strip()).expanduser().absolute()
        return f"{path}:{self.function.text().strip()}"

    def _show_found(self) -> None:
        found = self._found
        self.pretty.setText(found.description if found is not None else "")
        rows = found.parameters if found is not None else ()
        self.parameters.setRowCount(len(rows))
        for line, item in enumerate(rows):
            words = (item.name, unit_text(item.unit), bounds_text(*item.bounds))
            for column, text in enumerate(words):
                self.parameters.setItem(line, column, QTableWidgetItem(text))

    # ---------------------------------------------------------------- its parts

    def _table(self) -> QTableWidget:
        table = QTableWidget(0, 3, self)
        table.setAccessibleName(self.tr("Parameters of the formula"))
        titles = [self.tr("Parameter"), self.tr("Unit"), self.tr("Bounds")]
        table.setHorizontalHeaderLabels(titles)
        table.setEditTriggers(QAbstractItemView.EditTrigger.NoEditTriggers)
        table.setSelectionMode(QAbstractItemView.SelectionMode.NoSelection)
        style_table(table)
        header = table.horizontalHeader()
        header.setSectionResizeMode(QHeaderView.ResizeMode.ResizeToContents)
        header.setStretchLastSection(True)
        return table

    def _formula_page(self) -> QWidget:
        page = QWidget(self)
        column = QVBoxLayout(page)
        column.addWidget(
            self._words(
                self.tr(
                    "The variable is t, omega, gamma_dot or x; i is the imaginary unit. All other "
                    "names are parameters. Write products with *, powers with ^."
                )
            )
        )
        column.addWidget(self.formula)
        column.addWidget(self.pretty)
        column.addWidget(self.parameters, 1)
        column.addWidget(
            self._words(
                self.tr("Units follow from the formula. Bounds can be changed in the table later.")
            )
        )
        return page

    def _file_page(self) -> QWidget:
        page = QWidget(self)
        choose = QPushButton(self.tr("C&hoose…"), page)
        choose.clicked.connect(self._ask_file)
        row = QHBoxLayout()
        row.addWidget(self.path, 1)
        row.addWidget(choose)
        form = QFormLayout()
        form.addRow(self.tr("File"), row)
        form.addRow(self.tr("Function"), self.function)
        column = QVBoxLayout(page)
        column.addWidget(
            self._words(
                self.tr(
                    "The first argument of the function is x; its name tells the test, as in a "
                    "formula. The others are parameters, with defaults to start from:"
                )
            )
        )
        example = QLabel("def stretched(t, G0=1e4, tau=1.0, beta: (0.1, 1) = 0.7): …", page)
        example.setFont(QFontDatabase.systemFont(QFontDatabase.SystemFont.FixedFont))
        column.addWidget(example)
        column.addLayout(form)
        column.addStretch(1)
        return page

    def _words(self, text: str) -> QLabel:
        label = QLabel(text, self)
        label.setWordWrap(True)
        return label

    def _ask_file(self) -> None:
        dialog = QFileDialog(self, self.tr("Choose a Python file"))
        dialog.setNameFilter(self.tr("Python files (*.py)"))
        dialog.setFileMode(QFileDialog.FileMode.ExistingFile)
        dialog.fileSelected.connect(self._take_file)
        dialog.open()

    def _take_file(self, path: str) -> None:
        """Show a file, and the first function in it if none is named yet."""
        self.path.setText(path)
        if not self.function.text().strip():
            try:
                source = Path(path).read_text(encoding="utf-8", errors="replace")
            except OSError as error:
                self.message.say("error", f"{path} cannot be read: {error.strerror}")
                return
            first = re.search(r"^def ([A-Za-z]\w*)", source, flags=re.MULTILINE)
            self.function.setText(first[1] if first else "")
