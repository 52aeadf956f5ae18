"""`Series`: keeps the table of files in step with the opened data, and does what the user wants."""

from __future__ import annotations

import math
import os
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from qtpy.QtCore import QObject
from qtpy.QtWidgets import QFileDialog

from rheojobs.errors import InputError
from rheojobs.inference.batch.results_table import Row, rows_of, write_csv
from rheojobs.inference.batch.trend import Measured, start_from_neighbours
from rheojobs.inference.results.fit_result import FitResult
from rheojobs.qt.app.dataset_library import DatasetLibrary, OpenedDataset
from rheojobs.qt.app.file_reader import FileReader
from rheojobs.qt.app.pages.fit_page import FitPage
from rheojobs.qt.app.pages.series_page import SeriesPage
from rheojobs.qt.app.series.fit_request import FitRequest
from rheojobs.qt.app.series.series_fits import SeriesFits
from rheojobs.qt.background import Background
from rheojobs.qt.widgets.series.model import SeriesModel
from rheojobs.qt.widgets.series.rows import SeriesRow

if TYPE_CHECKING:
    from rheojobs.qt.app.main_window import MainWindow

__all__ = ["Series"]

MANY = 3
"""Files opened at once from which on their table is shown."""


class Series(QObject):
    """The table of files of a window.

    Parameters
    ----------
    window : MainWindow
        Has the data, the model and its settings, and shows single results.
    reader : FileReader
        Reads the files.
    background : Background
        Writes the table.

    Attributes
    ----------
    model : SeriesModel
        The rows.
    fits : SeriesFits
        Fits them.
    """

    def __init__(self, window: MainWindow, reader: FileReader, background: Background) -> None:
        super().__init__(window)
        self._window, self._background = window, background
        self._library: DatasetLibrary = window.library
        self._is_forward = False
        self._unread: dict[Path, SeriesRow] = {}
        self._page = window.tabs.page(SeriesPage)
        self.model: SeriesModel = self._page.model
        self.fits = SeriesFits(window.pool, self.model, self)
        self.fits.fitted.connect(self._keep)
        self.model.condition_edited.connect(self._set_conditions)
        self._library.listed.connect(self._list)
        reader.failed.connect(self._on_unread)
        reader.advanced.connect(self._on_advanced)
        self._page.fit_wanted.connect(self._fit)
        self._page.refit_wanted.connect(self._refit)
        self._page.cancel_wanted.connect(self.fits.cancel)
        self._page.export_wanted.connect(self._ask_where)
        self._page.activated.connect(self.show)
        self._page.fitted.connect(self._take)

    # ---------------------------------------------------------------- rows

    def _list(self) -> None:
        known = {row.key: row for row in self.model.rows}
        rows = []
        for opened in self._library.opened:
            row = known.get(opened) or _row_of(opened)
            if row.dataset is not opened.dataset:  # read in another way
                self.fits.drop(row)
                row = _row_of(opened)
            rows.append(row)
            if opened.path is not None:  # as it may be read after a correction
                self._unread.pop(opened.path, None)
        rows += self._unread.values()
        for row in set(known.values()) - set(rows):
            self.fits.leave(row)
        if rows != self.model.rows:
            self.model.set_rows(rows)

    def _on_unread(self, text: str, path: Path) -> None:
        self._unread[path] = SeriesRow(path, None, path, problem=text, modified=_modified(path))
        self._list()

    def _on_advanced(self, done: int, total: int) -> None:
        self._page.show_reading(done, total)
        if total >= MANY and not self._is_forward:
            self._page.come_forward()
        self._is_forward = total >= MANY and done < total

    def _set_conditions(self, row: SeriesRow, conditions: dict[str, float]) -> None:
        assert isinstance(row.key, OpenedDataset)
        self._library.set_conditions(row.key, conditions)
        row.dataset = row.key.dataset
        self.model.touch(row)

    # ---------------------------------------------------------------- fits

    def _fit(self, rows: Sequence[SeriesRow]) -> None:
        """Fit the present model to rows, as it is set in the window."""
        model, window = self._page.fit_model, self._window
        if model is None:
            return
        try:
            options = window.parameters.fit_options() | window.run_panel.fit_options()
        except InputError as error:
            self._page.view.message.say("error", str(error))
            return
        self._page.view.message.clear()
        request = FitRequest.of(model, window.parameters.given_values(), options)
        self.fits.fit(rows, request)

    def _refit(self, rows: Sequence[SeriesRow], measured: Sequence[Measured]) -> None:
        chosen = {self.model.place_of(row) for row in rows}
        for row in rows:
            request = row.recipe
            if not isinstance(request, FitRequest):
                continue
            place = self.model.place_of(row)
            # What is repeated is in question: it is no neighbour of another.
            others = [
                one
                for one in measured
                if one.number == place
                or (one.number not in chosen and self.model.rows[one.number].label == row.label)
            ]
            start = start_from_neighbours(others, place)
            self.fits.fit_one(row, request.repeated(start))

    def _take(self, result: FitResult) -> None:
        """Take a single fit of the present data, unless the row has one of another model."""
        row = next((row for row in self.model.rows if row.key is self._library.current), None)
        if row is None or row.is_busy or row.fit is result:
            return
        if row.fit is not None and row.fit.model_name != result.model_name:
            return
        data = self._window.session.dataset_for(self._page.fit_model)
        row.label = row.label or result.model_name
        row.fit, row.fitted, row.problem, row.remark = result, data, "", ""
        self.model.touch(row)

    def _keep(self, row: SeriesRow) -> None:
        if row.dataset is not None and row.fit is not None and row.fitted is not None:
            self._window.tabs.page(FitPage).keep(row.dataset, row.fit, row.fitted)

    def show(self, row: SeriesRow) -> None:
        """Show the data of a row with its fit in the page of data and fit.

        For a file that cannot be read, show the dialog that corrects how it is read.
        """
        if row.dataset is None:
            if row.path is not None:
                self._window.correcting.note_failure(row.path)
                self._window.correcting.open_failed()
            return
        if row.fit is not None:
            self._window.show_result(row.fit, row.dataset)
        elif not self._window.session.is_running:
            self._library.show(self._library.datasets.index(row.dataset))
            self._window.tabs.page(FitPage).come_forward()

    # ---------------------------------------------------------------- export

    def table(self) -> list[Row]:
        """Return the table as the command `batch` writes it."""
        rows = self.model.rows
        names = _names([row.path if row.path is not None else Path(row.name) for row in rows])
        labels = {row.label for row in rows if row.label}
        model = labels.pop() if len(labels) == 1 else ""  # of rows that cannot be read, too
        outcomes = [row.outcome(name, model) for row, name in zip(rows, names, strict=True)]
        return rows_of(outcomes, [row.conditions for row in rows])

    def export(self, path: str | Path) -> None:
        """Write the table: with tabs if the name ends with .tsv, else as CSV."""
        rows, path = self.table(), Path(path)
        delimiter = "\t" if path.suffix.lower() == ".tsv" else ","
        message = self._page.view.message
        self._background.do(
            lambda: write_csv(rows, path, delimiter),
            lambda _: message.say("success", self.tr("Wrote {path}").format(path=path)),
            lambda text: message.say("error", text),
        )

    def _ask_where(self) -> None:
        dialog = QFileDialog(self._window, self.tr("Export the table of files"))
        dialog.setAcceptMode(QFileDialog.AcceptMode.AcceptSave)
        dialog.setNameFilters([self.tr("Table (*.csv)"), self.tr("Table with tabs (*.tsv)")])
        dialog.setDefaultSuffix("csv")
        dialog.selectFile("results.csv")
        dialog.filterSelected.connect(
            lambda kind: dialog.setDefaultSuffix("tsv" if "tsv" in kind else "csv")
        )
        dialog.fileSelected.connect(self.export)
        dialog.open()


def _row_of(opened: OpenedDataset) -> SeriesRow:
    return SeriesRow(opened, opened.dataset, opened.path, modified=_modified(opened.path))


def _modified(path: Path | None) -> float:
    try:
        return path.stat().st_mtime if path is not None else math.nan
    except OSError:  # the file is gone, or was never there
        return math.nan


def _names(paths: Sequence[Path]) -> list[str]:
    """Return the names of files, relative to the folder that holds all, as a batch there does."""
    folders = {path.parent for path in paths}
    try:
        base = Path(os.path.commonpath(folders)) if len(folders) > 1 else next(iter(folders), None)
    except ValueError:  # on different drives
        return [path.as_posix() for path in paths]
    return [path.relative_to(base).as_posix() if base is not None else path.name for path in paths]
