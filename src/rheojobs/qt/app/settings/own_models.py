"""`OwnModels`: adds models of the user's to the picker; asks before a file is run."""

from __future__ import annotations

from dataclasses import replace

from qtpy.QtCore import QObject, Qt
from qtpy.QtWidgets import QMessageBox

from rheojobs.errors import InputError
from rheojobs.inference.models.catalogue import ModelInfo
from rheojobs.inference.models.loading import check_name, describe
from rheojobs.inference.models.own.reference import shown_name
from rheojobs.qt.widgets.model.model_picker import ModelPicker
from rheojobs.qt.worker_pool import WorkerPool

__all__ = ["OwnModels"]


class OwnModels(QObject):
    """Opens the dialog of a new model, and adds its model for as long as the window lives.

    A function in a file is run by a worker, after the user has agreed. The name of its model has
    the digest of the source, so that no other source is ever run without a new question.

    Parameters
    ----------
    pool : WorkerPool
        Runs the file.
    picker : ModelPicker
        Gets the model, and shows what is wrong with it.
    parent : QObject
        The Qt parent.

    Attributes
    ----------
    dialog : OwnModelDialog or None
        While it is shown.
    question : QMessageBox or None
        While it is asked whether a file may be run.
    """

    def __init__(self, pool: WorkerPool, picker: ModelPicker, parent: QObject) -> None:
        super().__init__(parent)
        self._pool, self._picker = pool, picker
        self._job, self._name = "", ""
        self.dialog: QObject | None = None
        self.question: QMessageBox | None = None
        picker.new_button.clicked.connect(self.ask)
        pool.job_completed.connect(self._on_described)
        pool.job_failed.connect(self._on_failed)

    def ask(self) -> None:
        """Open the dialog."""
        from rheojobs.qt.widgets.model.own_model_dialog import OwnModelDialog

        if self.dialog is not None:
            return
        dialog = OwnModelDialog(self._picker.test_mode, self._picker.window())
        dialog.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        dialog.formula_given.connect(self._picker.add)
        dialog.file_given.connect(self._ask_to_run)
        dialog.finished.connect(self._forget_dialog)
        self.dialog = dialog
        dialog.open()

    # ---------------------------------------------------------------- inside

    def _forget_dialog(self, _: int) -> None:
        self.dialog = None

    def _ask_to_run(self, name: str) -> None:
        try:
            pinned = check_name(name)
        except InputError as error:
            self._picker.message.say("error", str(error))
            return
        question = QMessageBox(self._picker.window())
        question.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        question.setIcon(QMessageBox.Icon.Warning)
        question.setWindowTitle(self.tr("Run this file?"))
        question.setTextFormat(Qt.TextFormat.PlainText)
        question.setText(self.tr("Run {name}?").format(name=shown_name(pinned)))
        question.setInformativeText(
            self.tr(
                "The function is Python code: running it can do whatever you can do on this "
                "computer. Run it only if you trust where it comes from."
            )
        )
        run = question.addButton(self.tr("&Run it"), QMessageBox.ButtonRole.AcceptRole)
        question.setDefaultButton(question.addButton(QMessageBox.StandardButton.Cancel))
        run.clicked.connect(lambda: self._describe(pinned))
        question.finished.connect(self._forget_question)
        self.question = question
        question.open()

    def _forget_question(self, _: int) -> None:
        self.question = None

    def _describe(self, name: str) -> None:
        self._name = name
        self._job = self._pool.run_here(describe, name, {})
        words = self.tr("A worker reads {name} …").format(name=shown_name(name))
        self._picker.message.say("info", words)

    def _on_described(self, job_id: str, found: object) -> None:
        if job_id == self._job and isinstance(found, ModelInfo):
            self._picker.message.clear()
            self._picker.add(replace(found, name=self._name))

    def _on_failed(self, job_id: str, message: str) -> None:
        if job_id == self._job:
            self._picker.message.say("error", message)
