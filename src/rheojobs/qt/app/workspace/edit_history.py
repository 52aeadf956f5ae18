"""`EditHistory`: undoes and redoes edits: of parameters, of priors, closing data, reading data."""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import replace
from typing import TYPE_CHECKING

from qtpy.QtCore import QObject
from qtpy.QtGui import QUndoCommand, QUndoStack

from rheojobs.inference.data.dataset import Dataset
from rheojobs.inference.data.reading.preview import Reading
from rheojobs.inference.workspace.content import WorkspaceEdits
from rheojobs.qt.app.dataset_library import OpenedDataset
from rheojobs.qt.app.workspace.window_state import WindowState

if TYPE_CHECKING:
    from rheojobs.qt.app.main_window import MainWindow

__all__ = ["EditHistory"]

_MOST_EDITS = 100

_ONE_EDIT_S = 1.5
"""Changes of one thing that follow each other so soon are one edit: a prior is typed letter by
letter, and a value can be dragged."""

_EDIT = 1


class EditHistory(QObject):
    """The edits since the start, or since a workspace was opened.

    Notes have the history of their own editor.

    Parameters
    ----------
    state : WindowState
        Takes and restores the edits.
    window : MainWindow
        With all its parts.

    Attributes
    ----------
    stack : QUndoStack
        The edits.
    """

    def __init__(self, state: WindowState, window: MainWindow) -> None:
        super().__init__(window)
        self._state, self._window = state, window
        self._library = window.library
        self.stack = QUndoStack(self)
        self.stack.setUndoLimit(_MOST_EDITS)  # closed data stay in memory as long
        self._is_applying = False
        self._now = self._before_shown = state.edits()
        self._listed: list[tuple[OpenedDataset, Dataset, Reading]] = []
        window.parameters.dataChanged.connect(lambda *_: self._on_edited(self.tr("parameters")))
        # After these, the table or the priors are others, but not by an edit.
        for signal in (
            window.parameters.modelReset,
            window.model_picker.model_changed,
            state.settled,
        ):
            signal.connect(self._rebase)
        self._library.shown.connect(self._rebase)
        self._library.listed.connect(self._on_listed)
        self._library.dropped.connect(self._on_dropped)

    def undo(self) -> None:
        """Undo the last edit, unless a job works on the data."""
        if not self._window.session.is_running:
            self.stack.undo()

    def redo(self) -> None:
        """Redo the last edit that was undone, unless a job works on the data."""
        if not self._window.session.is_running:
            self.stack.redo()

    def note_prior(self) -> None:
        """Take an edit of a prior into the history."""
        self._on_edited(self.tr("a prior"))

    def apply_edits(self, edits: WorkspaceEdits, dataset: Dataset) -> None:
        """Show edits again, with their data and model if others are shown."""
        number = next((n for n, d in enumerate(self._library.datasets) if d is dataset), -1)
        if number < 0:
            return
        now = self._state.edits()
        self._is_applying = True
        try:
            if (now.data, now.model, now.config) == (number, edits.model, edits.config):
                self._state.restore_typed(edits)
            else:
                self._state.restore_edits(replace(edits, data=number))
        finally:
            self._end()

    def reopen(self, number: int, opened: OpenedDataset, edits: WorkspaceEdits) -> None:
        """List closed data again, with their fits and edits."""
        self._is_applying = True
        try:
            self._library.insert(number, opened)
            self._state.restore_edits(replace(edits, data=number))
        finally:
            self._end()

    def close(self, opened: OpenedDataset) -> None:
        """Close data again."""
        self._is_applying = True
        try:
            self._library.show(self._library.opened.index(opened))
            self._library.close()
        finally:
            self._end()

    def reread(
        self, opened: OpenedDataset, dataset: Dataset, reading: Reading, edits: WorkspaceEdits
    ) -> None:
        """Replace data by the same ones read in another way, with their fits."""
        if opened not in self._library.opened:
            return
        self._is_applying = True
        try:
            self._library.correct(opened, dataset, reading)
            number = self._library.opened.index(opened)
            self._state.restore_edits(replace(edits, data=number))
        finally:
            self._end()

    def _end(self) -> None:
        self._is_applying = False
        self._rebase()
        self._list()

    # ---------------------------------------------------------------- what the user does

    @property
    def _is_ours(self) -> bool:
        return self._is_applying or self._state.is_restoring

    def _on_edited(self, what: str) -> None:
        before, after = self._now, self._state.edits()
        dataset = self._library.dataset
        if self._is_ours or dataset is None or before == after:
            return
        self._now = after
        words = self.tr("edit of {what}").format(what=what)
        self.stack.push(_Edit(self, words, dataset, before, after))

    def _on_dropped(self, dataset: Dataset) -> None:
        found = [(n, each) for n, each in enumerate(self._listed) if each[1] is dataset]
        if found and not self._is_ours:
            number, (opened, _, reading) = found[0]
            edits = self._before_shown
            if opened in self._library.opened:
                words = self.tr("change of how {name} is read").format(name=dataset.name)
                self.stack.push(_Reread(self, words, opened, dataset, reading, edits))
            else:
                words = self.tr("closing of {name}").format(name=dataset.name)
                self.stack.push(_Closed(self, words, opened, number, edits))
        self._list()

    def _on_listed(self) -> None:
        self._before_shown = self._now  # the library tells of its list first
        if len(self._library.opened) > len(self._listed):
            self._list()

    def _rebase(self, *_: object) -> None:
        self._now = self._state.edits()

    def _list(self) -> None:
        self._listed = [(each, each.dataset, each.reading) for each in self._library.opened]


class _Command(QUndoCommand):
    """A command that was done already when it is pushed."""

    def __init__(self, history: EditHistory, text: str) -> None:
        super().__init__(text)
        self._history = history
        self._is_done = True

    def redo(self) -> None:
        if self._is_done:
            self._is_done = False
        else:
            self.repeat()

    def repeat(self) -> None:
        """Do it again."""
        raise NotImplementedError


class _Edit(_Command):
    def __init__(
        self,
        history: EditHistory,
        text: str,
        dataset: Dataset,
        before: WorkspaceEdits,
        after: WorkspaceEdits,
    ) -> None:
        super().__init__(history, text)
        self._dataset, self._before, self._after = dataset, before, after
        self._subject = _changed(before, after)
        self._at = time.monotonic()

    def undo(self) -> None:
        self._history.apply_edits(self._before, self._dataset)

    def repeat(self) -> None:
        self._history.apply_edits(self._after, self._dataset)

    def id(self) -> int:
        return _EDIT

    def mergeWith(self, other: QUndoCommand) -> bool:
        """Take the next change of the same thing, if it follows soon."""
        if not isinstance(other, _Edit) or other._dataset is not self._dataset:
            return False
        if other._subject != self._subject or other._at - self._at > _ONE_EDIT_S:
            return False
        self._after, self._at = other._after, other._at
        return True


class _Closed(_Command):
    def __init__(
        self,
        history: EditHistory,
        text: str,
        opened: OpenedDataset,
        number: int,
        edits: WorkspaceEdits,
    ) -> None:
        super().__init__(history, text)
        self._opened, self._number, self._edits = opened, number, edits

    def undo(self) -> None:
        self._history.reopen(self._number, self._opened, self._edits)

    def repeat(self) -> None:
        self._history.close(self._opened)


class _Reread(_Command):
    def __init__(
        self,
        history: EditHistory,
        text: str,
        opened: OpenedDataset,
        dataset: Dataset,
        reading: Reading,
        edits: WorkspaceEdits,
    ) -> None:
        super().__init__(history, text)
        self._opened, self._edits = opened, edits
        self._before, self._after = (dataset, reading), (opened.dataset, opened.reading)

    def undo(self) -> None:
        self._history.reread(self._opened, *self._before, self._edits)

    def repeat(self) -> None:
        self._history.reread(self._opened, *self._after, self._edits)


def _changed(before: WorkspaceEdits, after: WorkspaceEdits) -> frozenset[tuple[str, str, object]]:
    """Return what differs: the part, the parameter, and whether it is of the same kind."""
    found: set[tuple[str, str, object]] = set()
    for part in ("starts", "fixed", "bounds", "priors"):
        old, new = getattr(before, part), getattr(after, part)
        for name in old.keys() | new.keys():
            if old.get(name) != new.get(name):
                was, now = (each.get(name) for each in (old, new))
                found.add((part, name, _kind(was) == _kind(now)))
    return frozenset(found)


def _kind(value: object) -> object:
    """Return the kind of a prior; of a number, whether there is one."""
    return value.get("type") if isinstance(value, Mapping) else value is None
