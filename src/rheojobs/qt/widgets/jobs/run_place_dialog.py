"""Where jobs run: this computer or a Dask cluster, with a field for its address.

Tells what is wanted; must not know engines.
"""

from __future__ import annotations

from PySide6.QtCore import Signal
from PySide6.QtWidgets import (
    QDialog,
    QDialogButtonBox,
    QHBoxLayout,
    QLabel,
    QLineEdit,
    QRadioButton,
    QVBoxLayout,
    QWidget,
)

from rheojobs.qt.widgets.common.message_bar import MessageBar
from rheojobs.qt.widgets.common.window_size import grow_to_fit

__all__ = ["RunPlaceDialog"]


class RunPlaceDialog(QDialog):
    """Asks where jobs are to run.

    Parameters
    ----------
    address : str
        The cluster that was wanted last, or is used.
    is_remote : bool
        Whether a cluster is wanted now.

    Attributes
    ----------
    wanted : Signal(str)
        The address of a cluster; empty for this computer.
    here, there : QRadioButton
    address : QLineEdit
        Of a Dask scheduler.
    message : MessageBar
        What came of it.
    """

    wanted = Signal(str)

    def __init__(self, address: str, is_remote: bool, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setWindowTitle(self.tr("Where jobs run"))
        self.here = QRadioButton(self.tr("On &this computer"), self)
        self.there = QRadioButton(self.tr("On a &Dask cluster at"), self)
        self.address = QLineEdit(address, self)
        self.address.setAccessibleName(self.tr("Address of the Dask scheduler"))
        self.address.setPlaceholderText("tcp://head:8786")
        self.address.setMinimumWidth(self.fontMetrics().averageCharWidth() * 32)
        (self.there if is_remote else self.here).setChecked(True)
        self.address.textEdited.connect(lambda _: self.there.setChecked(True))
        row = QHBoxLayout()
        row.addWidget(self.there)
        row.addWidget(self.address, 1)
        self.help = QLabel(
            self.tr(
                "Jobs that run stay where they are: the change comes when none runs any more. "
                "Files are opened and written on this computer in any case. An address that "
                "begins with tcp:// is not encrypted: use it where you trust all who can reach "
                "it, else tls:// with the certificates of Dask's own configuration."
            ),
            self,
        )
        self.help.setWordWrap(True)
        self.message = MessageBar(self)
        self.buttons = QDialogButtonBox(QDialogButtonBox.StandardButton.Close, self)
        self.use_button = self.buttons.addButton(
            self.tr("&Use it"), QDialogButtonBox.ButtonRole.ApplyRole
        )
        self.use_button.setDefault(True)
        self.use_button.clicked.connect(self._ask)
        self.buttons.rejected.connect(self.reject)
        layout = QVBoxLayout(self)
        layout.addWidget(self.here)
        layout.addLayout(row)
        layout.addWidget(self.help)
        layout.addWidget(self.message)
        layout.addWidget(self.buttons)

    def say(self, kind: str, text: str) -> None:
        """Say what came of what was wanted; ask again from now on, unless it is under way."""
        self.message.say(kind, text)
        self.use_button.setEnabled(kind != "info")
        grow_to_fit(self)

    def _ask(self) -> None:
        address = self.address.text().strip()
        if self.here.isChecked():
            self.wanted.emit("")
        elif address:
            self.wanted.emit(address)
        else:
            self.say("error", self.tr("Give the address of the scheduler, such as tcp://head:8786"))
            self.address.setFocus()
