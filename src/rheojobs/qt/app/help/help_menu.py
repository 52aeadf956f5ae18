"""The Help menu: the keys, the documentation, the report of a problem, and About."""

from __future__ import annotations

from qtpy.QtCore import Qt, QUrl
from qtpy.QtGui import QDesktopServices, QKeySequence
from qtpy.QtWidgets import (
    QAbstractItemView,
    QDialog,
    QDialogButtonBox,
    QMainWindow,
    QMenu,
    QMessageBox,
    QTableWidget,
    QTableWidgetItem,
    QVBoxLayout,
)

from rheojobs.qt.app.help.icon import app_icon
from rheojobs.qt.app.help.keys import keys_of
from rheojobs.qt.app.help.versions import license_name, project_url, versions, versions_text
from rheojobs.qt.widgets.common.building import action, style_table
from rheojobs.qt.widgets.common.copying import copy_text, make_copyable

__all__ = ["HelpMenu"]


class HelpMenu(QMenu):
    """The Help menu of a window.

    Parameters
    ----------
    window : QMainWindow
        Its actions have the keys that are shown.
    """

    def __init__(self, window: QMainWindow) -> None:
        super().__init__(window)
        self.setTitle(self.tr("&Help"))
        self._window = window
        self.documentation = action(
            window, self.tr("&Documentation"), QKeySequence.StandardKey.HelpContents, self._read
        )
        self.keys = action(window, self.tr("&Keyboard shortcuts"), "Ctrl+F1", self._show_keys)
        self.report = action(window, self.tr("&Report a problem…"), "", self._report)
        self.about = action(window, self.tr("&About rheojobs"), "", self._show_about)
        self.addActions([self.documentation, self.keys])
        self.addSeparator()
        self.addActions([self.report, self.about])

    def _read(self) -> None:
        QDesktopServices.openUrl(QUrl(project_url("Documentation")))

    def _show_keys(self) -> None:
        dialog = QDialog(self._window)
        dialog.setWindowTitle(self.tr("Keyboard shortcuts"))
        dialog.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        found = keys_of(self._window)
        table = QTableWidget(len(found), 3, dialog)
        table.setAccessibleName(self.tr("Keyboard shortcuts"))
        table.setHorizontalHeaderLabels([self.tr("Where"), self.tr("What"), self.tr("Keys")])
        table.setEditTriggers(QAbstractItemView.EditTrigger.NoEditTriggers)
        table.setSelectionBehavior(QAbstractItemView.SelectionBehavior.SelectRows)
        style_table(table, 6)
        table.setAlternatingRowColors(True)
        header = table.horizontalHeader()
        header.setHighlightSections(False)
        header.setDefaultAlignment(Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignVCenter)
        for row, key in enumerate(found):
            shown = QKeySequence(key.keys).toString(QKeySequence.SequenceFormat.NativeText)
            for column, text in enumerate((key.place, key.name, shown)):
                table.setItem(row, column, QTableWidgetItem(text))
        table.resizeColumnsToContents()
        header.setStretchLastSection(True)
        make_copyable(table)
        buttons = QDialogButtonBox(QDialogButtonBox.StandardButton.Close, dialog)
        buttons.rejected.connect(dialog.reject)
        layout = QVBoxLayout(dialog)
        layout.addWidget(table)
        layout.addWidget(buttons)
        dialog.resize(460, 520)
        dialog.show()

    def _report(self) -> None:
        copy_text(versions_text())
        box = self._box(self.tr("Report a problem"))
        box.setText(self.tr("The versions of rheojobs and its packages are on the clipboard."))
        words = self.tr("Paste them into your report, and describe what you did:\n{address}")
        box.setInformativeText(words.format(address=project_url("Issues")))
        box.setDetailedText(versions_text())
        visit = box.addButton(self.tr("&Open the page"), QMessageBox.ButtonRole.ActionRole)
        box.setDefaultButton(box.addButton(QMessageBox.StandardButton.Close))
        assert visit is not None
        visit.clicked.connect(lambda: QDesktopServices.openUrl(QUrl(project_url("Issues"))))
        box.open()

    def _show_about(self) -> None:
        found = versions()
        box = self._box(self.tr("About rheojobs"))
        box.setIconPixmap(app_icon().pixmap(64, 64))
        box.setText(f"rheojobs {found.pop('rheojobs')}")
        lines = [self.tr("Fits and Bayesian sampling of rheological models, in the background.")]
        lines += [self.tr("License: {name}").format(name=license_name()), ""]
        lines += [f"{name} {number}" for name, number in found.items()]
        box.setInformativeText("\n".join(lines))
        box.addButton(QMessageBox.StandardButton.Close)
        box.open()

    def _box(self, title: str) -> QMessageBox:
        box = QMessageBox(self._window)
        box.setWindowTitle(title)
        box.setTextFormat(Qt.TextFormat.PlainText)
        box.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        return box
