"""The main window: connects widgets, datasets, session and pool.

It imports nothing heavy: only the worker processes load JAX and RheoJAX.
"""

from __future__ import annotations

import logging
import signal
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from qtpy.QtCore import QCoreApplication, QEvent, QSettings, QSignalBlocker, Qt, QTimer
from qtpy.QtGui import QCloseEvent, QDragEnterEvent, QDropEvent
from qtpy.QtWidgets import (
    QApplication,
    QMainWindow,
    QVBoxLayout,
    QWidget,
)

from rheojobs.engine.store import default_path
from rheojobs.errors import InputError
from rheojobs.inference.data.dataset import Dataset
from rheojobs.inference.models.catalogue import ModelInfo
from rheojobs.inference.posterior.likelihood_names import suited_likelihood
from rheojobs.inference.results.bayesian_result import BayesianResult
from rheojobs.inference.results.fit_result import FitResult
from rheojobs.machine import processors
from rheojobs.qt.app.closing import WindowClosing
from rheojobs.qt.app.correcting import Correcting
from rheojobs.qt.app.dataset_library import DatasetLibrary
from rheojobs.qt.app.exploring.explorer import Explorer
from rheojobs.qt.app.file_reader import FileReader
from rheojobs.qt.app.help.icon import app_icon
from rheojobs.qt.app.history import History
from rheojobs.qt.app.jobs_pane import HOUSEKEEPING, JobsPane
from rheojobs.qt.app.layout import restore_layout, save_layout, user_settings
from rheojobs.qt.app.menus import Menus
from rheojobs.qt.app.model_list_loader import ModelListLoader
from rheojobs.qt.app.opening import Opening, files_of
from rheojobs.qt.app.pages.page_tabs import PageTabs
from rheojobs.qt.app.pages.posterior_page import PosteriorPage
from rheojobs.qt.app.run_place import RunPlace
from rheojobs.qt.app.runs import Runs
from rheojobs.qt.app.series.series import Series
from rheojobs.qt.app.session import WindowSession
from rheojobs.qt.app.settings.model_configuration import ModelConfiguration
from rheojobs.qt.app.settings.own_models import OwnModels
from rheojobs.qt.app.workspace.controller import WorkspaceController
from rheojobs.qt.garbage_collection import GarbageCollection
from rheojobs.qt.single_shot import single_shot
from rheojobs.qt.widgets.common.building import group, splitter
from rheojobs.qt.widgets.common.message_bar import MessageBar
from rheojobs.qt.widgets.data.data_panel import DataPanel
from rheojobs.qt.widgets.jobs.machine_status import MachineStatus
from rheojobs.qt.widgets.jobs.run_panel import RunPanel
from rheojobs.qt.widgets.model.model_picker import ModelPicker
from rheojobs.qt.widgets.model.parameter_model import ParameterModel
from rheojobs.qt.widgets.model.parameter_table import ParameterTable
from rheojobs.qt.worker_pool import WorkerPool

__all__ = ["MainWindow", "run"]

logger = logging.getLogger(__name__)

_CLOSE_TIMEOUT_MS = 5000


class MainWindow(QMainWindow):
    """Opens data, fits and samples models, and shows the jobs.

    Parameters
    ----------
    pool : WorkerPool, optional
        Runs the jobs. By default the window makes a pool, and shuts it down when it closes.
    settings : QSettings, optional
        Stores the layout from one start to the next. By default it is not stored.
    """

    def __init__(self, pool: WorkerPool | None = None, settings: QSettings | None = None) -> None:
        super().__init__()
        self._owns_pool = pool is None
        workers = min(4, processors())
        self.pool = WorkerPool(workers, self, store=default_path()) if pool is None else pool
        self.closing = WindowClosing(self, self.pool, HOUSEKEEPING)
        self.library = DatasetLibrary(self)
        self.session = WindowSession(self.pool, self.library, self)
        self._settings = settings
        self.setWindowTitle("rheojobs")
        self.setWindowIcon(app_icon())
        self.setAcceptDrops(True)
        self._build()
        self.menus = Menus(self)
        self._connect()
        self.workspace = WorkspaceController(self, settings)
        self.resize(1280, 800)
        if settings is not None:
            restore_layout(self, settings)
        self.run_place.restore()
        self.tabs.load_soon()
        ModelListLoader(self.pool, self.model_picker, self).load()

    # ---------------------------------------------------------------- its parts

    def _build(self) -> None:
        self.data_panel = DataPanel()
        self.model_picker = ModelPicker()
        self.parameters = ParameterModel(self)
        self.parameter_table = ParameterTable(self.parameters)
        self.run_panel = RunPanel()
        self.jobs_pane = JobsPane(self.pool)
        self.history = History(self.jobs_pane, self.pool, self)
        background = self.jobs_pane.table.model.background
        self.correcting = Correcting(self.library, self.session, background, self)
        reader = FileReader(self.pool, self)
        self.opening = Opening(
            reader,
            self.library,
            self.session,
            self.data_panel,
            self.correcting,
            self,
        )
        self.machine_status = MachineStatus(self.pool.engine, background)
        self.run_place = RunPlace(self.pool, self, self._settings)
        self.statusBar().addPermanentWidget(self.run_place.button)
        self.statusBar().addPermanentWidget(self.machine_status)
        left = QWidget()
        column = QVBoxLayout(left)
        column.addWidget(group(self.tr("Data"), self.data_panel))
        self.parameter_message = MessageBar()
        self.tabs = PageTabs()
        self.configuration = ModelConfiguration(
            self.pool, self.model_picker, self.run_panel.options, self
        )
        self.own_models = OwnModels(self.pool, self.model_picker, self)
        self.explorer = Explorer(
            self.session,
            self.configuration,
            self.parameter_table,
            self.run_panel,
            self.tabs,
            self,
        )
        model_group = (self.model_picker, self.explorer.pane, self.parameter_message)
        column.addWidget(group(self.tr("Model"), *model_group), 1)
        column.addWidget(group(self.tr("Run"), self.run_panel))
        self.runs = Runs(
            self.session, self.run_panel, self.tabs, self.parameters, self.configuration, self
        )
        right = splitter(Qt.Orientation.Vertical, self.tabs, self.jobs_pane)
        right.setStretchFactor(0, 1)
        right.setSizes([570, 190])
        right.setContentsMargins(0, 0, 8, 0)  # the same margin as on the left
        whole = splitter(Qt.Orientation.Horizontal, left, right)
        whole.setStretchFactor(1, 1)
        whole.setSizes([470, 810])
        self.setCentralWidget(whole)
        for name, part in (("columns", whole), ("rows", right), ("tabs", self.tabs)):
            part.setObjectName(name)
        self.series = Series(self, reader, background)

    def _connect(self) -> None:
        self.history.opened.connect(self.show_result)
        self.library.listed.connect(self._list_data)
        self.library.shown.connect(self._show_data)
        self.library.dropped.connect(self._drop_data)
        self.library.relabelled.connect(self.tabs.dataset_relabelled)
        self.data_panel.close_wanted.connect(self.close_data)
        self.data_panel.dataset_chosen.connect(self.library.show)
        self.data_panel.mode_chosen.connect(self._set_test_mode)
        self.menus.axes.chosen.connect(self._arrange_plot)
        self.data_panel.together.toggled.connect(self._arrange_plot)
        self.data_panel.correct_wanted.connect(self.correcting.open)
        self.run_place.told.connect(self._show_place)
        self.configuration.changed.connect(self._show_model)
        self.configuration.waiting.connect(lambda: self.run_panel.set_ready(False))
        self.configuration.told.connect(self.parameter_message.say)
        self.runs.locked.connect(self._lock)
        self.parameters.refused.connect(self._show_refusal)
        self.parameters.dataChanged.connect(self._tell_bounds)

    # ---------------------------------------------------------------- data

    def open(self, files: Sequence[str | Path]) -> None:
        """Read files in the background, and show each when it is read; open a workspace."""
        self.workspace.open_files(files)

    def dragEnterEvent(self, event: QDragEnterEvent) -> None:
        """Accept files that are dragged in."""
        if files_of(event.mimeData()):
            event.acceptProposedAction()

    def dropEvent(self, event: QDropEvent) -> None:
        """Open the files that are dropped."""
        self.open(files_of(event.mimeData()))
        event.acceptProposedAction()

    def close_data(self) -> None:
        """Close the present data; a job of them keeps running, in the table of jobs."""
        self.session.release()
        self.library.close()

    def _set_test_mode(self, mode: str) -> None:
        try:
            self.library.set_test_mode(mode)
        except InputError as error:
            self._show_data()
            self.data_panel.message.say("error", str(error))

    def _list_data(self) -> None:
        names = [dataset.name for dataset in self.library.datasets]
        self.data_panel.show_names(names, self.library.number)

    def _show_data(self) -> None:
        dataset = self.library.dataset
        self.data_panel.show_dataset(dataset)
        with QSignalBlocker(self.model_picker):  # else a model of another name is shown twice
            self.model_picker.set_test_mode(None if dataset is None else dataset.test_mode)
        self.configuration.renew()
        single_shot(0, self.tabs, self.tabs.prepare)
        self.workspace.tell_title()

    def _drop_data(self, dataset: Dataset) -> None:
        for page in self.tabs.pages:
            page.dataset_dropped(dataset)

    # ---------------------------------------------------------------- models

    def _show_model(self, model: ModelInfo | None) -> None:
        """Start again with a model: the data without curves, the parameters without estimates."""
        self.parameters.set_parameters(model.parameters if model is not None else ())
        self.run_panel.message.clear()
        self.parameter_message.clear()
        dataset = self.session.dataset_for(model)
        known = dataset is not None and dataset.test_mode is not None
        self.run_panel.set_ready(known and model is not None)
        self.explorer.show_model(known and model is not None)
        if dataset is not None:
            self.run_panel.suit_noise(*suited_likelihood(dataset))
        for page in self.tabs.pages:
            page.model_shown(model)
            page.dataset_shown(dataset, self.library.dataset)
        self._arrange_plot()
        if dataset is not None:
            self.session.prewarm(model)

    def _arrange_plot(self) -> None:
        """Show the data on the chosen axes, with the other data beside them if that is chosen."""
        if self.library.dataset is None:
            return
        wanted = self.data_panel.together.isChecked()
        others = self.session.others_for(self.configuration.model) if wanted else []
        for page in self.tabs.pages:
            page.plot_arranged(others, self.menus.axes.is_log)

    def _tell_bounds(self) -> None:
        for page in self.tabs.pages:
            page.bounds_edited(self.parameters.edited_bounds())

    # ---------------------------------------------------------------- jobs

    def _show_place(self, kind: str, text: str) -> None:
        """Show what is wrong with the cluster, unless its dialog is open and shows it."""
        if self.run_place.dialog is None and kind in ("warning", "error"):
            self.jobs_pane.message.say(kind, text)

    def _show_refusal(self, text: str) -> None:
        if text:
            self.parameter_message.say("error", text)
        else:
            self.parameter_message.clear()

    def show_result(
        self,
        result: FitResult | BayesianResult,
        dataset: Dataset,
        config: Mapping[str, Any] | None = None,
    ) -> None:
        """Show a result with its data; `config` has the settings of its model."""
        if self.session.is_running:
            busy = self.tr("Cancel the present job, or wait for its end: it shows its result here.")
            self.jobs_pane.message.say("info", busy)
            return
        number = self.library.find(dataset)
        if number < 0:
            self.library.add(dataset)
        else:
            self.library.show(number)
        self.configuration.choose(result.model_name, config or {}, lambda: self._show_found(result))

    def _show_found(self, result: FitResult | BayesianResult) -> None:
        if isinstance(result, FitResult):
            self.session.fit_result = result
        self.runs.show_result(result)
        if isinstance(result, BayesianResult):
            self.tabs.page(PosteriorPage).come_forward()

    def _lock(self, running: bool) -> None:
        """Lock data and model while a job works on them."""
        self.model_picker.names.setEnabled(not running)
        self.explorer.set_locked(running)
        self.data_panel.set_locked(running)

    # ---------------------------------------------------------------- the end

    def closeEvent(self, event: QCloseEvent) -> None:
        """Ask if jobs have not ended; else close, and leave no process behind."""
        if self._owns_pool and not self.closing.may_close():
            event.ignore()
            return
        if self._settings is not None:
            save_layout(self, self._settings)
        self.hide()
        self.explorer.close()
        self.workspace.close()
        self.history.close()
        self.run_place.close()
        self.jobs_pane.close_down()
        leave = self.closing.leaves
        if not self._owns_pool:
            self.session.cancel()
        elif not self.pool.shutdown(timeout_ms=_CLOSE_TIMEOUT_MS, leave=leave):
            logger.warning("not all workers ended within %d ms", _CLOSE_TIMEOUT_MS)
        event.accept()


def run(files: Sequence[str] = ()) -> int:
    """Open the window on files and run until it is closed.

    Parameters
    ----------
    files : sequence of str
        Measured data to open.

    Returns
    -------
    int
        The exit status.
    """
    application = QApplication.instance()
    if not isinstance(application, QApplication):
        application = QApplication(sys.argv[:1])
        application.setApplicationName("rheojobs")
        application.setDesktopFileName("rheojobs")  # desktops find the icon by it
        # Python cannot handle Ctrl-C while Qt waits; the workers end with this process.
        signal.signal(signal.SIGINT, signal.SIG_DFL)
    window = MainWindow(settings=user_settings())
    GarbageCollection(window)  # as long as the event loop runs, and no longer
    window.show()
    # After the first paint, so that the window is visible when a message comes.
    QTimer.singleShot(0, lambda: window.open(files))
    if sys.excepthook is sys.__excepthook__:  # PyQt would end the process at an error in a slot
        sys.excepthook = _print_error
    status = application.exec()
    # Now, because the order of deletion when Python ends is undefined.
    window.deleteLater()
    QCoreApplication.sendPostedEvents(window, QEvent.Type.DeferredDelete)
    return status


def _print_error(*error: Any) -> None:
    sys.__excepthook__(*error)
