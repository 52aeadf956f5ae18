"""`MachineStatus`: the load of the machine and the workers, in a line for the status bar."""

from __future__ import annotations

from dataclasses import dataclass

from qtpy.QtCore import Qt, QTimer
from qtpy.QtGui import QHideEvent, QShowEvent
from qtpy.QtWidgets import QHBoxLayout, QLabel, QWidget

from rheojobs.engine import JobEngine
from rheojobs.engine.executors import WorkerInfo
from rheojobs.engine.sizes import size
from rheojobs.machine import processors
from rheojobs.qt.background import Background

__all__ = ["Load", "MachineStatus", "look_at_machine"]

_LOOK_MS = 1000


@dataclass(frozen=True, slots=True)
class Load:
    """How busy the machine is.

    Attributes
    ----------
    cores : int
        Those that this program may use.
    busy : float
        The fraction of all cores that was busy since the last look, 0 to 1.
    free, memory : int
        Bytes of free memory, and of all memory.
    workers : tuple of WorkerInfo
        The worker processes.
    """

    cores: int
    busy: float
    free: int
    memory: int
    workers: tuple[WorkerInfo, ...]


def look_at_machine(engine: JobEngine) -> Load:
    """Measure the load of the machine and the workers; takes some milliseconds."""
    import psutil

    memory = psutil.virtual_memory()
    workers = tuple(engine.executor.workers())
    busy = psutil.cpu_percent(None) / 100.0
    return Load(processors(), busy, int(memory.available), int(memory.total), workers)


class MachineStatus(QWidget):
    """Cores, memory and workers.

    Parameters
    ----------
    engine : JobEngine
        Whose workers are shown.
    background : Background
        Measures the load.
    """

    def __init__(
        self, engine: JobEngine, background: Background, parent: QWidget | None = None
    ) -> None:
        super().__init__(parent)
        self._engine = engine
        self._background = background
        self._is_looking = False
        self.cores = self._label(self.tr("Cores"))
        self.memory = self._label(self.tr("Memory"))
        self.workers = self._label(self.tr("Workers"))
        row = QHBoxLayout(self)
        row.setContentsMargins(6, 0, 6, 0)
        row.setSpacing(18)
        for label in (self.cores, self.memory, self.workers):
            row.addWidget(label)
        self._timer = QTimer(self, interval=_LOOK_MS)
        self._timer.timeout.connect(self.look)

    def look(self) -> None:
        """Measure the load, in the background."""
        if not self._is_looking:
            self._is_looking = True
            self._background.do(lambda: look_at_machine(self._engine), self.show_load, self._fail)

    def show_load(self, load: Load) -> None:
        """Show how busy the machine is."""
        self._is_looking = False
        one = load.cores == 1
        cores = self.tr("1 core") if one else self.tr("{count} cores").format(count=load.cores)
        self._say(self.cores, self.tr("{cores}, {share} % busy"), cores=cores, share=load.busy)
        self._say(
            self.memory,
            self.tr("{free} of {all} memory free"),
            free=size(load.free),
            all=size(load.memory),
        )
        self._show_workers(load.workers)

    def showEvent(self, event: QShowEvent) -> None:
        """Start measuring when it becomes visible."""
        super().showEvent(event)
        self.look()
        self._timer.start()

    def hideEvent(self, event: QHideEvent) -> None:
        """Stop measuring."""
        super().hideEvent(event)
        self._timer.stop()

    def _show_workers(self, workers: tuple[WorkerInfo, ...]) -> None:
        busy = sum(worker.state == "busy" for worker in workers)
        held = size(sum(worker.resident for worker in workers))
        if not workers:
            self._say(self.workers, self.tr("no worker processes"))
        elif len(workers) == 1:
            words = self.tr("1 worker, busy: {held}") if busy else self.tr("1 worker, idle: {held}")
            self._say(self.workers, words, held=held)
        else:
            words = self.tr("{count} workers, {busy} busy: {held}")
            self._say(self.workers, words, count=len(workers), busy=busy, held=held)
        lines = [
            self.tr("process {pid}: {state}, {held}").format(
                pid=worker.pid, state=self._state(worker.state), held=size(worker.resident)
            )
            for worker in workers
        ]
        self.workers.setToolTip("\n".join(lines))

    def _state(self, state: str) -> str:
        return {
            "starting": self.tr("starting"),
            "idle": self.tr("idle"),
            "busy": self.tr("busy"),
            "dead": self.tr("leaving"),
        }.get(state, state)

    @staticmethod
    def _say(label: QLabel, words: str, **values: str | float) -> None:
        shown = {k: f"{100 * v:.0f}" if isinstance(v, float) else v for k, v in values.items()}
        label.setText(words.format(**shown))

    def _fail(self, _: str) -> None:
        self._is_looking = False  # the error is logged; the next look may succeed

    def _label(self, name: str) -> QLabel:
        label = QLabel(self)
        label.setAccessibleName(name)
        label.setTextFormat(Qt.TextFormat.PlainText)
        return label
