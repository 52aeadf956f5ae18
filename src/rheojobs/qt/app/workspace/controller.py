"""`WorkspaceController`: opens and saves the window's workspace, and marks unsaved changes."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from qtpy.QtCore import QObject, QSettings, QTimer
from qtpy.QtWidgets import QFileDialog, QMessageBox, QVBoxLayout

from rheojobs.inference.workspace.content import Workspace
from rheojobs.inference.workspace.file_format import SUFFIX, read_workspace, write_workspace
from rheojobs.inference.workspace.script import script, unreadable
from rheojobs.inference.workspace.source_files import with_digests
from rheojobs.qt.app.workspace.autosave import Autosave
from rheojobs.qt.app.workspace.changes import same_content, same_view
from rheojobs.qt.app.workspace.edit_history import EditHistory
from rheojobs.qt.app.workspace.recent_files import RecentFiles
from rheojobs.qt.app.workspace.window_state import WindowState
from rheojobs.qt.app.workspace.workspace_menu import add_workspace_actions
from rheojobs.qt.background import Background
from rheojobs.qt.widgets.common.choice_bar import ChoiceBar
from rheojobs.whole_files import write_whole

if TYPE_CHECKING:
    from rheojobs.qt.app.main_window import MainWindow

__all__ = ["WorkspaceController"]

AUTOSAVE_MS = 2000
"""How long after a change the workspace is saved automatically."""


class WorkspaceController(QObject):
    """The workspace of a window and its file.

    Parameters
    ----------
    window : MainWindow
        With all its parts, connected.
    settings : QSettings or None
        Remembers recent files; the workspace is saved automatically beside its file.

    Attributes
    ----------
    path : Path or None
        The file that *Save* writes.
    state : WindowState
        Takes and restores what the window shows.
    history : EditHistory
        Undoes edits.
    recent : RecentFiles
        The menu of recent files.
    offer : ChoiceBar
        Asks whether the last session should be restored.
    box : QMessageBox or None
        The question about unsaved changes, while it is shown.
    autosave : Autosave or None
        None without settings.
    """

    def __init__(self, window: MainWindow, settings: QSettings | None) -> None:
        super().__init__(window)
        self._window = window
        self._background = Background(self)
        self.path: Path | None = None
        self.state = WindowState(window)
        self.history = EditHistory(self.state, window)
        self.recent = RecentFiles(settings, self._background, self.open, window)
        self.offer = ChoiceBar(window.jobs_pane)
        self.box: QMessageBox | None = None
        self._saved = self._autosaved = self.state.taken()
        self._is_of_file = True
        self._look_soon = QTimer(self, singleShot=True, interval=0)
        self._look_soon.timeout.connect(self._look)
        self._autosave_soon = QTimer(self, singleShot=True, interval=AUTOSAVE_MS)
        self._autosave_soon.timeout.connect(self._save_automatically)
        self.autosave = self._make_autosave(settings)
        layout = window.jobs_pane.layout()
        assert isinstance(layout, QVBoxLayout)
        layout.insertWidget(0, self.offer)
        add_workspace_actions(self, window)
        self._connect(window)

    def _make_autosave(self, settings: QSettings | None) -> Autosave | None:
        if settings is None:
            return None
        made = Autosave(Path(settings.fileName()).parent / "workspaces", self._background, self)
        made.left.connect(self._ask_about_left)
        made.failed.connect(lambda text: self._say("warning", text))
        made.look_for_left()
        return made

    def _connect(self, window: MainWindow) -> None:
        for signal in (
            window.library.listed,
            window.library.shown,
            window.library.dropped,
            window.model_picker.model_changed,
            window.parameters.dataChanged,
            window.parameters.modelReset,
            self.state.record.recorded,
        ):
            signal.connect(lambda *_: self._look_soon.start())
        self.state.notes.on_edited = self._look_soon.start
        self.state.priors.on_edited = self._on_prior
        self.state.restored.connect(self._on_restored)

    # ---------------------------------------------------------------- the file

    @property
    def is_changed(self) -> bool:
        """Whether there is something that the file does not have."""
        return not same_content(self.state.taken(), self._saved)

    def open_files(self, files: Sequence[str | Path]) -> None:
        """Open the last workspace among files, and then the data in the others."""
        found = [file for file in files if Path(file).suffix.lower() == SUFFIX]
        others = [file for file in files if file not in found]
        if found:
            self.open(Path(found[-1]), lambda: self._window.opening.open(others))
        else:
            self._window.opening.open(others)

    def open(self, path: Path, then: Callable[[], object] | None = None) -> None:
        """Open a workspace, and continue with `then`; ask first if there are unsaved changes."""
        if self._window.session.is_running:
            busy = self.tr("Cancel the present job, or wait for its end, to open a workspace.")
            self._say("info", busy)
        elif self.is_changed:
            self._ask_about_changes(lambda: self._read(path, then))
        else:
            self._read(path, then)

    def ask_what_to_open(self) -> None:
        """Let the user choose a workspace to open."""
        dialog = self._dialog(self.tr("Open workspace"), SUFFIX)
        dialog.setAcceptMode(QFileDialog.AcceptMode.AcceptOpen)
        dialog.setFileMode(QFileDialog.FileMode.ExistingFile)
        dialog.fileSelected.connect(lambda path: self.open(Path(path)))
        dialog.open()

    def save(self, then: Callable[[], object] | None = None) -> None:
        """Write the file; ask for its name if there is none yet."""
        if self.path is None:
            self.save_as(then)
        else:
            self.write(self.path, then)

    def save_as(self, then: Callable[[], object] | None = None) -> None:
        """Ask for a name and write the file."""
        dialog = self._dialog(self.tr("Save workspace"), SUFFIX)
        dialog.setAcceptMode(QFileDialog.AcceptMode.AcceptSave)
        dialog.selectFile(str(self.path or f"workspace{SUFFIX}"))
        dialog.fileSelected.connect(lambda path: self.write(Path(path), then))
        dialog.open()

    def write(self, path: Path, then: Callable[[], object] | None = None) -> None:
        """Write the workspace to a file in the background, and continue with `then`."""
        workspace = self.state.taken()

        def written(_: object) -> None:
            self.path, self._saved = path, workspace
            self.recent.add(path)
            self.tell_title()
            self._say("success", self.tr("Saved {path}").format(path=path))
            if then is not None:
                then()

        self._background.do(
            lambda: write_workspace(with_digests(workspace), path), written, self._fail
        )

    def save_script(self) -> None:
        """Ask for a name, and write a Python script that does what was done."""
        dialog = self._dialog(self.tr("Save as Python script"), ".py")
        dialog.setAcceptMode(QFileDialog.AcceptMode.AcceptSave)
        stem = "workspace" if self.path is None else self.path.stem
        dialog.selectFile(f"{stem}.py")
        dialog.fileSelected.connect(lambda path: self.write_script(Path(path)))
        dialog.open()

    def write_script(self, path: Path) -> None:
        """Write the script; data whose files would be read as other numbers are written out."""
        workspace = self.state.taken()

        def work() -> None:
            text = script(workspace, unreadable(workspace))
            write_whole(path, lambda target: target.write_text(text, encoding="utf-8"))

        words = self.tr("Wrote {path}").format(path=path)
        self._background.do(work, lambda _: self._say("success", words), self._fail)

    def close(self) -> None:
        """Leave the present workspace for the next window; write no file more."""
        self._look_soon.stop()
        self._autosave_soon.stop()
        if self.autosave is not None:
            self.autosave.close(self.state.taken())
        self._background.close()

    def tell_title(self) -> None:
        """Show the data, the file, and whether there are unsaved changes."""
        dataset = self._window.library.dataset
        names = [
            "" if dataset is None else dataset.name,
            "" if self.path is None else self.path.stem,
        ]
        name = " – ".join(name for name in names if name)
        changed = self.is_changed
        mark = "[*]" if name or changed else ""
        self._window.setWindowTitle(f"{name}{mark} – rheojobs" if name else f"rheojobs{mark}")
        self._window.setWindowModified(changed)

    # ---------------------------------------------------------------- inside

    def _read(self, path: Path, then: Callable[[], object] | None) -> None:
        def read(workspace: Workspace) -> None:
            if self._show(workspace, then or _nothing, is_of_file=True):
                self.path = path
                self.recent.add(path)

        self._background.do(lambda: read_workspace(path), read, self._fail)

    def _show(self, workspace: Workspace, then: Callable[[], object], *, is_of_file: bool) -> bool:
        if self._window.session.is_running:  # started while the file was read
            self._say("info", self.tr("The workspace was not opened: a job has been started."))
            return False
        self.offer.clear()
        self._is_of_file = is_of_file
        self.state.restore(workspace, then)
        return True

    def _on_restored(self) -> None:
        """Begin with what is shown now."""
        self._saved = self.state.taken() if self._is_of_file else Workspace()
        self.history.stack.clear()
        self._look_soon.start()

    def _on_prior(self) -> None:
        self.history.note_prior()
        self._look_soon.start()

    def _look(self) -> None:
        self.tell_title()
        if self.autosave is not None and not self._autosave_soon.isActive():
            now = self.state.taken()
            if not (same_content(now, self._autosaved) and same_view(now, self._autosaved)):
                self._autosave_soon.start()

    def _save_automatically(self) -> None:
        if self.autosave is not None:
            self._autosaved = self.state.taken()
            self.autosave.save(self._autosaved)

    def _ask_about_left(self, workspace: Workspace) -> None:
        data, runs = len(workspace.datasets), len(workspace.runs)
        parts = [self.tr("1 dataset") if data == 1 else self.tr("{n} datasets").format(n=data)]
        parts += [self.tr("1 result") if runs == 1 else self.tr("{n} results").format(n=runs)]
        words = self.tr("The last session had {parts}.").format(parts=", ".join(parts))
        autosave = self.autosave
        assert autosave is not None

        def restore() -> None:
            if self._show(workspace, _nothing, is_of_file=False):
                autosave.save(workspace)
                autosave.forget_left()

        self.offer.ask(
            "info",
            words,
            [(self.tr("Restore"), restore), (self.tr("Discard"), autosave.forget_left)],
        )

    def _ask_about_changes(self, then: Callable[[], object]) -> None:
        if self.box is not None:
            return
        box = QMessageBox(self._window)
        box.setIcon(QMessageBox.Icon.Question)
        box.setWindowTitle(self.tr("Unsaved changes"))
        box.setText(self.tr("The present workspace has changes that are not saved."))
        buttons = QMessageBox.StandardButton
        box.setStandardButtons(buttons.Save | buttons.Discard | buttons.Cancel)
        box.setDefaultButton(buttons.Save)
        self.box = box

        def finished(answer: int) -> None:
            self.box = None
            box.deleteLater()
            if answer == buttons.Save.value:
                self.save(then)
            elif answer == buttons.Discard.value:
                then()

        box.finished.connect(finished)
        box.open()

    def _dialog(self, title: str, suffix: str) -> QFileDialog:
        dialog = QFileDialog(self._window, title)
        kind = self.tr("Python script") if suffix == ".py" else self.tr("Workspace")
        dialog.setNameFilter(f"{kind} (*{suffix})")
        dialog.setDefaultSuffix(suffix.removeprefix("."))
        dialog.finished.connect(dialog.deleteLater)
        return dialog

    def _fail(self, text: str) -> None:
        self._say("error", text)

    def _say(self, kind: str, text: str) -> None:
        self._window.jobs_pane.message.say(kind, text)


def _nothing() -> None:
    pass
