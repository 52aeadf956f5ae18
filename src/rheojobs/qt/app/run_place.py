"""Moves the jobs of the window to a Dask cluster and back, and remembers the address.

Connecting may take seconds, so it is done in a separate thread.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import dataclass

from qtpy.QtCore import QObject, QSettings, Qt, Signal
from qtpy.QtWidgets import QToolButton, QWidget

from rheojobs.engine import JobEngine
from rheojobs.engine.events import JobEvent, StateChanged
from rheojobs.engine.executors import Executor, make_executor
from rheojobs.errors import InputError, RheojobsError
from rheojobs.inference.readiness.warm_up import PRELOAD
from rheojobs.qt.background import Background
from rheojobs.qt.thread_gate import ThreadGate
from rheojobs.qt.widgets.jobs.run_place_dialog import RunPlaceDialog
from rheojobs.qt.worker_pool import WorkerPool

__all__ = ["RunPlace"]

_SETTING = "run/cluster"


@dataclass(frozen=True)
class _Moved:
    """Where jobs run: the address, empty for this computer; number of workers; warnings."""

    address: str
    workers: int
    oddities: tuple[str, ...] = ()


class _Mover:
    """Makes executors and moves an engine to them; closing the window ends them all."""

    def __init__(self, engine: JobEngine) -> None:
        self._engine = engine
        self._workers = engine.executor.capacity
        self._made: dict[str, Executor] = {}
        self._lock = threading.Lock()
        self._closed = False

    def move(self, address: str) -> _Moved:
        """Connect, and move the jobs; raise `InputError` if either is impossible."""
        executor = self._made.pop(address, None) or self._make(address)
        with self._lock:
            if not self._closed:
                try:
                    self._engine.move_to(executor)
                except InputError:
                    self._made[address] = executor  # stays connected for the next try
                    raise
                except RheojobsError:  # the engine is shut down
                    executor.shutdown(1.0)
                    raise
                oddities = tuple(getattr(executor, "version_problems", ()))
                return _Moved(address, executor.capacity, oddities)
        executor.shutdown(1.0)
        raise InputError("the window is closed")

    def is_connected(self, address: str) -> bool:
        """Return whether the cluster is connected, so that only running jobs delay the move."""
        return address in self._made

    def drop(self) -> None:
        """Close the connections that are no longer needed."""
        while self._made:
            self._made.popitem()[1].shutdown(1.0)

    def close(self) -> None:
        """Refuse further moves; do not wait."""
        self._closed = True

    def _make(self, address: str) -> Executor:
        if not address:
            return make_executor("processes", self._workers, PRELOAD)
        from rheojobs.engine.executors.dask.executor import DaskExecutor

        return DaskExecutor(address, preload=PRELOAD)


class RunPlace(QObject):
    """Holds where jobs run, and moves them when the user chooses another place.

    Parameters
    ----------
    pool : WorkerPool
        Whose jobs are moved.
    window : QWidget
        The dialog's parent.
    settings : QSettings, optional
        Stores the address from one start to the next.

    Attributes
    ----------
    button : QToolButton
        Shows where jobs run; opens the dialog.
    dialog : RunPlaceDialog or None
        The dialog, while it is shown.
    told : Signal(str, str)
        The kind of a message and its text.
    address : str
        The address of the cluster where jobs run; empty for this computer.
    """

    told = Signal(str, str)
    _woken = Signal()

    def __init__(
        self, pool: WorkerPool, window: QWidget, settings: QSettings | None = None
    ) -> None:
        super().__init__(window)
        self._pool = pool
        self._window = window
        self._settings = settings
        self._background = Background(self)
        self._mover = _Mover(pool.engine)
        self._wanted: str | None = None
        self._is_moving = False
        self.address = ""
        self.dialog: RunPlaceDialog | None = None
        self.button = QToolButton(window)
        self.button.setAutoRaise(True)
        self.button.setToolButtonStyle(Qt.ToolButtonStyle.ToolButtonTextOnly)
        self.button.setToolTip(self.tr("Choose where jobs run"))
        self.button.clicked.connect(self.ask)
        self._show(_Moved("", self._mover._workers))
        self._gate = ThreadGate(self, self._woken, self._try_again)
        self._unsubscribe: Callable[[], None] | None = None

    def restore(self) -> None:
        """Move to the place that was chosen when the window was last closed."""
        kept = "" if self._settings is None else str(self._settings.value(_SETTING, "") or "")
        if kept:
            self.use(kept)

    def ask(self) -> None:
        """Open the dialog."""
        if self.dialog is None:
            wanted = self.address if self._wanted is None else self._wanted
            dialog = RunPlaceDialog(wanted or self._last(), bool(wanted), self._window)
            dialog.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
            dialog.wanted.connect(self.use)
            dialog.finished.connect(self._forget_dialog)
            self.dialog = dialog
            dialog.open()

    def use(self, address: str) -> None:
        """Run jobs on the cluster of this address, or on this computer if it is empty.

        The address is stored even if no scheduler answers there: it may be up again tomorrow.
        """
        if self._settings is not None:
            self._settings.setValue(_SETTING, address)
        if address == self.address:
            self._wanted = None
            self._tell("success", self._words())
            return
        self._wanted = address
        self._move()

    def close(self) -> None:
        """Move no more jobs."""
        self._mover.close()
        self._wait_no_more()
        self._background.do(self._mover.drop)
        self._background.close()

    # ---------------------------------------------------------------- moving

    def _move(self) -> None:
        address = self._wanted
        if address is None or self._is_moving:
            return
        self._is_moving = True
        words = self.tr("Connecting to {address} …").format(address=address)
        self._tell("info", words if address else self.tr("Moving back to this computer …"))
        self._background.do(lambda: self._mover.move(address), self._on_moved, self._on_refused)

    def _on_moved(self, moved: _Moved) -> None:
        self._is_moving = False
        self.address = moved.address
        self._show(moved)
        if self._wanted == moved.address:
            self._wanted = None
            self._wait_no_more()
            self._background.do(self._mover.drop)
        if moved.oddities:
            self._tell("warning", "\n".join((self._words(), *moved.oddities)))
        else:
            self._tell("success", self._words())
        self._move()  # another place may have been chosen meanwhile

    def _on_refused(self, reason: str) -> None:
        self._is_moving = False
        if self._wanted is not None and self._mover.is_connected(self._wanted):
            self._wait_for_ends()
            self._tell("warning", self.tr("Not yet: {reason}.").format(reason=reason))
            return
        self._wanted = None
        words = self.tr("{reason}. {place}").format(reason=reason, place=self._words())
        self._tell("error", words)

    def _wait_for_ends(self) -> None:
        """Try again whenever any job has ended."""
        if self._unsubscribe is None:
            gate = self._gate

            def hear(event: JobEvent) -> None:
                if isinstance(event, StateChanged) and event.state.is_terminal:
                    gate.put(event)

            self._unsubscribe = self._pool.engine.subscribe(hear)

    def _wait_no_more(self) -> None:
        if self._unsubscribe is not None:
            self._unsubscribe()
            self._unsubscribe = None

    def _try_again(self) -> None:
        self._gate.deliver(lambda event: None)  # one try is enough for all that have ended
        if self._wanted is not None:
            self._move()

    # ---------------------------------------------------------------- messages

    def _words(self) -> str:
        if not self.address:
            return self.tr("Jobs run on this computer.")
        return self.tr("Jobs run on {address}.").format(address=self.address)

    def _show(self, moved: _Moved) -> None:
        if not moved.address:
            self.button.setText(self.tr("Run on: this computer"))
        else:
            words = self.tr("Run on: {address}, {count} at a time")
            self.button.setText(words.format(address=moved.address, count=moved.workers))

    def _tell(self, kind: str, text: str) -> None:
        if self.dialog is not None:
            self.dialog.say(kind, text)
        self.told.emit(kind, text)

    def _last(self) -> str:
        return "" if self._settings is None else str(self._settings.value(_SETTING, "") or "")

    def _forget_dialog(self, _: int) -> None:
        self.dialog = None
