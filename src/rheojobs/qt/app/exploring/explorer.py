"""`Explorer`: sliders in place of the table of parameters; the curve follows them."""

from __future__ import annotations

from typing import Any

from qtpy.QtCore import QObject
from qtpy.QtWidgets import QStackedWidget

from rheojobs.errors import InputError
from rheojobs.inference.data.dataset import Dataset
from rheojobs.inference.models.ties import parse_ties
from rheojobs.inference.problem.curve_task import CurveTask, thinned
from rheojobs.inference.results.curves import Curve
from rheojobs.qt.app.exploring.curve_worker import CurveWorker
from rheojobs.qt.app.pages.fit_page import FitPage
from rheojobs.qt.app.pages.page_tabs import PageTabs
from rheojobs.qt.app.session import WindowSession
from rheojobs.qt.app.settings.model_configuration import ModelConfiguration
from rheojobs.qt.single_shot import single_shot
from rheojobs.qt.widgets.jobs.run_panel import RunPanel
from rheojobs.qt.widgets.model.parameter_sliders import ParameterSliders
from rheojobs.qt.widgets.model.parameter_table import ParameterTable

__all__ = ["Explorer"]


class Explorer(QObject):
    """Shows the sliders while the button *Explore* is down, and draws the curve of their values.

    Parameters
    ----------
    session : WindowSession
        Has the data.
    configuration : ModelConfiguration
        Has the model, and the button that shows the sliders in its picker.
    table : ParameterTable
        Gives the values to begin with, and takes those of *Fit from here*.
    run_panel : RunPanel
        Starts the fit, and has the ties.
    tabs : PageTabs
        Its page of the fit shows the curve.
    parent : QObject
        The Qt parent.

    Attributes
    ----------
    pane : QStackedWidget
        The table, or the sliders.
    sliders : ParameterSliders
        The sliders.
    worker : CurveWorker
        Computes the curves; its process exists only while the sliders are shown.
    """

    def __init__(
        self,
        session: WindowSession,
        configuration: ModelConfiguration,
        table: ParameterTable,
        run_panel: RunPanel,
        tabs: PageTabs,
        parent: QObject,
    ) -> None:
        super().__init__(parent)
        self._session, self._configuration = session, configuration
        self._parameters, self._run_panel, self._tabs = table.parameters, run_panel, tabs
        self.button = configuration.picker.explore_button
        self.sliders = ParameterSliders()
        self.worker = CurveWorker(self)
        self.pane = QStackedWidget()
        self.pane.addWidget(table)
        self.pane.addWidget(self.sliders)
        self._before: Curve | None = None
        self._thinned: tuple[Dataset, Dataset] | None = None
        self.button.toggled.connect(self._toggle)
        self.sliders.moved.connect(self._request)
        self.sliders.reset_button.clicked.connect(self._reset)
        self.sliders.fit_button.clicked.connect(self._fit)
        run_panel.options.ties.changed.connect(self._retie)
        self.worker.computed.connect(self._draw)
        self.worker.failed.connect(self._show_failure)
        self._parameters.modelReset.connect(self._follow)
        self._parameters.dataChanged.connect(self._follow)

    def close(self) -> None:
        """Leave no process behind."""
        self.worker.stop(wait=True)

    def show_model(self, is_ready: bool) -> None:
        """Begin again with a model, after its parameters and its data are shown."""
        self._before = None
        self.button.setEnabled(is_ready)
        if not is_ready:
            self.button.setChecked(False)
        elif self.button.isChecked():
            single_shot(0, self, self._request)

    def set_locked(self, locked: bool) -> None:
        """Forbid moving the sliders while a job works on data and model."""
        self.sliders.setEnabled(not locked)

    # ---------------------------------------------------------------- inside

    def _toggle(self, shown: bool) -> None:
        if shown:
            self._before = self._plot().curve
            self.worker.start()
            self.sliders.note.setText(self.tr("Preparing the curve …"))
            self._follow()
            self.pane.setCurrentWidget(self.sliders)
            self._request()
            return
        self.worker.stop()
        self.pane.setCurrentIndex(0)
        self._restore()

    def _follow(self, *_: object) -> None:
        """Show the values of the table: a fit has ended, or another model is shown."""
        if self.button.isChecked():
            self.sliders.show_rows(self._parameters.rows())
            self.sliders.show_tied(self._tied_values())

    def _retie(self) -> None:
        if self.button.isChecked():
            self._request()

    def _request(self) -> None:
        self.sliders.show_tied(self._tied_values())
        model, data = self._configuration.model, self._session.dataset
        if model is None or data is None or self._session.is_running or data.test_mode is None:
            return
        if self._thinned is None or self._thinned[0] is not data:
            self._thinned = data, thinned(data)
        values, config = self.sliders.values(), dict(model.config)
        self.worker.request(CurveTask(model.name, self._thinned[1], values, config))

    def _tied_values(self) -> dict[str, float]:
        """Return the values of tied parameters; none if a tie is wrong, as its editor says."""
        model, values = self._configuration.model, self.sliders.values()
        found: dict[str, float] = {}
        try:
            texts = self._run_panel.options.ties.values()
            ties = parse_ties(texts, list(values), "" if model is None else model.name)
            for tie in ties:
                values[tie.name] = found[tie.name] = float(tie.evaluate(values))
        except (InputError, ArithmeticError, TypeError):  # a complex power has no float
            return {}
        return found

    def _draw(self, task: CurveTask, result: tuple[Any, Any]) -> None:
        """Draw a curve, unless it is of a model or of data that are shown no longer."""
        model = self._configuration.model
        is_shown = self._thinned is not None and task.dataset is self._thinned[1]
        if model is None or task.model != model.name or not is_shown or self._session.is_running:
            return
        self.sliders.note.clear()
        x, parts = result
        if self._plot().curve is not None and not self._is_ours(self._plot().curve):
            self._before = self._plot().curve
        self._plot().show_present(Curve(self._name(), x, tuple(parts)))

    def _show_failure(self, text: str) -> None:
        self.sliders.note.clear()
        self._run_panel.message.say("error", text)

    def _reset(self) -> None:
        self._follow()
        if self._before is not None:
            self._restore()
        else:
            self._request()

    def _restore(self) -> None:
        """Draw the curve of the last fit again, or none."""
        if self._is_ours(self._plot().curve):
            if self._before is None:
                self._plot().show_curve("", None)
            else:
                self._plot().show_present(self._before)

    def _fit(self) -> None:
        tied = self._tied_values()
        values = self.sliders.values()
        self._parameters.give_values({name: values[name] for name in values.keys() - tied.keys()})
        self._run_panel.fit_button.click()

    def _plot(self) -> Any:
        return self._tabs.page(FitPage).view.data_plot

    def _name(self) -> str:
        model = self._configuration.model
        return self.tr("{model}, by hand").format(model=model.label if model is not None else "")

    def _is_ours(self, curve: Curve | None) -> bool:
        return curve is not None and curve.name == self._name()
