"""`DataPanel`: the opened data, what was understood of them, and the choice of the test mode."""

from __future__ import annotations

from collections.abc import Sequence

from qtpy.QtCore import QEvent, Qt, Signal
from qtpy.QtGui import QPalette
from qtpy.QtWidgets import (
    QComboBox,
    QFormLayout,
    QHBoxLayout,
    QLabel,
    QPushButton,
    QSizePolicy,
    QVBoxLayout,
    QWidget,
)

from rheojobs.inference.data.dataset import Dataset
from rheojobs.inference.data.test_modes import TEST_MODES
from rheojobs.qt.widgets.common.check_boxes import CheckBox
from rheojobs.qt.widgets.common.colors import muted
from rheojobs.qt.widgets.common.message_bar import MessageBar

__all__ = ["DataPanel"]


_MAX_NOTES = 5


class DataPanel(QWidget):
    """The opened datasets; one of them is the present one.

    Attributes
    ----------
    open_wanted : Signal()
        The user wants to open a file.
    dataset_chosen : Signal(int)
        The user chose the dataset with this number, in the order of opening.
    mode_chosen : Signal(str)
        The user set this test mode for the present data.
    close_wanted : Signal()
        The user wants to close the present data, whether a job works on them or not.
    correct_wanted : Signal()
        The user wants to correct how the present data were read.
    failed_button : QPushButton
        Below the message of a file that was not understood: corrects how it is read.
    together : CheckBox
        Whether to show all data of the same test beside the present data.
    """

    open_wanted = Signal()
    dataset_chosen = Signal(int)
    mode_chosen = Signal(str)
    close_wanted = Signal()
    correct_wanted = Signal()

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.open_button = QPushButton(self.tr("Open…"), self)
        self.open_button.setToolTip(self.tr("Open files with measured data"))
        self.open_button.clicked.connect(self.open_wanted)
        self.close_button = QPushButton(self.tr("Close"), self)
        self.close_button.setToolTip(
            self.tr("Close these data; their jobs and results stay in the table of jobs")
        )
        self.close_button.setEnabled(False)
        self.close_button.clicked.connect(self.close_wanted)
        self.names = QComboBox(self)
        self.names.setAccessibleName(self.tr("Data"))
        self.names.setPlaceholderText(self.tr("No data yet"))
        self.names.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Fixed)
        self.names.setEnabled(False)
        self.names.activated.connect(self.dataset_chosen)
        self.modes = QComboBox(self)
        self.modes.setAccessibleName(self.tr("Test mode"))
        self.modes.setPlaceholderText(self.tr("Choose the test mode"))
        for mode in TEST_MODES:
            self.modes.addItem(mode.replace("_", " "), mode)
        self.modes.setCurrentIndex(-1)
        self.modes.setEnabled(False)
        self.modes.activated.connect(lambda row: self.mode_chosen.emit(self.modes.itemData(row)))
        self.correct_button = QPushButton(self.tr("Correct…"), self)
        self.correct_button.setToolTip(
            self.tr("Correct the columns, units, separators and constants of these data")
        )
        self.correct_button.setEnabled(False)
        self.correct_button.clicked.connect(self.correct_wanted)
        self.together = CheckBox(self.tr("Show &all data of this test together"), self)
        self.together.setToolTip(self.tr("Draw the other opened data beside the present data"))
        self.together.hide()
        self.summary = self._words(self.tr("Summary of the data"))
        self.notes = self._words(self.tr("Notes on the data"))
        self.message = MessageBar(self)
        self.failed_button = QPushButton(self.tr("Correct &how it is read…"), self)
        self.failed_button.setToolTip(
            self.tr("Set the columns, units and separators of the file that was not understood")
        )
        self.failed_button.hide()
        self._locked = False
        row = QHBoxLayout()
        row.addWidget(self.names, 1)
        row.addWidget(self.open_button)
        row.addWidget(self.close_button)
        form = QFormLayout()
        form.setFieldGrowthPolicy(QFormLayout.FieldGrowthPolicy.AllNonFixedFieldsGrow)
        form.addRow(self.tr("Data"), row)
        test = QHBoxLayout()
        test.addWidget(self.modes, 1)
        test.addWidget(self.correct_button)
        form.addRow(self.tr("Test"), test)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.addLayout(form)
        layout.addWidget(self.together)
        layout.addWidget(self.summary)
        layout.addWidget(self.notes)
        layout.addWidget(self.message)
        layout.addWidget(self.failed_button, 0, Qt.AlignmentFlag.AlignLeft)
        self._tint()

    def show_names(self, names: Sequence[str], current: int) -> None:
        """Show the list of the data, and the index of the present data: -1 if there are none."""
        names = [name or self.tr("unnamed") for name in names]
        if names != [self.names.itemText(row) for row in range(self.names.count())]:
            self.names.clear()
            self.names.addItems(names)
        self.names.setCurrentIndex(current)
        self.together.setVisible(len(names) > 1)
        self._enable()

    def set_locked(self, locked: bool) -> None:
        """Lock the data while a job works on them."""
        self._locked = locked
        self._enable()

    def show_failure(self, text: str, *, can_correct: bool) -> None:
        """Show why a file was not read, with a button to correct it if that may help."""
        self.message.say("error", text)
        self.failed_button.setVisible(can_correct)

    def show_dataset(self, dataset: Dataset | None) -> None:
        """Show what is known of the present dataset, if there is one."""
        self.failed_button.hide()
        self._enable()
        if dataset is None:
            self.modes.setCurrentIndex(-1)
            self.message.clear()
            for label in (self.summary, self.notes):
                label.clear()
                label.hide()
            return
        mode = dataset.test_mode
        self.modes.setCurrentIndex(-1 if mode is None else self.modes.findData(mode))
        self.names.setToolTip(dataset.name)
        self.summary.setText(dataset.summary())
        self.summary.show()
        lines = [f"• {note}" for note in dataset.notes]
        self.notes.setToolTip("\n".join(lines) if len(lines) > _MAX_NOTES else "")
        if len(lines) > _MAX_NOTES:
            more = self.tr("• … and {count} more")
            lines[_MAX_NOTES - 1 :] = [more.format(count=len(lines) - _MAX_NOTES + 1)]
        self.notes.setText("\n".join(lines))
        self.notes.setVisible(bool(dataset.notes))
        if mode is None:
            self.message.say(
                "warning",
                self.tr("The file does not show the test mode: choose it above."),
            )
        else:
            self.message.clear()

    def changeEvent(self, event: QEvent) -> None:
        """Follow the palette."""
        super().changeEvent(event)
        if event.type() == QEvent.Type.PaletteChange:
            self._tint()

    def _enable(self) -> None:
        can_choose = self.names.count() > 0 and not self._locked
        self.names.setEnabled(can_choose)
        self.modes.setEnabled(can_choose)
        self.correct_button.setEnabled(can_choose)
        self.close_button.setEnabled(self.names.count() > 0)

    def _words(self, accessible_name: str) -> QLabel:
        label = QLabel(self)
        label.setWordWrap(True)
        label.setTextFormat(Qt.TextFormat.PlainText)
        label.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
        label.setAccessibleName(accessible_name)
        label.hide()
        return label

    def _tint(self) -> None:
        palette = self.notes.palette()
        palette.setColor(QPalette.ColorRole.WindowText, muted(self.palette()))
        self.notes.setPalette(palette)
