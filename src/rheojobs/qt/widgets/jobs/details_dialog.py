"""`JobDetailsDialog`: all that is known of one job: its times, states, attempts and error."""

from __future__ import annotations

from qtpy.QtCore import Qt
from qtpy.QtGui import QFontDatabase
from qtpy.QtWidgets import (
    QAbstractItemView,
    QDialog,
    QDialogButtonBox,
    QFormLayout,
    QHeaderView,
    QLabel,
    QPlainTextEdit,
    QTableWidget,
    QTableWidgetItem,
    QVBoxLayout,
    QWidget,
)

from rheojobs.engine.job_control import JobControl, JobRecord
from rheojobs.qt.widgets.common.building import style_table
from rheojobs.qt.widgets.common.copying import copy_text, make_copyable, table_text
from rheojobs.qt.widgets.jobs.rows import JobRow, moment, state_meaning, state_text
from rheojobs.qt.widgets.jobs.table_model import JobTableModel

__all__ = ["JobDetailsDialog"]


class JobDetailsDialog(QDialog):
    """Shows one job, and follows it until it is closed. It blocks nothing.

    Parameters
    ----------
    row : JobRow
        The job.
    model : JobTableModel
        Its table.
    control : JobControl
        Reads the store.
    parent : QWidget
        The Qt parent.

    Attributes
    ----------
    facts : dict
        The labels, by the name of what they show.
    history : QTableWidget
        The states that the job has entered.
    error : QPlainTextEdit
        The message of its error, with the traceback; hidden if there is none.
    """

    def __init__(
        self, row: JobRow, model: JobTableModel, control: JobControl, parent: QWidget
    ) -> None:
        super().__init__(parent)
        self._row, self._model, self._control = row, model, control
        self._shown: tuple[object, ...] = ()
        self.setWindowTitle(self.tr("Job: {name}").format(name=row.name))
        self.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        self.facts: dict[str, QLabel] = {}
        self._form = QFormLayout()
        self.history = self._make_history()
        self.error = QPlainTextEdit(self)
        self.error.setReadOnly(True)
        self.error.setFont(QFontDatabase.systemFont(QFontDatabase.SystemFont.FixedFont))
        self.error.setLineWrapMode(QPlainTextEdit.LineWrapMode.NoWrap)
        self.error.setAccessibleName(self.tr("Error"))
        self.error.hide()
        buttons = QDialogButtonBox(QDialogButtonBox.StandardButton.Close, self)
        copy = buttons.addButton(self.tr("&Copy all"), QDialogButtonBox.ButtonRole.ActionRole)
        assert copy is not None
        copy.clicked.connect(self._copy)
        close = buttons.button(QDialogButtonBox.StandardButton.Close)
        assert close is not None
        close.setDefault(True)
        buttons.rejected.connect(self.reject)
        layout = QVBoxLayout(self)
        layout.addLayout(self._form)
        layout.addWidget(self.history, 1)
        layout.addWidget(self.error, 2)
        layout.addWidget(buttons)
        self.resize(620, 440)
        model.dataChanged.connect(self._follow)
        self._follow()

    def _make_history(self) -> QTableWidget:
        table = QTableWidget(0, 3, self)
        table.setAccessibleName(self.tr("States of the job"))
        table.setHorizontalHeaderLabels([self.tr("Time"), self.tr("State"), self.tr("Message")])
        table.setEditTriggers(QAbstractItemView.EditTrigger.NoEditTriggers)
        table.setSelectionBehavior(QAbstractItemView.SelectionBehavior.SelectRows)
        style_table(table)
        header = table.horizontalHeader()
        header.setHighlightSections(False)
        header.setDefaultAlignment(Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignVCenter)
        header.setSectionResizeMode(QHeaderView.ResizeMode.ResizeToContents)
        header.setStretchLastSection(True)
        make_copyable(table)
        return table

    def _follow(self, *_: object) -> None:
        row = self._row
        if self._shown:  # what passes without an event
            self._show_fact(self.tr("Elapsed"), row.elapsed_text())
            self._show_fact(self.tr("Message"), row.progress_text())
        present = (row.state, row.message, row.started, row.priority, len(row.history))
        if present != self._shown:
            self._shown = present
            self._show(None)
            job_id = row.job_id
            self._model.background.do(
                lambda: self._control.record(job_id), self._show, self._show_unreadable
            )

    def _show(self, record: JobRecord | None) -> None:
        row = self._row
        facts = {
            self.tr("Job"): row.name,
            self.tr("Model"): row.model,
            self.tr("Data"): row.data,
            self.tr("State"): f"{state_text(row.state)}: {state_meaning(row.state)}",
            **{f"{words[:1].upper()}{words[1:]}": when for words, when in row.times()},
            self.tr("Elapsed"): row.elapsed_text(),
            self.tr("Message"): row.progress_text(),
            self.tr("Id"): row.job_id,
        }
        history = list(row.history)
        if record is not None:
            stored, history = record.stored, list(record.history)
            facts[self.tr("Attempts")] = f"{stored.attempts} / {stored.max_attempts}"
            if stored.not_durable_because:
                facts[self.tr("Cannot be run again")] = stored.not_durable_because
            self._show_error(record)
        for name, text in facts.items():
            self._show_fact(name, text)
        self.history.setRowCount(len(history))
        for number, (when, state, message) in enumerate(history):
            for column, text in enumerate((moment(when), state_text(state), message)):
                item = QTableWidgetItem(text)
                item.setToolTip(text)
                self.history.setItem(number, column, item)

    def _show_fact(self, name: str, text: str) -> None:
        label = self.facts.get(name)
        if label is None and text:
            label = QLabel(self)
            label.setTextFormat(Qt.TextFormat.PlainText)
            label.setTextInteractionFlags(
                Qt.TextInteractionFlag.TextSelectableByMouse
                | Qt.TextInteractionFlag.TextSelectableByKeyboard
            )
            label.setWordWrap(True)
            label.setAccessibleName(name)
            self.facts[name] = label
            self._form.addRow(f"{name}:", label)
        if label is not None and label.text() != text:
            label.setText(text)

    def _show_error(self, record: JobRecord) -> None:
        text = str(record.error.get("traceback") or record.error.get("type") or "")
        self.error.setPlainText(text.strip())
        self.error.setVisible(bool(text))

    def _show_unreadable(self, text: str) -> None:
        self._show_fact(self.tr("Store"), text)

    def _copy(self) -> None:
        facts = [f"{name}: {label.text()}" for name, label in self.facts.items()]
        parts = ["\n".join(facts), table_text(self.history, everything=True)]
        parts += [self.error.toPlainText()] if self.error.toPlainText() else []
        copy_text("\n\n".join(part.strip() for part in parts) + "\n")
