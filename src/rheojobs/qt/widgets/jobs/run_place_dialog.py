"""`RunPlaceDialog`: chooses where jobs run: on this computer or on a Dask cluster."""

from __future__ import annotations

from qtpy.QtCore import Signal
from qtpy.QtWidgets import (
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
    """Asks where jobs should run.

    Parameters
    ----------
    address : str
        The cluster that was chosen last, or is in use.
    is_remote : bool
        Whether a cluster is chosen at present.

    Attributes
    ----------
    wanted : Signal(str)
        The address of a cluster; empty for this computer.
    here, there : QRadioButton
    address : QLineEdit
        The address of a Dask scheduler.
    message : MessageBar
        The outcome of the choice.
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
                "Running jobs stay where they are: the change takes effect when no job runs. "
                "Files are always opened and written on this computer. An address that begins "
                "with tcp:// is not encrypted: use it only if you trust everybody who can reach "
                "it, otherwise tls:// with the certificates of Dask's own configuration."
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
        """Show the outcome of the choice; allow another one, unless the move is in progress."""
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
