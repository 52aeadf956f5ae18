"""Closing the window while jobs run: asks what should happen to them, and does it."""

from __future__ import annotations

from collections.abc import Collection
from enum import StrEnum

from qtpy.QtCore import QObject, Qt, QTimer
from qtpy.QtWidgets import QMainWindow, QMessageBox

from rheojobs.engine.jobs.job import Job
from rheojobs.engine.states import JobState
from rheojobs.qt.widgets.common.choice_bar import ChoiceBar
from rheojobs.qt.worker_pool import WorkerPool

__all__ = ["ClosingChoice", "WindowClosing"]

_LOOK_MS = 200
_NAMED = 3


class ClosingChoice(StrEnum):
    """What can happen to the jobs."""

    WAIT = "wait"
    LEAVE = "leave"
    CANCEL = "cancel"
    STAY = "stay"


class WindowClosing(QObject):
    """Asks before a window closes while its jobs run.

    Parameters
    ----------
    window : QMainWindow
        The window to close.
    pool : WorkerPool
        The pool whose jobs count.
    unimportant : collection of str
        The names of jobs that do not keep the window open.

    Attributes
    ----------
    box : QMessageBox or None
        The question, while it is shown.
    bar : ChoiceBar
        Shows in the status bar that the window waits for its jobs.
    leaves : bool
        Whether the jobs stay in the store for the next start.
    """

    def __init__(
        self, window: QMainWindow, pool: WorkerPool, unimportant: Collection[str] = ()
    ) -> None:
        super().__init__(window)
        self._window = window
        self._pool = pool
        self._unimportant = frozenset(unimportant)
        self._decided: ClosingChoice | None = None
        self.box: QMessageBox | None = None
        self.bar = ChoiceBar()
        self.bar.message.setWordWrap(False)  # the status bar has one line
        window.statusBar().addWidget(self.bar, 1)
        self._timer = QTimer(self, interval=_LOOK_MS)
        self._timer.timeout.connect(self._look)

    @property
    def leaves(self) -> bool:
        """Whether the jobs stay in the store for the next start."""
        return self._decided is ClosingChoice.LEAVE

    def may_close(self) -> bool:
        """Return whether the window may be closed now; if not, show the question and return."""
        if self._decided in (ClosingChoice.LEAVE, ClosingChoice.CANCEL):
            return True
        jobs = self.jobs()
        if not jobs:
            return True
        if self.box is None:
            self._ask(jobs)
        return False

    def jobs(self) -> list[Job]:
        """Return the jobs that have not ended and that count."""
        return [
            job
            for job in self._pool.engine.jobs()
            if not job.state.is_terminal and job.name not in self._unimportant
        ]

    def choose(self, choice: ClosingChoice) -> None:
        """Carry out the choice."""
        self._timer.stop()
        self.bar.clear()
        self._decided = choice
        if choice is ClosingChoice.WAIT:
            for job in self.jobs():
                job.resume()  # a paused job would never end
            self._timer.start()
            self._look()
        elif choice is ClosingChoice.LEAVE:
            for job in self._pool.engine.jobs():
                if job.name in self._unimportant:
                    job.cancel()  # else the next start would offer to resume it
            self._window.close()
        elif choice is ClosingChoice.CANCEL:
            self._window.close()

    # ---------------------------------------------------------------- the question

    def _ask(self, jobs: list[Job]) -> None:
        self._timer.stop()
        self.bar.clear()
        box = QMessageBox(self._window)
        box.setIcon(QMessageBox.Icon.Question)
        box.setWindowTitle(self.tr("Jobs have not ended"))
        box.setText(self._count(len(jobs)))
        box.setTextFormat(Qt.TextFormat.PlainText)
        box.setInformativeText(self._names(jobs))
        role = QMessageBox.ButtonRole
        one = len(jobs) == 1
        wait = self.tr("&Wait for it") if one else self.tr("&Wait for them")
        if any(_is_paused(job) for job in jobs):
            wait = self.tr("&Resume and wait")
        cancel = self.tr("&Cancel it") if one else self.tr("&Cancel them")
        buttons = {ClosingChoice.WAIT: box.addButton(wait, role.AcceptRole)}
        if self._can_leave(jobs):
            words = self.tr("&Leave for next time")
            buttons[ClosingChoice.LEAVE] = box.addButton(words, role.ActionRole)
        buttons[ClosingChoice.CANCEL] = box.addButton(cancel, role.DestructiveRole)
        buttons[ClosingChoice.STAY] = box.addButton(self.tr("&Keep the window"), role.RejectRole)
        box.setDefaultButton(buttons[ClosingChoice.WAIT])
        box.setEscapeButton(buttons[ClosingChoice.STAY])
        box.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        self.box = box

        def finished(_: int) -> None:
            clicked = box.clickedButton()
            self.box = None
            self.choose(next((c for c, b in buttons.items() if b is clicked), ClosingChoice.STAY))

        box.finished.connect(finished)
        box.open()

    def _can_leave(self, jobs: list[Job]) -> bool:
        engine = self._pool.engine
        kept = engine.store is not None and not engine.store_problem
        return kept and any(job.is_durable for job in jobs)

    def _count(self, count: int) -> str:
        if count == 1:
            return self.tr("1 job has not ended. What should happen to it?")
        return self.tr("{count} jobs have not ended. What should happen to them?").format(
            count=count
        )

    def _names(self, jobs: list[Job]) -> str:
        jobs = sorted(jobs, key=_is_paused, reverse=True)  # named first: the list may be cut
        paused = self.tr("• {name} (paused)")
        names = [
            paused.format(name=job.name) if _is_paused(job) else f"• {job.name}"
            for job in jobs[:_NAMED]
        ]
        if len(jobs) > _NAMED:
            names.append(self.tr("• … and {count} more").format(count=len(jobs) - _NAMED))
        lost = sum(not job.is_durable for job in jobs)
        if self._can_leave(jobs) and lost:
            names.append(
                self.tr("{count} of them cannot be stored, and would be cancelled.").format(
                    count=lost
                )
            )
        elif not self._can_leave(jobs):
            names.append(self.tr("The jobs are not on disk: they cannot be left for next time."))
        return "\n".join(names)

    # ---------------------------------------------------------------- waiting

    def _look(self) -> None:
        """Close the window when all jobs have ended; show how many have not or are paused."""
        jobs = self.jobs()
        if not jobs:
            self._timer.stop()
            self.bar.clear()
            self._on_all_ended()
            return
        count, paused = len(jobs), sum(_is_paused(job) for job in jobs)
        text = self.tr("The window closes when the last of {count} jobs has ended.")
        if count == 1:
            text = self.tr("The window closes when 1 job has ended.")
        text = text.format(count=count)
        if paused and count == 1:
            text = self.tr("The window closes when 1 job has ended, which is paused.")
        elif paused:
            text = f"{text} {self.tr('Paused: {paused}.').format(paused=paused)}"
        if self.bar.message.text() != text:
            choices = [(self.tr("Keep the window"), lambda: self.choose(ClosingChoice.STAY))]
            if paused:  # meanwhile, in the table
                choices.insert(0, (self.tr("Resume"), lambda: self.choose(ClosingChoice.WAIT)))
            self.bar.ask("info" if paused < count else "warning", text, choices)

    def _on_all_ended(self) -> None:
        engine = self._pool.engine
        self._decided = None
        if engine.store is not None and not engine.store_problem:
            self._window.close()
        else:  # their results would be lost
            done = (self.tr("Close"), self._window.close)
            words = self.tr("All jobs have ended. Their results are not on disk: save them first.")
            self.bar.ask("warning", words, [done])


def _is_paused(job: Job) -> bool:
    return job.state is JobState.PAUSED
